"""Whole estates of any size, as the list bodies that Azure Resource Manager answers: hub and spokes, always the same.

Everything that Azure sends is in them, etags and GUIDs and empty lists too: what it costs to decode them is what it
costs to decode Azure's own. Rules and routes name each other's networks, subnets and hosts, service tags, and ranges
on premises; there are more rules that overlap than a person would write, and as many as people collect over years.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Network
from itertools import count
from random import Random
from typing import Any, NamedTuple

type Body = dict[str, Any]

_SUBNETS = 10  # of each network
_ON_NICS = 14  # NSGs of each network that NICs use; the others are for subnets
_FIRST_HOST = 4  # Azure keeps the first addresses of a subnet

_ON_PREMISES = (
    "172.16.0.0/12",
    "172.20.4.0/24",
    "172.20.5.0/24",
    "192.168.10.0/24",
    "192.168.0.0/16",
    "203.0.113.0/24",
    "198.51.100.0/25",
    "198.51.100.128/25",
    "8.8.8.8/32",
    "172.31.255.0/28",
)
_PORTS = (
    *("22", "3389", "443", "80", "1433", "5432", "8080", "8080-8090", "5985-5986", "1024-65535", "9000-9100"),
    *("53", "3306", "6379", "27017", "445", "135", "49152-65535", "*"),
)


class _Terms(NamedTuple):
    """What a rule says."""

    name: str
    direction: str
    priority: int
    access: str
    sources: list[str]
    destinations: list[str]
    ports: list[str]
    protocol: str


def _default(name: str, priority: int, access: str, source: str, destination: str) -> _Terms:
    direction = "Inbound" if name.endswith("InBound") else "Outbound"
    return _Terms(name, direction, priority, access, [source], [destination], ["*"], "*")


_DEFAULTS = (
    _default("AllowVnetInBound", 65_000, "Allow", "VirtualNetwork", "VirtualNetwork"),
    _default("AllowAzureLoadBalancerInBound", 65_001, "Allow", "AzureLoadBalancer", "*"),
    _default("DenyAllInBound", 65_500, "Deny", "*", "*"),
    _default("AllowVnetOutBound", 65_000, "Allow", "VirtualNetwork", "VirtualNetwork"),
    _default("AllowInternetOutBound", 65_001, "Allow", "*", "Internet"),
    _default("DenyAllOutBound", 65_500, "Deny", "*", "*"),
)
_HOPS = ("VirtualAppliance",) * 6 + ("VnetLocal", "VirtualNetworkGateway", "Internet", "None")
_APPLIANCE = "10.0.0.36"  # in the hub; nothing has this address


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything: by default what a large company has for its NICs.

    Attributes:
        networks: virtual networks with ten subnets each; the first is the hub that all others are peered with.
            There are 10.0.0.0/8 to share, so no more than 256.
        groups: NSGs.
        tables: route tables.
    """

    nics: int = 10_000
    networks: int = 50
    groups: int = 1_000
    tables: int = 300

    @classmethod
    def of(cls, nics: int) -> Size:
        """An estate of so many NICs in the proportions of the default one."""
        return cls(nics, max(nics // 200, 2), max(nics // 10, 20), nics * 3 // 100)


def bodies(size: Size, seed: int = 42) -> dict[str, bytes]:
    """The list bodies of an estate, by resource type: `networkInterfaces`, `virtualNetworks` and the like."""
    made = _Fleet(size, seed)
    lists = {
        "networkSecurityGroups": made.groups(),
        "routeTables": made.tables(),
        "networkInterfaces": made.nics,
        "virtualNetworks": made.networks(),
    }
    return {kind: json.dumps({"value": values}, separators=(",", ":")).encode() for kind, values in lists.items()}


@dataclass(frozen=True, slots=True)
class _Network:
    """A virtual network's place."""

    number: int
    id: str
    group: str
    location: str
    space: IPv4Network
    subnets: tuple[IPv4Network, ...]


class _Fleet:
    """An estate in the making."""

    def __init__(self, size: Size, seed: int) -> None:
        self._size, self._random = size, Random(seed)  # noqa: S311  the same estate every time, not a secret
        self._subscriptions = [self._guid() for _ in range(5)]
        self._homes = [self._home(number) for number in range(size.networks)]
        self._group_ids = [
            self._id(home, "networkSecurityGroups", f"nsg-{n:04d}") for n, home in self._cycle(size.groups)
        ]
        self._table_ids = [self._id(home, "routeTables", f"rt-{n:04d}") for n, home in self._cycle(size.tables)]

    def groups(self) -> list[Body]:
        """Network security groups of 20 to 50 rules, each made for one network."""
        found = []
        for rid, (_, home) in zip(self._group_ids, self._cycle(self._size.groups), strict=True):
            rules = [self._rule(f"{rid}/securityRules", terms) for terms in self._terms(home)]
            defaults = [self._rule(f"{rid}/defaultSecurityRules", terms) for terms in _DEFAULTS]
            more = {"securityRules": rules, "defaultSecurityRules": defaults, "networkInterfaces": [], "subnets": []}
            found.append(self._resource(rid, home.location, more))
        return found

    def tables(self) -> list[Body]:
        """Route tables with routes to other networks, to on-premises ranges, and half of them with a default route."""
        found = []
        for number, (rid, (_, home)) in enumerate(zip(self._table_ids, self._cycle(self._size.tables), strict=True)):
            others = self._random.sample(self._homes, min(10, len(self._homes)))
            prefixes = [str(other.space) for other in others] + self._random.sample(_ON_PREMISES, 5)
            prefixes += ["0.0.0.0/0"] if number % 2 else []
            routes = [self._route(rid, position, prefix) for position, prefix in enumerate(prefixes)]
            more = {"disableBgpRoutePropagation": number % 3 == 0, "routes": routes, "subnets": []}
            found.append(self._resource(rid, home.location, more))
        return found

    @cached_property
    def nics(self) -> list[Body]:
        """Network interfaces, each of a VM of its own, in all subnets alike; six of ten with an NSG."""
        everywhere = [(home, number) for home in self._homes for number in range(_SUBNETS)]
        return [self._nic(n, *everywhere[n % len(everywhere)], n // len(everywhere)) for n in range(self._size.nics)]

    def networks(self) -> list[Body]:
        """Virtual networks with their subnets, spokes peered with the hub."""
        inside: dict[str, list[Body]] = {}
        for nic in self.nics:
            (configuration,) = nic["properties"]["ipConfigurations"]
            subnet = configuration["properties"]["subnet"]["id"]
            inside.setdefault(subnet, []).append({"id": configuration["id"]})
        found = []
        for home in self._homes:
            others = self._homes[:1] if home.number else self._homes[1:]
            more = {
                "addressSpace": {"addressPrefixes": [str(home.space)]},
                "subnets": [self._subnet(home, number, inside) for number in range(_SUBNETS)],
                "virtualNetworkPeerings": [self._peering(home, other) for other in others],
                "enableDdosProtection": False,
            }
            found.append(self._resource(home.id, home.location, more))
        return found

    def _home(self, number: int) -> _Network:
        space = IPv4Network((f"10.{number}.0.0", 16))
        subscription, group = self._subscriptions[number % 5], f"rg-net-{number:03d}"
        rid = f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Network/virtualNetworks"
        subnets = tuple(space.subnets(new_prefix=22))[:_SUBNETS]
        location = ("westeurope", "northeurope", "eastus2")[number % 3]
        return _Network(number, f"{rid}/vnet-{number:03d}", group, location, space, subnets)

    def _cycle(self, many: int) -> list[tuple[int, _Network]]:
        return [(number, self._homes[number % len(self._homes)]) for number in range(many)]

    def _id(self, home: _Network, kind: str, name: str, group: str = "") -> str:
        subscription = self._subscriptions[home.number % 5]
        provider = "Microsoft.Compute" if kind == "virtualMachines" else "Microsoft.Network"
        return f"/subscriptions/{subscription}/resourceGroups/{group or home.group}/providers/{provider}/{kind}/{name}"

    def _guid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128)))

    def _part(self, rid: str, properties: Body) -> Body:
        """What lies in another resource."""
        parts = rid.split("/")
        kind = "/".join(["Microsoft.Network", *parts[7::2]])
        etag = f'W/"{self._guid()}"'
        return {"name": parts[-1], "id": rid, "etag": etag, "type": kind, "properties": properties}

    def _resource(self, rid: str, location: str, more: Body) -> Body:
        tags = {
            "costCenter": str(self._random.randrange(10_000, 99_999)),
            "env": self._random.choice(("prod", "dev", "test", "uat")),
            "owner": f"team-{self._random.randrange(40)}",
        }
        properties = {"provisioningState": "Succeeded", "resourceGuid": self._guid(), **more}
        return {**self._part(rid, properties), "location": location, "tags": tags}

    def _prefixes(self, home: _Network) -> list[str]:
        """What the rules of an NSG are about: networks, subnets, parts of them, hosts, on-premises ranges."""
        choose = self._random.choice
        near = [home, self._homes[0], choose(self._homes), choose(self._homes)]
        hosts = [self._subnet_of(near).network_address + self._random.randrange(_FIRST_HOST, 40) for _ in range(14)]
        subnets = [*home.subnets, *(self._subnet_of(near) for _ in range(8))]
        parts = [choose(list(self._subnet_of(near).subnets(new_prefix=choose((24, 25, 26))))) for _ in range(6)]
        networks = [each.space for each in near]
        return [*map(str, (*networks, *subnets, *parts)), *(f"{host}/32" for host in hosts), *_ON_PREMISES[:6]]

    def _subnet_of(self, near: Sequence[_Network]) -> IPv4Network:
        return self._random.choice(self._random.choice(near).subnets)

    def _terms(self, home: _Network) -> list[_Terms]:
        """The rules of an NSG."""
        prefixes, found = self._prefixes(home), []
        priorities = {"Inbound": count(100, 10), "Outbound": count(100, 10)}
        for number in range(self._random.randrange(20, 51)):
            inbound = self._random.random() < 0.6
            direction = "Inbound" if inbound else "Outbound"
            own, other = self._addresses(prefixes, 0.5), self._addresses(prefixes, 0.12)
            sources, destinations = (other, own) if inbound else (own, other)
            everything = self._random.random() < 0.08
            ports = ["*"] if everything else self._random.sample(_PORTS, self._random.choice((1, 1, 1, 2, 3)))
            access = "Allow" if self._random.random() < 0.7 else "Deny"
            protocol = self._random.choice(("Tcp", "Tcp", "Tcp", "Udp", "*", "*"))
            name, priority = f"rule-{direction[:2].lower()}-{number:03d}", next(priorities[direction])
            found.append(_Terms(name, direction, priority, access, sources, destinations, ports, protocol))
        return found

    def _addresses(self, prefixes: list[str], anything: float) -> list[str]:
        drawn = self._random.random()
        for share, word in ((anything, "*"), (0.08, "VirtualNetwork"), (0.02, "Internet")):
            if drawn < share:
                return [word]
            drawn -= share
        return self._random.sample(prefixes, self._random.choice((1, 1, 1, 2, 3, 5)))

    def _rule(self, parent: str, terms: _Terms) -> Body:
        properties: Body = {
            "provisioningState": "Succeeded",
            "description": f"Change CHG{self._random.randrange(10**6):06d}",
            "protocol": terms.protocol,
            "sourcePortRange": "*",
            **_either("destinationPortRange", "destinationPortRanges", terms.ports),
            **_either("sourceAddressPrefix", "sourceAddressPrefixes", terms.sources),
            **_either("destinationAddressPrefix", "destinationAddressPrefixes", terms.destinations),
            "access": terms.access,
            "priority": terms.priority,
            "direction": terms.direction,
            "sourcePortRanges": [],
        }
        return self._part(f"{parent}/{terms.name}", properties)

    def _route(self, table: str, number: int, prefix: str) -> Body:
        leads = self._random.choice(_HOPS)
        hop = {"nextHopIpAddress": _APPLIANCE} if leads == "VirtualAppliance" else {}
        properties = {"provisioningState": "Succeeded", "addressPrefix": prefix, "nextHopType": leads, **hop}
        return self._part(f"{table}/routes/r{number}", {**properties, "hasBgpOverride": False})

    def _nic(self, number: int, home: _Network, subnet: int, host: int) -> Body:
        group, vm = f"rg-app-{number % 800:04d}", f"vm{number:05d}"
        rid = self._id(home, "networkInterfaces", f"{vm}-nic", group)
        configuration: Body = {
            "provisioningState": "Succeeded",
            "privateIPAddress": str(home.subnets[subnet].network_address + _FIRST_HOST + host),
            "privateIPAllocationMethod": "Dynamic",
            "subnet": {"id": f"{home.id}/subnets/snet-{subnet:02d}"},
            "primary": True,
            "privateIPAddressVersion": "IPv4",
        }
        if number % 10 == 0:
            configuration["publicIPAddress"] = {"id": self._id(home, "publicIPAddresses", f"pip{number:05d}", group)}
        more = {
            "ipConfigurations": [self._part(f"{rid}/ipConfigurations/ipconfig1", configuration)],
            "dnsSettings": {
                "dnsServers": [],
                "appliedDnsServers": [],
                "internalDomainNameSuffix": "abcdefghijklmnopqrstuvwx.ax.internal.cloudapp.net",
            },
            "macAddress": "-".join(f"{self._random.randrange(256):02X}" for _ in range(6)),
            "vnetEncryptionSupported": False,
            "enableAcceleratedNetworking": True,
            "enableIPForwarding": False,
            "disableTcpStateTracking": False,
            "primary": True,
            "virtualMachine": {"id": self._id(home, "virtualMachines", vm, group)},
            "hostedWorkloads": [],
            "tapConfigurations": [],
            "nicType": "Standard",
            "allowPort25Out": True,
            "auxiliaryMode": "None",
            "auxiliarySku": "None",
        }
        own = self._group_ids[home.number :: len(self._homes)][-_ON_NICS:]
        if own and self._random.random() < 0.6:
            more["networkSecurityGroup"] = {"id": self._random.choice(own)}
        return {**self._resource(rid, home.location, more), "kind": "Regular"}

    def _subnet(self, home: _Network, number: int, inside: dict[str, list[Body]]) -> Body:
        rid = f"{home.id}/subnets/snet-{number:02d}"
        properties: Body = {
            "provisioningState": "Succeeded",
            "addressPrefix": str(home.subnets[number]),
            "serviceEndpoints": [],
            "delegations": [],
            "privateEndpointNetworkPolicies": "Disabled",
            "privateLinkServiceNetworkPolicies": "Enabled",
            "ipConfigurations": inside.get(rid, []),
        }
        groups = self._group_ids[home.number :: len(self._homes)]
        on_subnets = groups[:-_ON_NICS] or groups
        tables = self._table_ids[home.number :: len(self._homes)]
        if on_subnets:
            properties["networkSecurityGroup"] = {"id": on_subnets[number % len(on_subnets)]}
        if number < len(tables):
            properties["routeTable"] = {"id": tables[number]}
        return self._part(rid, properties)

    def _peering(self, home: _Network, other: _Network) -> Body:
        properties = {
            "provisioningState": "Succeeded",
            "peeringState": "Connected",
            "peeringSyncLevel": "FullyInSync",
            "remoteVirtualNetwork": {"id": other.id},
            "allowVirtualNetworkAccess": True,
            "allowForwardedTraffic": True,
            "allowGatewayTransit": False,
            "useRemoteGateways": False,
            "remoteAddressSpace": {"addressPrefixes": [str(other.space)]},
        }
        return self._part(f"{home.id}/virtualNetworkPeerings/to-vnet-{other.number:03d}", properties)


def _either(one: str, many: str, values: list[str]) -> Body:
    """A field in its singular or its plural form, as Azure writes it."""
    return {one: values[0], many: []} if len(values) == 1 else {many: values}
