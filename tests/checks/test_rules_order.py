"""The order of an NSG's rules: each rule is told once, by what says it best."""

import json

import pytest

from diagnostics.checks.audit import audit
from diagnostics.network.reading import read_files
from tests.checks.audited import Body, audited, nsg, ref, resource, subnet, vnet
from tests.checks.rules_written import allow, deny, halves, outbound

SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
FAMILY = ["NSG003", "NSG004", "NSG005", "NSG006", "NSG007", "NSG009", "NSG013", "NSG021"]


def said(*rules: Body) -> list[tuple[str, str, str]]:
    """What the whole family says of an NSG with these rules on a subnet: check, rule, severity."""
    network = vnet("vnet", subnet("web", "10.0.1.0/24", networkSecurityGroup=ref("nsg", "nsg")))
    listed = [resource("asg", "web"), nsg("nsg", *rules), network]
    # What Azure would not understand is a problem of reading too, so the estate is not had from `audited`.
    body = json.dumps({"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": listed}).encode()
    made = audit(read_files([("template.json", body)], complete=True), only=FAMILY)
    return [(each.check, each.because[0].name, each.severity) for each in made.findings]


IN_ORDER = deny("rest", 4000, source="VirtualNetwork", protocol="*")


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        pytest.param([allow("web", 100, "443"), IN_ORDER], [], id="nothing is wrong"),
        pytest.param(
            [deny("no-ssh", 100, "20-30"), allow("ssh", 200, "22"), IN_ORDER],
            [("NSG003", "ssh", "medium")],
            id="dead, and the contrary is decided",
        ),
        pytest.param(
            [allow("range", 100, "20-30"), allow("ssh", 200, "22"), IN_ORDER],
            [("NSG003", "ssh", "low")],
            id="dead, and the same is decided",
        ),
        pytest.param(
            [
                allow("low", 100, "1-100"),
                allow("high", 110, "101-200"),
                allow("both", 200, port="", destinationPortRanges=["90-95", "150"]),
                IN_ORDER,
            ],
            [("NSG003", "both", "low")],
            id="dead by two together, with plural ports",
        ),
        pytest.param(
            [halves("v4", 100, "Deny", "22"), allow("a", 200, "22", "10.0.0.0/8"), IN_ORDER],
            [("NSG003", "a", "medium")],
            id="dead by two /1s",
        ),
        pytest.param(
            [allow("six", 100, "22", "::/0"), allow("four", 200, "22", "10.1.0.0/16"), IN_ORDER],
            [],
            id="IPv6 takes nothing of IPv4",
        ),
        pytest.param(
            [allow("mixed", 100, "22", "10.0.0.0/8", destinationAddressPrefix="2001:db8::/32"), IN_ORDER],
            [("NSG003", "mixed", "low")],
            id="no such flows",
        ),
        pytest.param(
            [allow("again", 100, "443", "VirtualNetwork", protocol="*", destinationAddressPrefix="VIRTUALNETWORK")],
            [("NSG004", "again", "info")],
            id="redundant by a default rule, the tag in another case",
        ),
        pytest.param(
            [deny("no-ssh", 100, "22"), allow("inside", 200, "*", "10.0.0.0/8"), IN_ORDER],
            [("NSG005", "inside", "info")],
            id="conflict",
        ),
        pytest.param(
            [deny("bad", 100, "*", "203.0.113.0/24"), allow("web", 200, "443"), IN_ORDER],
            [],
            id="an exception by who is no conflict",
        ),
        pytest.param(
            [deny("no-ssh", 100, "22", "Sql.WestEurope"), allow("inside", 200, "*", "10.0.0.0/8"), IN_ORDER],
            [],
            id="no conflict that depends on an unknown tag",
        ),
        pytest.param(
            [
                allow("web", 100, "443"),
                allow("again", 200, port="", destinationPortRanges=["443"], protocol="TCP"),
                IN_ORDER,
            ],
            [("NSG006", "again", "low")],
            id="duplicate, plural and singular",
        ),
        pytest.param(
            [
                allow("web", 100, "443", "Internet"),
                allow("again", 200, "443", "INTERNET", sourcePortRange="0-65535", destinationAddressPrefix="Any"),
                IN_ORDER,
            ],
            [("NSG006", "again", "low")],
            id="duplicate, tag and star in another spelling",
        ),
        pytest.param(
            [
                allow("web", 100, "443", source="", sourceApplicationSecurityGroups=[ref("asg", "web")]),
                allow("again", 200, "443", source="", sourceApplicationSecurityGroups=[ref("asg", "WEB")]),
                IN_ORDER,
            ],
            [("NSG006", "again", "low")],
            id="duplicate, ASG as source with its id in another case",
        ),
        pytest.param(
            [allow("web", 100, "443"), deny("web-not", 200, "443"), IN_ORDER],
            [("NSG003", "web-not", "medium")],
            id="the same terms and the contrary are no duplicate",
        ),
        pytest.param(
            [allow("any", 100, "*"), deny("bad", 200, "22", "203.0.113.0/24")],
            [("NSG007", "bad", "medium")],
            id="inverted",
        ),
        pytest.param(
            [allow("vnet", 100, "*", "VirtualNetwork"), deny("rdp", 200, "3389", "virtualnetwork"), IN_ORDER],
            [("NSG007", "rdp", "medium")],
            id="inverted, within a tag that is not known",
        ),
        pytest.param(
            [allow("web", 100, "80"), deny("bad", 200, "80-90", "203.0.113.0/24"), allow("more", 300, "81-90")],
            [("NSG007", "bad", "medium")],
            id="inverted in part",
        ),
        pytest.param(
            [allow("inside", 100, "*", "10.0.0.0/8"), deny("no-ssh", 200, "22"), allow("rest", 300, "*")],
            [],
            id="an Allow for fewer above a Deny for all is no inversion",
        ),
        pytest.param([allow("bad", 100, "4a3")], [("NSG009", "bad", "medium")], id="a port that is none"),
        pytest.param([allow("bad", 100, "443", "789")], [("NSG009", "bad", "medium")], id="an address that is none"),
        pytest.param([allow("bad", 100, "443", "10.0.0.0/33")], [("NSG009", "bad", "medium")], id="a prefix too long"),
        pytest.param([allow("bad", 100, "443", protocol="Tpc")], [("NSG009", "bad", "medium")], id="no such protocol"),
        pytest.param(
            [deny("nobody", 100, protocol="*"), allow("web", 200, "443"), allow("ssh", 300, "22")],
            [("NSG013", "nobody", "medium")],
            id="what a first deny-all kills is told with it",
        ),
        pytest.param([deny("nobody", 100, protocol="*")], [("NSG013", "nobody", "info")], id="a quarantine"),
        pytest.param(
            [halves("nobody", 100, "Deny"), allow("web", 200, "443")],
            [("NSG013", "nobody", "medium")],
            id="a first deny-all as two /1s",
        ),
        pytest.param(
            [allow("web", 100, "443"), deny("rest", 200, protocol="*")], [], id="a deny-all that is not first"
        ),
        pytest.param(
            [allow("web", 100, "443"), allow("ssh", 100, "22"), IN_ORDER],
            [("NSG021", "ssh", "high")],
            id="one priority twice",
        ),
        pytest.param(
            [allow("web", 100, "443"), outbound("out", 100, "Deny", "443"), IN_ORDER],
            [],
            id="one priority, once for each direction",
        ),
        pytest.param([allow("late", 4097, "443")], [("NSG021", "late", "high")], id="a priority too high"),
        pytest.param([allow("early", 99, "443")], [("NSG021", "early", "high")], id="a priority too low"),
        pytest.param(
            [deny("DenyAllInBound", 65500, protocol="*")],
            [],
            id="a copy of a default rule",
        ),
    ],
)
def test_each_rule_is_told_once(rules: list[Body], expected: list[tuple[str, str, str]]) -> None:
    assert said(*rules) == expected


