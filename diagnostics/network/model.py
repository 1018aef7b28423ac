"""VMs, network interfaces and subnets as the engine sees them: frozen, with parsed ids, built from wire."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Self

import msgspec

from diagnostics.errors import ParseError
from diagnostics.network import wire
from diagnostics.network.ids import ResourceId


@dataclass(frozen=True, slots=True)
class IpConfiguration:
    """One IP configuration of a NIC.

    Attributes:
        address: the private address, or None where Azure shows none (a deallocated dynamic one, an IPv6 secondary).
    """

    name: str
    address: str | None
    subnet: ResourceId | None
    primary: bool


@dataclass(frozen=True, slots=True)
class Nic:
    """A network interface.

    Attributes:
        provisioning_state: of the last control-plane operation, as Azure spells it: `Succeeded`, `Failed`, …
        primary: whether it is its VM's primary NIC; None where the body does not say.
    """

    id: ResourceId
    location: str
    provisioning_state: str
    vm: ResourceId | None
    primary: bool | None
    ip_configurations: tuple[IpConfiguration, ...]

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Read the body of a GET; raises ParseError with the path of what does not fit."""
        nic = _decode(body, wire.Nic)
        properties = nic.properties
        machine = properties.virtual_machine
        return cls(
            id=ResourceId.parse(nic.id, "$.id"),
            location=nic.location,
            provisioning_state=properties.provisioning_state,
            vm=ResourceId.maybe(machine.id) if machine else None,
            primary=properties.primary,
            ip_configurations=tuple(map(_ip_configuration, properties.ip_configurations or ())),
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
    """

    id: ResourceId
    location: str
    power_state: str | None
    os: str
    nics: tuple[ResourceId, ...]

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Read the body of a GET with `$expand=instanceView`; raises ParseError with the path of what does not fit."""
        vm = _decode(body, wire.Vm)
        profile, disk = vm.properties.network_profile, vm.properties.storage_profile
        references = (profile.network_interfaces if profile else None) or ()
        first = sorted(references, key=lambda nic: not (nic.properties and nic.properties.primary))
        return cls(
            id=ResourceId.parse(vm.id, "$.id"),
            location=vm.location,
            power_state=power_state(vm.properties.instance_view),
            os=disk.os_disk.os_type if disk and disk.os_disk else "",
            nics=tuple(ResourceId.parse(nic.id, "$.properties.networkProfile.networkInterfaces[].id") for nic in first),
        )

    @property
    def running(self) -> bool | None:
        """Whether it runs; None where the power state is not known."""
        return None if self.power_state is None else self.power_state.lower() == "running"


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet and all its prefixes."""

    id: ResourceId
    prefixes: tuple[str, ...]

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Read the body of a GET; raises ParseError with the path of what does not fit."""
        subnet = _decode(body, wire.Subnet)
        one, many = subnet.properties.address_prefix, subnet.properties.address_prefixes or ()
        return cls(ResourceId.parse(subnet.id, "$.id"), tuple(dict.fromkeys([*([one] if one else []), *many])))

    def gateway(self, address: str) -> str | None:
        """The default gateway for an address in this subnet: the first usable address of the prefix that holds it.

        Source: Azure Virtual Network FAQ ("x.x.x.1: reserved by Azure for the default gateway").
        """
        try:
            wanted = ipaddress.ip_address(address)
            networks = [ipaddress.ip_network(prefix) for prefix in self.prefixes]
        except ValueError:
            return None
        return next((str(network[1]) for network in networks if wanted in network), None)


def power_state(view: wire.InstanceView | None) -> str | None:
    """The part behind `PowerState/` of an instance view, or None where it has none."""
    for status in (view.statuses if view else None) or ():
        kind, _, state = status.code.partition("/")
        if kind.lower() == "powerstate" and state:
            return state
    return None


def same_address(one: str | None, other: str | None) -> bool:
    """Whether two texts are the same IP address; IPv6 has many spellings."""
    try:
        return bool(one and other) and ipaddress.ip_address(one or "") == ipaddress.ip_address(other or "")
    except ValueError:
        return False


def _ip_configuration(read: wire.IpConfiguration) -> IpConfiguration:
    properties = read.properties
    subnet = ResourceId.maybe(properties.subnet.id) if properties.subnet else None
    return IpConfiguration(read.name, properties.private_ip_address, subnet, primary=properties.primary is True)


def _decode[T](body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise ParseError(f"{kind.__name__}: {error}") from None
