"""What the worker library found in the app: functions with their trigger and outputs."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.host.errors import StartError

_SETTING = re.compile(r"%([^%]+)%")
_TRIGGERS = frozenset({"httpTrigger", "queueTrigger", "timerTrigger"})
_OUTPUTS = frozenset({"http", "queue"})
_NOT_SUBSTITUTED = frozenset({"name", "type", "direction", "connection"})
RETURN = "$return"


@dataclass(frozen=True, slots=True)
class Binding:
    """One binding as function.json would have it; `properties` has the settings put in."""

    kind: str
    name: str
    properties: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the app. `id` is the worker library's own."""

    name: str
    id: str
    trigger: Binding
    outputs: tuple[Binding, ...]


def read_functions(indexed: Iterable[Any], settings: Mapping[str, str]) -> list[Function]:
    """The enabled functions, `%NAME%` in their bindings replaced by the setting NAME.

    `indexed` is the worker library's RpcFunctionMetadata. Raises StartError that lists every binding that is not
    emulated and every setting that is missing.
    """
    functions, problems = [], []
    for metadata in indexed:
        if _is_disabled(metadata.name, settings):
            continue
        try:
            functions.append(_read_function(metadata, settings))
        except StartError as error:
            problems.append(str(error))
    if problems:
        raise StartError("\n".join(problems))
    return functions


def _is_disabled(name: str, settings: Mapping[str, str]) -> bool:
    """The setting is from "How to disable functions in Azure Functions"; Linux takes the underscores too."""
    names = (f"AzureWebJobs.{name}.Disabled", f"AzureWebJobs_{name}_Disabled")
    return any(settings.get(key, "").lower() in ("true", "1") for key in names)


def _read_function(metadata: Any, settings: Mapping[str, str]) -> Function:
    raw = [json.loads(text) for text in metadata.raw_bindings]
    bindings = [_read_binding(metadata.name, properties, settings) for properties in raw]
    trigger = next((binding for binding in bindings if binding.kind in _TRIGGERS), None)
    if trigger is None:
        raise StartError(f"function {metadata.name} has no trigger")
    outputs = tuple(binding for binding in bindings if binding is not trigger)
    return Function(metadata.name, metadata.function_id, trigger, outputs)


def _read_binding(function: str, properties: dict[str, Any], settings: Mapping[str, str]) -> Binding:
    kind, name = properties["type"], properties["name"]
    known = _OUTPUTS if properties["direction"] == "OUT" else _TRIGGERS
    if kind not in known or properties.get("properties", {}).get("SupportsDeferredBinding"):
        raise StartError(f"function {function}: binding {name} of type {kind} is not emulated by this host")
    substituted = {
        key: _substitute(f"function {function}: {key}", value, settings)
        if isinstance(value, str) and key not in _NOT_SUBSTITUTED
        else value
        for key, value in properties.items()
    }
    return Binding(kind, name, substituted)


def _substitute(place: str, text: str, settings: Mapping[str, str]) -> str:
    """`%NAME%` as in "Azure Functions binding expression patterns"."""

    def replace(match: re.Match[str]) -> str:
        setting = match.group(1)
        if not settings.get(setting):
            raise StartError(f'{place} is "{text}", and the setting {setting} is not set')
        return settings[setting]

    return _SETTING.sub(replace, text)
