"""Every setting of vmreach has its parameter in both ways, as docs/settings.md says and vmreach reads it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from diagnostics.errors import SettingsError
from diagnostics.findings import Severity
from diagnostics.settings import CLOUDS, RemediationMode, Settings
from sandbox.host.timers import next_occurrence
from tools.infra import read_bicep, read_terraform
from tools.infra.deployment import Way, bicep, terraform
from tools.infra.module import Module, Parameter
from tools.infra.nodes import literal

PREFIX = "VMREACH_"
_ROW = re.compile(r"\| `(VMREACH_[A-Z_]+)` \| (.+?) \|")
_ENOUGH = {
    "VMREACH_SCOPES": "11111111-aaaa-4bbb-8ccc-000000000001",
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
}
_ALLOWED: dict[str, list[str]] = {
    "VMREACH_REMEDIATION_MODE": [*RemediationMode],
    "VMREACH_AUDIT_SEVERITY": [*Severity, "off"],
    "VMREACH_RUN_COMMAND": ["on", "off"],
    "VMREACH_CLOUD": [*CLOUDS],
}
_REFERENCES = {"VMREACH_TEAMS_WEBHOOK_URL"}
"""Settings that refer to the vault, which has what the parameter gives."""


def settings(page: Path) -> dict[str, str]:
    """The settings of a page and their defaults; empty where there is none, or another setting decides."""
    rows = (found for line in page.read_text(encoding="utf-8").splitlines() if (found := _ROW.match(line)))
    return {row[1]: row[2].strip("`") if row[2].startswith(("`", "*(required")) else "" for row in rows}


def problems(infra: Path, page: Path) -> list[str]:
    """All that is wrong with parameters of settings; raises UnreadableError."""
    documented = settings(page)
    ways = bicep(infra), terraform(infra)
    found = [line for way in ways for line in (*_problems(way, documented), *exposed(way))]
    return [*found, *undescribed(infra)]


def _problems(way: Way, documented: dict[str, str]) -> Iterator[str]:
    given = {name: made_of for name, made_of in way.settings().items() if name.startswith(PREFIX)}
    for name in sorted(given.keys() - documented.keys()):
        yield f"{way.name} {name}: docs/settings.md does not have it"
    for name in sorted(documented.keys() - given.keys()):
        yield f"{way.name} {name}: is no app setting"
    for name, default in documented.items():
        words = name.removeprefix(PREFIX).lower()
        parameter = way.parameters.get(words)
        if parameter is None:
            yield f"{way.name} {name}: there is no parameter {words}"
            continue
        if words not in given.get(name, {words}) and name not in _REFERENCES:
            yield f"{way.name} {name}: is not made of the parameter {words}"
        yield from (f"{way.name} {name}: {wrong}" for wrong in _wrong(name, default, parameter))


def _wrong(name: str, default: str, parameter: Parameter) -> Iterator[str]:
    """What is wrong with the parameter of a setting."""
    required, (_, value) = parameter.default is None, literal(parameter.default)
    own = "*(required)*" if required else "" if value is None else str(value)
    if own != default:
        yield f"the default is {own!r}, and {default!r} in docs/settings.md"
    if parameter.type == "string" and value and (refusal := refused(name, str(value))):
        yield f"the default is refused: {refusal}"
    if name.endswith("_SCHEDULE"):
        yield from unscheduled(str(value))
    if sorted(parameter.allowed) != sorted(_ALLOWED.get(name, [])):
        yield f"allows {sorted(parameter.allowed)}, and vmreach {sorted(_ALLOWED.get(name, []))}"
    if parameter.type == "number":
        yield from _bounds(name, parameter)


def _bounds(name: str, parameter: Parameter) -> Iterator[str]:
    """Both ends are the last number that vmreach takes."""
    for bound, step in ((parameter.least, -1), (parameter.most, 1)):
        if bound is None:
            yield f"has no {'smallest' if step < 0 else 'largest'} number"
        elif refusal := refused(name, str(bound)):
            yield f"lets {bound} pass, and vmreach refuses it: {refusal}"
        elif not refused(name, str(bound + step)):
            yield f"refuses {bound + step}, and vmreach takes it"


def refused(name: str, value: str) -> str:
    """What vmreach says against a value of a setting; empty where it takes it."""
    try:
        Settings.from_env(_ENOUGH | {name: value})
    except SettingsError as error:
        return str(error)
    return ""


def unscheduled(schedule: str) -> Iterator[str]:
    """What is wrong with an NCRONTAB expression, for the Functions host and for vmreach."""
    try:
        next_occurrence(schedule, datetime.now(UTC))
    except ValueError as error:
        yield f"the default is no schedule: {error}"
    if len(schedule.split()) != 6:
        yield f"the default is no schedule: {schedule!r} has not six fields"


def exposed(way: Way) -> Iterator[str]:
    """Parameters of modules that are given a secret and are none: deployments would show it."""
    secrets = {name for name, parameter in way.parameters.items() if parameter.secret}
    for scope in way.scopes[1:]:
        for name, argument in scope.arguments.items():
            parameter = scope.module.parameters.get(name)
            if parameter and not parameter.secret and scope.outer and argument.kind == "name":
                for secret in sorted(scope.outer.parameters(argument) & secrets):
                    yield f"{way.name} {scope.module.path.name}: {name} is given {secret}, and is not secret itself"


def undescribed(infra: Path) -> Iterator[str]:
    """Parameters and outputs, of any module, that say nothing of themselves."""
    for module in modules(infra):
        where = module.path.relative_to(infra)
        for name, parameter in module.parameters.items():
            if not parameter.description:
                yield f"{where}: parameter {name} has no description"
        for name, output in module.outputs.items():
            if not output.description:
                yield f"{where}: output {name} has no description"


def modules(infra: Path) -> Iterator[Module]:
    """Every file of Bicep, and every folder of Terraform."""
    yield from map(read_bicep.read, sorted((infra / "bicep").rglob("*.bicep")))
    folders = {path.parent for path in (infra / "terraform").rglob("*.tf") if ".terraform" not in path.parts}
    yield from map(read_terraform.read, sorted(folders))
