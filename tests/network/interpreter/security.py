"""What a NIC lets in and out: admin rules, then the NSGs."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.network.interpreter.documents import Cloud, Json, low, props, union
from tests.network.interpreter.tags import PLATFORM, PLATFORM_TAGS, Here, Place, element_holds
from tests.network.interpreter.worlds import World

PORTLESS = ("icmp", "esp", "ah")
DEFAULT_RULES = {
    "inbound": [
        ("AllowVnetInBound", 65000, "Allow", "VirtualNetwork", "VirtualNetwork"),
        ("AllowAzureLoadBalancerInBound", 65001, "Allow", "AzureLoadBalancer", "*"),
        ("DenyAllInBound", 65500, "Deny", "*", "*"),
    ],
    "outbound": [
        ("AllowVnetOutBound", 65000, "Allow", "VirtualNetwork", "VirtualNetwork"),
        ("AllowInternetOutBound", 65001, "Allow", "*", "Internet"),
        ("DenyAllOutBound", 65500, "Deny", "*", "*"),
    ],
}


@dataclass(frozen=True)
class Packet:
    """A flow as it is seen at one point."""

    source: Place
    destination: Place
    protocol: str
    source_port: int | None
    destination_port: int | None


@dataclass(frozen=True)
class Rule:
    """A rule of an NSG or of an admin configuration, with its fields united."""

    name: str
    priority: int
    action: str
    protocol: str
    source: tuple[str, ...]
    destination: tuple[str, ...]
    source_groups: tuple[str, ...]
    destination_groups: tuple[str, ...]
    source_ports: tuple[str, ...]
    destination_ports: tuple[str, ...]


def rules_of(group: Json, direction: str) -> list[Rule]:
    """The rules of an NSG in one direction, in order, with the six that no body need show."""
    body = props(group)
    shown = [rule for rule in body.get("securityRules") or [] if props(rule)["direction"].lower() == direction]
    found = [_rule(low(rule["name"]), props(rule)) for rule in shown]
    for name, priority, action, source, destination in DEFAULT_RULES[direction]:
        ports = ("*",)
        found.append(Rule(name, priority, action.lower(), "*", (source,), (destination,), (), (), ports, ports))
    return sorted(found, key=lambda rule: rule.priority)


def _rule(name: str, body: Json) -> Rule:
    return Rule(
        name=name,
        priority=body["priority"],
        action=body["access"].lower(),
        protocol=body["protocol"].lower(),
        source=tuple(union(body, "sourceAddressPrefix", "sourceAddressPrefixes")),
        destination=tuple(union(body, "destinationAddressPrefix", "destinationAddressPrefixes")),
        source_groups=tuple(low(group) for group in body.get("sourceApplicationSecurityGroups") or []),
        destination_groups=tuple(low(group) for group in body.get("destinationApplicationSecurityGroups") or []),
        source_ports=tuple(union(body, "sourcePortRange", "sourcePortRanges")),
        destination_ports=tuple(union(body, "destinationPortRange", "destinationPortRanges")),
    )


def admin_rules(cloud: Cloud, network: str, direction: str) -> list[Rule]:
    found = []
    for rule in cloud.admin_rules.get(network, []):
        body = props(rule)
        if body["direction"].lower() == direction:
            found.append(
                Rule(
                    name=low(rule["id"]).rsplit("/", 1)[-1],
                    priority=body["priority"],
                    action=body["access"].lower(),
                    protocol=body["protocol"].lower(),
                    source=tuple(item["addressPrefix"] for item in body.get("sources") or []) or ("*",),
                    destination=tuple(item["addressPrefix"] for item in body.get("destinations") or []) or ("*",),
                    source_groups=(),
                    destination_groups=(),
                    source_ports=tuple(body.get("sourcePortRanges") or ["*"]),
                    destination_ports=tuple(body.get("destinationPortRanges") or ["*"]),
                )
            )
    return sorted(found, key=lambda rule: rule.priority)


def port_fits(ports: tuple[str, ...], port: int | None) -> bool:
    for text in ports or ("*",):
        if text == "*":
            return True
        first, _, last = text.partition("-")
        if port is not None and int(first) <= port <= int(last or first):
            return True
    return False


def matches(here: Here, rule: Rule, packet: Packet) -> bool:
    protocol = packet.protocol.lower()
    if rule.protocol not in {"*", "any", "all", protocol}:
        return False
    if protocol not in PORTLESS and not (
        port_fits(rule.source_ports, packet.source_port) and port_fits(rule.destination_ports, packet.destination_port)
    ):
        return False
    port = packet.destination_port
    return _side(here, rule.source, rule.source_groups, packet.source, port) and _side(
        here, rule.destination, rule.destination_groups, packet.destination, port
    )


def _side(here: Here, elements: tuple[str, ...], groups: tuple[str, ...], place: Place, port: int | None) -> bool:
    if not elements and not groups:
        return True
    members = {config.address for config in here.cloud.configs if set(config.groups) & set(groups)}
    return place in members or any(element_holds(here, element, place, port) for element in elements)


def lets(here: Here, packet: Packet, direction: str, entrance: str = "") -> tuple[bool, list[str]]:
    """Whether a NIC lets a flow through, and the rules that said so.

    `entrance` is the SKU of the public IP or load balancer through which it came in from the internet.
    """
    platform = direction == "outbound" and packet.destination in PLATFORM
    because = []
    for rule in _counting(admin_rules(here.cloud, here.network, direction), platform=platform):
        if matches(here, rule, packet):
            because.append(rule.name)
            if rule.action != "allow":
                return rule.action == "alwaysallow", because
            break
    groups = list(_groups(here, direction))
    if not groups and entrance:
        return _open_without_group(here.world, entrance), [*because, f"no NSG behind a {entrance} public address"]
    for group in groups:
        allowed, name = _group_lets(here, group, packet, direction, platform=platform)
        because.append(name)
        if not allowed:
            return False, because
    return True, because


def _groups(here: Here, direction: str) -> Iterator[str]:
    of_subnet = low(here.subnet.get("networkSecurityGroup"))
    if here.at.subnet not in here.cloud.subnets and here.world.perhaps("nsg of", here.at.subnet):
        of_subnet = f"the nsg of {here.at.subnet}"
    of_nic = low(props(here.cloud.kind("networkinterfaces")[here.at.nic]).get("networkSecurityGroup"))
    order = (of_subnet, of_nic) if direction == "inbound" else (of_nic, of_subnet)
    yield from (group for group in order if group)


def _open_without_group(world: World, entrance: str) -> bool:
    """Standard is closed until an NSG opens it."""
    if entrance in {"basic", "standard"}:
        return entrance == "basic"
    return world.perhaps("sku", entrance)


def _group_lets(here: Here, group: str, packet: Packet, direction: str, *, platform: bool) -> tuple[bool, str]:
    if group not in here.cloud.kind("networksecuritygroups"):
        return here.world.perhaps("nsg", group, direction, packet), f"{group} is not in the estate"
    for rule in _counting(rules_of(here.cloud.kind("networksecuritygroups")[group], direction), platform=platform):
        if matches(here, rule, packet):
            return rule.action == "allow", f"{group.rsplit('/', 1)[-1]}/{rule.name}"
    return True, "no rule names the platform"


def _counting(rules: list[Rule], *, platform: bool) -> list[Rule]:
    """The rules that filter a flow: for one to the platform only those that name its tags."""
    if not platform:
        return rules
    return [rule for rule in rules if any(element.lower() in PLATFORM_TAGS for element in rule.destination)]
