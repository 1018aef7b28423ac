"""The same questions for millions of flows or addresses at once, in columns: numpy is imported with this package.

So nothing imports it at its top: a cold start pays only for what it runs.
"""

from diagnostics.network.batch.flows import PROTOCOLS, Flows
from diagnostics.network.batch.hops import next_hops
from diagnostics.network.batch.rules import VERDICTS, Decider, Decisions, decide_all

__all__ = ["PROTOCOLS", "VERDICTS", "Decider", "Decisions", "Flows", "decide_all", "next_hops"]
