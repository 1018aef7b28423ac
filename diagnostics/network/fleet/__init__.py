"""Reachability of all pairs of a fleet at once, for some services; needs numpy, so it is imported where it is used."""

from diagnostics.network.fleet.answers import Fleet, all_pairs
from diagnostics.network.fleet.services import Service

__all__ = ["Fleet", "Service", "all_pairs"]
