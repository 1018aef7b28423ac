"""ARM bodies by id, and the few questions about them that a flow asks; nothing is decided here."""

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

type Json = dict[str, Any]
type Address = ipaddress.IPv4Address | ipaddress.IPv6Address
type Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MAY_RUN = {"powerstate/running", "powerstate/unknown"}


def low(reference: Any) -> str:
    """An id as it is compared; empty for a missing one."""
    text = reference.get("id", "") if isinstance(reference, dict) else reference or ""
    return str(text).lower()


def props(document: Json) -> Json:
    found: Json = document.get("properties") or {}
    return found


def union(document: Json, singular: str, plural: str) -> list[str]:
    """The singular and the plural field of an ARM body together."""
    one = [document[singular]] if document.get(singular) else []
    return one + list(document.get(plural) or [])


def networks_of(texts: Sequence[str]) -> list[Network]:
    return [ipaddress.ip_network(text, strict=False) for text in texts]


def within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


@dataclass(frozen=True)
class Config:
    """An IP configuration of a NIC, with what it hangs on."""

    id: str
    nic: str
    address: Address
    subnet: str
    public_ip: str
    pools: tuple[str, ...]
    nat_rules: tuple[str, ...]
    groups: tuple[str, ...]
    primary: bool

    @property
    def network(self) -> str:
        return self.subnet.rsplit("/subnets/", 1)[0]


@dataclass(frozen=True)
class Frontend:
    """A frontend of a load balancer: a private address, or a public IP."""

    id: str
    balancer: str
    address: Address | None
    subnet: str
    public_ip: str

    @property
    def network(self) -> str:
        return self.subnet.rsplit("/subnets/", 1)[0]


