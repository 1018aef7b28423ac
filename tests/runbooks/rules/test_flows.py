"""Which IP configuration a machine with several sends from."""

from __future__ import annotations

import pytest

from diagnostics.network.prefixes import address_of
from diagnostics.runbooks.reading import gather
from diagnostics.runbooks.rules.flows import asked
from diagnostics.runbooks.situation import Situation
from tests.network.arm import machine, network, subnet
from tests.runbooks.azure import Azure, checked, hop, vm

HOME = network("v", "10.0.0.0/16", *(subnet(name, f"10.0.{i}.0/24") for i, name in enumerate("abc", start=1)))


def two_nics(to: str) -> Situation:
    """web with a primary NIC in a and a further one in b, which has three addresses."""
    second = machine("web-2", "v/b", "10.0.2.4", "10.0.2.5", "10.0.2.6")
    second["properties"]["primary"] = False
    azure = Azure.of(
        HOME, machine("web", "v/a", "10.0.1.4"), second, vm("vm-web", "web", "web-2"), machine("sql", "v/b", to)
    )
    return azure.run(gather.survey(azure.situation("vm-web", None, port=443), to))


CASES = {
    "in the second NIC's subnet": ("10.0.2.9", None, "10.0.2.4"),
    "in the first NIC's subnet": ("10.0.1.9", None, "10.0.1.4"),
    "in neither": ("10.0.3.9", None, "10.0.1.4"),
    "the probe tells": ("10.0.3.9", "10.0.2.6", "10.0.2.6"),
}


@pytest.mark.parametrize(("to", "seen", "sends"), CASES.values(), ids=CASES)
def test_a_machine_with_two_nics_sends_from_the_one_beside_the_destination(
    to: str, seen: str | None, sends: str
) -> None:
    probe = checked("Unreachable", hop(seen, "Source"), hop(to)) if seen else None
    found = asked(two_nics(to), to, 443, probe)
    assert not isinstance(found, str)
    assert found.source.address == found.flow.source == address_of(sends)
