"""Answers a runbook's questions from the adapters. What can't be answered is said, with what is missing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from diagnostics.contracts import Inventory, Monitor, Watcher
from diagnostics.engine.gate import Gate
from diagnostics.engine.probes import Probes
from diagnostics.engine.turns import PostponedError
from diagnostics.errors import ForbiddenError, NotFoundError, ParseError, PermanentError, TemporaryError
from diagnostics.network.decoding import decode
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Nic, RouteTable, SecurityGroup, Subnet, Vm
from diagnostics.runbooks.probing import Probing
from diagnostics.runbooks.questions import (
    FindByAddress,
    FindVms,
    FindWatcher,
    Question,
    ReadBody,
    ReadChanges,
    ReadExtensions,
    ReadMetrics,
    ReadNic,
    ReadRouteTable,
    ReadSecurityGroup,
    ReadServiceTags,
    ReadSubnet,
    ReadVm,
    Unread,
)

_CAN_DO_WITHOUT = (Probing, ReadMetrics, ReadChanges, ReadServiceTags, ReadExtensions)


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers the questions of one request; a TemporaryError goes through, so that the message is tried again.

    Attributes:
        insist: whether it goes through for every question. Otherwise what a diagnosis can do without is Unread where
            it can't be had now: whoever is on call is told what is known.
    """

    inventory: Inventory
    watcher: Watcher
    monitor: Monitor
    probes: Probes
    gate: Gate
    insist: bool = True
    _bodies: dict[ResourceId, bytes] = field(default_factory=dict)

    def __call__(self, question: Question[Any]) -> object:
        """The answer, or Unread with the reason."""
        try:
            return self._answer(question)
        except NotFoundError as error:
            return Unread(str(error), missing=True)
        except ForbiddenError as error:
            return Unread(str(error), error.action or "", error.scope or "")
        except (PermanentError, ParseError) as error:
            return Unread(str(error))
        except PostponedError:
            raise
        except TemporaryError as error:
            if self.insist or not isinstance(question, _CAN_DO_WITHOUT):
                raise
            return Unread(str(error))

    def _answer(self, question: Question[Any]) -> object:
        match question:
            case ReadVm(vm):
                return Vm.decode(self._body(vm))
            case ReadNic(nic):
                return Nic.decode(self._body(nic))
            case ReadSubnet(subnet):
                return Subnet.decode(self._body(subnet))
            case ReadSecurityGroup(group):
                return SecurityGroup.decode(self._body(group))
            case ReadRouteTable(table):
                return RouteTable.decode(self._body(table))
            case ReadBody(resource):
                return decode(self._body(resource), Any)
            case Probing():
                self.gate.require_all(question)
                return self.probes.answer(question)
            case _:
                return self._found(question)

    def _found(self, question: Question[Any]) -> object:
        match question:
            case FindVms(name):
                return tuple(self.inventory.named(name))
            case FindByAddress(address):
                return tuple(self.inventory.at_address(address))
            case FindWatcher(subscription, location):
                return self.watcher.find(subscription, location)
            case ReadExtensions(vm):
                return tuple(self.inventory.extensions(self._allowed(vm)))
            case ReadServiceTags(subscription, location):
                return decode(self.inventory.service_tags(subscription, location), Any)
            case ReadMetrics(resource):
                self._allowed(resource)
                return tuple(self.monitor.metrics(question))
            case ReadChanges(resource):
                self._allowed(resource)
                return tuple(self.monitor.changes(question))
            case _:
                raise AssertionError(f"no answer for {question!r}")

    def _body(self, resource: ResourceId) -> bytes:
        """The resource, read once for all questions of a request: one picture of it, not several."""
        if resource not in self._bodies:
            self._bodies[resource] = self.inventory.body(self._allowed(resource))
        return self._bodies[resource]

    def _allowed(self, resource: ResourceId) -> ResourceId:
        self.gate.require(resource)
        return resource
