"""What people write for the ends of a flow, and what they are told when it is wrong."""

import ipaddress
from dataclasses import replace

import pytest

from diagnostics.errors import ParseError
from diagnostics.network.endpoints import candidates, find, points
from diagnostics.network.estate import Estate, PublicIp
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import IpConfiguration, Nic, Vm
from diagnostics.network.questions import Target, parse_flow, parse_target
from diagnostics.network.security import Flow

GROUP = "/subscriptions/5e8b9a4c-7a0d-4a0f-8c63-2f6d1b6e0001/resourceGroups/rg-shop/providers"
SUBNET = ResourceId.parse(f"{GROUP}/Microsoft.Network/virtualNetworks/vnet-shop/subnets/snet-web")


def rid(kind: str, name: str, group: str = "rg-shop") -> ResourceId:
    return ResourceId.parse(f"{GROUP}/{kind}/{name}".replace("rg-shop", group))


def vm_id(name: str, group: str = "rg-shop") -> ResourceId:
    return rid("Microsoft.Compute/virtualMachines", name, group)


def nic_id(name: str, group: str = "rg-shop") -> ResourceId:
    return rid("Microsoft.Network/networkInterfaces", name, group)


def public(name: str, address: str | None) -> PublicIp:
    return PublicIp(rid("Microsoft.Network/publicIPAddresses", name), address, "Standard")


def nic(name: str, *addresses: str | None, vm: str = "", group: str = "rg-shop", **more: object) -> Nic:
    """A NIC whose IP configurations are `ipconfig1`, `ipconfig2` …; the last one is primary."""
    configurations = tuple(
        IpConfiguration(f"ipconfig{number}", address, SUBNET, primary=number == len(addresses))
        for number, address in enumerate(addresses, 1)
    )
    owner = vm_id(vm, group) if vm else None
    made = Nic(nic_id(name, group), "westeurope", "Succeeded", owner, None, None, configurations)
    return replace(made, **more)  # type: ignore[arg-type]


def with_public(interface: Nic, ip: PublicIp) -> Nic:
    return replace(interface, ip_configurations=(replace(interface.ip_configurations[0], public_ip=ip.id),))


def vm(name: str, *nics: str) -> Vm:
    return Vm(vm_id(name), "westeurope", "running", "Linux", tuple(map(nic_id, nics)))


FRONT = public("pip-front", "203.0.113.10")
LOOSE, EMPTY = public("pip-balancer", "203.0.113.20"), public("pip-new", None)
NICS = [
    nic("nic-web", "10.0.1.5", "10.0.1.4", vm="vm-web"),
    nic("nic-db", "10.0.2.4"),
    nic("nic-db-backup", "10.0.3.4"),
    nic("nic-dual", "fd00::4", "10.0.1.9", vm="vm-dual"),
    nic("nic-six", "fd00::6", vm="vm-six"),
    with_public(nic("nic-front", "10.0.1.7", vm="vm-front"), FRONT),
    nic("nic-off", None, vm="vm-off"),
    nic("nic-a", "10.0.9.1", vm="vm-two"),
    nic("nic-b", "10.0.9.2", vm="vm-two"),
    nic("nic-one-of", "10.0.9.3", vm="vm-app", group="rg-dev"),
    nic("nic-other", "10.0.9.4", vm="vm-app", group="rg-prod"),
    nic("nic-overlap-1", "192.168.0.4"),
    nic("nic-overlap-2", "192.168.0.4"),
    nic("pe.nic", "10.0.5.4", private_endpoint=rid("Microsoft.Network/privateEndpoints", "pe-storage")),
]
VMS = [vm("vm-db", "nic-db", "nic-db-backup"), vm("vm-lost", "nic-gone")]
ESTATE = Estate(
    nics={each.id: each for each in NICS},
    vms={each.id: each for each in VMS},
    public_ips={each.id: each for each in (FRONT, LOOSE, EMPTY)},
)

MEANT = {
    "a VM by what its NIC says": ("vm-web", "10.0.1.4"),
    "in any case": ("VM-Web", "10.0.1.4"),
    "a VM by what it says of its NICs, the first is primary": ("vm-db", "10.0.2.4"),
    "a VM by its id": (str(vm_id("vm-web")), "10.0.1.4"),
    "an id in another case": (str(vm_id("vm-web")).upper().replace("/SUBSCRIPTIONS", "/subscriptions"), "10.0.1.4"),
    "a NIC": ("nic-db-backup", "10.0.3.4"),
    "a NIC by its id": (str(nic_id("nic-db-backup")), "10.0.3.4"),
    "an IP configuration": ("nic-web/ipconfig1", "10.0.1.5"),
    "an IP configuration by its id": (f"{nic_id('nic-web')}/ipConfigurations/ipconfig1", "10.0.1.5"),
    "a private endpoint": ("pe-storage", "10.0.5.4"),
    "an address": ("10.0.1.5", "10.0.1.5"),
    "an address with spaces": (" 10.0.1.5 ", "10.0.1.5"),
    "IPv6": ("fd00::6", "fd00::6"),
    "IPv6 spelt out, in brackets": ("[fd00:0:0::0006]", "fd00::6"),
}


