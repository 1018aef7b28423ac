"""What to answer an action group: parse, refuse what is out of scope, enqueue. Azure itself is never asked here.

An action group waits for seconds, retries on 408, 429, 503 and 504 only, and then calls nobody for 15 minutes
("Action groups: webhook retry logic"). So junk is 400, and storage that is away is 503.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from diagnostics.contracts import Clock, Outbox, Store
from diagnostics.errors import OutOfScopeError, ParseError, TemporaryError
from diagnostics.intake import alerts
from diagnostics.intake.messages import DiagnosisRequest
from diagnostics.scopes import Scopes

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer: status, and what its JSON body says."""

    status: HTTPStatus
    body: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Acceptor:
    """Takes alerts in."""

    scopes: Scopes
    outbox: Outbox
    store: Store
    clock: Clock
    own_client_id: str | None = None

    def accept(self, payload: bytes) -> Answer:
        """Take an alert in.

        Returns:
            202 with the ids of the requests that were enqueued, or with the reason for ignoring it; 400 for junk; 403
            for resources outside of `VMREACH_SCOPES`; 503 when the queue can't be reached, so that Azure tries again.
        """
        try:
            read = alerts.read(payload, own_client_id=self.own_client_id)
        except ParseError as error:
            _log.warning("an alert that can't be read: %r", str(error))
            return Answer(HTTPStatus.BAD_REQUEST, {"error": str(error)})
        try:
            match read:
                case alerts.Ignored():
                    return self._ignored(read)
                case alerts.Closed(request):
                    self.outbox.closure(request)
                    return Answer(HTTPStatus.ACCEPTED, {"requestIds": [], "closes": request.alert_id})
                case alerts.Accepted(requests):
                    return self._enqueued(requests)
        except TemporaryError as error:
            _log.error("an alert could not be enqueued: %s", error)
            return Answer(HTTPStatus.SERVICE_UNAVAILABLE, {"error": "storage can't be reached: try again"})

    def _enqueued(self, requests: tuple[DiagnosisRequest, ...]) -> Answer:
        inside, refused = [], []
        for request in requests:
            try:
                for resource in request.resources:
                    self.scopes.refuse_outside(resource)
            except OutOfScopeError as error:
                _log.warning("refused: %r", str(error))
                refused.append(str(error))
            else:
                inside.append(request)
        for request in inside:
            self.outbox.diagnosis(request)
        if not inside:
            return Answer(HTTPStatus.FORBIDDEN, {"error": "; ".join(refused)})
        body: dict[str, Any] = {"requestIds": [request.request_id for request in inside]}
        return Answer(HTTPStatus.ACCEPTED, body | ({"refused": refused} if refused else {}))

    def _ignored(self, read: alerts.Ignored) -> Answer:
        _log.info("alert ignored: %r", read.reason)
        self.store.ignore(
            read.key, read.reason, alert_id=read.alert_id, alert_rule=read.alert_rule, now=self.clock.now()
        )
        return Answer(HTTPStatus.ACCEPTED, {"requestIds": [], "ignored": read.reason})
