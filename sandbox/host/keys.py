"""Access keys of HTTP functions and of the admin endpoints."""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """One function key for all functions, and the master key ("Work with access keys in Azure Functions")."""

    function: str
    master: str

    @classmethod
    def from_settings(cls, settings: Mapping[str, str]) -> "Keys":
        """SANDBOX_FUNCTION_KEY and SANDBOX_MASTER_KEY, or random ones."""
        function = settings.get("SANDBOX_FUNCTION_KEY") or secrets.token_urlsafe(32)
        return cls(function, settings.get("SANDBOX_MASTER_KEY") or secrets.token_urlsafe(32))

    def allow(self, request: web.Request, level: str) -> bool:
        """Whether the request may go to a function of this authLevel: anonymous, function or admin."""
        accepted = {"anonymous": (), "function": (self.function, self.master)}.get(level, (self.master,))
        given = (request.headers.get("x-functions-key") or request.query.get("code", "")).encode()
        # every key is compared, for a time that does not depend on which one was given
        matches = [hmac.compare_digest(given, key.encode()) for key in accepted]
        return level == "anonymous" or any(matches)
