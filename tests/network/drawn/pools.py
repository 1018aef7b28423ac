"""The few addresses, prefixes, tags and names that everything is drawn from, so that things meet."""

from tests.network.drawn.choices import Choices
from tests.network.interpreter.documents import Json

GROUP = "/subscriptions/00000000-0000-0000-0000-00000000000a/resourceGroups/rg/providers/Microsoft.Network"
COMPUTE = GROUP.replace("Microsoft.Network", "Microsoft.Compute")

SPACES = (("10.0.0.0/16", "fd00:0::/48"), ("10.1.0.0/16", "fd00:1::/48"), ("192.168.0.0/16", "fd00:2::/48"))
OUTSIDE = {
    4: ("8.8.8.8", "9.9.9.9", "20.60.0.5", "20.61.200.5", "25.1.1.1", "192.168.7.7", "172.16.5.5", "10.0.1.99"),
    6: ("2600::8", "2603:1000::5", "fd00:9::9"),
}
PLATFORM = ("168.63.129.16", "169.254.169.254")
PUBLIC = {4: ("52.1.0.1", "52.1.0.2", "52.1.0.3", "52.1.0.4"), 6: ("2600:1::1", "2600:1::2")}
PREFIXES = (
    *("*", "10.0.0.0/16", "10.0.1.0/24", "10.0.2.0/24", "10.0.1.4", "10.0.1.4/31", "10.1.0.0/16", "10.1.1.0/24"),
    *("10.0.0.0/8", "192.168.0.0/16", "8.8.8.0/24", "20.60.0.0/15", "0.0.0.0/0", "any", "52.1.0.0/24", "25.0.0.0/8"),
    *("fd00::/32", "fd00:0:0:1::/64", "::/0", "2600::/16", "789"),
)
TAGS = ("VirtualNetwork", "Internet", "AzureLoadBalancer", "Storage", "Storage.WestEurope", "AzureCloud", "Mystery")
PORTS = ("*", "443", "80", "22", "400-500", "0-1023", "50000", "49152-65535", "8443")
LISTED = {
    "Storage": ["20.60.0.0/16", "20.61.0.0/17", "20.61.128.0/17", "2603:1000::/32"],
    "Storage.WestEurope": ["20.60.0.0/16", "20.61.128.0/17"],
    "AzureCloud": ["20.60.0.0/16", "8.8.0.0/17", "8.8.128.0/17", "52.1.0.0/16"],
    "AzureCloud.WestEurope": ["20.60.0.0/16", "8.8.0.0/17"],
}
ROUTED = (
    *("0.0.0.0/0", "10.0.0.0/16", "10.0.1.0/24", "10.0.2.0/24", "10.1.0.0/16", "10.1.1.0/24", "10.0.1.4/32"),
    *("10.0.0.0/8", "192.168.0.0/16", "8.8.8.0/24", "8.8.0.0/16", "20.60.0.0/16", "20.61.0.0/16", "52.1.0.1/32"),
    *("172.16.0.0/12", "::/0", "fd00::/32", "fd00:0:0:2::/64"),
)
ROUTED_TAGS = ("Storage", "Storage.WestEurope", "AzureCloud", "AzureCloud.WestEurope", "Mystery")


def resource(c: Choices, kind: str, name: str, properties: Json, **more: object) -> Json:
    """The body of a GET."""
    provider = COMPUTE if kind == "virtualMachines" else GROUP
    identity = {"id": c.cased(f"{provider}/{kind}/{name}"), "name": name, "type": f"Microsoft.Network/{kind}"}
    return identity | {"location": "westeurope"} | more | {"properties": properties}


def child(c: Choices, parent: str, kind: str, name: str, properties: Json) -> Json:
    return {"id": c.cased(f"{parent}/{kind}/{name}"), "name": name, "properties": properties}


def rid(kind: str, name: str) -> str:
    return f"{COMPUTE if kind == 'virtualMachines' else GROUP}/{kind}/{name}"


def ref(c: Choices, text: str) -> Json:
    return {"id": c.cased(text)}


def refs(c: Choices, texts: list[str]) -> list[Json]:
    return [ref(c, text) for text in texts]
