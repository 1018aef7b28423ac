"""The scripts that are run inside a guest through Run Command: they only look.

Each prints plain lines between two marks: Azure keeps the last 4,096 bytes only ("Run scripts in your VM by using Run
Command"), so the marks tell whether something is missing. On Linux the lines are `ip`'s own text: every iproute2 and
BusyBox prints it, and unlike its JSON it can be filtered line by line without a JSON tool in the guest.

Nothing but checked addresses, host names and ports gets into a script.
"""

from __future__ import annotations

import shlex

from diagnostics.errors import ParseError
from diagnostics.intake.messages import is_host_or_address
from diagnostics.network.ids import ResourceId
from diagnostics.network.probes import GuestScript, Shell
from diagnostics.runbooks.guest import linux, windows
from diagnostics.runbooks.remedies.blocker import is_ip

BEGIN = "vmreach: begin"
END = "vmreach: end"
TIMEOUT = 4
"""Seconds for one attempt to connect: Windows tries a refused connection for about two before it says so."""

_MOST_ATTEMPTS = 20


def routes(vm: ResourceId, location: str, shell: Shell) -> GuestScript:
    """Interfaces, addresses, routes and rules, without what containers and the loopback add."""
    body = linux.ROUTES if shell is Shell.LINUX else windows.ROUTES
    return GuestScript(vm, location, shell, _lines(shell, body), "the routing table")


def tcp_ping(vm: ResourceId, location: str, shell: Shell, address: str, port: int, *, count: int = 10) -> GuestScript:
    """Connect to an address or host name several times; one line an attempt.

    Raises:
        ParseError: the address, port or count is none.
    """
    if not is_host_or_address(address):
        raise ParseError(f"address: {address[:80]!r} is neither an IP address nor a host name")
    body = linux.TCP if shell is Shell.LINUX else windows.TCP
    lines = _lines(
        shell,
        body,
        port=_check("port", port, 65_535),
        count=_check("count", count, _MOST_ATTEMPTS),
        timeout=TIMEOUT,
        target=address,
        named="" if is_ip(address) else "yes",
    )
    return GuestScript(vm, location, shell, lines, f"a TCP ping of {address} port {port}")


def destination(vm: ResourceId, location: str, shell: Shell, port: int, *, ipv6: bool = False) -> GuestScript:
    """What listens on a TCP port, and what the guest's own firewall has to say about it.

    Args:
        vm: the machine that should answer.
        location: its region.
        shell: what runs there.
        port: the port that should answer.
        ipv6: whether it is asked over IPv6: Linux has a firewall for each family.

    Raises:
        ParseError: the port is none.
    """
    body = linux.DESTINATION if shell is Shell.LINUX else windows.DESTINATION
    iptables = "ip6tables" if ipv6 else "iptables"
    lines = _lines(shell, body, port=_check("port", port, 65_535), iptables=iptables)
    return GuestScript(vm, location, shell, lines, f"the listener on port {port}")


def _lines(shell: Shell, body: str, **values: str | int) -> tuple[str, ...]:
    """A script with its values set before its first line, and its output between the marks."""
    texts = {name: value if isinstance(value, str) else str(value) for name, value in values.items()}
    if shell is Shell.LINUX:
        head = ["#!/bin/sh", *(f"{name}={shlex.quote(text)}" for name, text in texts.items())]
        return (*head, f"echo '{BEGIN}'", *body.strip().splitlines(), f"echo '{END}'")
    head = [f"${name} = {text if isinstance(values[name], int) else _literal(text)}" for name, text in texts.items()]
    return (*head, f"'{BEGIN}'", *body.strip().splitlines(), f"'{END}'")


def _literal(text: str) -> str:
    """A PowerShell string in which nothing is expanded."""
    return "'" + text.replace("'", "''") + "'"


def _check(name: str, value: object, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise ParseError(f"{name}: {str(value)[:80]!r} is not a number between 1 and {most}")
    return value
