"""A flow from end to end in one world: the way there, then the way back."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tests.network.interpreter.documents import Address, Cloud, Config, low, props, within
from tests.network.interpreter.gateways import gateways
from tests.network.interpreter.routes import ELSEWHERE, Candidate, is_endpoint, next_hop, policies
from tests.network.interpreter.security import Packet, lets
from tests.network.interpreter.tags import PLATFORM, WIRE_SERVER, Here, Place, Somewhere, is_public
from tests.network.interpreter.ways import Target, behind_unseen, egress, entrances, entrances_to, members
from tests.network.interpreter.worlds import World

APPLIANCES = ("virtualappliance", "virtualapplianceecmp")
INSIDE = ("vnetlocal", "vnetpeering", "interfaceendpoint")
NETWORKS = "virtualnetworks"


class DroppedError(Exception):
    """The flow ends here."""


@dataclass
class Walk:
    """One flow in one world.

    Attributes:
        passed: the VMs (or NICs without one) that forwarded it, in order.
    """

    cloud: Cloud
    world: World
    hops: list[str] = field(default_factory=list)
    because: list[str] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)

    def drop(self, reason: str) -> DroppedError:
        self.because.append(reason)
        return DroppedError(reason)

    def doubt(self, *key: object) -> None:
        """Dropped in one world, not in the other."""
        if not self.world.perhaps(*key):
            raise self.drop(f"perhaps: {key[0]}")

    def there(self, packet: Packet, source: Config | None, destination: Config | None) -> Target | None:
        """The end that the flow reaches; None for one outside of the estate, which sends no answer that we see."""
        if source is None:
            return self._from_outside(packet, destination)
        self._must_run(source)
        if packet.destination == source.address:
            return None  # it never leaves the guest
        self._guest_routes(source, packet.destination)
        self._ask(source, packet, "outbound")
        if packet.destination in PLATFORM:
            return None
        target = self._onward(source, packet)
        if target is not None:
            self._guest_routes(target.config, target.packet.source)
        return target

    def _from_outside(self, packet: Packet, destination: Config | None) -> Target | None:
        if destination is None or (is_public(packet.source) and packet.source != WIRE_SERVER):
            target = self._entrance(packet, destination)
            if target is None:
                return None
        else:
            target = Target(destination, packet, "")
        if packet.source != WIRE_SERVER and not is_public(packet.source):
            self.doubt("a gateway that it comes through", packet.source)
        if is_endpoint(self.cloud, target.config):
            self._endpoint(target.config, packet)
            return None
        self._guest_routes(target.config, packet.source)
        return self._arrive(target)

    def _entrance(self, packet: Packet, destination: Config | None) -> Target | None:
        """The end that a public address leads to; None where nobody sees what is behind it."""
        if destination is None:
            public_ip = self.cloud.public_ip(ipaddress.ip_address(str(packet.destination)))
            return self._enter(public_ip, packet)
        found = entrances_to(self.cloud, destination, packet)
        if not found and behind_unseen(self.cloud, destination):
            self.doubt("a load balancer that is not in the estate", destination.id)
            return Target(destination, packet, "basic")
        return self._one(found, destination.id)

    def _enter(self, public_ip: str, packet: Packet) -> Target | None:
        if not public_ip:
            raise self.drop("nothing has this address")
        if not self.cloud.uses(public_ip):
            self.doubt("what uses a public IP", public_ip)
            return None
        return self._one(entrances(self.cloud, public_ip, packet), public_ip)

    def _one(self, targets: Sequence[Target | None], behind: str) -> Target | None:
        """One of the members that run; None is one that nobody sees."""
        running = [target for target in targets if target is None or not self.cloud.known_not_to_run(target.config.nic)]
        if not running:
            raise self.drop("no rule, or nothing that runs behind it")
        one = self.world.ask(("member", behind, len(running)), running) if len(running) > 1 else running[0]
        if one is None:
            self.doubt("a member that is not in the estate", behind)
        return one

    def _arrive(self, target: Target) -> Target:
        self._must_run(target.config)
        self._ask(target.config, target.packet, "inbound", target.entrance)
        return target

    def _must_run(self, config: Config) -> None:
        self.hops.append(config.id)
        if self.cloud.known_not_to_run(config.nic):
            raise self.drop(f"{config.nic} does not run")

    def _guest_routes(self, config: Config, other: Place) -> None:
        near = self.cloud.subnet_space(config.subnet)
        outside = not isinstance(other, ipaddress.IPv4Address | ipaddress.IPv6Address) or not within(other, near)
        if outside and self.cloud.known_secondary(config.nic):
            self.doubt("routes of the guest", config.nic)

    def _ask(self, config: Config, packet: Packet, direction: str, entrance: str = "") -> None:
        allowed, because = lets(self._here(config), packet, direction, entrance)
        self.because += because
        if not allowed:
            raise DroppedError(because[-1])

    def _here(self, config: Config) -> Here:
        return Here(self.cloud, self.world, config)

    def _onward(self, at: Config, packet: Packet) -> Target | None:
        route = self._route(at, packet.destination)
        if route.hop in INSIDE:
            return self._deliver(self._home(at, route, packet), packet)
        if route.hop in APPLIANCES:
            return self._through(at, route, packet)
        if route.hop == "internet":
            return self._leave(at, packet)
        if route.hop == ELSEWHERE:
            return self._elsewhere(at, packet)
        if route.hop == "virtualnetworkgateway":
            self._gateway(at, packet.destination)
        elif route.hop != "virtualnetworkserviceendpoint":
            raise self.drop(route.name)
        return None

    def _route(self, at: Config, place: Place) -> Candidate:
        route = next_hop(self._here(at), place)
        if route is None:
            raise self.drop(f"no route to {place}")
        self.because.append(route.name)
        return route

    def _home(self, at: Config, route: Candidate, packet: Packet) -> str:
        """The network that a route delivers to, if the flow may cross into it."""
        network = route.network or at.network
        if not route.network and route.hop != "vnetlocal":  # Azure's effective routes do not say which
            network = self._neighbour(at, packet.destination)
        self._cross(at, network, packet)
        return network

    def _neighbour(self, at: Config, place: Place) -> str:
        """The network, of a NIC's own and its peers, where something has an address."""
        if isinstance(place, Somewhere):
            return ""
        near = self.cloud.neighbours(at.network)
        return next((n for n in near if self.cloud.owner(place, [n]) or self.cloud.frontend(place, [n])), "")

    def _cross(self, at: Config, network: str, packet: Packet) -> None:
        """A peering takes what an appliance forwards for others only if its other side says so."""
        source = packet.source
        foreign = isinstance(source, Somewhere) or not within(source, self.cloud.space(at.network))
        if not self.passed or network == at.network or not foreign or at.network not in self.cloud.kind(NETWORKS):
            return
        others = props(self.cloud.kind(NETWORKS).get(network, {})).get("virtualNetworkPeerings") or []
        back = [props(peering) for peering in others if low(props(peering)["remoteVirtualNetwork"]) == at.network]
        if back and not back[0].get("allowForwardedTraffic"):
            raise self.drop(f"{network} takes nothing that is forwarded")

    def _elsewhere(self, at: Config, packet: Packet) -> Target | None:
        """By a route that nobody knows, as well as it can end."""
        network = self._neighbour(at, packet.destination)
        owner = self.cloud.owner(ipaddress.ip_address(str(packet.destination)), [network])
        if owner and is_endpoint(self.cloud, owner):
            self._endpoint(owner, packet)
        elif owner:
            return self._arrive(Target(owner, packet, ""))
        return None

    def _gateway(self, at: Config, place: Place) -> None:
        if at.network in self.cloud.kind(NETWORKS) and not gateways(self.cloud, at.network):
            raise self.drop("no gateway")
        self.doubt("what is behind the gateway", at.network, place)

    def _deliver(self, network: str, packet: Packet) -> Target | None:
        address = ipaddress.ip_address(str(packet.destination))
        owner = self.cloud.owner(address, [network])
        frontend = self.cloud.frontend(address, [network])
        if owner and is_endpoint(self.cloud, owner):
            self._endpoint(owner, packet)
            return None
        if owner:
            return self._arrive(Target(owner, packet, ""))
        if frontend:
            target = self._one(members(self.cloud, frontend, packet), frontend.id)
            return self._arrive(replace(target, entrance="")) if target else None
        self.doubt(self.cloud.firewall(address) or "an owner that nobody knows", network, packet)
        return None

    def _endpoint(self, owner: Config, packet: Packet) -> None:
        if policies(self.cloud, owner.subnet, "networksecuritygroup"):
            self._ask(owner, packet, "inbound")
        self.hops.append(owner.id)

    def _leave(self, at: Config, packet: Packet) -> Target | None:
        if not is_public(packet.destination):
            raise self.drop(f"{packet.destination} is private")
        leaving = egress(self.cloud, self.world, at, packet.destination.version)
        if leaving is None:
            raise self.drop("no way out to the internet")
        public_ip = self.cloud.public_ip(ipaddress.ip_address(str(packet.destination)))
        if not public_ip:
            return None
        target = self._enter(public_ip, replace(packet, source=leaving))
        return self._arrive(target) if target else None

    def _through(self, at: Config, route: Candidate, packet: Packet) -> Target | None:
        owner = self._appliance(at, route, packet)
        if owner is None:
            return None
        own = self._own_of(owner, packet.destination)
        if own:
            return self._arrive(Target(own, packet, ""))
        self._forwarded_by(owner)
        self._ask(owner, packet, "inbound")
        out = self._way_on(owner, packet.destination)
        if out is None:
            return self._elsewhere(owner, packet)
        self._ask(out, packet, "outbound")
        return self._onward(out, packet)

    def _own_of(self, owner: Config, place: Place) -> Config | None:
        """The IP configuration of the same NIC that is itself the end of a flow: nothing is forwarded then."""
        return next((c for c in self.cloud.configs if c.nic == owner.nic and c.address == place), None)

    def _appliance(self, at: Config, route: Candidate, packet: Packet) -> Config | None:
        """The IP configuration that the next hop's address leads to; None where nobody can say more."""
        texts = route.addresses
        if not texts:
            self.doubt("a next hop that is not told", route.name)
            return None
        text = self.world.ask(("next hop", at.subnet, packet, texts), texts) if len(texts) > 1 else texts[0]
        address = ipaddress.ip_address(text)
        networks = self.cloud.neighbours(at.network)
        owner = self.cloud.owner(address, networks)
        frontend = self.cloud.frontend(address, networks)
        if owner:
            self._cross(at, owner.network, packet)
            return owner
        if frontend:
            self._cross(at, frontend.network, packet)
            target = self._one(members(self.cloud, frontend, packet), frontend.id)
            return target.config if target else None
        firewall = self.cloud.firewall(address)
        near = [subnet for subnet in self.cloud.subnets if subnet.rsplit("/subnets/", 1)[0] in networks]
        if firewall is None and any(within(address, self.cloud.subnet_space(subnet)) for subnet in near):
            raise self.drop(f"nothing has the next hop {address}")
        if firewall is None and self._out_of_reach(at.network, address):
            raise self.drop(f"no network near has the next hop {address}")
        self.doubt(firewall or "a next hop that nobody knows", address)
        return None

    def _out_of_reach(self, network: str, address: Address) -> bool:
        """Whether a next hop is in no space that the network knows, and it has no gateway: Azure calls it None then."""
        if network not in self.cloud.kind("virtualnetworks") or gateways(self.cloud, network):
            return False
        spaces = self.cloud.space(network)
        for peering in self.cloud.peerings(network):
            space = self.cloud.peer_space(peering)
            if not space or str(peering.get("peeringSyncLevel") or "FullyInSync").lower() != "fullyinsync":
                return False
            spaces = [*spaces, *space, *self.cloud.space(low(peering["remoteVirtualNetwork"]))]
        return not within(address, spaces)

    def _forwarded_by(self, owner: Config) -> None:
        machine = self.cloud.machine(owner.nic)
        if machine in self.passed:
            raise self.drop(f"a loop through {machine}")
        self.passed.append(machine)
        self._must_run(owner)
        if not self.cloud.forwards(owner.nic):
            raise self.drop(f"{owner.nic} does not forward")
        self.doubt("what the appliance does", machine)

    def _way_on(self, owner: Config, place: Place) -> Config | None:
        """An IP configuration of the appliance through which it may send the flow on; None for an unseen one."""
        fits: list[Config | None] = []
        for nic in self.cloud.siblings(owner.nic):
            configs = [c for c in self.cloud.configs if c.nic == nic and c.address.version == place.version]
            fits += sorted(configs, key=lambda c: not c.primary)[:1]
        if self.cloud.unseen_siblings(owner.nic):
            fits.append(None)
        if not fits:  # what it is reached by is of another family
            return owner
        return self.world.ask(("way on", owner.id, place), fits) if len(fits) > 1 else fits[0]

    def back(self, target: Target, source: Config | None, there: Sequence[str]) -> None:
        """The answer's way, by routes alone; raises where it is lost."""
        place = target.packet.source
        if place == WIRE_SERVER:
            return
        if target.entrance:
            if self._route(target.config, place).hop not in {"internet", ELSEWHERE}:
                raise self.drop("the answer leaves elsewhere than the flow came in")
            return
        self._back_from(target.config, answer_to(target.packet), source)
        if source is not None and sorted(set(self.passed)) != sorted(set(there)):
            self.doubt("an appliance that sees one half", tuple(there), tuple(self.passed))

    def _back_from(self, at: Config, packet: Packet, source: Config | None) -> None:
        route = self._route(at, packet.destination)
        if route.hop in INSIDE:
            network = self._home(at, route, packet)
            if not network:
                self.doubt("an owner that nobody knows", at.network, packet)
            elif source is not None and network != source.network:
                raise self.drop("the answer is delivered elsewhere")
        elif route.hop in APPLIANCES:
            self._back_through(at, route, packet, source)
        elif route.hop == "virtualnetworkgateway":
            self._gateway(at, packet.destination)
        elif route.hop != ELSEWHERE:
            raise self.drop(f"the answer: {route.name}")

    def _back_through(self, at: Config, route: Candidate, packet: Packet, source: Config | None) -> None:
        owner = self._appliance(at, route, packet)
        if owner is None or self._own_of(owner, packet.destination):
            return
        self._forwarded_by(owner)
        out = self._way_on(owner, packet.destination)
        if out is not None:
            self._back_from(out, packet, source)


def answer_to(packet: Packet) -> Packet:
    return Packet(packet.destination, packet.source, packet.protocol, packet.destination_port, packet.source_port)
