"""NSGs and security admin rules."""

from tests.network.drawn.choices import Choices
from tests.network.drawn.pools import GROUP, PORTS, PREFIXES, TAGS, child, ref, refs, resource, rid
from tests.network.interpreter.documents import Json

GROUPS = ("asg1", "asg2")
PROTOCOLS = ("*", "Tcp", "Udp", "Icmp", "Esp")
NAMES = ("AllowVnetInBound", "DenyAllOutBound", "denyallinbound")  # people call their own rules so, too


def security_group(c: Choices, name: str, theme: str) -> Json:
    taken = {"Inbound": [100, 200, 300, 4096], "Outbound": [100, 200, 300, 4096]}
    own = []
    for number in range({"rules": 3, "balancer": 2}.get(theme, 0) + c.number(3)):
        direction = c.of(["Inbound", "Outbound"])
        if taken[direction]:
            priority = taken[direction].pop(c.number(len(taken[direction]) - 1))
            called = c.of(NAMES) if c.chance(8) else f"rule{number}"
            own.append(
                child(c, rid("networkSecurityGroups", name), "securityRules", called, _rule(c, direction, theme))
            )
            own[-1]["properties"]["priority"] = priority
    return resource(c, "networkSecurityGroups", name, {"securityRules": own})


def _rule(c: Choices, direction: str, theme: str) -> Json:
    body = {
        "direction": c.cased(direction),
        "access": c.cased(c.of(["Allow", "Allow", "Deny"])),
        "protocol": c.cased(c.of(PROTOCOLS)),
        **_ports(c, "sourcePortRange", mostly_any=True),
        **_ports(c, "destinationPortRange", exact=theme == "balancer"),
    }
    if direction == "Outbound" and c.chance(20 if theme == "rules" else 10):
        tag = c.of(["AzurePlatformDNS", "AzurePlatformIMDS", "AzurePlatformLKM"])
        return body | {"sourceAddressPrefix": "*", "destinationAddressPrefix": c.cased(tag)}
    return body | _side(c, "source", theme) | _side(c, "destination", theme)


def _ports(c: Choices, field: str, *, mostly_any: bool = False, exact: bool = False) -> Json:
    if exact and c.chance(60):
        return {field: c.of(["443", "80", "8443", "22"])}
    if c.chance(80 if mostly_any else 40):
        return {field: "*", f"{field}s": []}
    if c.chance(50):
        return {field: c.of(PORTS), f"{field}s": []}
    both = {field: c.of(PORTS)} if c.chance(20) else {}  # Azure repeats either, or has both
    return both | {f"{field}s": c.some(PORTS, 1, 2)}


def _side(c: Choices, side: str, theme: str) -> Json:
    field = f"{side}AddressPrefix"
    if theme == "balancer" and c.chance(60):
        return {field: "*", f"{field}es": []}
    if c.chance(35 if theme == "rules" else 15):
        groups = refs(c, [rid("applicationSecurityGroups", name) for name in c.some(GROUPS, 1, 2)])
        return {f"{side}ApplicationSecurityGroups": groups, f"{field}es": []}
    if c.chance(75):
        return {field: _element(c), f"{field}es": []}
    both = {field: _element(c)} if c.chance(20) else {}
    return both | {f"{field}es": [_element(c), _element(c)]}


def _element(c: Choices) -> str:
    return c.cased(c.of(TAGS)) if c.chance(40) else c.of(PREFIXES)


def admin_rules(c: Choices, network: str) -> Json:
    """The answer about a network's effective security admin rules."""
    rows = []
    for priority in c.some([1, 2, 3], 1, 2):
        body = {
            "priority": priority,
            "direction": c.cased(c.of(["Inbound", "Outbound"])),
            "access": c.cased(c.of(["Allow", "Deny", "AlwaysAllow"])),
            "protocol": c.cased(c.of(["Any", "Tcp", "Udp", "Icmp"])),
            "sources": _admin_side(c),
            "destinations": _admin_side(c),
            "sourcePortRanges": ["0-65535"],
            "destinationPortRanges": c.some(PORTS[1:], 1, 2) if c.chance(50) else ["0-65535"],
        }
        name = f"{GROUP}/networkManagers/m/securityAdminConfigurations/c/ruleCollections/r/rules/admin{priority}"
        rows.append({"id": name, "kind": "Custom", "properties": body, "ruleCollectionAppliesToGroups": []})
    return {"virtualNetwork": ref(c, network), "value": rows}


def _admin_side(c: Choices) -> list[Json]:
    if c.chance(30):
        return [{"addressPrefix": "*", "addressPrefixType": "IPPrefix"}]
    if c.chance(40):
        return [{"addressPrefix": c.cased(c.of(TAGS)), "addressPrefixType": "ServiceTag"}]
    prefix = c.of([text for text in PREFIXES if text not in {"any", "789"}])
    return [{"addressPrefix": prefix, "addressPrefixType": "IPPrefix"}]
