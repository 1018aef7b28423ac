"""What `diagnose` was asked, as the request that a queue message would be: checked by the same rules."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from diagnostics.errors import ParseError

if TYPE_CHECKING:
    from diagnostics.intake.messages import DiagnosisRequest, Endpoint
    from diagnostics.scopes import Scopes

_OPTIONS = {"$.source": "--source", "$.destination": "--dest", "$.protocol": "--protocol", "$.problem": "--problem"}
_ABOUT_THE_REQUEST = ("dest", "protocol", "problem", "alert_time")


def read(asked: argparse.Namespace, now: datetime) -> DiagnosisRequest:
    """The request that the arguments make; raises ParseError that names the argument."""
    from diagnostics.findings import fingerprint  # noqa: PLC0415 - `--help` need not wait for it
    from diagnostics.intake.messages import DiagnosisRequest  # noqa: PLC0415

    destination = None if asked.dest is None else _destination(_whole(asked.dest))
    fired = None if asked.alert_time is None else _time(asked.alert_time, now)
    words = (asked.source, asked.dest, asked.protocol, asked.problem, now.isoformat())
    message = {
        "requestId": fingerprint("cli", *map(ascii, words)),
        "problem": asked.problem or "auto",
        "source": _source(_whole(asked.source)),
        "destination": destination,
        "protocol": asked.protocol,
        "origin": {"kind": "cli", "firedAt": fired},
    }
    try:
        return DiagnosisRequest.read(json.dumps(message).encode())
    except ParseError as error:
        raise ParseError(_in_words_of_options(str(error))) from None


def refuse_without_source(asked: argparse.Namespace) -> None:
    """Raise ParseError for what says something about a request that is not there."""
    for name in _ABOUT_THE_REQUEST:
        if getattr(asked, name) is not None:
            raise ParseError(
                f"--{name.replace('_', '-')}: needs --source; without it the scenario's alert is diagnosed"
            )


def scopes_of(asked: argparse.Namespace, env: str, request: DiagnosisRequest) -> tuple[Scopes, str]:
    """What may be looked at, and what says so: `--subscription`, the environment, or the ids that are named.

    Raises:
        ParseError: none of them says anything.
    """
    from diagnostics.scopes import Scopes  # noqa: PLC0415

    if asked.subscription:
        return Scopes.parse(",".join(asked.subscription), "--subscription"), "--subscription"
    if env.strip():
        return Scopes.parse(env), "VMREACH_SCOPES"
    named = dict.fromkeys(f"/subscriptions/{rid.subscription}" for rid in request.resources)
    if not named:
        what = f"--source: {request.source.name!r} is a name, and no subscription says where to look for it"
        raise ParseError(f"{what}: add --subscription ID, or give the VM's resource id")
    return Scopes.parse(",".join(named)), "the subscriptions of the ids that were given"


def connection(request: DiagnosisRequest) -> str:
    """The connection as it was asked for: `vm1 → vm2:3389, tcp`."""
    to = _called(request.destination) if request.destination else "(no destination named)"
    return f"{_called(request.source)} → {to}{f', {request.protocol.lower()}' if request.protocol else ''}"


def _called(end: Endpoint) -> str:
    resource = end.resource
    what = end.name or end.address or "?"
    if resource:
        what = f"{resource.name} ({end.address})" if end.address else resource.name
    elif ":" in what and end.port:
        what = f"[{what}]"
    return f"{what}:{end.port}" if end.port else what


def _whole(text: str) -> str:
    """The text with bytes that are no UTF-8, of which Python makes half a surrogate pair each, written as escapes."""
    return text.strip().encode(errors="backslashreplace").decode()


def _source(text: str) -> dict[str, Any]:
    return {"resourceId": text} if text.startswith("/") else {"name": text}


def _destination(text: str) -> dict[str, Any]:
    """A destination: an id, an address, a host name (it has a dot), or else the name of a VM; each with a port or none.

    Raises:
        ParseError: something that is no port stands where one belongs.
    """
    from diagnostics.network.prefixes import address_of  # noqa: PLC0415
    from diagnostics.network.questions import port, split  # noqa: PLC0415

    end, written = split(text)
    ports = {} if written is None else {"port": port(written, f"--dest: {text!r}")}
    if end.startswith("/"):
        return {"resourceId": end, **ports}
    is_name = address_of(end) is None and "." not in end
    return {"name" if is_name else "address": end, **ports}


def _time(text: str, now: datetime) -> str:
    from diagnostics.intake import times  # noqa: PLC0415

    time = times.read(text)
    if time is None:
        raise ParseError(f"--alert-time: {text!r} is no time such as 2026-11-25T03:04:05Z")
    if time > now:
        raise ParseError(f"--alert-time: {text!r} is still to come")
    return text.strip()


def _in_words_of_options(message: str) -> str:
    """An error about a field of the message, as one about the option that the field came from."""
    return next(_renamed(message), message)


def _renamed(message: str) -> Iterator[str]:
    for field, option in _OPTIONS.items():
        place, colon, rest = message.partition(":")
        if place == field or place.startswith(f"{field}."):
            yield f"{option}{colon}{rest}"
