"""What service tags mean: from Azure's list, from the network they are used in, and from Azure's own word."""

import ipaddress
import json
from pathlib import Path

import pytest

from diagnostics.errors import ParseError
from diagnostics.network.prefixes import AddressSet, Bounds, read_prefix
from diagnostics.network.tags import HOST, Meaning, ServiceTags

VALUES = [
    {"name": "Storage.WestEurope", "properties": {"addressPrefixes": ["192.0.2.0/25", "2001:db8:1::/48"]}},
    {"name": "Empty", "properties": {"addressPrefixes": []}},
    {"name": "Odd", "properties": {"addressPrefixes": ["nonsense"]}},
]
LISTED = ServiceTags.decode(json.dumps({"changeNumber": 1, "cloud": "Public", "values": VALUES}).encode())


def virtual_network(*known: str, perhaps: tuple[str, ...] = ()) -> Bounds:
    must = AddressSet.union([AddressSet.parse(text) for text in known]) | HOST
    may = must | AddressSet.union([read for text in perhaps if (read := read_prefix(text)) is not None])
    return Bounds(must, may, frozenset() if must == may else frozenset({"VirtualNetwork"}))


VNET = virtual_network("10.0.0.0/16", "fd00:db8::/48", perhaps=("0.0.0.0/0", "Storage"))
MEANING = Meaning(virtual_network("10.0.0.0/16", "fd00:db8::/48"), LISTED)
CASES = [
    ("VirtualNetwork", "10.0.3.4", True),
    ("VIRTUALNETWORK", "fd00:db8::4", True),
    ("VirtualNetwork", "168.63.129.16", True),
    ("VirtualNetwork", "10.1.0.4", False),
    ("Internet", "203.0.113.9", True),
    ("internet", "10.0.3.4", False),
    ("Internet", "192.168.0.4", False),
    ("Internet", "20.128.0.4", None),
    ("Internet", "2606:4700::1", True),
    ("AzureLoadBalancer", "168.63.129.16", True),
    ("AzureLoadBalancer", "fe80::1234:5678:9abc", True),
    ("storage.westeurope", "192.0.2.9", True),
    ("Storage.WestEurope", "192.0.2.200", False),
    ("Empty", "192.0.2.9", False),
]


@pytest.mark.parametrize(("tag", "address", "holds"), CASES)
def test_what_a_tag_holds(tag: str, address: str, *, holds: bool | None) -> None:
    meaning = MEANING.of(tag)
    assert meaning is not None
    assert meaning.holds(ipaddress.ip_address(address)) is holds


def test_a_tag_that_is_not_listed_is_not_known() -> None:
    assert MEANING.of("Contoso") is None


def test_a_default_route_of_the_user_may_make_everything_virtual_network() -> None:
    """With a route for 0.0.0.0/0 to an appliance, Azure may count the internet as VirtualNetwork."""
    anywhere = ipaddress.ip_address("203.0.113.9")
    assert VNET.holds(anywhere) is None
    internet = Meaning(VNET).of("Internet")
    assert internet is not None
    assert internet.holds(anywhere) is None


def test_azures_own_word_for_this_interface_wins() -> None:
    told = Meaning(VNET, LISTED, tag_map={"virtualnetwork": ("10.9.0.0/16",)}).of("VirtualNetwork")
    assert told is not None
    assert told.holds(ipaddress.ip_address("10.0.3.4")) is False
    assert told.exact


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"values": [{}]}', b'{"values": [{"name": 1}]}'])
def test_a_list_that_is_none_is_refused_with_its_path(body: bytes) -> None:
    with pytest.raises(ParseError, match=r"^\$"):
        ServiceTags.decode(body)


def test_a_prefix_that_is_none_names_its_tag() -> None:
    with pytest.raises(ParseError, match="tag Odd: 'nonsense'"):
        LISTED.addresses("Odd")


def test_real_lists_are_read_whole(corpus: Path) -> None:
    for file in sorted((corpus / "service_tags").glob("*.json")):
        tags = ServiceTags.decode(file.read_bytes())
        sizes = [bool(tags.addresses(tag)) for tag in tags.prefixes]
        assert sum(sizes) > 0, file
