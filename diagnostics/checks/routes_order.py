"""Route tables that nothing uses, routes that are never taken, and prefixes that are none."""

from __future__ import annotations

import ipaddress
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from diagnostics.checks.catalogue import check
from diagnostics.checks.found import Found, Said, Unclear
from diagnostics.checks.routes_hops import by_aks, ends
from diagnostics.checks.routes_words import UDR, hop_type, on_route, weight, without
from diagnostics.checks.view import View
from diagnostics.checks.words import counted, fact, route_cause
from diagnostics.findings import Cause, Remedy, Severity
from diagnostics.network.model import Route, RouteTable
from diagnostics.network.prefixes import AddressSet, names_tag, read_prefix
from diagnostics.network.routes import Source
from diagnostics.paste import az, bicep, links

_NOT_FOR_ROUTES = frozenset({"virtualnetwork", "azureloadbalancer", "internet"})
_PLATFORM = "azureplatform"
_BY_SERVICE = "microsoft.sql-managedinstances"


class _Read(NamedTuple):
    """A route with the addresses of its prefix, and where these begin and end."""

    begin: int
    end: int
    addresses: AddressSet
    route: Route

    @property
    def size(self) -> int:
        return self.end - self.begin + 1


@check("UDR002", "Route table that nothing uses", Severity.LOW)
def unused(view: View) -> Iterator[Said]:
    """No subnet uses the route table, so none of its routes does anything: left over, or forgotten to be associated."""
    for table in view.tables:
        use = view.use(table)
        if use.anywhere:
            continue
        if use.known:
            yield _unused(table)
        else:
            yield Unclear(table.id, ("the subnets that use it",))


@check("UDR012", "Route that is never taken", Severity.INFO)
def never_taken(view: View) -> Iterator[Said]:
    """Other routes of the table take all that it is for, or do the same as it does: it changes nothing, and misleads.

    The longest prefix wins, whatever the order ("Azure virtual network traffic routing", how Azure selects a route).
    """
    for table in view.tables:
        known = [
            _Read(*ends(read), read, route)
            for route in table.routes
            if (read := read_prefix(route.prefix)) is not None and not _kept(table, route)
        ]
        known.sort(key=lambda each: (each.begin, -each.end))
        first: list[_Read] = []
        for each in known:
            if first and first[-1].addresses == each.addresses:
                other = first[-1].route
                yield _never(table, each.route, (_twice(table, other),), f"is for the same prefix as {other.name}")
            else:
                first.append(each)
        for route, narrower in _covered(first):
            causes = tuple(route_cause(table, other) for other in narrower[:5])
            yield _never(table, route, causes, "is never taken")
        for route, wider in _needless(view, table, first):
            yield _never(table, route, (_same(table, wider),), f"does the same as {wider.name}")


@check("UDR019", "Route for a prefix that is none", Severity.MEDIUM)
def odd_prefixes(view: View) -> Iterator[Said]:
    """The route is for something that is neither prefix nor service tag for routes, or for a prefix with host bits.

    Azure takes the network of a prefix with host bits, which is more than who wrote it may have meant ("Azure virtual
    network traffic routing", service tags for user-defined routes).
    """
    for table in view.tables:
        for route in table.routes:
            if "[" in route.prefix or not route.prefix:
                yield Unclear(table.id, (f"the prefix of route {route.name}",))
            elif text := _odd(view, route.prefix):
                yield _misspelt(view, table, route, text, Severity.MEDIUM)
            elif meant := _host_bits(route.prefix):
                yield _misspelt(view, table, route, f"{route.prefix} has host bits: it is {meant}", Severity.LOW)


def _unused(table: RouteTable) -> Found:
    text = f"no subnet uses {table.id.name}; it has {counted(len(table.routes), 'route')}"
    remedy = Remedy(
        summary="Associate it with the subnets that it was made for, or delete it.",
        az_cli=az.lines(
            f"az network vnet subnet update --ids '<id of the subnet>' {az.arguments(route_table=table.id.text)}",
            az.otherwise("or delete it", f"az network route-table delete {az.arguments(ids=table.id.text)}"),
        ),
        bicep=bicep.comment("in the subnet, under properties") + "routeTable: { id: '<id of this table>' }\n",
        doc_url=f"{links.LEARN}/azure/virtual-network/manage-route-table",
        portal_url=links.blade(table.id, "subnets"),
    )
    title = f"Route table {table.id.name} is used by no subnet"
    return Found(table.id, title, (fact("route-table", text, table.id, table.id.name),), remedy)


