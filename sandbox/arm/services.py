"""Which service answers which ARM request."""

from collections.abc import Callable, Iterable

from sandbox.arm.graph import Graph
from sandbox.arm.lists import Lists
from sandbox.arm.monitor import Monitor
from sandbox.arm.operations import Operations
from sandbox.arm.probes import Probes
from sandbox.arm.reads import Reads
from sandbox.arm.run_command import RunCommands
from sandbox.arm.tags import ServiceTags
from sandbox.arm.wire import ArmError, Path, Reply, Request
from sandbox.arm.world import World
from sandbox.arm.writes import Writes
from sandbox.scenario import Operation, Scenario

type Handler = Callable[[Request], Reply]

_NETWORK = "microsoft.network"
_COMPUTE = "microsoft.compute"


class Services:
    """The world of some scenarios and everything that answers about it."""

    def __init__(
        self, scenarios: Iterable[Scenario], *, operation_seconds: float, retry_after: str | None, page_size: int
    ) -> None:
        self.world = World(scenarios)
        self.operations = Operations(operation_seconds, retry_after)
        self.scripts: dict[str, Operation] = {}
        for scenario in self.world.scenarios:
            self.scripts |= {name.lower(): script for name, script in scenario.operations.items()}
        self._reads = Reads(self.world, page_size)
        self._writes = Writes(self.world, self.operations, self.scripts)
        self._lists = Lists(self.world, self._reads)
        self._routes = self._special()

    def _special(self) -> dict[tuple[str, str], Handler]:
        """Requests that are not plain reads and writes, by method and lower-case type."""
        probes, monitor = Probes(self.world, self.operations), Monitor(self.world, self._reads)
        guests = RunCommands(self.world, self.operations, probes)
        watcher, nic, place = f"{_NETWORK}/networkwatchers", f"{_NETWORK}/networkinterfaces", f"{_NETWORK}/locations"
        vnet = f"{_NETWORK}/virtualnetworks"
        return {
            ("GET", f"{place}/operations"): self.operations.status,
            ("GET", f"{place}/operationresults"): self.operations.result,
            ("GET", f"{place}/servicetags"): ServiceTags(self.world).list,
            ("GET", f"{_COMPUTE}/locations/operations"): guests.poll,
            ("GET", f"{_COMPUTE}/virtualmachines/instanceview"): self._reads.instance_view,
            ("POST", f"{_COMPUTE}/virtualmachines/runcommand"): guests.invoke,
            ("POST", f"{_COMPUTE}/virtualmachinescalesets/virtualmachines/runcommand"): guests.invoke,
            ("GET", "microsoft.authorization/locks"): self._reads.locks,
            ("GET", "microsoft.authorization/permissions"): self._lists.permissions,
            ("GET", "microsoft.insights/metrics"): monitor.metrics,
            ("GET", "microsoft.insights/eventtypes/values"): monitor.activity_log,
            ("POST", "microsoft.resourcegraph/resources"): Graph(self.world, self._reads).resources,
            ("POST", f"{watcher}/connectivitycheck"): probes.connectivity_check,
            ("POST", f"{watcher}/ipflowverify"): probes.ip_flow_verify,
            ("POST", f"{watcher}/nexthop"): probes.next_hop,
            ("POST", f"{watcher}/networkconfigurationdiagnostic"): probes.diagnostic,
            ("POST", f"{vnet}/listnetworkmanagereffectivesecurityadminrules"): self._no_admin_rules,
            ("POST", f"{nic}/effectivenetworksecuritygroups"): probes.effective,
            ("POST", f"{nic}/effectiveroutetable"): probes.effective,
        }

    def _no_admin_rules(self, request: Request) -> Reply:
        """No estate has a network manager, so no virtual network has admin rules."""
        self.world.get(Path.parse(request.path.parent))
        return Reply({"value": []})

    def answer(self, request: Request) -> Reply:
        """The reply to an authenticated request; what is wrong with it is raised as ArmError."""
        self.operations.settle()
        return self._handler(request)(request)

    def _handler(self, request: Request) -> Handler:
        path = request.path
        special = self._routes.get((request.method, path.kind))
        if special is not None:
            return special
        match request.method:
            case "GET" if not path.type:
                return self._lists.resources if path.key.endswith("/resources") else self._reads.container
            case "GET":
                return self._lists.of_type if path.is_collection else self._reads.one
            case "PUT":
                return self._writes.put
        raise ArmError(405, "MethodNotAllowed", f"{request.method} of {path.type} is not something the sandbox does.")
