"""The second check, and what it says of findings that rest on configuration alone."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from diagnostics.findings import Cause, Status
from diagnostics.intake.messages import Endpoint
from diagnostics.network.connectivity import ConnectivityCheck
from diagnostics.runbooks.diagnosis import connection
from diagnostics.runbooks.probe_steps import again
from diagnostics.runbooks.probed import Probed
from diagnostics.runbooks.probing import CheckConnectivity
from diagnostics.runbooks.questions import Question, Unread, answer_all
from diagnostics.runbooks.ranking import ranked
from diagnostics.runbooks.situation import Situation
from tests.runbooks.azure import checked, hop
from tests.runbooks.house import ARRIVES, SILENT, House, deny, judged, nsgs, only

NAMED = checked("Unreachable", hop("10.0.1.4", "Source"), hop("10.0.2.4", rule="UserRule_deny"))


def looked_at_again(first: ConnectivityCheck, second: ConnectivityCheck | Unread) -> Situation:
    situation = replace(judged(nsgs(on_b=[deny()]), probe=first), probed=Probed(first))

    def answer(question: Question[object]) -> object:
        return second if isinstance(question, CheckConnectivity) else None

    return answer_all(again(situation, "10.0.2.4", 443), answer)


CASES = {
    "only configured, works": (SILENT, ARRIVES, "the probes arrive now, so it stops them no more", Status.RESOLVED),
    "only configured, fails": (SILENT, SILENT, "the connection still fails, 100 of 100 probes failed", Status.OPEN),
    "probed too, works": (NAMED, ARRIVES, "it is gone, the probes arrive now", Status.RESOLVED),
    "probed too, fails": (NAMED, SILENT, "it is still there, 100 of 100 probes failed", Status.OPEN),
}


@pytest.mark.parametrize(("first", "second", "said", "status"), CASES.values(), ids=CASES)
def test_what_blocks_is_told_of_as_the_second_check_fares(
    first: ConnectivityCheck, second: ConnectivityCheck, said: str, status: Status
) -> None:
    finding = only(looked_at_again(first, second))
    assert (finding.check, finding.status) == ("CON001", status)
    assert finding.because[-1].text == f"Checked again: {said}"


def test_a_second_check_without_an_answer_says_nothing_of_what_is_configured() -> None:
    finding = only(looked_at_again(SILENT, Unread("Azure is busy")))
    assert finding.status is Status.OPEN
    assert not any("Checked again" in cause.text for cause in finding.because)


def test_what_the_second_check_says_stands_last_when_two_say_the_same() -> None:
    found = only(looked_at_again(NAMED, ARRIVES))
    other = msgspec.structs.replace(found, because=(Cause(kind="azure", text="Azure says the same"),))
    (both,) = ranked((found, other))
    assert both.because[-2].text == "Azure says the same"
    assert both.because[-1].text.startswith("Checked again")


ADDRESSES = {
    "one address": (("10.0.2.4",), "10.0.2.4", "vm-web → vm-sql:443"),
    "one of three": (("10.0.2.4", "10.0.2.5", "10.0.2.6"), "10.0.2.6", "vm-web → vm-sql (10.0.2.6):443"),
    "a load balancer's before it": (("10.0.2.4",), "10.0.2.100", "vm-web → vm-sql (10.0.2.100):443"),
}


@pytest.mark.parametrize(("own", "address", "named"), ADDRESSES.values(), ids=ADDRESSES)
def test_a_connection_is_named_by_the_address_that_its_machine_leaves_open(
    own: tuple[str, ...], address: str, named: str
) -> None:
    situation = House(sql=own).azure().situation("vm-web", "vm-sql", port=443)
    request = type(situation.request)(
        request_id="r",
        source=situation.request.source,
        destination=Endpoint(resource_id="/subscriptions/s/resourceGroups/rg", address=address, port=443),
        origin=situation.request.origin,
    )
    assert connection(replace(situation, request=request)) == named
