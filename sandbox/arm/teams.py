"""A Teams channel behind a Workflows trigger "When a Teams webhook request is received".

The trigger answers 202 before the flow runs, so a card that is too large is accepted and then lost, as in Teams.
Source: "Create incoming webhooks with Workflows for Microsoft Teams".
"""

import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from sandbox.arm.wire import Json, Reply

_LARGEST = 28 * 1024  # bytes of a message that Teams still posts
CARD = "application/vnd.microsoft.card.adaptive"


class Teams:
    """Messages that reached the channel (`posted`), and why others that were accepted did not (`lost`)."""

    path = "/workflows/5f7f0a1f4c6f4a0e9d0b8a4e3b2c1d00/triggers/manual/paths/invoke"

    def __init__(self) -> None:
        self._sig = secrets.token_urlsafe(32)
        self.posted: list[Json] = []
        self.lost: list[str] = []

    @property
    def url_path(self) -> str:
        """The webhook's path and query, with its secret."""
        query = {"api-version": "2016-06-01", "sp": "/triggers/manual/run", "sv": "1.0", "sig": self._sig}
        return f"{self.path}?{urlencode(query)}"

    def receive(self, query: Mapping[str, str], body: bytes) -> Reply:
        """202 for a message with Adaptive Cards; 401 for a wrong signature, 400 for anything else."""
        if query.get("sig") != self._sig:
            return _refused(
                401, "DirectApiAuthorizationRequired", "The request must be authenticated by Shared Access scheme."
            )
        try:
            message = msgspec.json.decode(body)
        except msgspec.DecodeError as error:
            return _refused(400, "InvalidRequestContent", f"The request content is not valid JSON: {error}.")
        wrong = _envelope_problem(message)
        if wrong:
            return _refused(
                400, "TriggerInputSchemaMismatch", f"The input body for trigger 'manual' is wrong: {wrong}."
            )
        if len(body) > _LARGEST:
            self.lost.append(f"Request Entity too large: {len(body)} bytes")
        else:
            self.posted.append(message)
        return Reply("", 202)


def _envelope_problem(message: Any) -> str | None:
    if not isinstance(message, dict) or message.get("type") != "message":
        return "type is not 'message'"
    attachments = message.get("attachments")
    if not isinstance(attachments, list) or not attachments:
        return "attachments is not a list with something in it"
    for attachment in attachments:
        if not isinstance(attachment, dict) or attachment.get("contentType") != CARD:
            return f"contentType is not '{CARD}'"
        content = attachment.get("content")
        if not isinstance(content, dict) or content.get("type") != "AdaptiveCard":
            return "content.type is not 'AdaptiveCard'"
    return None


def _refused(status: int, code: str, text: str) -> Reply:
    return Reply({"error": {"code": code, "message": text}}, status)