@pytest.mark.parametrize(("text", "address"), MEANT.values(), ids=MEANT)
def test_what_a_text_means(text: str, address: str) -> None:
    found = find(ESTATE, text)
    assert found.address == ipaddress.ip_address(address)
    assert found.point
    assert found.point.address == found.address


def test_an_address_of_nobody_is_an_endpoint_too() -> None:
    assert find(ESTATE, "8.8.8.8").point is None


@pytest.mark.parametrize("text", ["pip-front", str(FRONT.id), "203.0.113.10"])
def test_a_public_ip_is_an_address_to_go_to_and_a_configuration_to_come_from(text: str) -> None:
    there, here = find(ESTATE, text), find(ESTATE, text, leaving=True)
    assert (there.address, there.point, there.name) == (ipaddress.ip_address("203.0.113.10"), None, "pip-front")
    assert (str(here.address), here.name) == ("10.0.1.7", "vm-front")


def test_a_public_ip_of_no_configuration_is_only_an_address() -> None:
    assert find(ESTATE, "pip-balancer", leaving=True).point is None


def test_an_address_that_two_have_is_nobody_s_to_go_to() -> None:
    assert find(ESTATE, "192.168.0.4").point is None


WRONG = {
    "a near miss": ("vm-wep", "--to: no VM, NIC or public IP of the estate is called 'vm-wep': did you mean vm-web"),
    "an id that is not there": (str(vm_id("vm-wep")), r"has the id '/subscriptions/.*': did you mean vm-web"),
    "half an id": ("/subscriptions/x/y", "has no /providers/"),
    "the internet": ("Internet", "not one address"),
    "a prefix": ("10.0.0.0/8", "many addresses"),
    "nothing": ("zzzz", "is called 'zzzz'$"),
    "no address yet": ("vm-off", "no private address"),
    "a public IP without one": ("pip-new", "no address yet"),
    "a NIC that is not there": ("vm-lost", r"no NIC of VM vm-lost is in the estate \(nic-gone\)"),
    "which NIC is primary": ("vm-two", f"primary NIC of VM vm-two.*\n  {nic_id('nic-a')}\n  {nic_id('nic-b')}$"),
    "a name twice": ("VM-APP", f"several.*\n  {vm_id('vm-app', 'rg-dev')}\n  {vm_id('vm-app', 'rg-prod')}$"),
    "control characters": ("vm\x1b[2J", r"'vm\\x1b\[2J'"),
}


@pytest.mark.parametrize(("text", "said"), WRONG.values(), ids=WRONG)
def test_what_a_wrong_text_is_told(text: str, said: str) -> None:
    with pytest.raises(ParseError, match=said):
        find(ESTATE, text, "--to")


def test_an_address_that_two_have_is_no_place_to_come_from() -> None:
    with pytest.raises(ParseError, match=f"several.*\n  {nic_id('nic-overlap-1')}/ipConfigurations/ipconfig1"):
        find(ESTATE, "192.168.0.4", leaving=True)


def test_a_secondary_nic_alone_does_not_stand_for_its_vm() -> None:
    alone = nic("nic-2", "10.0.0.4", vm="vm-x", primary=False)
    with pytest.raises(ParseError, match="primary NIC of VM vm-x"):
        find(Estate(nics={alone.id: alone}), "vm-x")


def test_an_empty_estate_says_so() -> None:
    with pytest.raises(ParseError, match="none at all"):
        find(Estate(), "vm")


def test_all_of_a_machine() -> None:
    assert [str(point.address) for point in points(ESTATE, "vm-web")] == ["10.0.1.4", "10.0.1.5"]
    assert [str(point.address) for point in points(ESTATE, "vm-db")] == ["10.0.2.4", "10.0.3.4"]
    assert [str(point.address) for point in points(ESTATE, "nic-web/ipconfig1")] == ["10.0.1.5"]
    assert [str(point.address) for point in points(ESTATE, "pip-front")] == ["10.0.1.7"]
    assert [str(point.address) for point in points(ESTATE, "10.0.1.5")] == ["10.0.1.5"]


