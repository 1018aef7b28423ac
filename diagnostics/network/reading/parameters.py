"""Values for the parameters of templates, from a file as `bicep build-params` writes it.

Source: "Create Resource Manager parameter file", "bicep build-params".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from diagnostics.errors import ParseError
from diagnostics.network.reading.texts import values


def read_parameters(body: bytes, where: str) -> dict[str, Any]:
    """The values in a file of parameters, by name. What a key vault is to say is none.

    Raises:
        ParseError: it is no JSON, or no file of parameters.
    """
    found = values(body, where)
    parameters = found[0].get("parameters") if len(found) == 1 and isinstance(found[0], Mapping) else None
    if not isinstance(parameters, Mapping):
        raise ParseError(f"{where}: is no file of parameters: it has no `parameters` at its top")
    for name, each in parameters.items():
        # What stands there instead is not shown: it may be a password.
        if not isinstance(each, Mapping) or not each.keys() & {"value", "reference"}:
            raise ParseError(f"{where}: parameters.{name} has neither `value` nor `reference`")
    return {name: each["value"] for name, each in parameters.items() if "value" in each}


class Given:
    """Values for the parameters of templates, by name in any case; they count more than a template's own defaults."""

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        self._values = {name.lower(): value for name, value in parameters.items()}
        self._unused = {name.lower(): name for name in parameters}

    @property
    def unused(self) -> tuple[str, ...]:
        """The names that no template had."""
        return tuple(self._unused.values())

    def into(self, value: object) -> object:
        """A template with these values as its defaults; what is no template as it is."""
        if not isinstance(value, Mapping) or "deploymenttemplate" not in str(value.get("$schema", "")).lower():
            return value
        declared = value.get("parameters")
        if not isinstance(declared, Mapping):
            return value
        named = {name: self._values[name.lower()] for name in declared if name.lower() in self._values}
        for name in named:
            self._unused.pop(name.lower(), None)
        defaults = {name: {"defaultValue": _literal(each)} for name, each in named.items()}
        return {**value, "parameters": {**declared, **defaults}}


def _literal(value: Any) -> Any:
    """A value that is no expression, whatever it looks like: a file of parameters has none."""
    if isinstance(value, str):
        return f"[{value}" if value.startswith("[") and value.endswith("]") else value
    if isinstance(value, Mapping):
        return {key: _literal(each) for key, each in value.items()}
    return [_literal(each) for each in value] if isinstance(value, list) else value
