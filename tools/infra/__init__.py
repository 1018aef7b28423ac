"""Checks of `infra/`: the tools that read the templates, and what both ways of deployment must have alike.

Where a tool or a registry cannot be had, a stand-in from the folder that `VMREACH_TOOLS` names is used, and said so.
"""
