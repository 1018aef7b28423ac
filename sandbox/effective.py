"""Effective rules and routes of NICs, written out from the configuration of an estate file.

That is clerk's work: the rules of the subnet's and the NIC's group in the form in which Azure lists them, tags and
application security groups replaced by addresses. Which rule decides a flow is never worked out here.

Left out: security admin rules, routes learnt by BGP, routes to service tags, service endpoints.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from ipaddress import IPv4Network, ip_network

from sandbox.names import Json, nested

KINDS = ("effectiveNetworkSecurityGroups", "effectiveRouteTable")
_NICS = "microsoft.network/networkinterfaces"
_ANY = "0.0.0.0/0"
_BALANCER = ["168.63.129.16/32", "fe80::1234:5678:9abc/128"]
# Not in tag Internet as Azure expands it (recorded; the virtual network's own addresses aside).
_NOT_INTERNET = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.2.0/24",
    "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3",
)  # fmt: skip
_PRIVATE = ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16")


def complete(document: Json) -> None:
    """Add to the probes of an estate file what the two effective* calls answer for each NIC, after its own entries."""
    estate = _Estate(document["resources"])
    probes = document.setdefault("probes", {})
    for kind, listed in zip(KINDS, (estate.groups, estate.routes), strict=True):
        entries = [{"match": {"nic": nic["id"]}, "answer": {"value": list(listed(nic))}} for nic in estate.nics]
        probes[kind] = [*probes.get(kind, []), *entries]


class _Estate:
    def __init__(self, resources: list[Json]) -> None:
        self._all = {body["id"].lower(): body for top in resources for body in (top, *nested(top)) if "id" in body}
        self.nics = [body for body in resources if body["type"].lower() == _NICS]

    def groups(self, nic: Json) -> Iterator[Json]:
        """The groups at a NIC: its own, then its subnet's."""
        subnet, network = self._place(nic)
        for where, holder in (("networkInterface", nic), ("subnet", subnet)):
            group = self._at(holder["properties"].get("networkSecurityGroup"))
            if group is None:
                continue
            tags = {"VirtualNetwork": self._known(network), "AzureLoadBalancer": _BALANCER}
            rules = [*group["properties"].get("securityRules", []), *group["properties"]["defaultSecurityRules"]]
            kinds = {rule["name"]: kind for kind in ("securityRules", "defaultSecurityRules")
                     for rule in group["properties"].get(kind, [])}  # fmt: skip
            listed = [self._rule(f"{kinds[rule['name']]}/{rule['name']}", rule["properties"], tags) for rule in rules]
            yield {
                "networkSecurityGroup": {"id": group["id"]},
                "association": {where: {"id": holder["id"]}},
                "effectiveSecurityRules": listed,
                "tagMap": tags,
            }

    def routes(self, nic: Json) -> Iterator[Json]:
        """The routes of a NIC: Azure's own, then those of its subnet's route table."""
        subnet, network = self._place(nic)
        table = self._at(subnet["properties"].get("routeTable"))
        written = [route for route in (table["properties"].get("routes", []) if table else []) if _is_prefix(route)]
        taken = {route["properties"]["addressPrefix"] for route in written}
        for prefixes, kind in self._system(network):
            state = "Invalid" if set(prefixes) <= taken else "Active"
            yield {"source": "Default", "state": state} | _route(prefixes, kind)
        for route in written:
            about = route["properties"]
            hop = [about["nextHopIpAddress"]] if about.get("nextHopIpAddress") else []
            yield {"name": route["name"], "source": "User", "state": "Active"} | _route(
                [about["addressPrefix"]], about["nextHopType"], hop
            )

    def _system(self, network: Json) -> Iterator[tuple[list[str], str]]:
        space = network["properties"]["addressSpace"]["addressPrefixes"]
        yield from (([prefix], "VnetLocal") for prefix in space)
        for peering in self._peerings(network):
            yield peering["properties"]["remoteAddressSpace"]["addressPrefixes"], "VNetPeering"
        yield [_ANY], "Internet"
        yield from (([prefix], "None") for prefix in _PRIVATE if prefix not in space)

    def _peerings(self, network: Json) -> list[Json]:
        listed = network["properties"].get("virtualNetworkPeerings", [])
        return [each for each in listed if each["properties"].get("peeringState") == "Connected"]

    def _known(self, network: Json) -> list[str]:
        """What the tag VirtualNetwork stands for: the network, those it is peered with, the host's own address."""
        peers = [each["properties"] for each in self._peerings(network)]
        open_to = [peer for peer in peers if peer.get("allowVirtualNetworkAccess", True)]
        remote = [prefix for peer in open_to for prefix in peer["remoteAddressSpace"]["addressPrefixes"]]
        return [*network["properties"]["addressSpace"]["addressPrefixes"], *remote, "168.63.129.16/32"]

    def _place(self, nic: Json) -> tuple[Json, Json]:
        first = nic["properties"]["ipConfigurations"][0]["properties"]
        subnet = self._all[first["subnet"]["id"].lower()]
        return subnet, self._all[subnet["id"].lower().rpartition("/subnets/")[0]]

    def _at(self, reference: Json | None) -> Json | None:
        return self._all.get(reference["id"].lower()) if reference else None

    def _rule(self, name: str, about: Json, tags: dict[str, list[str]]) -> Json:
        body = {"name": name, "protocol": "All" if about["protocol"] == "*" else about["protocol"]}
        body |= _ports("source", about) | _ports("destination", about)
        for side in ("source", "destination"):
            body |= self._addresses(side, about, tags)
        return body | {field: about[field] for field in ("access", "priority", "direction")}

    def _addresses(self, side: str, about: Json, tags: dict[str, list[str]]) -> Json:
        field = f"{side}AddressPrefix"
        members = [group["id"].lower() for group in about.get(f"{side}ApplicationSecurityGroups", [])]
        texts = [str(ip_network(address)) for address in self._members(members)] if members else _several(about, field)
        whole = {text.lower(): values for text, values in (tags | {"Internet": _internet()}).items()}
        if any(text in ("*", _ANY) for text in texts):
            return {field: _ANY, f"{field}es": [_ANY, _ANY]}
        body: Json = {} if len(texts) > 1 else {field: texts[0]} if texts else {}
        expanded = [prefix for text in texts for prefix in whole.get(text.lower(), [])]
        more = {f"expanded{field[0].upper()}{field[1:]}": expanded} if expanded else {}
        return body | {f"{field}es": texts} | more

    def _members(self, groups: list[str]) -> Iterator[str]:
        for nic in self.nics:
            for configuration in nic["properties"]["ipConfigurations"]:
                own = {
                    group["id"].lower() for group in configuration["properties"].get("applicationSecurityGroups", [])
                }
                if own & set(groups):
                    yield configuration["properties"]["privateIPAddress"]


