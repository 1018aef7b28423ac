"""Short names for the resources of an estate: ``nsg-orders-data``, ``nsg-orders-data/deny-sql``, or the whole id."""

import re
from collections.abc import Iterator
from typing import Any

type Json = dict[str, Any]

_TOKEN = re.compile(r"\{([\w./-]+)\}")


def nested(body: Json) -> Iterator[Json]:
    """What lies in the lists of a resource and has a name and properties: rules, routes, subnets, pools."""
    for value in body.get("properties", {}).values():
        for item in value if isinstance(value, list) else ():
            if isinstance(item, dict) and "name" in item and "properties" in item:
                yield item


def everything(document: Json) -> Iterator[Json]:
    """The top-level resources of an estate file and the extensions of its VMs."""
    yield from document["resources"]
    for bodies in document.get("extensions", {}).values():
        yield from bodies


class Names:
    """What each short name stands for: a name alone, or a parent's name before it where the name is not enough."""

    def __init__(self, document: Json) -> None:
        self._subscription = str(document["resources"][0]["id"]).split("/")[2]
        self._bodies: dict[str, list[Json]] = {}
        for body in everything(document):
            parent = body["id"].split("/")[-3]
            self._note(body, body["name"], f"{parent}/{body['name']}")
            for child in nested(body):
                self._note(child, child["name"], f"{body['name']}/{child['name']}")

    def _note(self, body: Json, *names: str) -> None:
        for name in {body["id"].rstrip("/").lower(), *(name.lower() for name in names)}:
            self._bodies.setdefault(name, []).append(body)

    def body(self, name: str) -> Json:
        """The resource of this name; raises ValueError where there is none, or more than one."""
        found = self._bodies.get(name.rstrip("/").lower(), [])
        if not found:
            raise ValueError(f"nothing is called {name}")
        if len(found) > 1:
            listed = ", ".join("/".join(body["id"].split("/")[-3::2]) for body in found)
            raise ValueError(f"{name} is not one resource but {len(found)}: {listed}")
        return found[0]

    def id(self, name: str) -> str:
        """Its id; a whole id stands for itself, whether or not the resource exists."""
        return name if name.startswith("/") else str(self.body(name)["id"])

    def expanded(self, text: str) -> str:
        """A text with ``{name}`` replaced by the id of what has that name, ``{subscription}`` by the subscription."""
        return _TOKEN.sub(lambda found: self._meaning(found[1]), text)

    def _meaning(self, name: str) -> str:
        return self._subscription if name == "subscription" else self.id(name)
