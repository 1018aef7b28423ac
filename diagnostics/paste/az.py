"""Commands of the Azure CLI, quoted for a POSIX shell."""

from __future__ import annotations

import shlex
from functools import cache, lru_cache

from diagnostics.network import ids
from diagnostics.network.ids import ResourceId
from diagnostics.network.probes import Shell


def arguments(**options: str) -> str:
    """Options of an `az` command, quoted for a POSIX shell."""
    return " ".join([f"--{_spelled(name)} {quoted(value)}" for name, value in options.items()])


@lru_cache(maxsize=1 << 14)  # the same subscriptions, groups and names, thousands of times
def quoted(text: str) -> str:
    """One argument, quoted for a POSIX shell."""
    return shlex.quote(text)


@cache
def _spelled(name: str) -> str:
    return name.replace("_", "-")


def placed(resource: ResourceId, **options: str) -> str:
    """Options that say where a resource lies, then others."""
    where = _located(resource.subscription, resource.resource_group)
    return f"{where} {arguments(**options)}" if options else where


@lru_cache(maxsize=1 << 12)
def _located(subscription: str, group: str) -> str:
    return arguments(subscription=subscription, resource_group=group)


def otherwise(why: str, command: str) -> str:
    """A command as a comment: another way to go about it, which is not run by whoever pastes all lines."""
    return f"# {why}: {' '.join(command.splitlines())}"


def lines(*commands: str) -> str:
    """One command a line; those that are empty left out."""
    return "\n".join(filter(None, commands))


def is_vm(resource: ResourceId | None) -> bool:
    """Whether `az vm` knows it: an instance of a uniform scale set is none."""
    return resource is not None and resource.type == ids.VIRTUAL_MACHINE


def on_vm(verb: str, vm: ResourceId | None, **options: str) -> str:
    """`az vm VERB` for a VM; empty for what is none."""
    return f"az vm {verb} {placed(vm, name=vm.name, **options)}" if vm and is_vm(vm) else ""


def run_in_guest(vm: ResourceId | None, shell: Shell, script: str) -> str:
    """Run Command for a VM or an instance of a scale set; empty for what is neither."""
    if vm is None or vm.type not in {ids.VIRTUAL_MACHINE, ids.SCALE_SET_VM}:
        return ""
    end = arguments(command_id=shell, scripts=script)
    if vm.type == ids.SCALE_SET_VM:
        return f"az vmss run-command invoke {placed(vm, name=vm.names[0], instance_id=vm.name)} {end}"
    return f"az vm run-command invoke {placed(vm, name=vm.name)} {end}"


def shell_of(os: str) -> Shell | None:
    """What runs scripts on an operating system: `Windows` or `Linux`; None for one that is not known."""
    return {"windows": Shell.WINDOWS, "linux": Shell.LINUX}.get(os.lower())
