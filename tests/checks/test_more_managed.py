"""NSGs that a service of Azure writes by itself."""

import pytest

from tests.checks.audited import audited, nsg
from tests.checks.rules_written import allow

NODES = "aks-agentpool-12345678-nsg"


@pytest.mark.parametrize(
    ("group", "rule", "found"),
    [
        pytest.param(NODES, "allow-ssh", True, id="somebody's"),
        pytest.param(NODES.upper(), "allow-ssh", True, id="a name in another case"),
        pytest.param(NODES, "k8s-azure-lb_allow_IPv4_556f7044ec033071ec0dcf7cd85bc93", False, id="of AKS"),
        pytest.param(NODES, f"a{'0f' * 15}7-TCP-80-Internet", False, id="of AKS, years ago"),
        pytest.param("nsg-aks", "allow-ssh", False, id="an NSG of the owner's"),
        pytest.param("aks-agentpool-nsg", "allow-ssh", False, id="a name that is only like it"),
    ],
)
def test_own_rules_among_those_of_aks(group: str, rule: str, *, found: bool) -> None:
    findings = audited("NSG024", [nsg(group, allow(rule, 100, "443"))]).findings
    assert [each.title for each in findings] == (
        [f"Rule {rule} (inbound 100, Allow) of NSG {group} is not of AKS, which looks after it"] if found else []
    )


def test_each_rule_is_a_finding_and_default_rules_are_none() -> None:
    copied = allow("AllowInternetOutBound", 65_001, direction="Outbound")
    findings = audited("NSG024", [nsg(NODES, allow("one", 100, "443"), allow("Two", 110, "444"), copied)]).findings
    assert sorted(each.title.split(" ")[1] for each in findings) == ["Two", "one"]
