"""What Azure answers about rules and guests, in its shapes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from diagnostics.errors import ParseError
from diagnostics.network.probes import FlowAnswer, GuestOutput, RuleAnswer

ALLOW, DENY = {"ruleName": "UserRule_let-in", "action": "Allow"}, {"ruleName": "UserRule_keep-out", "action": "Deny"}


def diagnostics(access: str, *rules: dict[str, str] | None) -> RuleAnswer:
    groups = [{"networkSecurityGroupId": "/nsg", "appliedTo": "/nic", "matchedRule": rule} for rule in rules]
    result = {"securityRuleAccessResult": access, "evaluatedNetworkSecurityGroups": groups}
    return RuleAnswer.decode(json.dumps({"results": [{"networkSecurityGroupResult": result}]}).encode())


@pytest.mark.parametrize(
    ("access", "rules", "decides"),
    [
        ("Deny", [ALLOW, DENY], "keep-out"),
        ("Deny", [DENY, ALLOW], "keep-out"),
        ("Deny", [None, DENY], "keep-out"),
        ("Deny", [None], ""),
        ("Allow", [ALLOW], "let-in"),
        ("Allow", [None, ALLOW], "let-in"),
        ("Deny", [ALLOW], None),
        ("Allow", [], None),
    ],
)
def test_the_nsg_that_decides(access: str, rules: list[dict[str, str] | None], decides: str | None) -> None:
    answer = diagnostics(access, *rules)
    assert answer.allowed is (access == "Allow")
    assert (answer.deciding.rule if answer.deciding else None) == decides


@pytest.mark.parametrize(
    ("kind", "body", "where"),
    [
        (RuleAnswer, {"results": []}, "results"),
        (RuleAnswer, {"results": [{}]}, "networkSecurityGroupResult"),
        (FlowAnswer, {"ruleName": "x"}, "access"),
        (GuestOutput, {"value": [{"message": "x"}]}, "code"),
    ],
)
def test_an_answer_without_what_it_is_for_is_refused(kind: Any, body: dict[str, Any], where: str) -> None:
    with pytest.raises(ParseError, match=where):
        kind.decode(json.dumps(body).encode())
