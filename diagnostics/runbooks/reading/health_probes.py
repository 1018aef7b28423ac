"""The health probes in the bodies of load balancers: which port of which pool's members they ask.

Source: "Azure Load Balancer health probes": they come from 168.63.129.16, by the rules that name a probe.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from diagnostics.network.ids import ResourceId
from diagnostics.runbooks.survey import HealthProbe

_BALANCER = "microsoft.network/loadbalancers"


def health_probes(bodies: Iterable[object]) -> tuple[HealthProbe, ...]:
    """Every health probe of every load balancer among the bodies, once for each pool; what has no port has none."""
    found = (probe for body in bodies for probe in _of(body))
    return tuple(dict.fromkeys(found))


def _of(body: object) -> Iterator[HealthProbe]:
    rid = ResourceId.maybe(_get(body, "id"))
    if rid is None or rid.type != _BALANCER:
        return
    ports = {}
    for probe in _list(body, "properties", "probes"):
        name, port = str(_get(probe, "name") or ""), _get(probe, "properties", "port")
        if isinstance(port, int):
            ports[name.lower()] = name, port
    for rule in _list(body, "properties", "loadBalancingRules"):
        asked = ResourceId.maybe(_get(rule, "properties", "probe", "id"))
        if asked is None or asked.name.lower() not in ports:
            continue
        name, port = ports[asked.name.lower()]
        pools = [_get(rule, "properties", "backendAddressPool"), *_list(rule, "properties", "backendAddressPools")]
        for pool in filter(None, (ResourceId.maybe(_get(each, "id")) for each in pools)):
            yield HealthProbe(rid, pool, port, name)


def _get(value: object, *path: str) -> Any:
    """What lies at a path of keys; None where something on the way is missing or no object."""
    for key in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def _list(value: object, *path: str) -> list[Any]:
    found = _get(value, *path)
    return found if isinstance(found, list) else []
