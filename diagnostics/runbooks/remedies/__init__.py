"""What to do about what is wrong: in words with the value, as `az` commands, as Bicep, and where in the portal.

`row` is the runbook's table; the others are remedies that no issue of Azure's stands behind.
"""

from diagnostics.paste.az import arguments
from diagnostics.runbooks.remedies.blocker import Blocker
from diagnostics.runbooks.remedies.machines import look_again, start_vm, way_out
from diagnostics.runbooks.remedies.table import Row, row
from diagnostics.runbooks.remedies.watching import enable_watcher, install_agent

__all__ = [
    "Blocker",
    "Row",
    "arguments",
    "enable_watcher",
    "install_agent",
    "look_again",
    "row",
    "start_vm",
    "way_out",
]
