"""Two machines in order: what is wrong, a test says."""

from __future__ import annotations

import pytest

from diagnostics.intake.messages import Endpoint
from tests.runbooks.world import World, vm


@pytest.fixture
def world() -> World:
    """web-1 in `front` and sql-1 in `back`, in order; what is wrong a test says."""
    world = World()
    world.machine("web-1", "web-nic")
    world.machine("sql-1", "sql-nic", "sql-nic-2", os="Windows")
    world.nic("web-nic", "web-1", "10.0.0.4")
    world.nic("sql-nic", "sql-1", "10.0.1.4", within="back")
    world.nic("sql-nic-2", "sql-1", "10.0.2.4", within="back-2", primary=False)
    for name, prefix in (("front", "10.0.0.0/24"), ("back", "10.0.1.0/24"), ("back-2", "10.0.2.0/24")):
        world.subnet(name, prefix)
    return world


@pytest.fixture
def sql() -> Endpoint:
    return Endpoint(resource_id=vm("sql-1").text, port=1433)
