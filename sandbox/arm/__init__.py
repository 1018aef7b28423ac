"""Azure Resource Manager on loopback, plain HTTP, for unmodified SDK clients: start it with `Sandbox`."""

from sandbox.arm.calls import Call
from sandbox.arm.faults import Fault, Faults
from sandbox.arm.server import Sandbox

__all__ = ["Call", "Fault", "Faults", "Sandbox"]
