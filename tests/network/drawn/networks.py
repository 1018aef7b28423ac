"""Virtual networks with subnets and peerings, their gateways, and what is on the other side of these."""

from dataclasses import dataclass, field

from tests.network.drawn.choices import Choices
from tests.network.drawn.pools import SPACES, child, ref, refs, resource, rid
from tests.network.interpreter.documents import Json

STATES = ("Connected", "Connected", "Connected", "Connected", "Initiated", "Disconnected")


@dataclass
class Network:
    """A virtual network as it is drawn.

    Attributes:
        number: its place in `SPACES`.
        subnets: the third octet of each subnet.
    """

    name: str
    number: int
    dual: bool
    subnets: list[int] = field(default_factory=list)

    @property
    def id(self) -> str:
        return rid("virtualNetworks", self.name)

    @property
    def space(self) -> list[str]:
        return list(SPACES[self.number] if self.dual else SPACES[self.number][:1])

    def subnet(self, octet: int) -> str:
        return f"{self.id}/subnets/{'GatewaySubnet' if octet == 255 else f's{octet}'}"

    def address(self, octet: int, host: int, version: int = 4) -> str:
        base = SPACES[self.number][0].split(".")
        return f"{base[0]}.{base[1]}.{octet}.{host}" if version == 4 else f"fd00:{self.number}:0:{octet}::{host}"


def networks(c: Choices, theme: str) -> list[Network]:
    found = []
    for place in range(3 if theme == "hub" else 1 + c.number(2)):
        overlaps = place == 1 and theme != "hub" and c.chance(8)
        dual = c.chance(25)
        found.append(Network(f"v{place}", 0 if overlaps else place, dual, list(range(1, 2 + c.number(2)))))
    return found


def body_of(c: Choices, network: Network, others: list[Network], pools: Json) -> Json:
    """The body of a network; `pools` names what its subnets may refer to."""
    octets = [*network.subnets, *([255] if network.name in pools["gateways"] else [])]
    peerings = [
        _peering(c, network, other, pools["theme"]) for other in others if {network.name, other.name} in pools["peered"]
    ]
    properties = {
        "addressSpace": {"addressPrefixes": network.space},
        "subnets": [_subnet(c, network, octet, pools) for octet in octets],
        "virtualNetworkPeerings": peerings,
    }
    return resource(c, "virtualNetworks", network.name, properties)


def _subnet(c: Choices, network: Network, octet: int, pools: Json) -> Json:
    prefixes = [network.address(octet, 0) + "/24"]
    prefixes += [network.address(octet, 0, 6).replace("::0", "::/64")] if network.dual else []
    plural = network.dual or c.chance(30)
    body: Json = {"addressPrefixes": prefixes} if plural else {"addressPrefix": prefixes[0]}
    if octet != 255:
        body |= _associated(c, pools)
    if octet == 255 and c.chance(50):
        body["ipConfigurations"] = refs(c, [f"{rid('virtualNetworkGateways', 'gw')}/ipConfigurations/default"])
    return child(c, network.id, "subnets", network.subnet(octet).rsplit("/", 1)[1], body)


def _associated(c: Choices, pools: Json) -> Json:
    body: Json = {}
    if pools["groups"] and c.chance(10 if pools["theme"] == "hub" else 60):
        body["networkSecurityGroup"] = ref(c, c.of(pools["groups"]))
    if pools["tables"] and c.chance(75 if pools["theme"] == "hub" else 45):
        body["routeTable"] = ref(c, c.of(pools["tables"]))
    if pools["nats"] and c.chance(20):
        body["natGateway"] = ref(c, c.of(pools["nats"]))
    if c.chance(15):
        body["defaultOutboundAccess"] = c.of([False, True])
    if c.chance(12):
        service = c.of(["Microsoft.Storage", "Microsoft.KeyVault", "Microsoft.Storage.Global"])
        body["serviceEndpoints"] = [{"service": c.cased(service)}]
    policies = ["Disabled", "Enabled", "NetworkSecurityGroupEnabled", "RouteTableEnabled"]
    return body | ({"privateEndpointNetworkPolicies": c.cased(c.of(policies))} if c.chance(40) else {})


def _peering(c: Choices, network: Network, other: Network, theme: str) -> Json:
    space = {"addressPrefixes": other.space[:1] if c.chance(10) else other.space}
    properties: Json = {
        "remoteVirtualNetwork": ref(c, other.id),
        "peeringState": c.cased("Connected" if theme == "hub" else c.of(STATES)),
        "allowVirtualNetworkAccess": not c.chance(15),
        "allowForwardedTraffic": c.chance(50),
        "allowGatewayTransit": c.chance(50),
        "useRemoteGateways": c.chance(25),
        "remoteAddressSpace": space,
    }
    if c.chance(50):
        properties["remoteVirtualNetworkAddressSpace"] = {"addressPrefixes": other.space}
    return child(c, network.id, "virtualNetworkPeerings", f"to-{other.name}", properties)


def gateway(c: Choices, network: Network) -> list[Json]:
    """The gateway of a network, with its connections."""
    name = f"gw-{network.name}"
    configuration = {"name": "default", "properties": {"subnet": ref(c, network.subnet(255))}}
    properties: Json = {"gatewayType": c.cased(c.of(["Vpn", "Vpn", "Vpn", "ExpressRoute"])), "enableBgp": c.chance(15)}
    found = [resource(c, "virtualNetworkGateways", name, properties | {"ipConfigurations": [configuration]})]
    for number in range(c.number(2)):
        far = f"far{number}"
        linked = {
            "virtualNetworkGateway1": ref(c, rid("virtualNetworkGateways", name)),
            "localNetworkGateway2": ref(c, rid("localNetworkGateways", far)),
            "enableBgp": c.chance(8),
        }
        found.append(resource(c, "connections", f"{name}-{far}", linked))
    return found


def local_gateways(c: Choices) -> list[Json]:
    known = [number for number in range(2) if not c.chance(8)]
    spaces = [["192.168.0.0/16"], ["172.16.0.0/16", "192.168.7.0/24", "10.0.1.0/25"], ["8.8.8.0/24"]]
    return [
        resource(
            c,
            "localNetworkGateways",
            f"far{number}",
            {"localNetworkAddressSpace": {"addressPrefixes": c.of(spaces[number:])}},
        )
        for number in known
    ]
