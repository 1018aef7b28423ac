"""An audit as a whole: every check once, stable, and nothing unread that is not told."""

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from diagnostics.checks.audit import Audit, audit
from diagnostics.checks.catalogue import catalogue, check
from diagnostics.findings import Severity
from diagnostics.network.reading import read_files, read_objects
from diagnostics.network.tags import ServiceTags
from tests.checks.audited import estate, nsg, resource, rule

ROOT = Path(__file__).parent.parent.parent
ESTATES = sorted((ROOT / "sandbox" / "estates").glob("*.json"))


def of(path: Path) -> Audit:
    return audit(read_files([(path.name, path.read_bytes())]))


def shuffled(value: object, seed: random.Random) -> object:
    """The same resources, and the same parts of them, in another order."""
    if isinstance(value, list):
        made = [shuffled(each, seed) for each in value]
        seed.shuffle(made)
        return made
    return {key: shuffled(each, seed) for key, each in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize("path", ESTATES, ids=lambda path: path.stem)
def test_findings_are_the_same_whatever_the_order(path: Path) -> None:
    resources = json.loads(path.read_bytes())["resources"]
    plain = audit(read_objects(resources))
    other = audit(read_objects(shuffled(resources, random.Random(7))))  # type: ignore[arg-type]  # noqa: S311
    assert [each.finding_id for each in plain.findings] == [each.finding_id for each in other.findings]
    assert [each.title for each in plain.findings] == [each.title for each in other.findings]
    assert plain.unknown == other.unknown


@pytest.mark.parametrize("path", ESTATES, ids=lambda path: path.stem)
def test_no_finding_twice_and_each_says_what_to_do(path: Path) -> None:
    found = of(path)
    ids = [each.finding_id for each in found.findings]
    assert len(ids) == len(set(ids))
    assert [each.title for each in found.findings if not (each.because and each.remedy.summary)] == []


def test_ids_in_another_case_are_the_same_finding() -> None:
    (one,) = audit(estate([resource("nic", "nic-1", {"provisioningState": "Failed"})]), only=["NIC001"]).findings
    raw = {"id": one.resource.id.upper(), "type": "x/y", "properties": {"provisioningState": "Failed"}}
    (other,) = audit(read_objects([raw]), only=["NIC001"]).findings
    assert one.finding_id == other.finding_id


def test_what_could_not_be_read_is_told() -> None:
    found = audit(read_files([("a.json", b"{"), ("b.json", b'[{"id": "/x", "type": "a/b"}]')]))
    assert {each.resource.name for each in found.unknown if each.check == "*"} >= {"a.json"}


def test_a_list_of_one_subscription_is_no_proof_for_another() -> None:
    here, there = (
        f"/subscriptions/{number * 8}-1111-1111-1111-111111111111/resourceGroups/g/providers" for number in "12"
    )
    nic = {"id": f"{here}/Microsoft.Network/networkInterfaces/a", "properties": {"provisioningState": "Succeeded"}}
    named = [{"id": f"{there}/Microsoft.Network/networkInterfaces/b"}]
    vm = {
        "id": f"{there}/Microsoft.Compute/virtualMachines/b",
        "properties": {"networkProfile": {"networkInterfaces": named}},
    }
    found = audit(read_objects([[nic], [vm]]), only=["NIC010"])
    assert ([*found.findings], [each.missing for each in found.unknown]) == ([], [("network interface b",)])
    (absent,) = audit(
        read_objects([[nic], [vm]], listed={"microsoft.network/networkinterfaces"}), only=["NIC010"]
    ).findings
    assert "does not exist" in absent.title


def test_at_least() -> None:
    states = [resource("nic", name, {"provisioningState": s}) for name, s in (("a", "Failed"), ("b", "Updating"))]
    found = audit(estate(states), only=["NIC001", "NIC002"])
    assert [each.check for each in found.at_least(Severity.LOW)] == ["NIC001", "NIC002"]
    assert [each.check for each in found.at_least(Severity.HIGH)] == ["NIC001"]
    assert found.at_least(Severity.CRITICAL) == ()


def test_checks_are_in_order_and_say_something() -> None:
    listed = catalogue()
    assert [each.id for each in listed] == sorted({each.id for each in listed})
    assert [each.id for each in listed if not each.why or each.title.endswith(".")] == []


def test_an_id_is_given_once() -> None:
    def nothing(_: object) -> Iterator[object]:
        return iter(())

    with pytest.raises(AssertionError, match="two checks are called NIC001"):
        check("NIC001", "again", Severity.LOW, "advice")(nothing)  # type: ignore[arg-type]


def test_a_check_that_input_keeps_from_its_end_is_not_known_and_the_others_are_made() -> None:
    tags = {"values": [{"name": "Storage", "properties": {"addressPrefixes": ["20.0.0.0/99"]}}]}
    group = nsg("n", rule("a", 100, "Allow", sourceAddressPrefix="Storage"), provisioningState="Failed")
    known = replace(estate([group]), service_tags=ServiceTags.of(tags))
    made = audit(known, only=["NSG001", "NSG009"])
    assert [each.check for each in made.findings] == ["NSG001"]
    (unknown,) = (each for each in made.unknown if each.check == "NSG009")
    assert unknown.missing == ("service tags: tag Storage: '20.0.0.0/99' is no address prefix",)
