"""azd's project file, the workflows, the dev container and the editor's files: they name what exists, and agree."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT

AZD = yaml.safe_load((ROOT / "azure.yaml").read_text())
WORKFLOWS = {path.name: yaml.safe_load(path.read_text()) for path in sorted(ROOT.glob(".github/workflows/*.yml"))}
TEXTS = {name: (ROOT / ".github/workflows" / name).read_text() for name in WORKFLOWS}
JOBS = [(name, key, job) for name, flow in WORKFLOWS.items() for key, job in flow["jobs"].items()]
USES = [line for text in TEXTS.values() for line in re.findall(r"^.*\buses:.*$", text, re.MULTILINE)]
EDITOR = {path.name: json.loads(path.read_text()) for path in sorted((ROOT / ".vscode").glob("*.json"))}
CONTAINER = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())
BICEP = ROOT / "infra/bicep"


def test_azd_provisions_the_bicep_templates_and_deploys_the_functions() -> None:
    assert AZD["services"] == {"app": {"project": ".", "host": "function", "language": "py"}}
    module = ROOT / AZD["infra"]["path"] / AZD["infra"]["module"]
    assert module.with_suffix(".bicep").is_file()
    assert module.with_suffix(".parameters.json").is_file()
    tagged = "\n".join(path.read_text() for path in BICEP.rglob("*.bicep"))
    assert re.search(r"'azd-service-name': *'app'", tagged), "azd finds the app by this tag"


def test_what_azd_asks_for_is_what_the_templates_read_of_its_environment() -> None:
    read = set(re.findall(r"\$\{(VMREACH_\w+)", (BICEP / "main.parameters.json").read_text()))
    asked = {*AZD["pipeline"]["variables"], *AZD["pipeline"]["secrets"]}
    assert asked == {"VMREACH_SCOPES", "VMREACH_REMEDIATION_MODE", "VMREACH_TEAMS_WEBHOOK_URL"}
    assert asked <= read


@pytest.mark.parametrize("event", AZD["hooks"])
def test_every_hook_is_there_for_both_shells(event: str) -> None:
    hook = AZD["hooks"][event]
    posix, windows = hook["posix"], hook["windows"]
    assert (posix["shell"], windows["shell"]) == ("sh", "pwsh")
    assert Path(posix["run"]).with_suffix(".ps1") == Path(windows["run"])
    assert (ROOT / windows["run"]).is_file()
    assert (ROOT / posix["run"]).stat().st_mode & 0o111, "azd starts it as a program"


@pytest.mark.parametrize("line", USES)
def test_actions_are_pinned_to_a_commit_and_say_their_version(line: str) -> None:
    assert re.fullmatch(r" +- uses: [\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)


def test_one_action_has_one_version() -> None:
    pins = {tuple(re.split(r"uses: |@", line)[1:]) for line in USES}
    assert len(pins) == len({name for name, _ in pins})


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_may_do_nothing_that_a_job_does_not_ask_for(name: str) -> None:
    flow = WORKFLOWS[name]
    assert flow["permissions"] == {}
    assert flow["concurrency"]["group"]
    assert "pull_request_target" not in TEXTS[name]
    assert not re.search(r"(password|token|key|sig|secret) *[:=] *['\"]?\w{8,}", TEXTS[name], re.IGNORECASE)


@pytest.mark.parametrize(("_flow", "_key", "job"), JOBS, ids=[f"{name}-{key}" for name, key, _ in JOBS])
def test_a_job_ends_keeps_no_token_and_puts_no_input_into_a_script(_flow: str, _key: str, job: dict[str, Any]) -> None:
    assert job["timeout-minutes"] <= 60
    assert job["permissions"].items() <= {"contents": "read", "id-token": "write"}.items()
    checkouts = [step for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@")]
    assert [step["with"] for step in checkouts] == [{"persist-credentials": False}]
    assert [step["run"] for step in job["steps"] if "${{" in step.get("run", "")] == []


def test_only_the_deployment_gets_a_token_and_a_secret() -> None:
    assert [name for name, text in TEXTS.items() if "id-token" in text] == ["deploy.yml"]
    assert re.findall(r"secrets\.(\w+)", "".join(TEXTS.values())) == AZD["pipeline"]["secrets"]
    job = WORKFLOWS["deploy.yml"]["jobs"]["deploy"]
    assert job["environment"] == "${{ inputs.environment }}", "its protection rules hold"
    provision = next(step for step in job["steps"] if step.get("run", "").startswith("azd provision"))
    assert list(provision["env"]) == AZD["pipeline"]["secrets"], "no other step sees it"
    assert job["env"].keys() >= {*AZD["pipeline"]["variables"]}


def test_ci_runs_what_a_change_must_pass() -> None:
    runs = {step.get("run") for _, _, job in JOBS for step in job["steps"]}
    assert {"make check STRICT=1", "make demo", "make package"} <= runs
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {run.split()[1] for run in runs if run and run.startswith("make ")} <= targets


def test_ci_and_the_dev_container_have_the_same_tools() -> None:
    features = {name.rpartition("/")[2].partition(":")[0]: each for name, each in CONTAINER["features"].items()}
    terraform = re.search(r"terraform_version: (\S+)", TEXTS["ci.yml"])
    bicep = re.search(r"az bicep install --version (\S+)", TEXTS["ci.yml"])
    assert terraform
    assert bicep
    assert features["terraform"]["version"] == terraform[1]
    assert features["azure-cli"]["bicepVersion"] == bicep[1]
    assert set(re.findall(r"node-version: (\S+)", TEXTS["ci.yml"])) == {features["node"]["version"]}
    assert (ROOT / ".python-version").read_text().strip() in CONTAINER["image"]
    assert "azd" in features


def test_the_editor_starts_tasks_that_exist() -> None:
    tasks = {task["label"]: task for task in EDITOR["tasks.json"]["tasks"]}
    first = [each["preLaunchTask"] for each in EDITOR["launch.json"]["configurations"] if "preLaunchTask" in each]
    later = [task["dependsOn"] for task in tasks.values() if "dependsOn" in task]
    assert first == ["func: host start"]
    assert {name for each in later for name in ([each] if isinstance(each, str) else each)} <= set(tasks)
    attach = EDITOR["launch.json"]["configurations"][0]
    assert (attach["type"], attach["connect"]["port"]) == ("debugpy", 9091), "the port of func's Python worker"
    assert EDITOR["extensions.json"]["recommendations"] == CONTAINER["customizations"]["vscode"]["extensions"]