@pytest.mark.parametrize("text", ["8.8.8.8", "pip-balancer"])
def test_all_of_an_address_of_nobody(text: str) -> None:
    with pytest.raises(ParseError, match="--of: no IP configuration"):
        points(ESTATE, text, "--of")


TARGETS = {
    "vm2:3389/tcp": Target("vm2", 3389, "tcp"),
    "vm2:3389": Target("vm2", 3389, "tcp"),
    "VM2:53/UDP": Target("VM2", 53, "udp"),
    "vm2/icmp": Target("vm2", None, "icmp"),
    "vm2/esp": Target("vm2", None, "esp"),
    "nic/ipconfig1:22": Target("nic/ipconfig1", 22, "tcp"),
    "nic/tcp:22": Target("nic/tcp", 22, "tcp"),
    "10.0.0.4:443": Target("10.0.0.4", 443, "tcp"),
    "[2001:db8::4]:443/tcp": Target("2001:db8::4", 443, "tcp"),
    "[2001:db8::4]/icmp": Target("2001:db8::4", None, "icmp"),
    "2001:db8::4/icmp": Target("2001:db8::4", None, "icmp"),
    f"{vm_id('vm2')}:22/tcp": Target(str(vm_id("vm2")), 22, "tcp"),
}


@pytest.mark.parametrize(("text", "target"), TARGETS.items())
def test_a_target(text: str, target: Target) -> None:
    assert parse_target(text) == target


WRONG_TARGETS = {
    "vm2": r"--to: 'vm2' has no port: write vm2:443/tcp \(vm2/icmp for ICMP\)",
    "vm2/udp": "has no port: write vm2:443/udp$",
    "vm2:": "has no port",
    "2001:db8::4": r"write \[2001:db8::4\]:443/tcp",
    "vm2:80/icmp": "icmp has none: write vm2/icmp",
    "vm2:0": r"'0' is no port \(1 to 65535\)",
    "vm2:65536": "no port",
    "vm2:99999999999999999999": "no port",
    "vm2:٣": "no port",
    "vm2:http": "'http' is no port",
    "vm2:80/sctp": "'sctp' is none of the protocols tcp, udp, icmp, esp, ah",
    ":80": "names no endpoint",
    "": "names no endpoint",
}


@pytest.mark.parametrize(("text", "said"), WRONG_TARGETS.items())
def test_what_a_wrong_target_is_told(text: str, said: str) -> None:
    with pytest.raises(ParseError, match=said):
        parse_target(text, "--to")


def flow(source: str, destination: str, protocol: str, port: int | None = None) -> Flow:
    return Flow(ipaddress.ip_address(source), ipaddress.ip_address(destination), protocol, port)


FLOWS = {
    "two names": ("vm-web", "vm-db:1433", flow("10.0.1.4", "10.0.2.4", "Tcp", 1433)),
    "the family of the destination": ("vm-dual", "vm-six:22", flow("fd00::4", "fd00::6", "Tcp", 22)),
    "the family of the source": ("vm-six", "vm-dual:53/udp", flow("fd00::6", "fd00::4", "Udp", 53)),
    "the source's primary one": ("vm-dual", "vm-dual/icmp", flow("10.0.1.9", "10.0.1.9", "Icmp")),
    "an address outside": ("198.51.100.7", "pip-front:443", flow("198.51.100.7", "203.0.113.10", "Tcp", 443)),
}


@pytest.mark.parametrize(("source", "target", "expected"), FLOWS.values(), ids=FLOWS)
def test_a_flow(source: str, target: str, expected: Flow) -> None:
    assert parse_flow(ESTATE, source, target).flow == expected


def test_a_source_port() -> None:
    assert parse_flow(ESTATE, "vm-web", "vm-db:1433", source_port=50_000).flow.source_port == 50_000


WRONG_FLOWS = {
    "no family in common": (
        "vm-six",
        "8.8.8.8:443",
        "destination: 'vm-six' has IPv6 addresses only, '8.8.8.8' has none",
    ),
    "a port where it comes from": ("vm-web:80", "vm-db:1433", "source: 'vm-web:80' has a port"),
    "a port without ports": ("vm-web", "vm-db/icmp", "source: a source port was given, but icmp has no ports"),
}


@pytest.mark.parametrize(("source", "target", "said"), WRONG_FLOWS.values(), ids=WRONG_FLOWS)
def test_what_a_wrong_flow_is_told(source: str, target: str, said: str) -> None:
    with pytest.raises(ParseError, match=said):
        parse_flow(ESTATE, source, target, source_port=50_000 if "icmp" in target else None)


def test_the_likeliest_comes_first() -> None:
    assert [str(end.address) for end in candidates(ESTATE, "vm-dual")] == ["10.0.1.9", "fd00::4"]
