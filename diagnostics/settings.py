"""Every setting: read from app settings, checked all at once, one error that lists everything that is wrong.

docs/settings.md has a line for each; tests/test_settings.py holds the two together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from diagnostics.errors import ParseError, SettingsError
from diagnostics.findings import Severity
from diagnostics.intake.messages import is_host_or_address
from diagnostics.scopes import Scopes
from diagnostics.webhook import usable_host

if TYPE_CHECKING:
    from diagnostics.checks.policy import Policy

type Files = Callable[[str], str]
"""Reads a file that a setting names; raises ParseError where it can't."""

_OFF = "off"
_QUEUE_NAME = re.compile(r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*")
_CRON_FIELD = re.compile(r"[0-9*/,\-A-Za-z]+")
_LONGEST_WAIT = 720
"""Seconds; with it a run still has a minute to submit questions in (`engine/turns.py`)."""


class RemediationMode(StrEnum):
    """What may be done about a failed NIC."""

    OFF = "off"
    DRY_RUN = "dry-run"
    APPROVE = "approve"
    AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Cloud:
    """Where an Azure cloud answers."""

    arm: str
    authority: str
    portal: str
    storage_suffix: str

    @property
    def audience(self) -> str:
        """What tokens for ARM are asked for."""
        return f"{self.arm}/.default"


CLOUDS = {
    "public": Cloud(
        "https://management.azure.com", "login.microsoftonline.com", "https://portal.azure.com", "core.windows.net"
    ),
    "usgovernment": Cloud(
        "https://management.usgovcloudapi.net",
        "login.microsoftonline.us",
        "https://portal.azure.us",
        "core.usgovcloudapi.net",
    ),
    "china": Cloud(
        "https://management.chinacloudapi.cn",
        "login.chinacloudapi.cn",
        "https://portal.azure.cn",
        "core.chinacloudapi.cn",
    ),
}


@dataclass(frozen=True, slots=True)
class Storage:
    """How to reach queues, tables and blobs: a connection string, or service addresses and this app's identity."""

    connection_string: str = field(default="", repr=False)
    queue_uri: str = ""
    table_uri: str = ""
    client_id: str | None = None
    blob_uri: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """A host and port to probe."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Access:
    """How Azure is reached, and what of it may be looked at: all the settings that looking takes."""

    scopes: Scopes
    internet_target: Target
    run_command: bool
    checks_per_region: int
    history_hours: int
    cloud: Cloud
    arm_endpoint: str
    poll_seconds: float
    wait_seconds: float
    client_id: str | None

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Read these settings only; raises SettingsError as `Settings.from_env` does."""
        read = _Reader(env)
        access = cls(**read.access())
        read.refuse()
        return access


@dataclass(frozen=True, slots=True)
class Settings(Access):
    """All settings, checked. The names of the app settings are in `from_env` and `_Reader.access`.

    Attributes:
        audit_severity: findings of an audit below it are not told; None for none at all.
        audit_policy: None where none is set.
        reports_container: where reports of audits go; empty for nowhere.
    """

    storage: Storage
    remediation_mode: RemediationMode
    sweep_schedule: str
    findings_queue: str
    teams_webhook_url: str = field(repr=False)
    recheck_minutes: int
    audit_schedule: str
    audit_severity: Severity | None
    audit_policy: Policy | None
    reports_container: str

    @classmethod
    def from_env(cls, env: Mapping[str, str], files: Files | None = None) -> Self:
        """Read the app settings.

        Args:
            env: their names and values.
            files: reads the file that `VMREACH_AUDIT_POLICY` may name; by default none can be read.

        Raises:
            SettingsError: lists every setting that is missing or wrong, its value and what it takes.
        """
        read = _Reader(env)
        access, container = read.access(), read.one("VMREACH_REPORTS_CONTAINER", "reports", _container)
        settings = cls(
            **access,
            storage=read.storage(access["cloud"], blobs=bool(container)),
            remediation_mode=read.one("VMREACH_REMEDIATION_MODE", "dry-run", _mode),
            sweep_schedule=read.one("VMREACH_SWEEP_SCHEDULE", "0 */15 * * * *", _schedule),
            findings_queue=read.one("VMREACH_FINDINGS_QUEUE", "findings", _queue),
            teams_webhook_url=read.one("VMREACH_TEAMS_WEBHOOK_URL", "", _webhook),
            recheck_minutes=read.one("VMREACH_RECHECK_MINUTES", "15", _between(0, 1_440)),
            audit_schedule=read.one("VMREACH_AUDIT_SCHEDULE", "0 0 5 * * *", _schedule),
            audit_severity=read.one("VMREACH_AUDIT_SEVERITY", "medium", _severity),
            audit_policy=read.one("VMREACH_AUDIT_POLICY", "", _policy(files)),
            reports_container=container,
        )
        read.refuse()
        return settings


class _Reader:
    """Reads settings one by one and collects what is wrong with them."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = env
        self.wrong: list[str] = []

    def one[T](self, name: str, default: str, parse: Callable[[str, str], T], instead: T | None = None) -> T:
        """The parsed value, or `instead` of a wrong one: nothing is built with that, since `from_env` raises."""
        try:
            return parse(self.env.get(name, "").strip() or default, name)
        except ParseError as error:
            self.wrong.append(str(error))
            return instead  # type: ignore[return-value]

    def access(self) -> dict[str, Any]:
        """The fields of `Access`."""
        cloud = self.one("VMREACH_CLOUD", "public", _cloud, CLOUDS["public"])
        return {
            "scopes": self.one("VMREACH_SCOPES", "", Scopes.parse),
            "internet_target": self.one("VMREACH_INTERNET_TARGET", "www.microsoft.com:443", _target),
            "run_command": self.one("VMREACH_RUN_COMMAND", "off", _switch),
            "checks_per_region": self.one("VMREACH_CHECKS_PER_REGION", "4", _between(1, 100)),
            "history_hours": self.one("VMREACH_HISTORY_HOURS", "12", _between(1, 2_160)),
            "cloud": cloud,
            "arm_endpoint": self.one("VMREACH_ARM_ENDPOINT", cloud.arm, _endpoint),
            "poll_seconds": self.one("VMREACH_POLL_SECONDS", "5", _seconds(3_600)),
            "wait_seconds": self.one("VMREACH_WAIT_SECONDS", "420", _seconds(_LONGEST_WAIT)),
            "client_id": self.env.get("AZURE_CLIENT_ID") or None,
        }

    def refuse(self) -> None:
        """Raise SettingsError if anything was wrong."""
        if self.wrong:
            raise SettingsError("settings: " + "; ".join(self.wrong))

    def storage(self, cloud: Cloud, *, blobs: bool) -> Storage:
        """The storage account that the Functions host uses too, in any of the ways that Azure Functions knows.

        Args:
            cloud: whose addresses an account's name stands for.
            blobs: whether blobs are written too.

        Source: "Azure Functions: identity-based connections".
        """
        name = "AzureWebJobsStorage"
        account, text = self.env.get(f"{name}__accountName", ""), self.env.get(name, "")
        kinds = ("queue", "table", "blob") if blobs else ("queue", "table")
        uris = {kind: self.env.get(f"{name}__{kind}ServiceUri", "") for kind in kinds}
        if account:
            uris = {kind: uri or f"https://{account}.{kind}.{cloud.storage_suffix}" for kind, uri in uris.items()}
        for kind, address in uris.items():
            if address and not _is_web_address(address):
                self.wrong.append(f"{name}__{kind}ServiceUri: {address!r} must be an https address")
        if not text and not all(uris.values()):
            *others, last = (f"__{kind}ServiceUri" for kind in kinds)
            self.wrong.append(f"{name}: set it, {name}__accountName, or {name}{', '.join(others)} and {last}")
        client_id = self.env.get(f"{name}__clientId") or None
        return Storage(text, uris["queue"], uris["table"], client_id, uris.get("blob", ""))


def _cloud(text: str, name: str) -> Cloud:
    if text.lower() not in CLOUDS:
        raise ParseError(f"{name}: {text!r} is none of {', '.join(CLOUDS)}")
    return CLOUDS[text.lower()]


def _mode(text: str, name: str) -> RemediationMode:
    try:
        return RemediationMode(text.lower())
    except ValueError:
        raise ParseError(f"{name}: {text!r} is none of {', '.join(RemediationMode)}") from None


def _switch(text: str, name: str) -> bool:
    if text.lower() not in {"on", "off"}:
        raise ParseError(f"{name}: {text!r} is neither on nor off")
    return text.lower() == "on"


def _between(least: int, most: int) -> Callable[[str, str], int]:
    """Reads a whole number within bounds."""

    def parse(text: str, name: str) -> int:
        number = int(text) if text.isdecimal() and len(text) <= len(str(most)) else -1
        if not least <= number <= most:
            raise ParseError(f"{name}: {text!r} is not a whole number from {least} to {most}")
        return number

    return parse


def _schedule(text: str, name: str) -> str:
    """Checks the shape; what the fields may hold the Functions host checks."""
    fields = text.split()
    if len(fields) != 6 or not all(map(_CRON_FIELD.fullmatch, fields)):
        raise ParseError(f"{name}: {text!r} is not NCRONTAB with six fields, such as '0 */15 * * * *'")
    return text


def _queue(text: str, name: str) -> str:
    if not _QUEUE_NAME.fullmatch(text):
        raise ParseError(f"{name}: {text!r} is not a queue name: 3 to 63 lower-case letters, digits and single dashes")
    return text


def _container(text: str, name: str) -> str:
    """Empty for `off`. Names of containers are made as those of queues."""
    if text.lower() == _OFF:
        return ""
    if not _QUEUE_NAME.fullmatch(text):
        name_is = "3 to 63 lower-case letters, digits and single dashes"
        raise ParseError(f"{name}: {text!r} is neither off nor a container name: {name_is}")
    return text


def _severity(text: str, name: str) -> Severity | None:
    if text.lower() == _OFF:
        return None
    try:
        return Severity(text.lower())
    except ValueError:
        raise ParseError(f"{name}: {text!r} is none of {', '.join([*Severity, _OFF])}") from None


def _policy(files: Files | None) -> Callable[[str, str], Policy | None]:
    """Reads a policy: the text itself, or the file that `@` names."""

    def parse(text: str, name: str) -> Policy | None:
        if not text:
            return None
        from diagnostics.checks.catalogue import catalogue  # noqa: PLC0415 - all checks, only where one is set
        from diagnostics.checks.policy import Policy  # noqa: PLC0415

        if text.startswith("@"):
            if files is None:
                raise ParseError(f"{name}: {text!r}: files can't be read here")
            try:
                text, name = files(text[1:]), f"{name}: {text}"
            except ParseError as error:
                raise ParseError(f"{name}: {text!r}: {error}") from None
        return Policy.read(text, name, [each.id for each in catalogue()])

    return parse


def _webhook(text: str, _name: str) -> str:
    if text:
        try:
            usable_host(text)
        except SettingsError as error:
            raise ParseError(str(error)) from None
    return text


def _target(text: str, name: str) -> Target:
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or len(port) > 5 or not 0 < int(port) < 65_536 or not is_host_or_address(host.strip("[]")):
        raise ParseError(f"{name}: {text!r} is not host:port, such as 'www.microsoft.com:443'")
    return Target(host.strip("[]"), int(port))


def _endpoint(text: str, name: str) -> str:
    if not _is_web_address(text):
        raise ParseError(f"{name}: {text!r} must be an https address; plain http is for loopback only")
    return text.rstrip("/")


def _seconds(most: int) -> Callable[[str, str], float]:
    """Reads a time above zero, up to a bound."""

    def parse(text: str, name: str) -> float:
        try:
            seconds = float(text)
        except ValueError:
            seconds = -1.0
        if not 0 < seconds <= most:
            raise ParseError(f"{name}: {text!r} is not a number of seconds between 0 and {most}")
        return seconds

    return parse


def is_loopback(address: str) -> bool:
    """Whether an http(s) address leads to this machine."""
    return urlsplit(address).hostname in {"127.0.0.1", "::1", "localhost"}


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(text)))