def _kept(table: RouteTable, route: Route) -> bool:
    """Whether AKS or a service looks after a route."""
    return by_aks(table, route) or route.name.lower().startswith(_BY_SERVICE)


def _covered(known: Sequence[_Read]) -> Iterator[tuple[Route, list[Route]]]:
    """Routes that narrower ones take everything from, with those."""
    starts = [each.begin for each in known]
    for number, wide in enumerate(known):
        # What a prefix holds stands right behind it, in the order of where it begins.
        inside = known[number + 1 : bisect_right(starts, wide.end)]
        if not inside:
            continue
        enough = sum(each.size for each in inside) >= wide.size
        if enough and wide.addresses <= AddressSet.union(each.addresses for each in inside):
            yield wide.route, [each.route for each in inside]


def _needless(view: View, table: RouteTable, known: Sequence[_Read]) -> Iterator[tuple[Route, Route]]:
    """Routes that could go: the one that would be taken in their place leads to the same."""
    sides = view.hops.sides_of(table)
    if not sides or (table.propagates and any(view.hops.learnt(side.network).missing for side in sides)):
        return
    around: list[_Read] = []
    for each in known:
        # Prefixes stand in the order of where they begin, wider ones first: those that hold this one are still open.
        while around and around[-1].end < each.begin:
            around.pop()
        holder, route = around[-1].route if around else None, each.route
        around.append(each)
        if holder is None or hop_type(holder) != hop_type(route) or holder.addresses != route.addresses:
            continue
        beneath = [view.hops.beneath(side, each.addresses) for side in sides]
        if all(lies and lies.route.source == Source.USER and lies.route.name == holder.name for lies in beneath):
            yield route, holder


def _twice(table: RouteTable, other: Route) -> Cause:
    return route_cause(table, other, f"route {other.name} is for {other.prefix}, the same addresses")


def _same(table: RouteTable, wider: Route) -> Cause:
    text = f"without it, route {wider.name} for {wider.prefix} would be taken, which leads to the same"
    return route_cause(table, wider, text)


def _never(table: RouteTable, route: Route, causes: tuple[Cause, ...], what: str) -> Found:
    remedy = Remedy(
        summary=f"Delete route {route.name}, or give it the prefix that it was meant for.",
        az_cli=without(table, route.name),
        bicep=bicep.comment(f"leave route {route.name} out of {table.id.name}"),
        doc_url=UDR,
        portal_url=links.blade(table.id, "routes"),
    )
    title = f"Route {route.name} of {table.id.name} {what}"
    return Found(table.id, title, (route_cause(table, route), *causes), remedy, (route.name,))


def _odd(view: View, prefix: str) -> str:
    """Why a prefix is none that a route can have; empty where it is one, or where that is not known."""
    low, tags = prefix.lower(), view.estate.service_tags
    if read_prefix(prefix) is not None:
        whole = "/" in prefix or ":" in prefix or prefix.count(".") == 3
        return "" if whole and "-" not in prefix else f"{prefix} is no prefix in CIDR notation"
    if low in _NOT_FOR_ROUTES or low.startswith(_PLATFORM):
        return f"service tag {prefix} cannot be used in routes"
    if not names_tag(prefix):
        return f"{prefix} is neither a prefix nor a service tag"
    return f"{prefix} is no service tag that is known" if tags.prefixes and low not in tags.prefixes else ""


@lru_cache(maxsize=1 << 12)
def _host_bits(prefix: str) -> str:
    """The prefix that Azure makes of one with host bits; empty where it has none."""
    try:
        ipaddress.ip_network(prefix)
    except ValueError:
        try:
            return str(ipaddress.ip_network(prefix, strict=False))
        except ValueError:
            return ""
    return ""


def _misspelt(view: View, table: RouteTable, route: Route, text: str, severity: Severity) -> Found:
    remedy = Remedy(
        summary=f"Give route {route.name} the prefix that is meant, in CIDR notation, or a service tag that "
        "routes can have.",
        az_cli=on_route("update", table, route.name, address_prefix=_host_bits(route.prefix) or "<prefix>"),
        bicep=bicep.comment(f"in route {route.name} of {table.id.name}")
        + f"addressPrefix: {bicep.quoted(_host_bits(route.prefix) or '<prefix>')}\n",
        doc_url=UDR,
        portal_url=links.blade(table.id, "routes"),
    )
    title = f"Route {route.name} of {table.id.name} is for {route.prefix}, which is no proper prefix"
    causes = (route_cause(table, route, f"route {route.name}: {text}"),)
    return Found(table.id, title, causes, remedy, (route.name,), weight(view, table, severity))
