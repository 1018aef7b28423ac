"""Terraform: format, types, and its own tests, on a copy: nothing is written beside the configuration."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.infra.outcome import Outcome, judged, skipped
from tools.infra.programs import CACHE, Ran, lent, run

_TOOL = "terraform"
_UNREACHED = ("could not connect to", "Failed to query available provider packages")


@dataclass(frozen=True, slots=True)
class Providers:
    """Where `terraform init` has its providers from.

    Attributes:
        environment: what Terraform is started with.
        note: for the table.
        locked: whether a lock file beside the configuration counts: a stand-in has no hashes of the real provider.
        wrong: why there are none.
    """

    environment: Mapping[str, str]
    note: str = ""
    locked: bool = True
    wrong: str = ""


def checks(infra: Path) -> Iterator[Outcome]:
    """Every check of `infra/terraform`, and of each of its examples."""
    if not shutil.which(_TOOL):
        yield skipped(_TOOL, "fmt, init, validate, test", "not installed")
        return
    with tempfile.TemporaryDirectory(prefix="infra-") as name:
        folder = Path(name, "infra")
        shutil.copytree(infra, folder, ignore=shutil.ignore_patterns(".terraform", "*.tfstate*"))
        version, root = _version(), folder / "terraform"
        formatted = run([_TOOL, "fmt", "-check", "-recursive", "-diff", "-no-color"], root, environment())
        yield judged(_TOOL, version, "fmt -check", _wrong(formatted))
        providers = providers_for(root)
        if providers.wrong:
            yield skipped(_TOOL, "init, validate, test", providers.wrong, version=version)
            return
        for each in configurations(root):
            yield from _configuration(each, each.relative_to(root), version, providers)


def configurations(root: Path) -> list[Path]:
    """The folders that are initialised by themselves: the root module and the examples."""
    return [root, *sorted({path.parent for path in root.glob("examples/*/*.tf")})]


def _configuration(folder: Path, name: Path, version: str, providers: Providers) -> Iterator[Outcome]:
    where = "" if name == Path() else f" {name}"
    if not providers.locked:
        (folder / ".terraform.lock.hcl").unlink(missing_ok=True)
    made = run([_TOOL, "init", "-backend=false", "-input=false", "-no-color"], folder, providers.environment)
    yield judged(_TOOL, version, f"init{where}", _wrong(made), note=providers.note)
    if made.code:
        return
    valid = run([_TOOL, "validate", "-no-color"], folder, providers.environment)
    yield judged(_TOOL, version, f"validate{where}", _wrong(valid), output=_warnings(valid))
    if valid.code:
        return
    tested = run([_TOOL, "test", "-no-color"], folder, providers.environment)
    last = tested.out.strip().splitlines()[-1:] or [""]
    wrong = _wrong(Ran(tested.code, _failing(tested.out), tested.error))
    if not [*folder.glob("tests/*.tftest.hcl")]:
        wrong.append("there are no tests")
    yield judged(_TOOL, version, f"test{where}", wrong, note=last[0].removeprefix("Success! "))


def providers_for(root: Path) -> Providers:
    """The registry where it answers; else the stand-in, which is built once."""
    own = environment() | {"TF_PLUGIN_CACHE_DIR": str(_made(CACHE / "terraform-plugins"))}
    own["TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE"] = "true"
    if not (refused := _unreached(root, own)):
        return Providers(own, "providers from where Terraform looks")
    if not (setup := lent("terraform-offline/setup")):
        return Providers(own, wrong=f"no provider: {refused}; and no stand-in (VMREACH_TOOLS)")
    built = run([setup, CACHE / "terraform-offline"])
    if built.code:
        return Providers(own, wrong=f"no provider: {refused}; and the stand-in cannot be made: {_last(built)}")
    rc = CACHE / "terraform-offline" / "terraformrc"
    return Providers(
        environment() | {"TF_CLI_CONFIG_FILE": str(rc)}, "the registry does not answer: stand-in", locked=False
    )


def _unreached(root: Path, own: Mapping[str, str]) -> str:
    """Why providers cannot be had from where this machine's Terraform looks; empty where they can."""
    asked = run([_TOOL, "init", "-backend=false", "-input=false", "-no-color"], root, own)
    return "the registry does not answer" if any(text in asked.said for text in _UNREACHED) else ""


def environment() -> dict[str, str]:
    """This process's environment for Terraform: no questions, no hints, and no settings of another machine."""
    foreign = ("TF_VAR_", "TF_DATA_DIR", "TF_CLI_ARGS", "TF_WORKSPACE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    if not Path(kept.get("TF_CLI_CONFIG_FILE", "")).is_file():
        kept.pop("TF_CLI_CONFIG_FILE", None)
    return kept | {"TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}


def _version() -> str:
    said = run([_TOOL, "version", "-json"], environment=environment())
    return "?" if said.code else str(json.loads(said.out)["terraform_version"])


def _wrong(ran: Ran) -> list[str]:
    return [ran.said or f"exit code {ran.code}"] if ran.code else []


def _warnings(ran: Ran) -> str:
    return ran.said if "Warning:" in ran.said else ""


def _failing(out: str) -> str:
    """What `terraform test` says, without the runs that passed."""
    return "\n".join(line for line in out.splitlines() if not line.endswith(("... pass", "... in progress", " down")))


def _last(ran: Ran) -> str:
    return (ran.said.splitlines() or [f"exit code {ran.code}"])[-1]


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
