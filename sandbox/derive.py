"""A scenario told as what differs from another: most faults are one rule, route or answer away from what works.

``base`` names the scenario to start from: a file in the same folder or in `sandbox/estates`. It may be derived itself.
``name``, ``title``, ``story``, ``problem``, ``expected``, ``runCommand`` and ``forbidden`` are its own. Then:

- ``delete``: resources that are not there: rules, routes, extensions and whole resources.
- ``add``: resources that are there as well. ``{"type", "name", "properties"}`` is a whole one (in resource group
  ``group``, if it says so), ``{"in", "list", "name", "properties"}`` one nested in a list of another (a rule:
  ``securityRules``), ``{"like", "name", "set"}`` a copy of one.
- ``change``: ``{"resource", "set": {path: value}, "remove": [path]}``. A step of a path is a field, an index, or the
  name of an item of a list: ``properties.ipConfigurations.ipconfig1.properties.privateIPAddress``.
- ``alert``: a whole one, or ``{"set": {path: value}, "dimensions": {name: value}}``; null takes a dimension away.
- ``powerStates``, ``operations``, ``staleGraph``: an entry replaces the base's for the same resource.
- ``probes``: entries go before the base's of that kind, and the first that matches answers. Hops of a connectivity
  check need no ids and no links (issues of the link to the next hop are ``linkIssues``, of the link
  before ``previousLinkIssues``; the round trip is ``rtt``), and what a script prints is its lines under ``windows`` or
  ``linux``.
  Effective rules and routes are not taken over but written out anew from the configuration, see `effective`.
- ``activityLog``: replaces the base's. ``{"minutesBefore", "caller", "operationName", "resourceId"}`` is enough.
- ``metrics``: one replaces the base's of the same resource and name.

A resource is named as in `names`; in a text, ``{name}`` stands for its id and ``{subscription}`` for the subscription.
What Azure adds by itself is added (`fill`). Every scenario has a subscription of its own: all fit in one sandbox.
"""

import copy
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from sandbox import effective, fill
from sandbox.names import Json, Names, everything

_OWN = ("name", "title", "story", "problem", "expected")
_KNOWN = {
    *_OWN, "base", "runCommand", "forbidden", "delete", "add", "change", "alert", "powerStates", "operations",
    "staleGraph", "probes", "activityLog", "metrics",
}  # fmt: skip


def derive(base: Json, told: Json) -> Json:
    """The whole scenario file: the base with what `told` changes.

    Raises:
        ValueError: says which part of `told` does not fit, and why.
    """
    _require_known(told)
    document = copy.deepcopy(base) | {key: told[key] for key in (*_OWN, "base", "runCommand") if key in told}
    for kind in effective.KINDS:
        document.get("probes", {}).pop(kind, None)
    for part, change in _PARTS.items():
        if part in told:
            _in_place(part, change, document, told[part])
    text = _in_place("{name}", Names(document).expanded, msgspec.json.encode(document).decode())
    document = msgspec.json.decode(text)
    fill.back_references(document["resources"])
    _fill_in(document)
    subscription = document["resources"][0]["id"].split("/")[2]
    text = msgspec.json.encode(document).decode().replace(subscription, fill.guid("sandbox", told["name"]))
    return dict(msgspec.json.decode(text))


def _require_known(told: Json) -> None:
    unknown, missing = told.keys() - _KNOWN, set(_OWN) - told.keys()
    if unknown or missing:
        texts = (f"unknown field {name}" for name in sorted(unknown)), (f"no {name}" for name in sorted(missing))
        raise ValueError("; ".join(text for group in texts for text in group))


def _in_place[T](place: str, step: Callable[..., T], *given: Any) -> T:
    """Do a step; what goes wrong in it is told with its place in the file."""
    try:
        return step(*given)
    except KeyError as error:
        raise ValueError(f"{place}: no {error.args[0]}") from error
    except (TypeError, AttributeError) as error:
        raise ValueError(f"{place}: not of the form it should have: {error}") from error
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from error


def _delete(document: Json, wanted: list[str]) -> None:
    for name in wanted:
        body = Names(document).body(name)
        holders = [document["resources"], *document.get("extensions", {}).values()]
        for top in everything(document):
            holders += [value for value in top.get("properties", {}).values() if isinstance(value, list)]
        for holder in holders:
            holder[:] = [item for item in holder if item is not body]


def _add(document: Json, written: list[Json]) -> None:
    for index, body in enumerate(written):
        _in_place(f"[{index}]", _add_one, document, body)


def _add_one(document: Json, body: Json) -> None:
    names = Names(document)
    if "in" in body:
        parent = names.body(body["in"])
        item = {key: value for key, value in body.items() if key not in ("in", "list")}
        parent["properties"].setdefault(body["list"], []).append(fill.part(parent, body["list"], item))
        return
    if "like" in body:
        whole = fill.twin(names.body(body["like"]), body["name"])
        _set(whole, body.get("set", {}))
    else:
        model = next(each for each in document["resources"] if "/resourceGroups/NetworkWatcherRG/" not in each["id"])
        scope = model["id"].split("/providers/")[0]
        scope = f"{scope.rpartition('/')[0]}/{body['group']}" if "group" in body else scope
        whole = fill.resource(body, scope, model["location"])
    owner = whole["id"].rpartition("/extensions/")[0]
    holder = document["extensions"].setdefault(owner, []) if owner else document["resources"]
    holder.append(whole)


