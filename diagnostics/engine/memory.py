"""Journal and leases in memory: for one process that works on one request, such as the command line."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from diagnostics.contracts import Entry


@dataclass(frozen=True, slots=True)
class Memory:
    """Remembers as the store does, for as long as the process lives.

    Attributes:
        entries: by request and question.
        leased: who has a lease, and until when, by its name.
    """

    entries: dict[tuple[str, str], Entry] = field(default_factory=dict)
    leased: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def entry(self, request_id: str, key: str) -> Entry | None:
        """What is noted under a question's key."""
        return self.entries.get((request_id, key))

    def note(self, request_id: str, key: str, entry: Entry) -> None:
        """Note it, over what was there."""
        self.entries[request_id, key] = entry

    def forget(self, request_id: str) -> None:
        """The request is done: nobody will continue it."""
        with self._lock:
            for noted in [noted for noted in self.entries if noted[0] == request_id]:
                del self.entries[noted]

    def lease(self, name: str, *, holder: str, now: datetime, until: datetime) -> bool:
        """Take a lease, or prolong one's own; False while another holder's has not ended."""
        with self._lock:
            owner, ends = self.leased.get(name, (holder, until))
            if owner != holder and ends > now:
                return False
            self.leased[name] = (holder, until)
            return True

    def give_back(self, name: str, *, holder: str) -> None:
        """End a lease, if it is this holder's."""
        with self._lock:
            if self.leased.get(name, ("",))[0] == holder:
                del self.leased[name]
