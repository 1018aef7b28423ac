"""10,000 NICs from the body of a list operation: the product's Structs, plain JSON, and the SDK's models."""

import io
import json
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import msgspec
import requests
from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import RequestsTransport
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.network.models import NetworkInterface
from requests.adapters import BaseAdapter

from benchmarks.timing import CONSOLE, at_least, measured, ratios
from diagnostics.network import wire
from sandbox.fleet import Size, bodies

_COUNT = 10_000
_OURS, _JSON, _SDK = "msgspec Structs", "json", "SDK's models"

type Told = list[tuple[object, ...]]
"""Of each NIC, what the product reads."""


class _Page(msgspec.Struct):
    value: tuple[wire.Nic, ...]


def main() -> None:
    """Measure decoding alone, and with the fields read; print both tables."""
    body = bodies(Size(nics=_COUNT))["networkInterfaces"]
    nics = f"{_COUNT:,} NICs, {len(body) / 1e6:.0f} MB"
    client = _client(body)
    structs, plain = partial(_structs, body), partial(_plain, body)
    models = partial(_models, client)
    decoders: dict[str, Callable[[], object]] = {_OURS: structs, _JSON: plain, _SDK: models}
    decoded = measured(decoders, rounds=2, patience=30)
    CONSOLE.print(ratios(f"{nics}: decoded", decoded, _OURS))
    readers: dict[str, Callable[[], Told]] = {
        _OURS: lambda: _of_structs(structs()),
        _JSON: lambda: _of_json(plain()),
        _SDK: lambda: _of_models(models()),
    }
    read = measured(readers, rounds=2, patience=30)
    assert len(read[_OURS].answer) == _COUNT
    for name, each in read.items():
        assert each.answer == read[_OURS].answer, f"{name} reads otherwise"
    CONSOLE.print(ratios(f"{nics}: decoded and read, as far as the product reads them", read, _OURS))
    at_least(f"decoding {_COUNT:,} NICs, than the {_SDK}", 40, decoded[_SDK].seconds / decoded[_OURS].seconds)


def _structs(body: bytes) -> tuple[wire.Nic, ...]:
    return msgspec.json.decode(body, type=_Page).value


def _plain(body: bytes) -> list[dict[str, Any]]:
    nics: list[dict[str, Any]] = json.loads(body)["value"]
    return nics


def _models(client: NetworkManagementClient) -> list[NetworkInterface]:
    return list(client.network_interfaces.list_all())


def _of_structs(nics: Iterable[wire.Nic]) -> Told:
    return [
        (
            nic.id, nic.location, nic.etag, nic.properties.provisioning_state, nic.properties.primary,
            nic.properties.enable_ip_forwarding, _id(nic.properties.virtual_machine),
            _id(nic.properties.network_security_group),
            [
                (each.name, each.properties.private_ip_address, each.properties.primary,
                 _id(each.properties.subnet), _id(each.properties.public_ip_address))
                for each in nic.properties.ip_configurations or ()
            ],
        )
        for nic in nics
    ]  # fmt: skip


def _of_json(nics: Iterable[dict[str, Any]]) -> Told:
    return [
        (
            nic["id"], nic["location"], nic["etag"], inner["provisioningState"], inner["primary"],
            inner["enableIPForwarding"], inner["virtualMachine"]["id"], inner.get("networkSecurityGroup", {}).get("id"),
            [
                (each["name"], its["privateIPAddress"], its["primary"], its["subnet"]["id"],
                 its.get("publicIPAddress", {}).get("id"))
                for each in inner["ipConfigurations"]
                for its in [each["properties"]]
            ],
        )
        for nic in nics
        for inner in [nic["properties"]]
    ]  # fmt: skip


def _of_models(nics: Iterable[NetworkInterface]) -> Told:
    return [
        (
            nic.id, nic.location, nic.etag, nic.provisioning_state, nic.primary, nic.enable_ip_forwarding,
            _id(nic.virtual_machine), _id(nic.network_security_group),
            [
                (each.name, each.private_ip_address, each.primary, _id(each.subnet), _id(each.public_ip_address))
                for each in nic.ip_configurations or ()
            ],
        )
        for nic in nics
    ]  # fmt: skip


def _id(reference: Any) -> str | None:
    return reference.id if reference else None


class _Canned(BaseAdapter):
    """Answers every request with one body, as a server would, but at once."""

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self._body = body

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        response = requests.Response()
        response.status_code, response.request, response.raw = 200, request, io.BytesIO(self._body)
        response.headers["Content-Type"] = "application/json; charset=utf-8"
        return response

    def close(self) -> None:
        """Nothing is open."""


class _Anybody:
    def get_token(self, *_: str, **__: object) -> AccessToken:
        return AccessToken("", 2**40)


def _client(body: bytes) -> NetworkManagementClient:
    session = requests.Session()
    session.mount("https://", _Canned(body))
    return NetworkManagementClient(_Anybody(), "subscription", transport=RequestsTransport(session=session))