@cache
def _internet() -> list[str]:
    left = [IPv4Network(_ANY)]
    for out in map(IPv4Network, _NOT_INTERNET):
        left = [part for each in left for part in (each.address_exclude(out) if out.subnet_of(each) else [each])]
    return [str(each) for each in sorted(left)]


def _several(about: Json, field: str) -> list[str]:
    plural = about.get(f"{field}es") or about.get(f"{field}s") or []
    return list(plural) or [about[field]]


def _ports(side: str, about: Json) -> Json:
    field = f"{side}PortRange"
    ranges = [_range(text) for text in _several(about, field)]
    return ({field: ranges[0]} if len(ranges) == 1 else {}) | {f"{field}s": ranges}


def _range(text: str) -> str:
    return "0-65535" if text == "*" else text if "-" in text else f"{text}-{text}"


def _is_prefix(route: Json) -> bool:
    try:
        ip_network(route["properties"]["addressPrefix"])
    except ValueError:
        return False
    return True


def _route(prefixes: Iterable[str], kind: str, hop: Iterable[str] = ()) -> Json:
    told = {"addressPrefix": list(prefixes), "nextHopType": kind, "nextHopIpAddress": list(hop)}
    return told | {
        "hasBgpOverride": False, "disableBgpRoutePropagation": False, "destinationServiceTags": [], "tagMap": {},
    }  # fmt: skip