def _change(document: Json, changes: list[Json]) -> None:
    for index, change in enumerate(changes):
        _in_place(f"[{index}]", _change_one, document, change)


def _change_one(document: Json, change: Json) -> None:
    body = Names(document).body(change["resource"])
    unknown = change.keys() - {"resource", "set", "remove"}
    if unknown:
        raise ValueError(f"unknown field {', '.join(sorted(unknown))}")
    _set(body, change.get("set", {}))
    for path in change.get("remove", []):
        *way, last = path.split(".")
        _walk(body, way, path).pop(last)


def _set(body: Any, values: Json) -> None:
    for path, value in values.items():
        *way, last = path.split(".")
        holder = _walk(body, way, path)
        if isinstance(holder, list):
            holder[_index(holder, last, path)] = value
        else:
            holder[last] = value


def _walk(body: Any, way: list[str], path: str) -> Any:
    for step in way:
        body = body[_index(body, step, path)] if isinstance(body, list) else body.setdefault(step, {})
    return body


def _index(items: list[Any], step: str, path: str) -> int:
    """Where in a list a step leads: by number, or by the name of an item."""
    if step.isdecimal() and int(step) < len(items):
        return int(step)
    named = [index for index, item in enumerate(items) if isinstance(item, dict) and item.get("name") == step]
    if len(named) != 1:
        raise ValueError(f"{path}: {len(named)} items are called {step}")
    return named[0]


def _alert(document: Json, told: Json) -> None:
    if "data" in told:
        document["alert"] = told
        return
    unknown = told.keys() - {"set", "dimensions"}
    if unknown:
        raise ValueError(f"unknown field {', '.join(sorted(unknown))}")
    _set(document["alert"], told.get("set", {}))
    if "dimensions" in told:
        criterion = document["alert"]["data"]["alertContext"]["condition"]["allOf"][0]
        values = {each["name"]: each["value"] for each in criterion["dimensions"]} | told["dimensions"]
        criterion["dimensions"] = [
            {"name": name, "value": value} for name, value in values.items() if value is not None
        ]


def _forbidden(document: Json, told: list[str]) -> None:
    names = Names(document)
    document["forbidden"] = [names.id(name) for name in told]


def _by_resource(key: str) -> Callable[[Json, Json], None]:
    def merge(document: Json, told: Json) -> None:
        names = Names(document)
        document[key] = document.get(key, {}) | {names.id(name): value for name, value in told.items()}

    return merge


def _probes(document: Json, told: dict[str, list[Json]]) -> None:
    names = Names(document)
    probes = document.setdefault("probes", {})
    for kind, entries in told.items():
        own = [_in_place(f"{kind}[{i}]", _entry, names, kind, i, entry) for i, entry in enumerate(entries)]
        probes[kind] = own + probes.get(kind, [])


_REFERENCES = {"source", "destination", "targetResourceId", "targetNicResourceId", "nic", "vm"}


def _entry(names: Names, kind: str, index: int, entry: Json) -> Json:
    match = {
        key: names.id(value) if key in _REFERENCES and not _is_address(value) else value
        for key, value in entry.get("match", {}).items()
    }
    whole = entry | {"match": match}
    if "answer" in whole:
        whole["answer"] = _answer(kind, whole["answer"], index)
    if "answers" in whole:
        whole["answers"] = [_answer(kind, each, index, nth) for nth, each in enumerate(whole["answers"])]
    return whole


def _answer(kind: str, written: Json, *key: object) -> Json:
    return fill.path(written, *key) if kind == "connectivityCheck" else fill.output(written)


def _is_address(text: str) -> bool:
    """Addresses and host names have dots or colons; names of resources in these files have none."""
    return not text.startswith(("/", "{")) and any(mark in text for mark in ".:")


def _activity(document: Json, told: list[Json]) -> None:
    document["activityLog"] = told


def _metrics(document: Json, told: list[Json]) -> None:
    names = Names(document)
    own = [metric | {"resource": names.id(metric["resource"])} for metric in told]
    taken = {_series(metric) for metric in own}
    document["metrics"] = own + [metric for metric in document.get("metrics", []) if _series(metric) not in taken]


def _series(metric: Json) -> tuple[str, ...]:
    return metric["resource"].lower(), metric["name"].lower(), metric.get("filter", "").lower()


_PARTS: dict[str, Callable[[Json, Any], None]] = {
    "delete": _delete,
    "add": _add,
    "change": _change,
    "alert": _alert,
    "forbidden": _forbidden,
    "powerStates": _by_resource("powerStates"),
    "operations": _by_resource("operations"),
    "staleGraph": _by_resource("staleGraph"),
    "probes": _probes,
    "activityLog": _activity,
    "metrics": _metrics,
}


def _fill_in(document: Json) -> None:
    """What needs the final names and ids: events, effective answers, targets of the alert as Azure writes them."""
    essentials = document["alert"]["data"]["essentials"]
    essentials["alertTargetIDs"] = [text.lower() for text in essentials["alertTargetIDs"]]
    fired = datetime.fromisoformat(essentials["firedDateTime"])
    subscription = document["resources"][0]["id"].split("/")[2]
    events = document.get("activityLog", [])
    document["activityLog"] = [
        _in_place(f"activityLog[{i}]", fill.event, each, fired, subscription) for i, each in enumerate(events)
    ]
    _in_place("resources", effective.complete, document)
