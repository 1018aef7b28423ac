"""What Azure says works at a NIC beside what is configured: NSGs that only one of the two shows."""

import pytest

from diagnostics.network.estate import EffectiveGroup, Estate
from tests.network.builders import ask, estate, network, nic, nsg, nsg_id, rid, rule, subnet

A, B = "10.0.1.4", "10.0.1.5"
SHUT = (rule("shut", 100, ports="443"),)


def told(name: str, *, on_subnet: bool, shut: bool = True) -> EffectiveGroup:
    return EffectiveGroup(nsg_id(name), SHUT if shut else (), {}, on_subnet=on_subnet)


def seen(
    *groups: EffectiveGroup, on_subnet: str | None = None, on_nic: str | None = None, known: bool = False
) -> Estate:
    home = network("v", "10.0.0.0/16", subnet("v/a", "10.0.1.0/24", on_subnet))
    nics = nic("a", A, "v/a"), nic("b", B, "v/a", on_nic)
    written = (nsg("n"),) if known else ()
    return estate(home, *nics, *written, effective_groups={rid("networkInterfaces", "b"): groups})


@pytest.mark.parametrize(
    ("known", "verdict"),
    [
        (seen(), "allowed"),
        (seen(told("policy", on_subnet=True)), "denied"),
        (seen(told("policy", on_subnet=False)), "denied"),
        (seen(told("policy", on_subnet=True, shut=False)), "allowed"),
        # configuration that is there counts as it is written
        (seen(told("n", on_subnet=False), on_nic="n", known=True), "allowed"),
        (seen(told("n", on_subnet=False), on_nic="n"), "denied"),
    ],
)
def test_an_nsg_that_only_azure_shows(known: Estate, verdict: str) -> None:
    assert ask(known, A, B, 443).verdict == verdict


def test_one_nsg_in_two_places_is_known_only_where_azure_told() -> None:
    known = seen(told("n", on_subnet=False, shut=False), on_subnet="n", on_nic="n")
    for _ in range(2):  # what was answered before does not change the answer
        path = ask(known, A, B, 443)
        assert path.verdict == "unknown"
        assert {name for reason in path.because for name in reason.missing} == {"NSG n"}
    assert ask(known, B, A, 443).verdict == "unknown"
