"""What Azure adds by itself to what somebody writes: ids, etags, default rules, back references, the joints of a path.

So a scenario's file says only what somebody decided. Nothing here judges: no verdict, no status, no issue is made up.
"""

import copy
import json
import uuid
from datetime import datetime, timedelta
from typing import Any

from sandbox.names import Json, nested

_GROUPS = "Microsoft.Network/networkSecurityGroups"
_NICS = "microsoft.network/networkinterfaces"
_VMS = "microsoft.compute/virtualmachines"
_DEFAULTS = (
    ("AllowVnetInBound", "Allow", 65000, "Inbound", "VirtualNetwork", "VirtualNetwork"),
    ("AllowAzureLoadBalancerInBound", "Allow", 65001, "Inbound", "AzureLoadBalancer", "*"),
    ("DenyAllInBound", "Deny", 65500, "Inbound", "*", "*"),
    ("AllowVnetOutBound", "Allow", 65000, "Outbound", "VirtualNetwork", "VirtualNetwork"),
    ("AllowInternetOutBound", "Allow", 65001, "Outbound", "*", "Internet"),
    ("DenyAllOutBound", "Deny", 65500, "Outbound", "*", "*"),
)
# What points at a resource, and the list in which Azure keeps who points at it.
_POINTERS = (
    ("networkSecurityGroup", "microsoft.network/networksecuritygroups"),
    ("routeTable", "microsoft.network/routetables"),
    ("natGateway", "microsoft.network/natgateways"),
)


def guid(*parts: object) -> str:
    """A GUID that is the same in every run."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(map(str, parts))))


def resource(written: Json, scope: str, location: str) -> Json:
    """A top-level resource from its type, name and properties."""
    provider, _, kinds = written["type"].partition("/")
    names = "/".join(f"{kind}/{name}" for kind, name in zip(kinds.split("/"), written["name"].split("/"), strict=True))
    own = {"name": written["name"].split("/")[-1], "id": f"{scope}/providers/{provider}/{names}"}
    told = {key: value for key, value in written.items() if key != "group"}
    body = own | {"etag": f'W/"{guid(own["id"])}"', "location": location, "tags": {}} | told | own
    body["properties"] = {"provisioningState": "Succeeded"} | copy.deepcopy(written.get("properties", {}))
    if body["type"].lower() == _GROUPS.lower():
        body["properties"] = {"securityRules": []} | body["properties"] | {"defaultSecurityRules": _default_rules()}
    for kind, value in body["properties"].items():
        if isinstance(value, list):
            body["properties"][kind] = [part(body, kind, item) if _is_part(item) else item for item in value]
    return body


def part(parent: Json, kind: str, written: Json) -> Json:
    """A nested resource, such as a rule or a route, from its name and properties."""
    own = {"name": written["name"], "id": f"{parent['id']}/{kind}/{written['name']}"}
    body = own | {"etag": parent.get("etag", ""), "type": f"{parent['type']}/{kind}"} | written
    body["properties"] = {"provisioningState": "Succeeded"} | _rule(kind) | copy.deepcopy(written["properties"])
    return body


def twin(original: Json, name: str) -> Json:
    """A copy of a resource under another name, with ids of its own."""
    new = original["id"].rpartition("/")[0] + f"/{name}"
    body = _renamed(copy.deepcopy(original), original["id"], new) | {"name": name, "etag": f'W/"{guid(new)}"'}
    for key in ("resourceGuid", "vmId"):
        if key in body["properties"]:
            body["properties"][key] = guid(new, key)
    return dict(body)


def back_references(resources: list[Json]) -> None:
    """Write into each resource who points at it, as Azure does: NICs know their VM, NSGs their subnets, and so on."""
    by_id = {body["id"].lower(): body for body in _all(resources)}
    for body in by_id.values():
        if body.get("type", "").lower() == _NICS:
            body["properties"].pop("virtualMachine", None)
        for _, kind in _POINTERS:
            if body.get("type", "").lower() == kind:
                body["properties"].pop("subnets", None)
                body["properties"].pop("networkInterfaces", None)
    for body in list(by_id.values()):
        _note_vm(body, by_id)
        _note_pointers(body, by_id)
    _note_addresses(resources, by_id)


def path(answer: Json, *key: object) -> Json:
    """A connectivity check's answer with the ids and links that lead from each hop to the next."""
    hops = answer.get("hops")
    if not isinstance(hops, list) or any("id" in hop for hop in hops):
        return answer
    ids = [guid(*key, index) for index in range(len(hops))]
    whole = []
    for index, hop in enumerate(hops):
        onward, back = ids[index + 1 : index + 2], ids[index - 1 : index] if index else []
        links = [_link(onward[0], hop)] if onward else []
        previous = [_link(back[0], {"linkIssues": hop.get("previousLinkIssues", [])})] if back else []
        told = {name: value for name, value in hop.items() if name not in ("linkIssues", "previousLinkIssues", "rtt")}
        joints = {"nextHopIds": onward, "links": links, "previousHopIds": back, "previousLinks": previous}
        whole.append({"id": ids[index], "issues": []} | told | joints)
    return answer | {"hops": whole}


def output(answer: Json) -> Json:
    """The result of Run Command, from the lines that a script prints under ``windows`` or ``linux``; JSON is a line."""
    shell = next((name for name in ("windows", "linux") if name in answer), None)
    if shell is None:
        return answer
    printed = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in answer[shell])
    status = {"level": "Info", "displayStatus": "Provisioning succeeded"}
    if shell == "linux":
        message = f"Enable succeeded: \n[stdout]\n{printed}\n\n[stderr]\n"
        return {"value": [{"code": "ProvisioningState/succeeded"} | status | {"message": message}]}
    streams = (("StdOut", printed), ("StdErr", ""))
    return {"value": [{"code": f"ComponentStatus/{n}/succeeded"} | status | {"message": m} for n, m in streams]}


