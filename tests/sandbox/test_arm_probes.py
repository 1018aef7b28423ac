import re
from collections.abc import Iterator
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from sandbox.arm.clients import Azure, code_of, connected
from sandbox.scenario import Probe

WATCHER = ("NetworkWatcherRG", "NetworkWatcher_westeurope")


@pytest.fixture
def azure() -> Iterator[Azure]:
    with connected("vm-to-vm-nsg") as azure:
        yield azure


def web_to(azure: Azure, **destination: Any) -> Any:
    return {"source": {"resourceId": azure.id("vm-orders-web-01")}, "destination": destination}


def test_connectivity_check_answers_from_the_script(azure: Azure) -> None:
    check = azure.network.network_watchers.begin_check_connectivity
    bad = check(*WATCHER, web_to(azure, resourceId=azure.id("vm-orders-sql-01"), port=1433)).result()
    assert (bad.connection_status, bad.probes_sent, bad.probes_failed) == ("Unreachable", 30, 30)
    issues = [issue for hop in bad.hops or [] for issue in hop.issues or []]
    assert [issue.context for issue in issues] == [[{"key": "RuleName", "value": "UserRule_deny-lateral-movement"}]]
    good = check(*WATCHER, web_to(azure, address="www.contoso.example", port=443)).result()
    assert (good.connection_status, good.avg_latency_in_ms) == ("Reachable", 4)


def test_how_a_check_answers_and_is_polled(azure: Azure) -> None:
    azure.sandbox.hold(azure.id("vm-orders-web-01"))
    first = azure.call("POST", azure.id(WATCHER[1]) + "/connectivityCheck", json=web_to(azure, address="10.20.2.4"))
    assert (first.status_code, first.text, first.headers["Retry-After"]) == (202, "null", "0")
    assert "Azure-AsyncOperation" not in first.headers
    where = first.headers["Location"].removeprefix(azure.sandbox.url).partition("?")[0]
    assert re.search(r"/locations/westeurope/operationResults/[0-9a-f-]{36}$", where)
    still = azure.call("GET", where)
    assert (still.status_code, still.text) == (202, "null")
    azure.sandbox.release(azure.id("vm-orders-web-01"))
    done = until_done(azure, where)
    assert done["connectionStatus"] == "Unreachable"


def until_done(azure: Azure, where: str) -> Any:
    while (answer := azure.call("GET", where)).status_code == 202:
        pass
    return answer.json()


def test_one_check_at_a_time_for_a_source(azure: Azure) -> None:
    source = azure.id("vm-orders-web-01")
    azure.sandbox.hold(source)
    body = web_to(azure, address="10.20.2.4", port=1433)
    poller = azure.network.network_watchers.begin_check_connectivity(*WATCHER, body)
    with pytest.raises(HttpResponseError, match="RetryableError") as error:
        azure.network.network_watchers.begin_check_connectivity(*WATCHER, body)
    assert error.value.status_code == 429
    azure.sandbox.release(source)
    assert poller.result().connection_status == "Unreachable"


@pytest.mark.parametrize(
    ("source", "rest", "status", "code"),
    [
        ("{web}", {"destination": {}}, 400, "InvalidRequest"),
        ("{web}", {}, 400, "InvalidRequestFormat"),
        ("{web}", {"destination": {"adress": "a"}}, 400, "InvalidRequestFormat"),
        ("{web}", {"destination": {"address": "a", "port": "443"}}, 400, "InvalidRequestFormat"),
        ("{web}", {"destination": {"address": "a"}, "protocol": "Sctp"}, 400, "InvalidRequestFormat"),
        ("{web}-gone", {"destination": {"address": "a"}}, 404, "ResourceNotFound"),
        ("{elsewhere}", {"destination": {"address": "a"}}, 400, "InvalidTargetResource"),
        ("{sql}", {"destination": {"address": "a"}}, 400, "NetworkWatcherExtensionNotInstalled"),
    ],
)
def test_checks_that_are_refused(azure: Azure, source: str, rest: dict[str, Any], status: int, code: str) -> None:
    web = azure.id("vm-orders-web-01")
    elsewhere = web.replace(azure.scenario.subscription, "0f0f0f0f-0000-4000-8000-000000000000")
    named = source.format(web=web, sql=azure.id("vm-orders-sql-01"), elsewhere=elsewhere)
    body = {"source": {"resourceId": named}} | rest
    assert code_of(azure.call("POST", azure.id(WATCHER[1]) + "/connectivityCheck", json=body)) == (status, code)


def test_the_watcher_is_of_the_vms_region(azure: Azure) -> None:
    azure.sandbox.change(azure.id(WATCHER[1]), {"location": "northeurope"})
    answer = azure.call("POST", azure.id(WATCHER[1]) + "/connectivityCheck", json=web_to(azure, address="a"))
    assert code_of(answer) == (400, "InvalidTargetResource")


