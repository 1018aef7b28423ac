"""azd's hooks: what they ask, refuse and keep. The sh ones are run; the ps1 ones are compared with them, as text."""

import os
import pty
import re
import shutil
import subprocess
import termios
from collections.abc import Iterable
from pathlib import Path

import pytest

from diagnostics.errors import SettingsError
from diagnostics.scopes import Scopes
from diagnostics.settings import RemediationMode
from diagnostics.webhook import usable_host
from tests.conftest import ROOT

HOOKS = ROOT / "infra/hooks"
SH, PS1 = (HOOKS / "settings.sh").read_text(), (HOOKS / "settings.ps1").read_text()
GUID = "11111111-2222-3333-4444-555555555555"
SUBSCRIPTION = f"/subscriptions/{GUID}"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg-orders-(prod)"
MANAGEMENT_GROUP = "/providers/Microsoft.Management/managementGroups/mg-prod"
WEBHOOK = (
    "https://prod-1.westeurope.logic.azure.com:443/workflows/a1/triggers/manual/paths/invoke?sp=%2Frun&sig=S-e_c~r3t"
)
NAMES = ("VMREACH_SCOPES", "VMREACH_REMEDIATION_MODE", "VMREACH_TEAMS_WEBHOOK_URL")

GOOD_SCOPES = [GUID, SUBSCRIPTION, SUBSCRIPTION.upper(), GROUP, MANAGEMENT_GROUP, f"{MANAGEMENT_GROUP}/"]
GOOD_SCOPES += [f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm-1"]
WRONG_SCOPES = ["prod", "*", "/", "/subscriptions/prod", f"{GUID}0", f"{SUBSCRIPTION}/resourceGroups", "mg-prod"]
WRONG_SCOPES += ["/providers/Microsoft.Management/managementGroups/", "https://portal.azure.com", "$(id)", "rg'x"]
WRONG_WEBHOOKS = [
    ("http://prod-1.westeurope.logic.azure.com/x?sig=S-e_c~r3t", "is not an https address"),
    ("prod-1.westeurope.logic.azure.com/x?sig=S-e_c~r3t", "is not an https address"),
    ("https://", "is not an https address"),
    ("https://user:S-e_c~r3t@flows.example/x", "is not an https address"),
    ("https://flows.example/x y?sig=S-e_c~r3t", "has a space, quote or line end in it"),
    ("https://flows.example/x'$(id)'S-e_c~r3t", "has a space, quote or line end in it"),
    ("https://contoso.webhook.office.com/webhookb2/S-e_c~r3t", "contoso.webhook.office.com is an Office 365 connector"),
    ("https://OUTLOOK.office.com/webhook/S-e_c~r3t", "OUTLOOK.office.com is an Office 365 connector"),
    ("https://outlook.office365.com:443/webhook/S-e_c~r3t", "outlook.office365.com is an Office 365 connector"),
]


STUB = """#!/bin/sh
echo "$1 $2 $3 $(ls -l "$4" | cut -c 1-10)" >>{kept}.asked
cat "$4" >>{kept}
echo "$4" >{kept}.file
"""


class Azd:
    """A folder with a program `azd` that writes down what it is told, and the hook run with it."""

    def __init__(self, folder: Path) -> None:
        self.kept, self.folder = folder / "kept", folder
        program = folder / "azd"
        program.write_text(STUB.format(kept=self.kept))
        program.chmod(0o755)

    def environment(self, values: dict[str, str]) -> dict[str, str]:
        return {"PATH": f"{self.folder}:{os.environ['PATH']}"} | values

    def run(self, **values: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [HOOKS / "settings.sh"],
            env=self.environment(values),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def stored(self) -> str:
        return self.kept.read_text() if self.kept.exists() else ""


@pytest.fixture
def azd(tmp_path: Path) -> Azd:
    return Azd(tmp_path)


@pytest.mark.parametrize("scope", GOOD_SCOPES)
def test_a_scope_that_vmreach_reads_passes(azd: Azd, scope: str) -> None:
    Scopes.parse(scope)
    assert azd.run(VMREACH_SCOPES=scope).returncode == 0
    assert azd.stored() == f"VMREACH_SCOPES='[\"{scope}\"]'\n"


@pytest.mark.parametrize("scope", WRONG_SCOPES)
def test_a_wrong_scope_is_named_before_anything_is_made(azd: Azd, scope: str) -> None:
    done = azd.run(VMREACH_SCOPES=f"{GUID},{scope}")
    assert done.returncode == 1
    assert done.stderr.startswith(f"VMREACH_SCOPES: '{scope}' is not a subscription id")
    assert "Nothing was made. Mend it with: azd env set" in done.stderr
    assert azd.stored() == ""


@pytest.mark.parametrize("between", [",", ", ", ";", "\n", " "])
def test_a_list_of_scopes_becomes_json_once(azd: Azd, between: str) -> None:
    text = between.join([SUBSCRIPTION, GROUP])
    assert len(Scopes.parse(text).resources) == 2
    assert azd.run(VMREACH_SCOPES=text).returncode == 0
    json = f'["{SUBSCRIPTION}","{GROUP}"]'
    assert azd.stored() == f"VMREACH_SCOPES='{json}'\n"
    assert azd.run(VMREACH_SCOPES=json).returncode == 0
    assert azd.stored().count("\n") == 1, "what is JSON already is not kept again"


@pytest.mark.parametrize("mode", [*RemediationMode, ""])
def test_every_mode_passes(azd: Azd, mode: str) -> None:
    assert azd.run(VMREACH_SCOPES=GUID, VMREACH_REMEDIATION_MODE=mode).returncode == 0


@pytest.mark.parametrize("mode", ["on", "Auto", "dry run", "auto "])
def test_an_unknown_mode_is_named(azd: Azd, mode: str) -> None:
    done = azd.run(VMREACH_SCOPES=GUID, VMREACH_REMEDIATION_MODE=mode)
    assert done.returncode == 1
    assert f"VMREACH_REMEDIATION_MODE: '{mode}' is none of {', '.join(RemediationMode)}\n" in done.stderr


@pytest.mark.parametrize("url", [WEBHOOK, "", "akvs://sub/vault/secret"])
def test_a_webhook_of_workflows_passes(azd: Azd, url: str) -> None:
    assert azd.run(VMREACH_SCOPES=GUID, VMREACH_TEAMS_WEBHOOK_URL=url).returncode == 0


@pytest.mark.parametrize(("url", "why"), WRONG_WEBHOOKS)
def test_a_webhook_that_cannot_work_is_refused_and_not_repeated(azd: Azd, url: str, why: str) -> None:
    done = azd.run(VMREACH_SCOPES=GUID, VMREACH_TEAMS_WEBHOOK_URL=url)
    assert done.returncode == 1
    assert done.stderr.startswith(f"VMREACH_TEAMS_WEBHOOK_URL: {why}")
    assert "S-e_c~r3t" not in done.stderr + done.stdout


@pytest.mark.parametrize("url", [WEBHOOK, *(url for url, why in WRONG_WEBHOOKS if "quote" not in why)])
def test_the_app_thinks_the_same_of_a_webhook(azd: Azd, url: str) -> None:
    try:
        usable_host(url)
    except SettingsError:
        usable = False
    else:
        usable = True
    assert (azd.run(VMREACH_SCOPES=GUID, VMREACH_TEAMS_WEBHOOK_URL=url).returncode == 0) == usable


def test_all_that_is_wrong_is_told_at_once(azd: Azd) -> None:
    done = azd.run(VMREACH_REMEDIATION_MODE="on", VMREACH_TEAMS_WEBHOOK_URL="x")
    assert [line.partition(":")[0] for line in done.stderr.splitlines()[:-1]] == list(NAMES)


def talk(azd: Azd, answers: Iterable[str], **values: str) -> tuple[int, str, str]:
    """Run it on a terminal and answer as it asks; the exit code, what it asked, and what the terminal showed."""
    master, slave = pty.openpty()
    child = subprocess.Popen(
        [HOOKS / "settings.sh"],
        env=azd.environment(values),
        stdin=slave,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert child.stderr
    asked, pending = b"", list(answers)
    while chunk := os.read(child.stderr.fileno(), 4096):
        asked += chunk
        if asked.endswith(b": ") and pending:
            while "URL" in asked.decode().rpartition("\n")[2] and termios.tcgetattr(slave)[3] & termios.ECHO:
                pass
            os.write(master, f"{pending.pop(0)}\n".encode())
    child.stderr.close()
    code = child.wait()
    echo = bool(termios.tcgetattr(slave)[3] & termios.ECHO)
    os.write(slave, b"end")
    shown = b""
    while not shown.endswith(b"end"):
        shown += os.read(master, 4096)
    os.close(master)
    os.close(slave)
    assert echo, "the terminal shows again what is typed"
    return code, asked.decode(), shown.decode()


def test_three_things_are_asked_once_until_they_can_be_right(azd: Azd) -> None:
    code, asked, shown = talk(
        azd, ["prod", f"{SUBSCRIPTION}, {MANAGEMENT_GROUP}", "on", "approve", "http://x", WEBHOOK]
    )
    assert code == 0
    assert asked.count("What may vmreach look at?") == 2
    assert asked.count("auto? [dry-run]: ") == 2
    assert asked.count("Teams Workflows webhook") == 2
    expected = [f'["{SUBSCRIPTION}","{MANAGEMENT_GROUP}"]', "approve", WEBHOOK]
    assert azd.stored() == "".join(f"{name}='{value}'\n" for name, value in zip(NAMES, expected, strict=True))
    assert WEBHOOK not in asked + shown


def test_enter_takes_what_is_offered(azd: Azd) -> None:
    code, asked, _ = talk(azd, ["", "", ""], AZURE_SUBSCRIPTION_ID=GUID)
    assert code == 0
    assert f"between [{GUID}]: " in asked
    assert (
        azd.stored()
        == f"VMREACH_SCOPES='[\"{GUID}\"]'\nVMREACH_REMEDIATION_MODE='dry-run'\nVMREACH_TEAMS_WEBHOOK_URL=''\n"
    )


def test_nothing_is_asked_that_is_known_or_where_nobody_answers(azd: Azd) -> None:
    assert talk(azd, [], VMREACH_SCOPES=f'["{GUID}"]') == (0, "", "end")
    code, asked, _ = talk(azd, [], CI="true")
    assert code == 1
    assert asked.startswith("VMREACH_SCOPES: is empty")


def test_what_is_kept_goes_through_a_file_that_nobody_else_reads_and_that_is_gone(azd: Azd) -> None:
    azd.run(VMREACH_SCOPES=GUID)
    assert Path(f"{azd.kept}.asked").read_text() == "env set --file -rw-------\n"
    assert not Path(Path(f"{azd.kept}.file").read_text().strip()).exists()


def test_the_last_hook_says_where_things_are() -> None:
    known = {"functionAppName": "func-1", "resourceGroupName": "rg-1", "storageAccountName": "st1"}
    known |= {"actionGroupId": "ag-1"}
    env = {"PATH": os.environ["PATH"], **known, NAMES[0]: GUID, NAMES[2]: WEBHOOK}
    told = subprocess.run([HOOKS / "next.sh"], env=env, capture_output=True, text=True, check=True).stdout
    assert all(value in told for value in (*known.values(), GUID, "dry-run", "and to Teams where"))
    assert WEBHOOK not in told
    outputs = set(re.findall(r"^output (\w+) ", (ROOT / "infra/bicep/main.bicep").read_text(), re.MULTILINE))
    assert known.keys() <= outputs


@pytest.mark.parametrize(("tests", "code"), [("", 0), ("[]", 0), (" [ ]\n", 0), ('[{"name": "web-to-sql"}]', 1)])
def test_the_group_of_the_network_watchers_is_never_deleted(tests: str, code: int) -> None:
    env = {"PATH": os.environ["PATH"], "VMREACH_CONNECTION_TESTS": tests}
    done = subprocess.run([HOOKS / "remove.sh"], env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, "Nothing was deleted." in done.stderr) == (code, bool(code))
    assert done.stderr in (HOOKS / "remove.ps1").read_text()


def patterns_of_sh() -> list[str]:
    """What sh makes of the lines that set a constant."""
    lines = re.findall(r"^(?!VMREACH)([A-Z_]+)=(.*)$", SH, re.MULTILINE)
    program = "\n".join([f"{name}={value}" for name, value in lines] + [f'echo "${name}"' for name, _ in lines])
    return subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=True).stdout.splitlines()


def patterns_of_ps1() -> list[str]:
    """The same of PowerShell: what is in double quotes has variables put in, and nothing in these is escaped."""
    made: dict[str, str] = {}
    for name, quote, value in re.findall(r"^\$([A-Z]\w+) = (['\"])(.*)\2$", PS1, re.MULTILINE):
        made[name] = re.sub(r"\$([A-Z]\w+)", lambda used: made[used[1]], value) if quote == '"' else value
    return [value for name, value in made.items() if name != "ErrorActionPreference"]


def sentences(text: str) -> set[str]:
    """All that is said to people, with the names of what is put in made equal."""
    said = re.findall(r'"((?:VMREACH_|What |The URL|Nothing was)[^"=]*)"', text)
    return {re.sub(r"\$\w+", "$", each) for each in said}


def test_both_shells_check_by_the_same_patterns() -> None:
    assert len(patterns_of_sh()) == 7
    assert patterns_of_sh() == patterns_of_ps1()


def test_both_shells_say_the_same() -> None:
    assert len(sentences(SH)) == 10
    assert sentences(SH) == sentences(PS1)


def test_the_last_hooks_say_the_same() -> None:
    sh, ps1 = ((HOOKS / name).read_text() for name in ("next.sh", "next.ps1"))
    here, there = re.search(r"<<END\n(.*)\nEND", sh, re.DOTALL), re.search(r'@"\n(.*)\n"@', ps1, re.DOTALL)
    assert here
    assert there
    assert here[1] == there[1].replace('\\"', '"')


@pytest.mark.parametrize("scope", [*GOOD_SCOPES, *WRONG_SCOPES])
def test_the_patterns_of_powershell_think_the_same_of_a_scope(azd: Azd, scope: str) -> None:
    """.NET reads these as Python does."""
    passes = any(re.search(form, scope, re.IGNORECASE) for form in patterns_of_ps1()[2:5])
    assert passes == (azd.run(VMREACH_SCOPES=scope).returncode == 0)


@pytest.mark.parametrize("name", ["settings.sh", "next.sh", "remove.sh"])
def test_shellcheck_has_nothing_to_say(name: str) -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed")
    done = subprocess.run(["shellcheck", HOOKS / name], capture_output=True, text=True, check=False)
    assert done.stdout == ""
