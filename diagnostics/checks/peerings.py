"""Peerings: broken, half, out of sync, with overlapping spaces, using gateways that are not there.

Source: "Virtual network peering", "Troubleshoot virtual network peering issues".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from diagnostics.checks import networks_common as common
from diagnostics.checks.catalogue import check
from diagnostics.checks.found import Found, Said, Unclear
from diagnostics.checks.view import View
from diagnostics.checks.words import fact, listed
from diagnostics.findings import Cause, Remedy, Severity
from diagnostics.network.estate import Peering, VirtualNetwork
from diagnostics.network.ids import ResourceId
from diagnostics.network.intervals import Span
from diagnostics.network.prefixes import AddressSet, read_prefix
from diagnostics.paste import az, bicep, links

_DOC = f"{links.LEARN}/azure/virtual-network/virtual-network-troubleshoot-peering-issues"
_OVERVIEW = f"{links.LEARN}/azure/virtual-network/virtual-network-peering-overview"
_SYNC = f"{links.LEARN}/azure/virtual-network/update-virtual-network-peering-address-space"
_GATEWAYS = "microsoft.network/virtualnetworkgateways"
_MOST = 5
_KIND = f"Microsoft.Network/virtualNetworks/virtualNetworkPeerings@{bicep.NETWORK}"


@dataclass(frozen=True, slots=True)
class _Side:
    """One side of a peering, its network, and what is at the other end as far as it is known."""

    network: VirtualNetwork
    peering: Peering
    remote: VirtualNetwork | None
    back: Peering | None

    @property
    def id(self) -> ResourceId:
        """What a finding is about."""
        return self.peering.id or self.network.id

    @property
    def name(self) -> str:
        """For people."""
        return f"Peering {self.peering.name} of {self.network.id.name} with {self.peering.remote.name}"

    @property
    def first(self) -> bool:
        """Whether it is the first of the two sides, by the ids of their networks."""
        return self.network.id.key < self.peering.remote.key


def _sides(view: View) -> Iterator[_Side]:
    for network in view.networks:
        for peering in sorted(network.peerings, key=lambda each: each.name.lower()):
            remote = view.estate.networks.get(peering.remote)
            backs = remote.peerings if remote else ()
            yield _Side(network, peering, remote, next((b for b in backs if b.remote == network.id), None))


@check("NET007", "Peering is not connected", Severity.HIGH)
def unconnected(view: View) -> Iterator[Said]:
    """No traffic passes between the two networks: one side was deleted (Disconnected), or never made (Initiated).

    A Disconnected peering does not mend by itself: both sides are to be deleted and made again. Where the other network
    is known to have no peering back, NET008 says so instead.
    """
    for side in _sides(view):
        other = side.back
        if side.peering.connected or _half(side):
            continue
        # Both sides are one fault: it is told of the one that is Disconnected, else of the first.
        own = _broken(side.peering), side.first
        if other is None or other.connected or own > (_broken(other), not side.first):
            yield _unconnected(view, side)


def _broken(peering: Peering) -> bool:
    return peering.state.lower() == "disconnected"


def _unconnected(view: View, side: _Side) -> Found:
    state, broken = side.peering.state, _broken(side.peering)
    causes = [fact("peering", f"its state is {state}", side.id, side.peering.name)]
    severity = Severity.HIGH if broken else Severity.MEDIUM
    gone = side.remote is None and view.facts.complete
    if side.back:
        text = f"the other side, {side.back.name} of {side.peering.remote.name}, is {side.back.state}"
        causes.append(fact("peering", text, side.back.id, side.back.name))
    elif gone:
        severity = Severity.LOW
        causes.append(fact("absent", f"there is no network {side.peering.remote.name} any more", side.peering.remote))
    back = side.back.id if side.back else None
    summary = "Delete both sides and make both again." if broken else "Make the other side too."
    remedy = Remedy(
        summary=f"Delete the peering: {side.peering.remote.name} does not exist." if gone else summary,
        az_cli=az.lines(
            _deleting(side.id, gone=gone) if broken or gone else "",
            _deleting(back, gone=False) if broken and back and not gone else "",
            "" if gone else _create(side),
            "" if gone else _create_back(side),
        ),
        bicep="" if gone else _declared(side),
        doc_url=_DOC,
        portal_url=links.blade(side.network.id, "peerings"),
    )
    return Found(side.id, f"{side.name} is {state}", tuple(causes), remedy, severity=severity)


def _deleting(peering: ResourceId, *, gone: bool) -> str:
    """What takes a side away, as a comment: to be made again, or for good where somebody decides it."""
    command = f"az network vnet peering delete {az.arguments(ids=peering.text)}"
    return az.otherwise("if nobody will make that network again" if gone else "first", command)


@check("NET008", "Half a peering: the other network has none back", Severity.HIGH)
def halves(view: View) -> Iterator[Said]:
    """A peering is two resources, one in each network; with one alone nothing passes.

    Somebody deleted the other side, or it was never made: the two are often in different hands.
    """
    for side in _sides(view):
        if _half(side):
            yield _alone(side)


def _half(side: _Side) -> bool:
    return side.remote is not None and side.back is None and not side.peering.connected


def _alone(side: _Side) -> Found:
    causes = (
        fact("peering", f"its state is {side.peering.state}", side.id, side.peering.name),
        fact("absent", f"{side.peering.remote.name} has no peering with {side.network.id.name}", side.peering.remote),
    )
    again = _broken(side.peering)
    remedy = Remedy(
        summary=(
            f"Make the peering from {side.peering.remote.name} back to {side.network.id.name}"
            + (", after this side was deleted and made again." if again else ".")
        ),
        az_cli=az.lines(
            _deleting(side.id, gone=False) if again else "",
            _create(side) if again else "",
            _create_back(side),
        ),
        bicep=_declared(side),
        doc_url=_DOC,
        portal_url=links.blade(side.peering.remote, "peerings"),
    )
    return Found(side.id, f"{side.name} has no other side", causes, remedy)


def _create(side: _Side) -> str:
    """The command that makes this side, as it is."""
    each = side.peering
    flags = {
        "--allow-vnet-access": each.allows_access,
        "--allow-forwarded-traffic": each.allows_forwarded,
        "--allow-gateway-transit": each.allows_gateway_transit,
        "--use-remote-gateways": each.uses_remote_gateways,
    }
    set_ = " ".join(name for name, on in flags.items() if on)
    place = az.placed(side.network.id, vnet_name=side.network.id.name, name=each.name, remote_vnet=each.remote.text)
    return f"az network vnet peering create {place} {set_}".rstrip()


def _create_back(side: _Side) -> str:
    remote, own = side.peering.remote, side.network.id
    name = side.back.name if side.back else f"peer-{own.name}"
    place = az.placed(remote, vnet_name=remote.name, name=name, remote_vnet=own.text)
    transit = " --allow-gateway-transit" if side.peering.uses_remote_gateways else ""
    return f"az network vnet peering create {place} --allow-vnet-access{transit}"


def _declared(side: _Side) -> str:
    """The other side in Bicep, to be deployed where the remote network is."""
    body: dict[str, bicep.Value] = {
        "parent": bicep.Raw("it"),
        "name": side.back.name if side.back else f"peer-{side.network.id.name}",
        "properties": {
            "allowVirtualNetworkAccess": True,
            "allowGatewayTransit": side.peering.uses_remote_gateways,
            "remoteVirtualNetwork": {"id": side.network.id.text},
        },
    }
    return bicep.existing(common.VNET_KIND, side.peering.remote) + "\n" + bicep.resource("back", _KIND, body)


@check("NET010", "Peering does not know the other network's address space", Severity.MEDIUM)
def unsynced(view: View) -> Iterator[Said]:
    """The address space of one network changed, and the peering was not synced: to what is new no route leads.

    Azure does not sync a peering by itself when a prefix is added ("Updating the address space for a peered virtual
    network").
    """
    for side in _sides(view):
        if not side.peering.connected or not (text := _apart(side)):
            continue
        if side.back and side.back.connected and not side.first and _apart(_turned(side)):
            continue  # told of the other side already: one sync is for both
        yield _unsynced(side, text)


def _turned(side: _Side) -> _Side:
    """The other side."""
    assert side.remote
    assert side.back
    return _Side(side.remote, side.back, side.network, side.peering)


def _apart(side: _Side) -> str:
    """How a peering's idea of the remote space differs from what it is; empty where it does not, as far as is known."""
    peering, remote = side.peering, side.remote
    known, real = _space(peering.prefixes), _space(remote.prefixes if remote else ())
    differs = bool(known) and bool(real) and known != real
    if peering.synced or (peering.synced is None and not differs):
        return ""
    if differs and remote:
        return f"it knows {listed(peering.prefixes)}, and {remote.id.name} has {listed(remote.prefixes)}"
    return "Azure says that it is not fully in sync"


def _space(prefixes: tuple[str, ...]) -> AddressSet:
    return AddressSet.union(found for text in prefixes if (found := read_prefix(text)))


def _unsynced(side: _Side, text: str) -> Found:
    remedy = Remedy(
        summary=f"Sync the peering at {side.network.id.name} and at {side.peering.remote.name}.",
        az_cli=az.lines(
            *(
                f"az network vnet peering sync {az.arguments(ids=each.text)}"
                for each in (side.id, side.back.id if side.back else None)
                if each
            )
        ),
        bicep=common.declared(common.VNET_KIND, side.network.id, "nothing: deploying the peering again syncs it"),
        doc_url=_SYNC,
        portal_url=links.blade(side.network.id, "peerings"),
    )
    cause = fact("peering", text, side.id, side.peering.name)
    return Found(side.id, f"{side.name} does not know its address space", (cause,), remedy)


@check("NET012", "Address spaces overlap at a hub", Severity.MEDIUM)
def overlaps(view: View) -> Iterator[Said]:
    """Two networks that are peered with the same one have addresses in common: for those it has one route only.

    Which of the two it reaches is chance, and from the other, answers never arrive. Azure refuses most such peerings,
    but not address spaces that grow later.
    """
    told = set[frozenset[ResourceId]]()
    for network in view.networks:
        for start, names in _clashes(view, network):
            if frozenset(names) not in told:  # two networks that are peered with each other show at both
                yield _overlapping(network, start, names)
            told.add(frozenset(names))


def _clashes(view: View, hub: VirtualNetwork) -> Iterator[tuple[str, list[ResourceId]]]:
    """Where address spaces of a network and its peers overlap: one sweep over them, and who is in each heap."""
    spaces = [(hub.id, hub.prefixes)]
    for each in hub.peerings:
        remote = view.estate.networks.get(each.remote)
        if each.connected:
            spaces.append((each.remote, remote.prefixes if remote else each.prefixes))
    spans: dict[tuple[int, Span], list[tuple[ResourceId, str]]] = {}
    for rid, prefixes in spaces:
        for text in dict.fromkeys(prefixes):
            found = read_prefix(text)
            for version, family in ((4, found.v4), (6, found.v6)) if found else ():
                for span in family:
                    spans.setdefault((version, span), []).append((rid, text))
    yield from _heaps(spans)


def _heaps(spans: dict[tuple[int, Span], list[tuple[ResourceId, str]]]) -> Iterator[tuple[str, list[ResourceId]]]:
    version, end, text, heap = 0, -1, "", dict[ResourceId, None]()
    for (family, (first, last)), owners in sorted(spans.items(), key=lambda pair: pair[0]):
        if family != version or first > end:
            if len(heap) > 1:
                yield text, list(heap)
            version, end, text, heap = family, last, owners[0][1], {}
        end = max(end, last)
        heap |= dict.fromkeys(rid for rid, _ in owners)
    if len(heap) > 1:
        yield text, list(heap)


def _overlapping(hub: VirtualNetwork, prefix: str, networks: list[ResourceId]) -> Found:
    names = sorted(each.name for each in networks)
    causes = tuple(
        fact("address-space", f"{each.name} has addresses of {prefix} or around it", each) for each in networks[:5]
    )
    remedy = Remedy(
        summary=f"Give {listed(names[1:])} other addresses, or do without one of the peerings with {hub.id.name}.",
        az_cli=f"az network vnet peering list {az.placed(hub.id, vnet_name=hub.id.name)} -o table",
        bicep=common.declared(common.VNET_KIND, networks[-1], "properties.addressSpace that nobody has"),
        doc_url=_OVERVIEW,
        portal_url=links.blade(hub.id, "peerings"),
    )
    title = f"Address spaces of {listed(names)} overlap at {hub.id.name}: {prefix}"
    return Found(hub.id, title, causes, remedy, (prefix,))


@check("NET016", "Peering uses a gateway that is not there", Severity.MEDIUM)
def missing_gateways(view: View) -> Iterator[Said]:
    """It is to use the other network's gateway, which has none, or does not share it: on-premises is out of reach.

    The other side has to allow gateway transit. A route server counts as a gateway.
    """
    for side in _sides(view):
        if side.peering.uses_remote_gateways and side.remote and not _half(side):
            yield from _gatewayless(view, side, side.remote)


def _gatewayless(view: View, side: _Side, remote: VirtualNetwork) -> Iterator[Said]:
    if side.back and not side.back.allows_gateway_transit:
        text = f"{side.back.name} of {remote.id.name} does not allow gateway transit"
        yield _no_gateway(side, fact("peering", text, side.back.id, side.back.name))
        return
    has = _has_gateway(view, remote)
    if has is None:
        yield Unclear(side.id, (f"the gateway of {remote.id.name}",))
    elif not has:
        yield _no_gateway(side, fact("absent", f"{remote.id.name} has neither a gateway nor a route server", remote.id))


def _has_gateway(view: View, network: VirtualNetwork) -> bool | None:
    """Whether a network has a gateway of its own; None where that is not known."""
    names = {subnet.id.name.lower(): subnet for subnet in network.subnets}
    if "routeserversubnet" in names:
        return True
    home = names.get("gatewaysubnet")
    if home is None:
        return False
    if home.occupied or any(each.subnet == home.id for each in view.estate.gateways.values()):
        return True
    return False if view.facts.knows_all(_GATEWAYS) else None


def _no_gateway(side: _Side, cause: Cause) -> Found:
    other = (
        f"{az.arguments(ids=side.back.id.text)} --set allowGatewayTransit=true" if side.back and side.back.id else ""
    )
    remedy = Remedy(
        summary=(
            f"Let {side.peering.remote.name} allow gateway transit if it has a gateway; if not, do not use remote "
            f"gateways at {side.network.id.name}."
        ),
        az_cli=az.lines(
            f"az network vnet peering update {other}" if other else "",
            az.otherwise(
                "without gateway",
                f"az network vnet peering update {az.arguments(ids=side.id.text)} --set useRemoteGateways=false",
            ),
        ),
        bicep=_declared(side),
        doc_url=_OVERVIEW,
        portal_url=links.blade(side.peering.remote, "peerings"),
    )
    used = fact("peering", f"{side.peering.name} uses remote gateways", side.id, side.peering.name)
    return Found(side.id, f"{side.name} uses a gateway that is not there", (used, cause), remedy)
