"""`explain` from its arguments to its output and exit code, on outputs of az and on the sandbox's estates."""

import json
from pathlib import Path
from typing import Any

import pytest

from diagnostics.cli.main import main

ROOT = Path(__file__).parent.parent.parent
SHOP = ROOT / "tests" / "data" / "estates" / "cli" / "shop"
SANDBOX = ROOT / "sandbox" / "estates"


def explain(source: str, destination: str, *more: str, estate: Path = SHOP) -> int:
    return main(["explain", "--estate", str(estate), "--from", source, "--to", destination, *more])


def told(capsys: pytest.CaptureFixture[str], source: str, destination: str, *more: str) -> dict[str, Any]:
    explain(source, destination, "--json", *more)
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


CASES = {
    "a rule of the NSG": ("vm-shop-web-01", "vm-shop-db-01:1433", 1, "deny-sql-from-everyone"),
    "a port that nobody closed": ("vm-shop-web-01", "vm-shop-db-01:22", 0, "AllowVnetInBound"),
    "by addresses": ("10.50.1.4", "10.50.2.4:1433/tcp", 1, "deny-sql-from-everyone"),
    "from the internet": ("198.51.100.7", "pip-shop-web:443", 0, "allow-https-from-internet"),
    "from the office": ("198.51.100.7", "vm-shop-web-01:22", 0, "allow-ssh-from-office"),
    "from anywhere else": ("203.0.113.200", "vm-shop-web-01:22", 1, "DenyAllInBound"),
    "a route that drops it": ("vm-shop-jobs-01", "10.50.9.4:443", 1, "old-warehouse"),
    "through an appliance": ("vm-shop-jobs-01", "8.8.8.8:443", 3, "vm-shop-firewall"),
    "ICMP": ("vm-shop-web-01", "vm-shop-db-01/icmp", 0, "AllowVnetInBound"),
}


@pytest.mark.parametrize(("source", "destination", "code", "name"), CASES.values(), ids=CASES)
def test_the_answer_and_what_decides_it(
    source: str, destination: str, code: int, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert explain(source, destination) == code
    assert name in "".join(capsys.readouterr().out.split("\n"))


SANDBOXED = {
    "vm-to-vm-nsg": ("vm-orders-web-01", "vm-orders-sql-01:1433", 1, "deny-lateral-movement"),
    "vm-to-vm-udr": ("vm-billing-app-01", "vm-billing-db-01:5432", 1, "blackhole-old-reporting"),
    "secondary-nic": ("vm-ops-jump-01", "nic-edge-proxy-01-mgmt:22", 3, "nic-edge-proxy-01-mgmt"),
    "internet-failed-nic": ("vm-shop-web-01", "8.8.8.8:443", 0, "AllowInternetOutBound"),
}


@pytest.mark.parametrize(("estate", "asked"), SANDBOXED.items())
def test_the_sandbox_s_estates(
    estate: str, asked: tuple[str, str, int, str], capsys: pytest.CaptureFixture[str]
) -> None:
    source, destination, code, name = asked
    assert explain(source, destination, estate=SANDBOX / f"{estate}.json") == code
    assert name in capsys.readouterr().out


def test_json_is_one_document_with_exactly_these_keys(capsys: pytest.CaptureFixture[str]) -> None:
    document = told(capsys, "vm-shop-web-01", "vm-shop-db-01:1433")
    assert list(document) == ["verdict", "because", "hops", "return"]
    assert list(document["return"]) == ["verdict", "because", "hops"]
    assert document["verdict"] == "denied"
    assert [reason["name"] for reason in document["because"]] == ["deny-sql-from-everyone"]
    assert [hop["type"] for hop in document["hops"]] == ["Source", "Destination"]


def test_json_of_a_way_that_is_not_followed_back(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "vm-shop-jobs-01", "10.50.9.4:443")["return"] is None


def test_the_same_question_has_the_same_answer(capsys: pytest.CaptureFixture[str]) -> None:
    outputs = set()
    for _ in range(2):
        explain("vm-shop-jobs-01", "8.8.8.8:443", "--json")
        outputs.add(capsys.readouterr().out)
    assert len(outputs) == 1


def test_a_rule_that_would_allow_it_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    explain("vm-shop-web-01", "vm-shop-db-01:1433")
    words = " ".join(capsys.readouterr().out.split())
    assert (
        "would be allowed by allow-sql-from-web (210), AllowVnetInBound (65000), "
        "but deny-sql-from-everyone (200) comes first" in words
    )


def test_a_flow_that_nothing_allows_is_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    explain("203.0.113.200", "pip-shop-web:22")
    assert "no rule of this NSG allows it" in capsys.readouterr().out


def test_a_source_port(capsys: pytest.CaptureFixture[str]) -> None:
    assert explain("vm-shop-web-01", "vm-shop-db-01:22", "--source-port", "50000") == 0
    assert capsys.readouterr().err == ""


WRONG = {
    "no port": ("vm-shop-web-01", "vm-shop-db-01", "explain: --to: 'vm-shop-db-01' has no port"),
    "a near miss": ("vm-shop-wep-01", "10.0.0.4:22", "--from: no VM, NIC or public IP of the estate is called"),
    "neither is there": ("10.99.0.4", "10.99.0.5:22", "neither 10.99.0.4 nor 10.99.0.5 is an address of the estate"),
    "two families": ("vm-shop-web-01", "[2001:db8::4]:22", "--to: 'vm-shop-web-01' has IPv4 addresses only"),
}


@pytest.mark.parametrize(("source", "destination", "said"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_asked(source: str, destination: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(source, destination) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.out == ""


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["explain"],
        ["explain", "--estate", str(SHOP), "--from", "a"],
        ["explain", "--estate", str(SHOP), "--from", "a", "--to", "b:1", "--source-port", "0"],
        ["explain", "--est", str(SHOP), "--from", "a", "--to", "b:1"],
    ],
)
def test_bad_usage_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err
