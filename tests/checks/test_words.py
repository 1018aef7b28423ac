"""How checks say things: a rule is written as a cause once."""

from dataclasses import replace

from diagnostics.checks.words import Causes, rule_cause
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import SecurityGroup, SecurityRule

RULE = SecurityRule("allow-web", 100, "Inbound", "Allow", default=False, destination_ports=("80", "443"))


def group(name: str) -> SecurityGroup:
    rid = f"/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/networkSecurityGroups/{name}"
    return SecurityGroup(ResourceId.parse(rid), (RULE,))


def test_a_rule_is_written_once() -> None:
    causes, nsg = Causes(), group("nsg")
    assert causes.of(nsg, RULE) == rule_cause(nsg.id, RULE)
    assert causes.of(nsg, RULE) is causes.of(nsg, RULE)


def test_the_same_rule_of_another_nsg_is_another_cause() -> None:
    causes = Causes()
    assert causes.of(group("one"), RULE).resource_id != causes.of(group("other"), RULE).resource_id


def test_rules_hash_alike_where_they_are_equal() -> None:
    assert hash(replace(RULE, description="why")) == hash(RULE)
    assert len({RULE, replace(RULE, description="why"), replace(RULE, access="Deny")}) == 2
