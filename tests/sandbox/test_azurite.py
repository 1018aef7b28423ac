import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox import azurite as module
from sandbox.azurite import Azurite, AzuriteMissingError

PARENT = """
from sandbox.azurite import Azurite
azurite = Azurite()
azurite.start()
print(azurite.pid, flush=True)
input()
"""


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return b"azurite" in Path(f"/proc/{pid}/cmdline").read_bytes() if Path("/proc").exists() else True


def test_the_connection_string_has_all_three_services(azurite: Azurite) -> None:
    fields = dict(part.split("=", 1) for part in azurite.connection_string.rstrip(";").split(";"))
    assert fields["AccountName"] == "devstoreaccount1"
    assert {fields[f"{service}Endpoint"].rsplit(":", 1)[0] for service in ("Blob", "Queue", "Table")} == {
        "http://127.0.0.1"
    }


def test_nothing_runs_after_the_block() -> None:
    with Azurite() as azurite:
        pid = azurite.pid
    assert pid is not None
    assert not is_running(pid)


def test_it_ends_when_its_parent_is_killed(wait: Callable[..., object]) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_running(pid)
        parent.kill()
    wait(lambda: not is_running(pid))


def test_says_what_installs_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "INSTALLED", tmp_path / "azurite")
    with pytest.raises(AzuriteMissingError, match="run make setup"):
        Azurite().start()
