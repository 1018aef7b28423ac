"""Answers a runbook's questions from the adapters. What can't be answered is said, with what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from diagnostics.contracts import Inventory, Watcher
from diagnostics.engine.gate import Gate
from diagnostics.errors import ForbiddenError, NotFoundError, ParseError, PermanentError
from diagnostics.network.ids import ResourceId
from diagnostics.runbooks.questions import (
    CheckConnectivity,
    FindVms,
    Question,
    ReadNic,
    ReadRouteTable,
    ReadSecurityGroup,
    ReadSubnet,
    ReadVm,
    Unread,
)


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers questions; a TemporaryError goes through, so that the message is tried again."""

    inventory: Inventory
    watcher: Watcher
    gate: Gate

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

    def _answer(self, question: Question[Any]) -> object:
        inventory = self.inventory
        match question:
            case ReadVm(vm):
                return inventory.vm(self._allowed(vm))
            case ReadNic(nic):
                return inventory.nic(self._allowed(nic))
            case ReadSubnet(subnet):
                return inventory.subnet(self._allowed(subnet))
            case ReadSecurityGroup(group):
                return inventory.security_group(self._allowed(group))
            case ReadRouteTable(table):
                return inventory.route_table(self._allowed(table))
            case FindVms(name):
                return tuple(inventory.named(name))
            case CheckConnectivity(probe):
                self._allowed(probe.source)
                if isinstance(probe.destination, ResourceId):
                    self._allowed(probe.destination)
                return self.watcher.check_connectivity(probe)
            case _:
                raise AssertionError(f"no answer for {question!r}")

    def _allowed(self, resource: ResourceId) -> ResourceId:
        self.gate.require(resource)
        return resource
