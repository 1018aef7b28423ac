"""VMs and their network interfaces as the engine sees them: frozen, with parsed ids, built from wire."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Self

from diagnostics.network import wire
from diagnostics.network.decoding import decode
from diagnostics.network.ids import ResourceId
from diagnostics.network.references import named, reference, references


@dataclass(frozen=True, slots=True)
class IpConfiguration:
    """One IP configuration of a NIC.

    Attributes:
        address: the private address, or None where Azure shows none (a deallocated dynamic one, an IPv6 secondary).
        security_groups: the application security groups that it is a member of.
        pools: the load balancers' backend pools that it is a member of.
        version: `IPv4` or `IPv6`; empty where the body does not say.
    """

    name: str
    address: str | None
    subnet: ResourceId | None
    primary: bool
    id: ResourceId | None = None
    public_ip: ResourceId | None = None
    security_groups: tuple[ResourceId, ...] = ()
    pools: tuple[ResourceId, ...] = ()
    inbound_nat_rules: tuple[ResourceId, ...] = ()
    version: str = ""


@dataclass(frozen=True, slots=True)
class Nic:
    """A network interface.

    Attributes:
        provisioning_state: of the last control-plane operation, as Azure spells it: `Succeeded`, `Failed`, …
        primary: whether it is its VM's primary NIC; None where the body does not say.
        ip_forwarding: whether Azure lets it send and receive packets that are not its own.
        private_endpoint: the private endpoint whose NIC it is.
        dns_servers: its own, which stand in place of its virtual network's; `AzureProvidedDNS` alone for Azure's.
        accelerated: whether it has accelerated networking; None where the body does not say.
        private_link_service: the private link service whose NIC it is.
    """

    id: ResourceId
    location: str
    provisioning_state: str
    vm: ResourceId | None
    primary: bool | None
    security_group: ResourceId | None
    ip_configurations: tuple[IpConfiguration, ...]
    ip_forwarding: bool = False
    private_endpoint: ResourceId | None = None
    dns_servers: tuple[str, ...] = ()
    accelerated: bool | None = None
    private_link_service: ResourceId | None = None

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Read the body of a GET; raises ParseError with the path of what does not fit."""
        return cls.of(decode(body, wire.Nic))

    @classmethod
    def of(cls, nic: wire.Nic) -> Self:
        """Build it from wire; raises ParseError for an id that is none."""
        properties = nic.properties
        return cls(
            id=named(nic.id) or ResourceId.parse(nic.id, "$.id"),
            location=nic.location,
            provisioning_state=properties.provisioning_state,
            vm=reference(properties.virtual_machine),
            primary=properties.primary,
            security_group=reference(properties.network_security_group),
            ip_configurations=tuple(map(_ip_configuration, properties.ip_configurations or ())),
            ip_forwarding=properties.enable_ip_forwarding is True,
            private_endpoint=reference(properties.private_endpoint),
            dns_servers=(properties.dns_settings.dns_servers if properties.dns_settings else None) or (),
            accelerated=wire.flag(properties.enable_accelerated_networking),
            private_link_service=reference(properties.private_link_service),
        )

    @property
    def failed(self) -> bool:
        """Whether its last control-plane operation failed."""
        return self.provisioning_state.lower() == "failed"

    def owns(self, address: str) -> bool:
        """Whether one of its IP configurations has this private address."""
        return any(same_address(configuration.address, address) for configuration in self.ip_configurations)


@dataclass(frozen=True, slots=True)
class Vm:
    """A virtual machine, or an instance of a scale set.

    Attributes:
        power_state: `running`, `deallocated`, `stopped`, …; None where Azure did not say.
        os: `Windows`, `Linux`, or empty.
        nics: its NICs, the primary one first.
        size: such as `Standard_D2s_v5`; empty where the body does not say.
    """

    id: ResourceId
    location: str
    power_state: str | None
    os: str
    nics: tuple[ResourceId, ...]
    size: str = ""

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Read the body of a GET with `$expand=instanceView`; raises ParseError with the path of what does not fit."""
        return cls.of(decode(body, wire.Vm))

    @classmethod
    def of(cls, vm: wire.Vm) -> Self:
        """Build it from wire; raises ParseError for an id that is none."""
        profile, disk = vm.properties.network_profile, vm.properties.storage_profile
        hardware = vm.properties.hardware_profile
        references = (profile.network_interfaces if profile else None) or ()
        first = sorted(references, key=lambda nic: not (nic.properties and nic.properties.primary))
        return cls(
            id=named(vm.id) or ResourceId.parse(vm.id, "$.id"),
            location=vm.location,
            power_state=_power_state(vm.properties),
            os=disk.os_disk.os_type if disk and disk.os_disk else "",
            nics=tuple(ResourceId.parse(nic.id, "$.properties.networkProfile.networkInterfaces[].id") for nic in first),
            size=hardware.vm_size if isinstance(hardware, wire.HardwareProfile) else "",
        )

    @property
    def running(self) -> bool | None:
        """Whether it runs; None where the power state is not known."""
        return None if self.power_state is None else self.power_state.lower() == "running"


def _power_state(properties: wire.VmProperties) -> str | None:
    extended = properties.extended.instance_view if properties.extended else None
    # `az vm list --show-details` writes "VM running".
    shown = (properties.power_state or "").lower().removeprefix("vm ").strip()
    return power_state(properties.instance_view) or power_state(extended) or shown or None


def power_state(view: wire.InstanceView | None) -> str | None:
    """The part behind `PowerState/` of an instance view; None where it has none, or Azure itself does not know."""
    apart = (view.power_state,) if view and view.power_state else ()
    for status in (*((view.statuses if view else None) or ()), *apart):
        kind, _, state = status.code.partition("/")
        if kind.lower() == "powerstate" and state:
            return None if state.lower() == "unknown" else state
    return None


def same_address(one: str | None, other: str | None) -> bool:
    """Whether two texts are the same IP address; IPv6 has many spellings."""
    try:
        return bool(one and other) and ipaddress.ip_address(one or "") == ipaddress.ip_address(other or "")
    except ValueError:
        return False


def _ip_configuration(read: wire.IpConfiguration) -> IpConfiguration:
    properties = read.properties
    return IpConfiguration(
        name=read.name,
        address=properties.private_ip_address or None,
        subnet=reference(properties.subnet),
        primary=properties.primary is True,
        id=ResourceId.maybe(read.id) if read.id else None,
        public_ip=reference(properties.public_ip_address),
        security_groups=references(properties.application_security_groups),
        pools=references(properties.load_balancer_backend_address_pools),
        inbound_nat_rules=references(properties.load_balancer_inbound_nat_rules),
        version=properties.private_ip_address_version or "",
    )
