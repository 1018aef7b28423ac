"""What a virtual network's gateway leads to: the prefixes it learnt, as far as configuration tells.

Source: "Virtual network peering" (gateway transit), "Azure virtual network traffic routing" (border gateway protocol).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from diagnostics.network.estate import Connection, Estate, Gateway, VirtualNetwork
from diagnostics.network.ids import ResourceId


@dataclass(frozen=True, slots=True)
class Learnt:
    """What a virtual network knows through gateways.

    Attributes:
        exists: whether there is a gateway, its own or a peer's that it uses; None where that is not known.
        prefixes: each prefix with the gateway that leads there.
        missing: gateways that may have learnt more than configuration shows.
    """

    exists: bool | None
    prefixes: tuple[tuple[str, ResourceId], ...] = ()
    missing: frozenset[str] = frozenset()


def learnt(estate: Estate, network: VirtualNetwork) -> Learnt:
    """What a virtual network knows through its own gateway, or through those of peers that it uses."""
    parts = [_own(estate, network), *_remote(estate, network)]
    if len(parts) == 1:  # as mostly
        return parts[0]
    exists = [part.exists for part in parts]
    return Learnt(
        exists=True if True in exists else None if None in exists else False,
        prefixes=tuple(pair for part in parts for pair in part.prefixes),
        missing=frozenset[str]().union(*(part.missing for part in parts)),
    )


_NOTHING = Learnt(exists=False)


def _own(estate: Estate, network: VirtualNetwork) -> Learnt:
    gateways = [each for each in estate.gateways.values() if each.subnet and each.subnet.within(network.id)]
    if not gateways:
        if network.id not in estate.with_gateway_subnet:
            return _NOTHING
        return Learnt(exists=True, missing=_unseen(f"the gateway of {network.id.name}"))
    known = [pair for gateway in gateways for pair in _prefixes(estate, gateway)]
    missing = [_unseen(f"gateway {each.id.name}") for each in gateways if not _configured(estate, each)]
    return Learnt(exists=True, prefixes=tuple(known), missing=frozenset[str]().union(*missing))


def _remote(estate: Estate, network: VirtualNetwork) -> Iterator[Learnt]:
    for peering in network.peerings:
        if not (peering.uses_remote_gateways and peering.connected):
            continue
        remote = estate.networks.get(peering.remote)
        if remote is None:
            yield Learnt(exists=None, missing=_unseen(f"the gateway of {peering.remote.name}"))
        elif any(back.remote == network.id and back.allows_gateway_transit for back in remote.peerings):
            yield _own(estate, remote)


def _configured(estate: Estate, gateway: Gateway) -> bool:
    """Whether all that it knows is written in configuration: local network gateways, and no BGP."""
    found = list(_connections(estate, gateway))
    plain = gateway.type.lower() == "vpn" and not gateway.bgp
    return plain and bool(found) and all(each.local_gateway in estate.local_gateways and not each.bgp for each in found)


def _prefixes(estate: Estate, gateway: Gateway) -> Iterator[tuple[str, ResourceId]]:
    for connection in _connections(estate, gateway):
        local = estate.local_gateways.get(connection.local_gateway) if connection.local_gateway else None
        yield from ((prefix, gateway.id) for prefix in (local.prefixes if local else ()))


def _connections(estate: Estate, gateway: Gateway) -> Iterator[Connection]:
    return (each for each in estate.connections.values() if each.gateway == gateway.id)


def _unseen(gateway: str) -> frozenset[str]:
    return frozenset({f"routes that {gateway} learnt"})
