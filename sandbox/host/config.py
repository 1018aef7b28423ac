"""host.json and the app settings, read the way Azure reads them."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.host.errors import StartError

_OVERRIDE_PREFIX = "azurefunctionsjobhost__"
_TIME_SPAN = re.compile(r"(?:(?P<days>\d+)\.)?(?P<hours>\d{1,2}):(?P<minutes>\d{1,2}):(?P<seconds>\d{1,2}(?:\.\d+)?)")
MIN_POLLING_SECONDS = 0.1
_MAX_BATCH = 32  # the most one Get Messages call returns


@dataclass(frozen=True, slots=True)
class QueueOptions:
    """`extensions.queues` of host.json; times in seconds.

    The defaults are those of "Azure Queue storage trigger and bindings for Azure Functions overview".
    """

    batch_size: int = 16
    new_batch_threshold: int = 8
    max_dequeue_count: int = 5
    max_polling_interval: float = 60.0
    visibility_timeout: float = 0.0
    base64: bool = True


@dataclass(frozen=True, slots=True)
class HostConfig:
    """What is read of host.json."""

    route_prefix: str = "api"
    queues: QueueOptions = QueueOptions()
    log_level: str = "Information"


def load_config(app: Path, settings: Mapping[str, str]) -> HostConfig:
    """host.json of the app, overridden by settings named `AzureFunctionsJobHost__path__to__setting`.

    The convention is from "App settings reference for Azure Functions". Raises StartError.
    """
    document = _fold(_read_json(app / "host.json"))
    for name, value in settings.items():
        if name.lower().startswith(_OVERRIDE_PREFIX):
            _put(document, name.lower().removeprefix(_OVERRIDE_PREFIX).split("__"), value)
    if document.get("version") != "2.0":
        raise StartError(f'{app / "host.json"}: version must be "2.0"')
    prefix = _Section(document, "extensions", "http").text("routePrefix", "api")
    level = _Section(document, "logging", "logLevel").text("default", "Information")
    return HostConfig(prefix.strip("/"), _queue_options(document), level)


def load_settings(app: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment over the Values of local.settings.json, when there is one. Raises StartError."""
    path = app / "local.settings.json"
    if not path.exists():
        return dict(environment)
    document = _read_json(path)
    values = document.get("Values", {})
    if document.get("IsEncrypted") or not isinstance(values, dict):
        raise StartError(f"{path}: Values must be an object that is not encrypted")
    return {name: str(value) for name, value in values.items()} | dict(environment)


def _queue_options(document: dict[str, Any]) -> QueueOptions:
    section = _Section(document, "extensions", "queues")
    batch = section.number("batchSize", 16, at_least=1, at_most=_MAX_BATCH)
    encoding = section.text("messageEncoding", "base64").lower()
    if encoding not in ("base64", "none"):
        raise StartError(f"host.json: {section.path}.messageEncoding must be base64 or none, not {encoding}")
    return QueueOptions(
        batch_size=batch,
        new_batch_threshold=section.number("newBatchThreshold", batch // 2, at_least=0),
        max_dequeue_count=section.number("maxDequeueCount", 5, at_least=1),
        max_polling_interval=max(MIN_POLLING_SECONDS, section.seconds("maxPollingInterval", 60.0)),
        visibility_timeout=section.seconds("visibilityTimeout", 0.0),
        base64=encoding == "base64",
    )


class _Section:
    """An object inside host.json; its keys are found in any case, and may hold strings, as in .NET."""

    def __init__(self, document: dict[str, Any], *path: str) -> None:
        self.path = ".".join(path)
        values: Any = document
        for key in path:
            values = values.get(key.lower(), {}) if isinstance(values, dict) else None
        if not isinstance(values, dict):
            raise StartError(f"host.json: {self.path} must be an object")
        self._values = values

    def text(self, key: str, default: str) -> str:
        return str(self._values.get(key.lower(), default))

    def number(self, key: str, default: int, *, at_least: int, at_most: int | None = None) -> int:
        text = self.text(key, str(default))
        most = float("inf") if at_most is None else at_most
        if not text.isdecimal() or not at_least <= int(text) <= most:
            limits = f"at least {at_least}" if at_most is None else f"{at_least} to {at_most}"
            raise StartError(f"host.json: {self.path}.{key} must be a whole number, {limits}, not {text}")
        return int(text)

    def seconds(self, key: str, default: float) -> float:
        if key.lower() not in self._values:
            return default
        match = _TIME_SPAN.fullmatch(text := self.text(key, ""))
        if match is None:
            raise StartError(f"host.json: {self.path}.{key} must be a time span like 00:00:30, not {text}")
        days, hours, minutes, seconds = match.groups("0")
        return ((int(days) * 24 + int(hours)) * 60 + int(minutes)) * 60 + float(seconds)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise StartError(f"{path} does not exist") from None
    except ValueError as error:
        raise StartError(f"{path} is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise StartError(f"{path} must hold an object")
    return document


def _fold(value: Any) -> Any:
    if isinstance(value, dict):
        return {key.lower(): _fold(inner) for key, inner in value.items()}
    return value


def _put(document: dict[str, Any], path: list[str], value: str) -> None:
    *parents, last = path
    for key in parents:
        inner = document.get(key)
        if not isinstance(inner, dict):
            document[key] = inner = {}
        document = inner
    document[last] = value
