from typing import Any

import pytest

from sandbox.arm.shapes import network
from sandbox.arm.wire import Path

CONFIGURATION = {"name": "a", "properties": {"privateIPAllocationMethod": "dynamic", "primary": True}}


@pytest.mark.parametrize(
    ("properties", "known", "paths"),
    [
        ({"ipConfigurations": [CONFIGURATION], "enableIPForwarding": None}, {}, []),
        ({"enableIPForwarding": 1}, {}, ["properties.enableIPForwarding"]),
        ({"nicType": "Rubber"}, {}, ["properties.nicType"]),
        ({"nicType": "Rubber"}, {"nicType": "Rubber"}, []),
        ({"future": 1}, {}, ["properties.future"]),
        ({"future": 2}, {"future": 1}, []),
        ({"ipConfigurations": [{"name": "a", "new": 1}]}, {"ipConfigurations": [{"name": "a", "new": 0}]}, []),
        (
            {"ipConfigurations": [CONFIGURATION, {"name": "b", "new": 1}]},
            {"ipConfigurations": [{"name": "a", "new": 0}]},
            ["properties.ipConfigurations[1].new"],
        ),
        ({"dnsSettings": []}, {}, ["properties.dnsSettings"]),
        ({"ipConfigurations": {"a": 1}}, {}, ["properties.ipConfigurations"]),
        ({"macAddress": 5, "resourceGuid": []}, {}, ["properties.macAddress", "properties.resourceGuid"]),
    ],
)
def test_problems_name_their_path(properties: Any, known: Any, paths: list[str]) -> None:
    body, stored = {"location": "westeurope", "properties": properties}, {"properties": known}
    assert [path for path, _ in network().problems("NetworkInterface", body, stored)] == paths


def test_tags_are_texts() -> None:
    assert network().problems("NetworkInterface", {"tags": {"a": "b"}}) == []
    assert [path for path, _ in network().problems("NetworkInterface", {"tags": {"a": 1}})] == ["tags.a"]


def test_what_is_required() -> None:
    assert network().problems("ConnectivityParameters", {"source": {"resourceId": "/a"}}) == [
        ("destination", "Required property 'destination' not found in JSON.")
    ]


@pytest.mark.parametrize(
    ("text", "kind", "names", "collection"),
    [
        ("/subscriptions/s/resourceGroups/g/providers/A.B/cs/c", "A.B/cs", ("c",), False),
        ("/subscriptions/s/resourceGroups/g/providers/A.B/cs", "A.B/cs", (), True),
        ("/subscriptions/s/resourceGroups/g/providers/A.B/cs/c/ds/d/", "A.B/cs/ds", ("c", "d"), False),
        ("/subscriptions/s/providers/A.B/cs/c/act", "A.B/cs/act", ("c",), True),
        ("/subscriptions/s/resourceGroups/g/providers/A.B/cs/c/providers/X.Y/zs", "X.Y/zs", (), True),
        ("/providers/A.B/cs", "A.B/cs", (), True),
        ("/subscriptions/s/resourceGroups/g", "", (), False),
        ("/subscriptions", "", (), True),
        ("/", "", (), True),
        ("/providers", "", (), True),
    ],
)
def test_paths(text: str, kind: str, names: tuple[str, ...], *, collection: bool) -> None:
    path = Path.parse(text)
    assert (path.type, path.names, path.is_collection) == (kind, names, collection)
    assert path.subscription == ("s" if "subscriptions/" in text else None)
    assert path.group == ("g" if "resourceGroups" in text else None)
