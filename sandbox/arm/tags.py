"""The list of service tags as ARM answers it, made of the small list that is kept here.

Source: REST reference, Service Tags - List: numbers are texts there, and there is less in it than in the weekly file.
"""

import functools
from pathlib import Path as FilePath

import msgspec

from sandbox.arm.wire import Json, Reply, Request
from sandbox.arm.world import World

_FILE = FilePath(__file__).parent.parent / "service-tags.json"


class ServiceTags:
    """GET …/providers/Microsoft.Network/locations/{location}/serviceTags."""

    def __init__(self, world: World) -> None:
        self._world = world

    def list(self, request: Request) -> Reply:
        """All tags, whichever region is asked for, as in Azure."""
        self._world.require_scope(request.path)
        told = _listed()
        cloud, number = told["cloud"], str(told["changeNumber"])
        about = {
            "name": cloud,
            "id": f"/subscriptions/{request.path.subscription}/providers/Microsoft.Network/serviceTags/{cloud}",
            "type": "Microsoft.Network/serviceTags",
        }
        values = [_tag(value, number) for value in told["values"]]
        return Reply(about | {"changeNumber": number, "cloud": cloud, "values": values})


@functools.cache
def _listed() -> Json:
    return msgspec.json.decode(_FILE.read_bytes(), type=dict[str, object])


def _tag(value: Json, number: str) -> Json:
    told = value["properties"]
    kept = {name: told[name] for name in ("region", "systemService", "addressPrefixes")}
    properties = {"changeNumber": str(told["changeNumber"]), **kept, "state": "GA"}
    return {"id": value["id"], "name": value["name"], "serviceTagChangeNumber": number, "properties": properties}
