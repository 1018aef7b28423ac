"""Things that go wrong on the way: throttling, server errors, dropped connections, slow answers."""

import re
import threading
from typing import Any

import msgspec

from sandbox.arm.identity import CLIENT_ID, OBJECT_ID

SERVICE_UNAVAILABLE_HTML = (
    "<!DOCTYPE HTML PUBLIC '-//W3C//DTD HTML 4.01//EN'><html><head><title>Service Unavailable</title></head>"
    "<body><h2>Service Unavailable</h2><hr><p>HTTP Error 503. The service is unavailable.</p></body></html>"
)


class Fault(msgspec.Struct, forbid_unknown_fields=True):
    """One planned failure.

    `path` is a regular expression searched in the path and query; `delay` is in seconds. Without a `status` the request
    is answered as usual after the delay; `drop` closes the connection without an answer. A text as `body` goes out as
    HTML.
    """

    method: str | None = None
    path: str = ""
    status: int | None = None
    headers: dict[str, str] = {}
    body: Any = None
    times: int = 1
    delay: float = 0.0
    drop: bool = False

    def hits(self, method: str, path: str) -> bool:
        """Whether this failure is meant for a request, and has times left."""
        wanted = self.method is None or self.method.upper() == method.upper()
        return self.times > 0 and wanted and re.search(self.path, path, re.IGNORECASE) is not None


class Faults:
    """Planned failures, thread-safe; the first that fits a request and has times left is used up by one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._planned: list[Fault] = []

    def add(self, **fault: Any) -> Fault:
        """Plan a failure; the arguments are those of `Fault`. A wrong one raises msgspec.ValidationError."""
        planned = msgspec.convert(fault, Fault)
        re.compile(planned.path)
        with self._lock:
            self._planned.append(planned)
        return planned

    def unavailable(self, *, path: str = "", times: int = 1) -> Fault:
        """Plan 503 with an HTML page, as gateways before ARM answer it."""
        return self.add(path=path, status=503, body=SERVICE_UNAVAILABLE_HTML, times=times)

    def linked_authorization(self, action: str, scope: str, *, path: str = "", times: int = 1) -> Fault:
        """Plan 403 LinkedAuthorizationFailed: the write is allowed, a join on what it references is not."""
        text = (
            f"The client '{CLIENT_ID}' with object id '{OBJECT_ID}' has permission to perform action "
            "'Microsoft.Network/networkInterfaces/write' on scope; however, it does not have permission to perform "
            f"action '{action}' on the linked scope(s) '{scope}' or the linked scope(s) are invalid."
        )
        body = {"error": {"code": "LinkedAuthorizationFailed", "message": text}}
        return self.add(method="PUT", path=path, status=403, body=body, times=times)

    def take(self, method: str, path: str) -> Fault | None:
        """The failure planned for this request, if any."""
        with self._lock:
            fault = next((planned for planned in self._planned if planned.hits(method, path)), None)
            if fault is not None:
                fault.times -= 1
            return fault

    def clear(self) -> None:
        """Forget what is planned."""
        with self._lock:
            self._planned.clear()
