"""Files and folders on their way into an estate, and what is said about those that cannot be read."""

import codecs
import shutil
from pathlib import Path

import pytest

from diagnostics.cli.files import load, tell
from diagnostics.cli.main import main
from diagnostics.errors import ParseError
from diagnostics.network.estate import Problem

SHOP = Path(__file__).parent.parent / "data" / "estates" / "cli" / "shop"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shutil.copytree(SHOP, tmp_path / "estate")


def test_a_folder_and_the_files_in_it_are_the_same_estate(capsys: pytest.CaptureFixture[str]) -> None:
    assert load([SHOP]) == load(sorted(SHOP.glob("*.json")))
    assert capsys.readouterr().err == ""


def test_folders_in_folders(folder: Path) -> None:
    (folder / "europe").mkdir()
    (folder / "nic.json").rename(folder / "europe" / "NICS.JSON")
    assert load([folder]) == load([SHOP])


@pytest.mark.parametrize("hidden", [".cache/nic.json", ".nic.json", "nic.json.bak"])
def test_what_is_hidden_or_no_json_is_left_out(hidden: str, folder: Path) -> None:
    (folder / hidden).parent.mkdir(exist_ok=True)
    (folder / "nic.json").rename(folder / hidden)
    assert load([folder]).nics == {}


@pytest.mark.parametrize("mark", [codecs.BOM_UTF8 + b"utf-8", b"utf-16"])
def test_what_powershell_writes(mark: bytes, folder: Path) -> None:
    text = (folder / "nic.json").read_text()
    encoding = "utf-8-sig" if mark.startswith(codecs.BOM_UTF8) else "utf-16"
    (folder / "nic.json").write_text(text, encoding=encoding)
    assert load([folder]) == load([SHOP])


def test_a_file_that_is_no_json_is_told_and_the_rest_is_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "broken.json").write_text('{"value": [')
    assert load([folder]).nics == load([SHOP]).nics
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "1 problem while reading: what they are about counts as unknown"
    assert said[1].startswith(f"  {folder / 'broken.json'}")


def test_a_file_that_cannot_be_opened_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "gone.json").symlink_to(folder / "nowhere.json")
    assert load([folder]).nics == load([SHOP]).nics
    assert "gone.json: No such file or directory" in capsys.readouterr().err


def test_the_first_few_problems_are_told_and_all_on_demand(capsys: pytest.CaptureFixture[str]) -> None:
    problems = [Problem(f"nsg.json $[{number}]", "no id") for number in range(7)]
    tell(problems)
    first = capsys.readouterr().err.splitlines()
    assert (first[0], len(first)) == (
        "7 problems while reading: what they are about counts as unknown; the first 5 (--all-problems shows all)",
        6,
    )
    tell(problems, every=True)
    assert len(capsys.readouterr().err.splitlines()) == 8


def test_problems_cannot_draw_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    tell([Problem("a\x1b[2J.json", "\x9bbad")])
    assert r"a\x1b[2J.json: \x9bbad" in capsys.readouterr().err


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ParseError, match=r"BEFORE: .*/nowhere: there is no such file or folder"):
        load([tmp_path / "nowhere"], option="BEFORE")


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(ParseError, match=r"--estate: .*: there is no \*.json"):
        load([tmp_path])


@pytest.mark.parametrize("content", ["[]", "{}", "not json", ""])
def test_nothing_of_a_network(content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "estate.json").write_text(content)
    assert main(["rules", "--estate", str(tmp_path)]) == 2
    assert "none of 1 files holds anything of a network" in capsys.readouterr().err


def test_several_paths_and_service_tags(folder: Path, tmp_path: Path) -> None:
    tags = tmp_path / "tags.json"
    tags.write_text('{"values": [{"name": "Sql.WestEurope", "properties": {"addressPrefixes": ["192.0.2.0/24"]}}]}')
    estate = load([folder / "nic.json", folder / "vm.json"], [tags])
    assert (len(estate.nics), len(estate.vms)) == (4, 4)
    assert str(estate.service_tags.addresses("sql.westeurope")) == str(
        load([folder, tags]).service_tags.addresses("Sql.WestEurope")
    )
    assert estate.service_tags.addresses("sql.westeurope")