class Cloud:
    """Documents, found by type and id."""

    def __init__(self, documents: Sequence[Json]) -> None:
        self.kinds: dict[str, dict[str, Json]] = {}
        self.admin_rules: dict[str, list[Json]] = {}
        self.tags: dict[str, list[Network]] = {}
        self.effective_routes: dict[str, list[Json]] = {}
        for document in documents:
            self._take(document)
        self.subnets = {low(s): s for v in self.kind("virtualnetworks").values() for s in props(v).get("subnets") or []}
        self.configs = [config for nic in self.kind("networkinterfaces").values() for config in configs_of(nic)]
        self.by_id = {config.id: config for config in self.configs}
        self.frontends = [f for b in self.kind("loadbalancers").values() for f in frontends_of(b)]
        self.pools = {
            low(pool): pool
            for balancer in self.kind("loadbalancers").values()
            for pool in props(balancer).get("backendAddressPools") or []
        }
        self._vm_of = self._attachments()

    def _take(self, document: Json) -> None:
        if "virtualNetwork" in document:
            self.admin_rules.setdefault(low(document["virtualNetwork"]), []).extend(document["value"])
        elif "networkInterface" in document:
            self.effective_routes[low(document["networkInterface"])] = document["value"]
        elif "values" in document:
            for tag in document["values"]:
                self.tags[tag["name"].lower()] = networks_of(props(tag)["addressPrefixes"])
        else:
            kind = str(document["type"]).lower().rsplit("/", 1)[1]
            self.kinds.setdefault(kind, {})[low(document)] = document

    def kind(self, kind: str) -> dict[str, Json]:
        return self.kinds.get(kind, {})

    def _attachments(self) -> dict[str, str]:
        found = {}
        for vm_id, vm in self.kind("virtualmachines").items():
            for nic in props(vm).get("networkProfile", {}).get("networkInterfaces") or []:
                found[low(nic)] = vm_id
        for nic_id, nic in self.kind("networkinterfaces").items():
            if props(nic).get("virtualMachine"):
                found[nic_id] = low(props(nic)["virtualMachine"])
        return found

    def machine(self, nic: str) -> str:
        """The VM of a NIC, or the NIC itself where none is known."""
        return self._vm_of.get(nic, nic)

    def siblings(self, nic: str) -> list[str]:
        """The NICs of its VM."""
        return sorted(n for n in self.kind("networkinterfaces") if self.machine(n) == self.machine(nic))

    def unseen_siblings(self, nic: str) -> bool:
        """Whether its VM has NICs that are not in the estate, or may have."""
        machine = self.machine(nic)
        vm = self.kind("virtualmachines").get(machine)
        if vm is None:
            return machine != nic
        listed = props(vm).get("networkProfile", {}).get("networkInterfaces") or []
        return any(low(entry) not in self.kind("networkinterfaces") for entry in listed)

    def known_not_to_run(self, nic: str) -> bool:
        vm = self.kind("virtualmachines").get(self.machine(nic), {})
        statuses = props(vm).get("instanceView", {}).get("statuses") or []
        codes = [str(status.get("code", "")).lower() for status in statuses]
        return any(code.startswith("powerstate/") and code not in MAY_RUN for code in codes)

    def known_secondary(self, nic: str) -> bool:
        """Whether it is said of it that it is not primary, or of another NIC of the VM that that one is."""
        own = props(self.kind("networkinterfaces")[nic]).get("primary")
        if own is not None:
            return own is False
        vm = self.kind("virtualmachines").get(self.machine(nic), {})
        listed = props(vm).get("networkProfile", {}).get("networkInterfaces") or []
        first = [low(entry) for entry in listed if props(entry).get("primary") is True]
        said = [props(entry).get("primary") for entry in listed if low(entry) == nic]
        return False in said or first not in ([], [nic])

    def forwards(self, nic: str) -> bool:
        return bool(props(self.kind("networkinterfaces")[nic]).get("enableIPForwarding"))

    def space(self, network: str) -> list[Network]:
        document = self.kind("virtualnetworks").get(network, {})
        return networks_of(props(document).get("addressSpace", {}).get("addressPrefixes") or [])

    def subnet_space(self, subnet: str) -> list[Network]:
        return networks_of(union(props(self.subnets.get(subnet, {})), "addressPrefix", "addressPrefixes"))

    def peerings(self, network: str) -> Iterator[Json]:
        """The connected peerings of a network."""
        for peering in props(self.kind("virtualnetworks").get(network, {})).get("virtualNetworkPeerings") or []:
            if str(props(peering).get("peeringState", "")).lower() == "connected":
                yield props(peering)

    def peer_space(self, peering: Json) -> list[Network]:
        """What is peered; it may be older than the space of the remote network."""
        for name in ("remoteAddressSpace", "remoteVirtualNetworkAddressSpace"):
            if prefixes := (peering.get(name) or {}).get("addressPrefixes"):
                return networks_of(prefixes)
        return self.space(low(peering["remoteVirtualNetwork"]))

    def neighbours(self, network: str) -> list[str]:
        """The network and those it is connected with."""
        return [network, *(low(peering["remoteVirtualNetwork"]) for peering in self.peerings(network))]

    def owner(self, address: Address, networks: Sequence[str]) -> Config | None:
        return next((c for c in self.configs if c.address == address and c.network in networks), None)

    def frontend(self, address: Address, networks: Sequence[str]) -> Frontend | None:
        """The internal frontend with this address."""
        fits = (f for f in self.frontends if f.address == address and f.subnet.rsplit("/subnets/", 1)[0] in networks)
        return next(fits, None)

    def firewall(self, address: Address) -> str | None:
        for firewall_id, firewall in self.kind("azurefirewalls").items():
            for config in props(firewall).get("ipConfigurations") or []:
                if ipaddress.ip_address(props(config).get("privateIPAddress") or "0.0.0.0") == address:
                    return firewall_id
        return None

    def public_ip(self, address: Address) -> str:
        """The id of the public IP with this address, or nothing."""
        known = self.kind("publicipaddresses").items()
        return next((i for i, ip in known if _same(props(ip).get("ipAddress"), address)), "")

    def uses(self, public_ip: str) -> bool:
        """Whether anything in the estate is known to have this public IP."""
        gateways = self.kind("natgateways").values()
        return (
            any(config.public_ip == public_ip for config in self.configs)
            or any(frontend.public_ip == public_ip for frontend in self.frontends)
            or any(public_ip == low(ip) for nat in gateways for ip in props(nat).get("publicIpAddresses") or [])
        )


def _same(text: str | None, address: Address) -> bool:
    return bool(text) and ipaddress.ip_address(str(text)) == address


def configs_of(nic: Json) -> Iterator[Config]:
    for config in props(nic).get("ipConfigurations") or []:
        inner = props(config)
        if inner.get("privateIPAddress") and inner.get("subnet"):
            yield Config(
                id=low(config),
                nic=low(nic),
                address=ipaddress.ip_address(inner["privateIPAddress"]),
                subnet=low(inner["subnet"]),
                public_ip=low(inner.get("publicIPAddress")),
                pools=tuple(low(pool) for pool in inner.get("loadBalancerBackendAddressPools") or []),
                nat_rules=tuple(low(rule) for rule in inner.get("loadBalancerInboundNatRules") or []),
                groups=tuple(low(group) for group in inner.get("applicationSecurityGroups") or []),
                primary=bool(inner.get("primary")),
            )


def frontends_of(balancer: Json) -> Iterator[Frontend]:
    for frontend in props(balancer).get("frontendIPConfigurations") or []:
        inner = props(frontend)
        text = inner.get("privateIPAddress")
        yield Frontend(
            id=low(frontend),
            balancer=low(balancer),
            address=ipaddress.ip_address(text) if text else None,
            subnet=low(inner.get("subnet")),
            public_ip=low(inner.get("publicIPAddress")),
        )