@pytest.mark.parametrize(
    ("check", "rules"),
    [
        pytest.param("NSG003", [deny("no-ssh", 100, "20-30"), allow("ssh", 200, "22")], id="a dead one"),
        pytest.param("NSG007", [allow("any", 100), deny("bad", 200, "22", "203.0.113.0/24")], id="an inverted one"),
    ],
)
def test_what_is_told_stays_the_same_whatever_the_order_of_the_body(check: str, rules: list[Body]) -> None:
    first, second = (audited(check, [nsg("nsg", *listed)]).findings for listed in (rules, rules[::-1]))
    assert [each.finding_id for each in first] == [each.finding_id for each in second] != []


def test_a_remedy_moves_a_deny_above_what_overrules_it() -> None:
    (found,) = audited("NSG007", [nsg("nsg", allow("any", 200), deny("bad", 300, "22", "203.0.113.0/24"))]).findings
    assert "--name bad --priority 199" in found.remedy.az_cli


def test_where_no_priority_is_free_the_remedy_says_so() -> None:
    (found,) = audited("NSG007", [nsg("nsg", allow("any", 100), deny("bad", 300, "22", "203.0.113.0/24"))]).findings
    assert "No priority is free" in found.remedy.summary


LATER = "[parameters('later')]"
CLASH = ["Rules first, second of NSG nsg have one priority: inbound 100"]


@pytest.mark.parametrize("field", ["sourceAddressPrefix", "destinationPortRange", "protocol", "access", "direction"])
def test_what_a_template_works_out_later_is_unknown_and_not_bad(field: str) -> None:
    rule = allow("later", 100, "443")
    rule["properties"].pop("destinationPortRanges", None)
    rule["properties"] |= {"destinationPortRange": "443", field: LATER}
    body = json.dumps({"$schema": SCHEMA, "resources": [nsg("nsg", rule, allow("web", 200, "8080"))]}).encode()
    made = audit(read_files([("template.json", body)]), only=["NSG009", "NSG021"])
    (unknown,) = (each for each in made.unknown if each.check == "NSG009")
    assert (made.findings, unknown.missing) == ((), (f"{LATER} in rule later",))


@pytest.mark.parametrize(
    ("first", "told"),
    [
        pytest.param({"access": LATER}, CLASH, id="both are there, whatever one of them does"),
        pytest.param({"direction": LATER}, [], id="one may be for the other direction"),
        pytest.param({"direction": "Outbound"}, [], id="one is for the other direction"),
        pytest.param({}, CLASH, id="both are known"),
    ],
)
def test_one_priority_twice_is_told_where_that_is_sure(first: Body, told: list[str]) -> None:
    rules = [allow("first", 100, "443"), allow("second", 100, "8080")]
    rules[0]["properties"] |= first
    body = json.dumps({"$schema": SCHEMA, "resources": [nsg("nsg", *rules)]}).encode()
    titles = [each.title for each in audit(read_files([("template.json", body)]), only=["NSG021"]).findings]
    assert titles == told


def test_a_rule_of_which_nothing_can_be_read_has_no_priority_out_of_bounds() -> None:
    rule = {"name": "later", "properties": LATER}
    body = json.dumps({"$schema": SCHEMA, "resources": [nsg("nsg", rule)]}).encode()
    made = audit(read_files([("template.json", body)]), only=["NSG009", "NSG021"])
    assert made.findings == ()
    assert "*" in {each.check for each in made.unknown}