def event(written: Json, fired: datetime, subscription: str) -> Json:
    """An entry of the activity log from when, who, which operation, on what, and how it ended."""
    if "eventTimestamp" in written:
        return written
    when = fired - timedelta(minutes=written["minutesBefore"])
    operation, target = written["operationName"], written["resourceId"]
    status, key = written.get("status", "Succeeded"), guid(target, operation, written["minutesBefore"])
    kind = operation.rpartition("/")[0]
    said = {name: _both(value) for name, value in (("operationName", operation), ("status", status))}
    return {
        "authorization": {"action": operation, "role": "Network Contributor", "scope": target},
        "caller": written["caller"],
        "channels": "Operation",
        "claims": {"appid": guid(written["caller"]), "name": written["caller"], "ver": "1.0"},
        "correlationId": key,
        "eventDataId": guid(key, "data"),
        "eventName": {"value": "EndRequest", "localizedValue": "End request"},
        "category": _both("Administrative"),
        "eventTimestamp": f"{when:%Y-%m-%dT%H:%M:%S}.0000000Z",
        "id": f"{target}/events/{guid(key, 'data')}/ticks/638990101916997759",
        "level": "Informational" if status == "Succeeded" else "Error",
        "operationId": guid(key, "operation"),
        **said,
        "resourceGroupName": target.split("/")[4] if target.count("/") > 3 else "",
        "resourceProviderName": _both(operation.partition("/")[0]),
        "resourceType": _both(kind),
        "resourceId": target,
        "subStatus": _both(""),
        "submissionTimestamp": f"{when + timedelta(minutes=2):%Y-%m-%dT%H:%M:%SZ}",
        "subscriptionId": subscription,
        "properties": {"eventCategory": "Administrative", "entity": target, "message": operation},
    }


def _default_rules() -> list[Json]:
    rules = []
    for name, access, priority, direction, source, destination in _DEFAULTS:
        sides = {"sourceAddressPrefix": source, "destinationAddressPrefix": destination}
        about = {"access": access, "priority": priority, "direction": direction, "destinationPortRange": "*"}
        rules.append({"name": name, "properties": {"protocol": "*"} | about | sides})
    return rules


def _rule(kind: str) -> Json:
    """The fields that Azure answers for a rule even where nobody wrote them."""
    if kind.lower() not in ("securityrules", "defaultsecurityrules"):
        return {}
    lists = ("sourcePortRanges", "destinationPortRanges", "sourceAddressPrefixes", "destinationAddressPrefixes")
    return {"sourcePortRange": "*"} | {name: [] for name in lists}


def _is_part(item: Any) -> bool:
    return isinstance(item, dict) and "name" in item and "properties" in item and "id" not in item


def _renamed(value: Any, old: str, new: str) -> Any:
    if isinstance(value, str):
        return new + value[len(old) :] if value == old or value.startswith(old + "/") else value
    if isinstance(value, list):
        return [_renamed(item, old, new) for item in value]
    return {key: _renamed(item, old, new) for key, item in value.items()} if isinstance(value, dict) else value


def _all(resources: list[Json]) -> list[Json]:
    return [body for top in resources for body in (top, *nested(top)) if "id" in body]


def _note_vm(vm: Json, by_id: dict[str, Json]) -> None:
    if vm.get("type", "").lower() != _VMS:
        return
    for index, reference in enumerate(vm["properties"].get("networkProfile", {}).get("networkInterfaces", [])):
        nic = by_id.get(reference["id"].lower())
        if nic is not None:
            nic["properties"]["virtualMachine"] = {"id": vm["id"]}
            nic["properties"]["primary"] = reference.get("properties", {}).get("primary", index == 0)


def _note_pointers(body: Json, by_id: dict[str, Json]) -> None:
    listed = "networkInterfaces" if body.get("type", "").lower() == _NICS else "subnets"
    for field, kind in _POINTERS:
        pointed = body["properties"].get(field) if isinstance(body.get("properties"), dict) else None
        owner = by_id.get(pointed["id"].lower()) if pointed else None
        if owner is not None and owner.get("type", "").lower() == kind:
            owner["properties"].setdefault(listed, []).append({"id": body["id"]})


def _note_addresses(resources: list[Json], by_id: dict[str, Json]) -> None:
    """Subnets know the IP configurations in them: those of NICs anew, those of other things as they were."""
    nics = [body for body in resources if body["type"].lower() == _NICS]
    for body in by_id.values():
        held = body.get("properties", {}).get("ipConfigurations")
        if "/subnets/" in body["id"].lower() and held is not None:
            kept = [item for item in held if "/networkinterfaces/" not in item["id"].lower()]
            body["properties"]["ipConfigurations"] = kept
    for nic in nics:
        for configuration in nic["properties"].get("ipConfigurations", []):
            subnet = by_id.get(configuration["properties"].get("subnet", {}).get("id", "").lower())
            if subnet is not None:
                subnet["properties"].setdefault("ipConfigurations", []).append({"id": configuration["id"]})


def _link(to: str, hop: Json) -> Json:
    times = dict(zip(("roundTripTimeMin", "roundTripTimeAvg", "roundTripTimeMax"), hop.get("rtt", ()), strict=False))
    return {"nextHopId": to, "properties": times, "context": {}, "issues": hop.get("linkIssues", []), "resourceId": ""}


def _both(value: str) -> Json:
    return {"value": value, "localizedValue": value}
