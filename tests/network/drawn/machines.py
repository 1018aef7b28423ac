"""VMs and their NICs, and the NICs of private endpoints."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.network.drawn.choices import Choices
from tests.network.drawn.networks import Network
from tests.network.drawn.pools import child, ref, refs, resource, rid
from tests.network.drawn.rules import GROUPS
from tests.network.interpreter.documents import Json

POWER = (*["running"] * 10, "deallocated", "stopped", "unknown")


@dataclass
class Drawn:
    """What is drawn so far.

    Attributes:
        theme: what there is more of; see `estates.THEMES`.
        hosts: the next free host number of each subnet.
        pools: the network of the members of each backend pool: Azure lets them be of one.
        configs: each IP configuration's id and address; `endpoints` those of private endpoints.
        unassigned: public IPs by version that nothing has yet.
    """

    networks: list[Network]
    theme: str
    hosts: dict[tuple[str, int], int] = field(default_factory=dict)
    configs: list[tuple[str, str]] = field(default_factory=list)
    endpoints: list[tuple[str, str]] = field(default_factory=list)
    unassigned: dict[int, list[str]] = field(default_factory=dict)
    pools: dict[str, str] = field(default_factory=dict)
    groups: list[str] = field(default_factory=list)

    def host(self, network: Network, octet: int) -> int:
        key = (network.name, octet)
        self.hosts[key] = self.hosts.get(key, 3) + 1
        return self.hosts[key]


def machine(c: Choices, drawn: Drawn, number: int) -> Iterator[Json]:
    """A VM and its NICs, or NICs alone."""
    name, network = f"vm{number}", c.of(drawn.networks)
    count = 1 + c.chance(50 if drawn.theme == "hub" else 25)
    named = {"virtualMachine": ref(c, rid("virtualMachines", name))} if c.chance(80) else {}
    told = not c.chance(15)
    entries = []
    for place in range(count):
        primary = place == 0
        nic = f"nic{number}{place}"
        said = {"primary": primary} if count == 1 or told else {}
        if not c.chance(3):
            yield _nic(c, drawn, nic, (network, c.of(network.subnets)), named | said)
        entries.append(ref(c, rid("networkInterfaces", nic)) | {"properties": {"primary": primary}})
    if not c.chance(8):
        state = "running" if drawn.theme == "hub" else c.of(POWER)
        view = {"instanceView": {"statuses": [{"code": f"PowerState/{state}"}]}} if c.chance(80) else {}
        body: Json = {"networkProfile": {"networkInterfaces": entries}} | view
        yield resource(c, "virtualMachines", name, body) | {"type": "Microsoft.Compute/virtualMachines"}


def _nic(c: Choices, drawn: Drawn, name: str, where: tuple[Network, int], more: Json) -> Json:
    network, _ = where
    versions = [4, *([4] if c.chance(12) else []), *([6] if network.dual and c.chance(75) else [])]
    configs = [_configuration(c, drawn, name, where, (place, version)) for place, version in enumerate(versions)]
    body: Json = {
        "ipConfigurations": configs,
        "enableIPForwarding": c.chance(85 if drawn.theme == "hub" else 50),
    } | more
    if drawn.groups and c.chance({"hub": 10, "rules": 60}.get(drawn.theme, 35)):
        body["networkSecurityGroup"] = ref(c, c.of(drawn.groups))
    return resource(c, "networkInterfaces", name, body)


def _configuration(c: Choices, drawn: Drawn, nic: str, where: tuple[Network, int], kind: tuple[int, int]) -> Json:
    (network, octet), (place, version) = where, kind
    address = network.address(octet, drawn.host(network, octet), version)
    body: Json = {"privateIPAddress": address, "subnet": ref(c, network.subnet(octet)), "primary": place == 0}
    if drawn.unassigned[version] and c.chance(25):
        body["publicIPAddress"] = ref(c, rid("publicIPAddresses", drawn.unassigned[version].pop()))
    if c.chance(70 if drawn.theme == "rules" else 25):
        groups = c.some(GROUPS, 1, 2)
        body["applicationSecurityGroups"] = refs(c, [rid("applicationSecurityGroups", group) for group in groups])
    pools = [pool for pool, home in drawn.pools.items() if home == network.name and version == 4]
    if pools and c.chance(80 if drawn.theme == "balancer" else 35):
        body["loadBalancerBackendAddressPools"] = refs(c, c.some(pools, 1, 1))
    name = f"{rid('networkInterfaces', nic)}/ipConfigurations/ip{place}"
    drawn.configs.append((name, address))
    return child(c, rid("networkInterfaces", nic), "ipConfigurations", f"ip{place}", body)


def private_endpoint(c: Choices, drawn: Drawn) -> Iterator[Json]:
    network = c.of(drawn.networks)
    octet = c.of(network.subnets)
    address, endpoint = network.address(octet, drawn.host(network, octet)), rid("privateEndpoints", "pe")
    body = {"privateIPAddress": address, "subnet": ref(c, network.subnet(octet)), "primary": True}
    config = child(c, rid("networkInterfaces", "pe-nic"), "ipConfigurations", "ip0", body)
    drawn.endpoints.append((f"{rid('networkInterfaces', 'pe-nic')}/ipConfigurations/ip0", address))
    properties: Json = {"ipConfigurations": [config], "privateEndpoint": ref(c, endpoint)}
    yield resource(c, "networkInterfaces", "pe-nic", properties)
    if c.chance(70):
        linked = {"networkInterfaces": refs(c, [rid("networkInterfaces", "pe-nic")])}
        yield resource(c, "privateEndpoints", "pe", linked | {"subnet": ref(c, network.subnet(octet))})
