"""What the internet gets in to: ports, sources and the rules that open them, as exact sets, for whole fleets."""

from diagnostics.network.openings.engine import Openings
from diagnostics.network.openings.found import Decider, Exposure, Opening, reaches

__all__ = ["Decider", "Exposure", "Opening", "Openings", "reaches"]
