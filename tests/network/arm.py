"""Networks as ARM's JSON, quickly said: what the tests of traps read before they ask."""

from typing import Any

from diagnostics.network.estate import Estate
from diagnostics.network.path import Path
from diagnostics.network.reach import reach
from diagnostics.network.reading import read_objects
from tests.network.builders import flow, point
from tests.network.reading.small import Json, body, part, ref, rid, rule

__all__ = ["Json", "ask", "body", "machine", "network", "nsg", "part", "read", "ref", "rid", "rule", "subnet", "table"]


def subnet(name: str, *prefixes: str, nsg: str = "", table: str = "", **more: Any) -> Json:
    found: Json = {"addressPrefixes": list(prefixes)} | more
    found |= {"networkSecurityGroup": ref("networkSecurityGroups", nsg)} if nsg else {}
    found |= {"routeTable": ref("routeTables", table)} if table else {}
    return {"name": name, "properties": found}


def network(name: str, space: str, *subnets: Json, peers: dict[str, str] | None = None) -> Json:
    """A virtual network, and its peerings: the other network's name → its address space."""
    peerings = [
        {
            "name": f"to-{other}",
            "properties": {
                "remoteVirtualNetwork": ref("virtualNetworks", other),
                "remoteAddressSpace": {"addressPrefixes": prefixes.split()},
                "peeringState": "Connected",
                "allowVirtualNetworkAccess": True,
            },
        }
        for other, prefixes in (peers or {}).items()
    ]
    return body(
        "virtualNetworks",
        name,
        addressSpace={"addressPrefixes": space.split()},
        subnets=[each | {"id": rid("virtualNetworks", f"{name}/subnets/{each['name']}")} for each in subnets],
        virtualNetworkPeerings=peerings,
    )


def machine(name: str, where: str, *addresses: str, nsg: str = "", **more: Any) -> Json:
    """A NIC in `network/subnet` of a VM of the same name, with an IP configuration for each address."""
    home = where.replace("/", "/subnets/")
    configurations = [
        {
            "name": f"ip{number}",
            "properties": {"privateIPAddress": address, "subnet": ref("virtualNetworks", home), "primary": number == 0}
            | more,
        }
        for number, address in enumerate(addresses)
    ]
    return body(
        "networkInterfaces",
        name,
        ipConfigurations=configurations,
        primary=True,
        virtualMachine=ref("virtualMachines", f"vm-{name}"),
        networkSecurityGroup=ref("networkSecurityGroups", nsg) if nsg else None,
    )


def nsg(name: str, *rules: Json) -> Json:
    return body("networkSecurityGroups", name, securityRules=list(rules))


def table(name: str, **routes: str) -> Json:
    """A route table: name → `prefix type [address]`."""
    listed = []
    for route, said in routes.items():
        prefix, leads, *address = said.split()
        hop = {"nextHopIpAddress": address[0]} if address else {}
        listed.append({"name": route, "properties": {"addressPrefix": prefix, "nextHopType": leads} | hop})
    return body("routeTables", name, routes=listed)


def read(*documents: Any) -> Estate:
    """The estate, of which everything could be read."""
    known = read_objects(documents)
    assert not known.problems, known.problems
    return known


def ask(known: Estate, source: str, destination: str, port: int | None = 443, protocol: str = "Tcp") -> Path:
    """What becomes of a flow between two ends, each a NIC's name or an address."""
    names = {nic.name: point(known, nic.name) for nic in known.nics}
    ends = [names.get(end) for end in (source, destination)]
    there, to = (str(end.address) if end else text for end, text in zip(ends, (source, destination), strict=True))
    return reach(known, flow(there, to, port, protocol), source=ends[0], destination=ends[1])