def test_a_stopped_vm_cannot_be_asked(azure: Azure) -> None:
    azure.sandbox.power(azure.id("vm-orders-web-01"), "PowerState/deallocated")
    answer = azure.call("POST", azure.id(WATCHER[1]) + "/connectivityCheck", json=web_to(azure, address="a"))
    assert code_of(answer) == (409, "OperationNotAllowed")
    nic = azure.id("nic-orders-web-01")
    for action, what in (("effectiveRouteTable", "Routes"), ("effectiveNetworkSecurityGroups", "SecurityGroups")):
        answer = azure.call("POST", f"{nic}/{action}")
        assert code_of(answer) == (400, f"NicMustBeAttachedToRunningVmToGetEffective{what}")


def test_ip_flow_verify_and_next_hop(azure: Azure) -> None:
    watchers = azure.network.network_watchers
    flow = watchers.begin_verify_ip_flow(
        *WATCHER,
        {
            "targetResourceId": azure.id("vm-orders-sql-01"), "direction": "Inbound", "protocol": "TCP",
            "localPort": "1433", "remotePort": "*", "localIPAddress": "10.20.2.4", "remoteIPAddress": "10.20.1.4",
        },
    ).result()  # fmt: skip
    assert (flow.access, flow.rule_name) == ("Deny", "securityRules/deny-lateral-movement")
    hop = watchers.begin_get_next_hop(
        *WATCHER,
        {
            "targetResourceId": azure.id("vm-orders-web-01"),
            "sourceIPAddress": "10.20.1.4", "destinationIPAddress": "10.20.2.4",
        },
    ).result()  # fmt: skip
    assert (hop.next_hop_type, hop.route_table_id) == ("VirtualNetwork", "System Route")


def test_a_forwarding_vm_with_several_nics_needs_the_nic_named() -> None:
    with connected("secondary-nic") as azure:
        body = {"targetResourceId": azure.id("vm-edge-proxy-01"), "destinationIPAddress": "10.60.10.4"}
        body["sourceIPAddress"] = "10.60.1.5"
        path = azure.id(WATCHER[1]) + "/nextHop"
        assert azure.call("POST", path, json=body).status_code == 202
        azure.sandbox.change(azure.id("nic-edge-proxy-01-front"), {"properties.enableIPForwarding": True})
        assert code_of(azure.call("POST", path, json=body)) == (400, "InvalidRequest")
        named = body | {"targetNicResourceId": azure.id("nic-edge-proxy-01-front")}
        assert azure.call("POST", path, json=named).status_code == 202


def test_effective_rules_and_routes(azure: Azure) -> None:
    interfaces = azure.network.network_interfaces
    group, nic = "rg-orders-prod-weu", "nic-orders-sql-01"
    groups = interfaces.begin_list_effective_network_security_groups(group, nic).result().value or []
    names = [rule.name for rule in groups[0].effective_security_rules or []]
    assert "securityRules/deny-lateral-movement" in names
    assert "defaultSecurityRules/DenyAllInBound" in names
    routes = interfaces.begin_get_effective_route_table(group, nic).result().value or []
    assert {route.next_hop_type for route in routes} == {"VnetLocal", "Internet", "None"}


def test_an_answer_may_depend_on_the_state_of_a_nic() -> None:
    with connected("internet-failed-nic") as azure:
        body: Any = {"source": {"resourceId": azure.id("vm-shop-web-01")}, "destination": {"address": "1.1.1.1"}}
        check = azure.network.network_watchers.begin_check_connectivity
        before = check(*WATCHER, body).result()
        assert (before.connection_status, [hop.issues for hop in before.hops or []]) == ("Unreachable", [[], []])
        azure.sandbox.change(azure.id("nic-shop-web-01"), {"properties.provisioningState": "Succeeded"})
        assert check(*WATCHER, body).result().connection_status == "Reachable"


def test_a_question_without_an_answer_says_so(azure: Azure) -> None:
    body = {"targetResourceId": azure.id("vm-orders-web-01"), "profiles": []}
    answer = azure.call("POST", azure.id(WATCHER[1]) + "/networkConfigurationDiagnostic", json=body)
    assert code_of(answer) == (500, "InternalServerError")
    assert "The scenario has no answer" in answer.json()["error"]["message"]


def test_a_scripted_error_arrives_at_the_end() -> None:
    with connected("healthy") as azure:
        error = {"status": 400, "code": "AgentUnreachable", "message": "The agent does not answer."}
        azure.scenario.probes["connectivityCheck"].insert(0, Probe(error=error))
        body: Any = {"source": {"resourceId": azure.id("vm-crm-app-01")}, "destination": {"address": "1.1.1.1"}}
        poller = azure.network.network_watchers.begin_check_connectivity(*WATCHER, body)
        with pytest.raises(HttpResponseError, match="AgentUnreachable"):
            poller.result()
