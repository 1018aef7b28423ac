"""The command line as a program: what it starts, how it ends, and on which consoles."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from diagnostics.cli.main import main

ROOT = Path(__file__).parent.parent.parent
ESTATES = ROOT / "tests" / "data" / "estates" / "cli"
SHOP, PAY = str(ESTATES / "shop"), str(ESTATES / "pay" / "after")
COMMANDS = ("explain", "exposure", "rules", "diff")
ASKED = {
    "explain": ["--estate", SHOP, "--from", "vm-shop-web-01", "--to", "vm-shop-db-01:1433"],
    "exposure": ["--estate", SHOP],
    "rules": ["--estate", SHOP],
    "diff": [str(ESTATES / "pay" / "before"), PAY],
}
HEAVY = {"rich", "numpy", "azure", "requests", "asyncio", "ssl"}


def run(*arguments: str, **env: str) -> subprocess.CompletedProcess[bytes]:
    """Run it as a person does."""
    program = [sys.executable, "-W", "error", "-m", "diagnostics", *arguments]
    return subprocess.run(program, capture_output=True, cwd=ROOT, env=os.environ | env, check=False, timeout=60)


def imported(ran: subprocess.CompletedProcess[bytes]) -> set[str]:
    """The modules that it loaded, as `-X importtime` tells."""
    lines = ran.stderr.decode().splitlines()
    return {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}


@pytest.mark.parametrize(
    "command", [[], *([name] for name in COMMANDS)], ids=lambda command: " ".join(command) or "all"
)
def test_help_waits_for_nothing(command: list[str]) -> None:
    program = [sys.executable, "-X", "importtime", "-m", "diagnostics", *command, "--help"]
    ran = subprocess.run(program, capture_output=True, cwd=ROOT, check=True, timeout=60)
    modules = imported(ran)
    assert "diagnostics.cli.main" in modules
    assert not HEAVY & {name.partition(".")[0] for name in modules}
    engine = {"reach", "walk", "exposure", "difference", "anomalies", "reading", "fleet", "batch"}
    assert not {f"diagnostics.network.{name}" for name in engine} & modules
    assert ran.stdout.startswith(b"usage: python -m diagnostics")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_tells_the_exit_codes(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert ended.value.code == 0
    assert "Exit code: 0 " in said
    assert ", 1 " in said
    assert ", 3 " in said
    assert "2 bad usage, or nothing could be read." in said


@pytest.mark.parametrize(("command", "asked"), ASKED.items())
def test_json_needs_no_library_of_the_extra(command: str, asked: list[str]) -> None:
    code = (
        "import sys, diagnostics.cli.main as cli; cli.main(sys.argv[1:]); assert not {'rich', 'numpy'} & {*sys.modules}"
    )
    program = [sys.executable, "-c", code, command, *asked, "--json"]
    subprocess.run(program, capture_output=True, cwd=ROOT, check=True, timeout=60)


def test_plain_output_says_what_it_needs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "rich" or name == "diagnostics.cli.page"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "rich", None)
    assert main(["rules", *ASKED["rules"]]) == 2
    assert capsys.readouterr().err == "rules: plain output needs rich: pip install 'vmreach[cli]', or ask for --json\n"


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert (ended.value.code, capsys.readouterr().out[:8]) == (0, "vmreach ")


WRONG = {
    "no command": ([], "the following arguments are required: COMMAND"),
    "no such command": (["explian"], "invalid choice: 'explian'"),
    "no estate": (["exposure"], "the following arguments are required: --estate"),
    "no value": (["rules", "--estate"], "argument --estate: expected at least one argument"),
    "one estate": (["diff", SHOP], "the following arguments are required: AFTER"),
    "a shortened option": (["rules", "--est", SHOP], "the following arguments are required: --estate"),
    "an option of another": (["rules", "--estate", SHOP, "--from", "a"], "unrecognized arguments: --from a"),
    "no port": (
        ["explain", "--estate", SHOP, "--from", "a", "--to", "b:1", "--source-port", "70000"],
        "argument --source-port: source port: '70000' is no port (1 to 65535)",
    ),
}


@pytest.mark.parametrize(("arguments", "said"), WRONG.values(), ids=WRONG)
def test_bad_usage_is_one_clear_line_behind_the_usage(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    printed = capsys.readouterr()
    *usage, last = printed.err.splitlines()
    assert (ended.value.code, printed.out) == (2, "")
    assert said in last
    assert usage[0].startswith("usage: ")


INPUT = {
    "a path that is not there": (["rules", "--estate", "/nowhere/at-all"], "there is no such file or folder"),
    "no network": (["rules", "--estate", str(ROOT / "host.json")], "none of 1 files holds anything of a network"),
    "tags that are not there": (["rules", "--estate", SHOP, "--tags", "/nowhere"], "rules: --tags: /nowhere: there is"),
    "an endpoint that is not there": (
        ["explain", "--estate", SHOP, "--from", "x", "--to", "10.50.2.4:22"],
        "explain: --from: no VM, NIC or public IP of the estate is called 'x'",
    ),
}


@pytest.mark.parametrize(("arguments", "said"), INPUT.values(), ids=INPUT)
def test_bad_input_is_2_and_told(arguments: list[str], said: str) -> None:
    ran = run(*arguments)
    assert (ran.returncode, ran.stdout) == (2, b"")
    assert said in ran.stderr.decode()
    assert b"Traceback" not in ran.stderr


@pytest.mark.parametrize(("command", "asked"), ASKED.items())
@pytest.mark.parametrize("form", [[], ["--json"]], ids=["plain", "json"])
def test_whoever_reads_may_stop_reading_and_the_exit_code_is_the_answer_s(
    command: str, asked: list[str], form: list[str]
) -> None:
    program = [sys.executable, "-m", "diagnostics", command, *asked, *form]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
@pytest.mark.parametrize("form", [[], ["--json"]], ids=["plain", "json"])
def test_a_full_disk_is_no_answer(form: list[str]) -> None:
    program = [sys.executable, "-m", "diagnostics", "rules", *ASKED["rules"], *form]
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run(program, stdout=full, stderr=subprocess.PIPE, cwd=ROOT, check=False, timeout=60)
    assert (ran.returncode, ran.stderr) == (2, b"rules: No space left on device\n")


BROKEN = """
import runpy, sys, diagnostics.cli.rules
def broken(*_, **__): raise {}
diagnostics.cli.rules.load = broken
sys.argv = ["diagnostics", "rules", "--estate", "x"]
runpy.run_module("diagnostics", run_name="__main__")
"""


@pytest.mark.parametrize(
    ("error", "code", "said"), [("KeyError('x')", 2, "KeyError: 'x'"), ("KeyboardInterrupt", 130, "")]
)
def test_a_defect_is_no_answer(error: str, code: int, said: str) -> None:
    program = [sys.executable, "-c", BROKEN.format(error)]
    ran = subprocess.run(program, capture_output=True, text=True, cwd=ROOT, check=False, timeout=60)
    assert (ran.returncode, ran.stdout) == (code, "")
    assert ran.stderr.splitlines()[-1:] == ([said] if said else [])


@pytest.mark.parametrize(("command", "asked"), ASKED.items())
def test_a_narrow_console_without_unicode(command: str, asked: list[str]) -> None:
    ran = run(command, *asked, COLUMNS="40", PYTHONIOENCODING="ascii", PYTHONUTF8="0", LC_ALL="C")
    assert (ran.returncode, ran.stderr) == (1, b"")
    assert ran.stdout.isascii()
    assert b"\\u" not in ran.stdout


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "utf-16", "cp437"])
def test_consoles_of_old(encoding: str) -> None:
    ran = run("explain", *ASKED["explain"], PYTHONIOENCODING=encoding)
    assert (ran.returncode, ran.stderr) == (1, b"")
    assert "DENIED" in ran.stdout.decode(encoding)


@pytest.mark.parametrize(("command", "asked"), ASKED.items())
def test_into_a_pipe_goes_no_colour_and_lines_keep_within_80_columns(command: str, asked: list[str]) -> None:
    ran = run(command, *asked, COLUMNS="80", TERM="xterm-256color", NO_COLOR="")
    lines = ran.stdout.decode().splitlines()
    exact = ("/subscriptions/", "az network ")
    assert b"\x1b" not in ran.stdout
    assert [line for line in lines if len(line) > 80 and not any(text in line for text in exact)] == []
    assert [line for line in lines if line != line.rstrip()] == []


ANSWERS = {
    "by names": ("vm-pay-api-01", "vm-pay-db-01:5432", 1),
    "by an id in another case": (
        "/SUBSCRIPTIONS/{sub}/resourcegroups/RG-PAY-PROD/providers/{vm}/VM-PAY-API-01",
        "nic-pay-db-01:22",
        1,
    ),
    "by IPv4": ("10.70.1.4", "10.70.2.4:5432/tcp", 1),
    "by IPv6": ("fd70:9a1e:4400:1::4", "[fd70:9a1e:4400:2::4]:5432", 1),
    "the other way": ("fd70:9a1e:4400:2:0:0:0:4", "[FD70:9A1E:4400:1::4]:443/udp", 0),
    "to the internet": ("vm-pay-api-01", "192.88.1.1:443", 3),
    "by an IP configuration": ("nic-pay-api-01/ipconfig2", "nic-pay-db-01/ipconfig2/icmp", 1),
}


@pytest.mark.parametrize(("source", "destination", "code"), ANSWERS.values(), ids=ANSWERS)
def test_endpoints_however_they_are_called(source: str, destination: str, code: int) -> None:
    names = {"sub": "3c9b51d2-7e04-4f6a-8b1d-95e0a2c7f318", "vm": "Microsoft.Compute/virtualMachines"}
    asked = ["--from", source.format(**names), "--to", destination]
    ran = run("explain", "--estate", PAY, *asked, "--json")
    assert (ran.returncode, ran.stderr) == (code, b"")
