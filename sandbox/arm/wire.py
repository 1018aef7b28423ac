"""What passes between the HTTP gateway and the services: a request, a reply, an error, and how a path is read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import msgspec

type Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Path:
    """An ARM path, split. Names keep their case; compare with `key` and `kind`, which are lower-case.

    `type` is what follows the last ``/providers/``: ``Microsoft.Network/virtualNetworks/subnets``; an action or a
    collection ends it like a type, as in ``Microsoft.Network/networkWatchers/connectivityCheck``.
    """

    text: str
    scope: str
    type: str
    names: tuple[str, ...]
    is_collection: bool

    @classmethod
    def parse(cls, text: str) -> "Path":
        """Split any path; one without ``/providers/`` has an empty type."""
        segments = text.strip("/").split("/")
        marks = [i for i, segment in enumerate(segments) if segment.lower() == "providers"]
        if not marks or len(segments) < marks[-1] + 2:
            return cls(text, "/" + "/".join(segments), "", (), is_collection=len(segments) % 2 == 1)
        scope, provider, rest = segments[: marks[-1]], segments[marks[-1] + 1], segments[marks[-1] + 2 :]
        kind = "/".join([provider, *rest[0::2]])
        return cls(text, "".join(f"/{s}" for s in scope), kind, tuple(rest[1::2]), is_collection=len(rest) % 2 == 1)

    @property
    def key(self) -> str:
        """The whole path as a key: lower-case, no slash at the end."""
        return self.text.rstrip("/").lower()

    @property
    def kind(self) -> str:
        """The type, lower-case."""
        return self.type.lower()

    @property
    def parent(self) -> str:
        """The path without its last segment: of an action, the resource it is for."""
        return self.text.rstrip("/").rpartition("/")[0]

    def _after(self, word: str) -> str | None:
        segments = self.text.strip("/").split("/")
        found = (segments[i + 1] for i, segment in enumerate(segments[:-1]) if segment.lower() == word)
        return next(found, None)

    @property
    def subscription(self) -> str | None:
        """The subscription id in the path."""
        return self._after("subscriptions")

    @property
    def group(self) -> str | None:
        """The resource group's name in the path."""
        return self._after("resourcegroups")


@dataclass(frozen=True, slots=True)
class Request:
    """One authenticated call. Query names are lower-case; `base` is the server's own URL as the client sees it."""

    method: str
    path: Path
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    base: str

    @property
    def api_version(self) -> str:
        """A date, as in ``2026-03-01``; newer ones compare greater."""
        return self.query["api-version"]

    def json(self) -> Json:
        """The body as an object; otherwise 400 InvalidRequestContent."""
        try:
            return msgspec.json.decode(self.body, type=dict[str, Any])
        except msgspec.DecodeError as error:
            text = f"The request content was invalid and could not be deserialized: '{error}'."
            raise ArmError(400, "InvalidRequestContent", text) from None

    def url(self, path: str, **query: str) -> str:
        """An absolute URL of this server, at the api-version of the request."""
        return f"{self.base}{path}?{urlencode({'api-version': self.api_version} | query)}"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. A body of None goes out as the literal ``null``, as Network Watcher's 202 does."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class ArmError(Exception):
    """An answer in Azure's error shape: ``{"error": {"code", "message", "details"}}``."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        details: list[Json] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        error: Json = {"code": code, "message": message}
        if details is not None:
            error["details"] = details
        self.reply = Reply({"error": error}, status, headers or {})


def resource_not_found(path: Path) -> ArmError:
    """404 in the words of ARM."""
    name = "/".join([path.type, *path.names]) if len(path.names) > 1 else f"{path.type}/{''.join(path.names)}"
    text = f"The Resource '{name}' under resource group '{path.group}' was not found. For more details please go to "
    return ArmError(404, "ResourceNotFound", text + "https://aka.ms/ARMResourceNotFoundFix")
