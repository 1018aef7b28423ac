"""`audit --jobs`: several processes tell what one tells, and none of them is lost without a word."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from diagnostics.cli.main import main
from sandbox.fleet import Size, bodies

ROOT = Path(__file__).parent.parent.parent
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere an audit is made by one process")
POLICY = """
[[suppress]]
check = "NSG003"
resource = "*"
reason = "tidied up next week"
until = 2026-12-01

[[suppress]]
check = "UDR003"
resource = "*"
reason = "the firewall comes back"
until = 2026-11-01
"""


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fleet")
    for name, body in bodies(Size.of(600)).items():
        (folder / f"{name}.json").write_bytes(body)
    (folder / "torn.json").write_text('{"value": [')
    return folder


def command(fleet: Path, *arguments: str) -> list[str]:
    fixed = ("--now", "2026-11-26T00:00:00Z", "--format", "json")
    return [sys.executable, "-W", "error", "-m", "diagnostics", "audit", str(fleet), *fixed, *arguments]


def run(fleet: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command(fleet, *arguments), cwd=ROOT, capture_output=True, check=False)


def test_however_many_processes_tell_the_same(fleet: Path, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY)
    one, *others = (
        run(fleet, "--policy", str(policy), *more) for more in (["--jobs", "1"], ["--jobs", "2"], ["--jobs", "5"], [])
    )
    assert one.returncode == 1
    for text in (b'"suppressed"', b"could not be read", b"that day has passed"):
        assert text in one.stdout
    for other in others:
        assert (other.returncode, other.stdout, other.stderr) == (one.returncode, one.stdout, one.stderr)


def test_what_keeps_a_check_from_its_end_does_so_at_the_same_place(fleet: Path, tmp_path: Path) -> None:
    """A list of service tags with a prefix that is none: the rules of some NSGs name that tag."""
    tags = {"values": [{"name": "AzureMonitor", "properties": {"addressPrefixes": ["10.0.0.0/99"]}}]}
    rule = {
        "priority": 100,
        "access": "Allow",
        "direction": "Inbound",
        "protocol": "Tcp",
        "destinationPortRange": "443",
    }
    rule |= {"sourceAddressPrefix": "AzureMonitor", "sourcePortRange": "*", "destinationAddressPrefix": "*"}
    place = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/g/providers/Microsoft.Network"
    group = {
        "id": f"{place}/networkSecurityGroups/nsg",
        "properties": {"securityRules": [{"name": "r", "properties": rule}]},
    }
    (tmp_path / "tags.json").write_text(json.dumps(tags))
    (tmp_path / "nsg.json").write_text(json.dumps(group))
    more = ["--estate", str(tmp_path / "nsg.json"), "--tags", str(tmp_path / "tags.json")]
    one, two = (run(fleet, *more, "--jobs", number) for number in ("1", "2"))
    assert any(each["resource"]["name"] == "everything" for each in json.loads(one.stdout)["unknown"])
    assert (two.returncode, two.stdout, two.stderr) == (one.returncode, one.stdout, one.stderr)


@LINUX
def test_where_no_process_can_be_begun_one_tells(fleet: Path) -> None:
    """As in a container that lets a process have few open files."""
    few = "import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (9, 9)); "
    words = command(fleet, "--jobs", "4")[5:]
    program = f"{few}from diagnostics.cli.main import main; sys.exit(main({words!r}))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=False, timeout=60)
    one = run(fleet, "--jobs", "1")
    assert (done.returncode, done.stdout, done.stderr) == (one.returncode, one.stdout, one.stderr)


@LINUX
def test_a_process_that_is_ended_from_outside_is_told(fleet: Path) -> None:
    with subprocess.Popen(
        command(fleet, "--jobs", "2"), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as it:
        os.kill(child_of(it.pid), signal.SIGKILL)
        out, error = it.communicate(timeout=60)
    assert (it.returncode, out) == (2, b"")
    assert b"audit: a process of the audit was ended from outside" in error
    assert b"--jobs 1" in error


def child_of(process: int) -> int:
    """The first process that another one forks, once it is there."""
    children = Path(f"/proc/{process}/task/{process}/children")
    while not (found := children.read_text().split()):  # the test ends in time if it never is
        time.sleep(0.01)
    return int(found[0])


@pytest.mark.parametrize("number", ["0", "-1", "two", "1.5", "1001", ""])
def test_what_is_no_number_of_processes_is_refused(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["audit", "estate", f"--jobs={number}"])
    assert end.value.code == 2
    assert f"--jobs: {number!r} is not a whole number of processes" in capsys.readouterr().err
