"""The findings queue: other systems read findings from it, as JSON (docs/schemas/finding.json)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from diagnostics.findings import Finding


@dataclass(frozen=True, slots=True)
class QueueSink:
    """Puts findings on a queue.

    Attributes:
        put: sends a body to a queue.
        queue: its name.
    """

    put: Callable[[str, bytes], None]
    queue: str
    name: str = "queue"
    for_people: bool = False

    def send(self, finding: Finding) -> None:
        """Put the finding on the queue; raises TemporaryError where storage is away."""
        self.put(self.queue, finding.to_json())
