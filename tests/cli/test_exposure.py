"""`exposure` from its arguments to its output and exit code."""

import json
from pathlib import Path
from typing import Any

import pytest

from diagnostics.cli.main import main

ROOT = Path(__file__).parent.parent.parent
ESTATES = ROOT / "tests" / "data" / "estates" / "cli"
SHOP, PAY = ESTATES / "shop", ESTATES / "pay" / "after"
WEB = (
    "/subscriptions/7d0f2c9e-1b64-4c58-9a3e-6f0d1c2b3a45/resourceGroups/rg-shop-prod/providers"
    "/Microsoft.Network/networkInterfaces/nic-shop-web-01"
)


def exposure(*more: str, estate: Path = SHOP) -> int:
    return main(["exposure", "--estate", str(estate), *more])


def told(capsys: pytest.CaptureFixture[str], *more: str, estate: Path = SHOP) -> list[dict[str, Any]]:
    exposure("--json", *more, estate=estate)
    document: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return document


def words(capsys: pytest.CaptureFixture[str]) -> str:
    return " ".join(capsys.readouterr().out.split())


def test_what_is_open_from_where_and_by_which_rule(capsys: pytest.CaptureFixture[str]) -> None:
    assert exposure() == 1
    said = words(capsys)
    assert said.startswith("EXPOSED 1 of 4 endpoints can be reached from the internet vm-shop-web-01 10.50.1.4")
    assert "! tcp 22: from 198.51.100.0/24 through 203.0.113.10 ✓ public IP pip-shop-web leads in" in said
    assert "rule allow-ssh-from-office (priority 110, Allow) of NSG nsg-shop-web of the subnet" in said
    assert "! tcp 80, 443: from all of the internet (IPv4) but" in said
    assert "closed vm-shop-db-01 10.50.2.4, vm-shop-firewall 10.50.0.4, vm-shop-jobs-01 10.50.3.4" in said


ASKED = {
    "its name": "vm-shop-web-01",
    "its name in another case": "VM-Shop-Web-01",
    "its NIC": "nic-shop-web-01",
    "its id": WEB,
    "its id in another case": WEB.upper(),
    "its IP configuration": "nic-shop-web-01/ipconfig1",
    "its private address": "10.50.1.4",
    "its public address": "203.0.113.10",
    "its public IP": "pip-shop-web",
}


@pytest.mark.parametrize("text", ASKED.values(), ids=ASKED)
def test_of_one_endpoint_however_it_is_called(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert exposure("--of", text) == 1
    assert words(capsys).startswith("EXPOSED vm-shop-web-01 can be reached from the internet")


def test_nothing_is_exposed(capsys: pytest.CaptureFixture[str]) -> None:
    assert exposure("--of", "vm-shop-db-01") == 0
    assert words(capsys) == "CLOSED vm-shop-db-01: nothing can be reached from the internet"


def test_each_address_of_a_vm_is_an_endpoint(capsys: pytest.CaptureFixture[str]) -> None:
    (first, second) = told(capsys, "--of", "vm-pay-api-01", estate=PAY)
    assert [each["endpoint"]["address"] for each in (first, second)] == ["10.70.1.4", "fd70:9a1e:4400:1::4"]
    assert (bool(first["exposed"]), second["exposed"]) == (True, [])


@pytest.mark.parametrize("text", ["fd70:9a1e:4400:1::4", "FD70:9A1E:4400:0001:0:0:0:4", "nic-pay-api-01/ipconfig2"])
def test_an_ipv6_address(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert exposure("--of", text, estate=PAY) == 0
    assert "CLOSED" in capsys.readouterr().out


@pytest.fixture
def doubtful(tmp_path: Path) -> Path:
    """The shop, whose web NSG lets in by a tag that nobody knows, and nothing else."""
    for path in SHOP.glob("*.json"):
        (tmp_path / path.name).write_text(path.read_text())
    groups = json.loads((SHOP / "nsg.json").read_text())
    for group in groups:
        for rule in group["securityRules"]:
            if rule["access"] == "Allow":
                rule |= {"sourceAddressPrefix": "AzureTrafficManager", "sourceAddressPrefixes": []}
    (tmp_path / "nsg.json").write_text(json.dumps(groups))
    return tmp_path


def test_perhaps_exposed_is_unknown(doubtful: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exposure("--of", "vm-shop-web-01", estate=doubtful) == 3
    said = words(capsys)
    assert said.startswith("UNKNOWN vm-shop-web-01 can perhaps be reached from the internet")
    assert "perhaps from all of the internet (IPv4)" in said
    assert said.count("missing: AzureTrafficManager") == 1


def test_service_tags_make_it_known(doubtful: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tags = str(ROOT / "sandbox" / "service-tags.json")
    assert exposure("--of", "vm-shop-web-01", "--tags", tags, estate=doubtful) == 1
    said = words(capsys)
    assert "from 13.65.92.252/32, 40.68.30.66/32 through 203.0.113.10" in said
    assert "missing" not in said


def test_json_is_one_document_with_exactly_these_keys(capsys: pytest.CaptureFixture[str]) -> None:
    document = told(capsys)
    assert [each["endpoint"]["name"] for each in document] == [
        "vm-shop-db-01",
        "vm-shop-firewall",
        "vm-shop-jobs-01",
        "vm-shop-web-01",
    ]
    web = document[-1]
    assert list(web) == ["endpoint", "exposed"]
    assert web["endpoint"] == {
        "name": "vm-shop-web-01",
        "address": "10.50.1.4",
        "resourceId": f"{WEB}/ipConfigurations/ipconfig1",
    }
    ssh = next(each for each in web["exposed"] if each["ports"] == ["22"])
    assert list(ssh) == ["protocol", "ports", "sources", "through", "because"]
    assert ssh["sources"] == {"surely": ["198.51.100.0/24"], "perhaps": [], "missing": []}
    assert (ssh["protocol"], ssh["through"]) == ("tcp", "203.0.113.10")
    assert {key for reason in ssh["because"] for key in reason} == {"kind", "verdict", "text", "name", "resourceId"}


def test_json_needs_no_terminal_and_prints_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    exposure("--json")
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.isascii()


WRONG = {
    "nobody": ("nobody", "exposure: --of: no VM, NIC or public IP of the estate is called 'nobody'"),
    "an address of nobody": ("10.9.9.9", "exposure: --of: no IP configuration of the estate has '10.9.9.9'"),
}


@pytest.mark.parametrize(("text", "said"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_asked(text: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert exposure("--of", text) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(said)
    assert printed.out == ""
