"""Checks over an estate: each is a small pure function whose docstring is the advice; `audit` runs them all.

A module for each family. To add a check: its function, its section in docs/checks.md, its table of tests.
"""

from diagnostics.checks.catalogue import Check, catalogue, check
from diagnostics.checks.found import Found, Unclear
from diagnostics.checks.view import View

__all__ = ["Check", "Found", "Unclear", "View", "catalogue", "check"]
