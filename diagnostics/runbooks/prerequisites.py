"""What must be so before any probe: a Network Watcher in the source's region, and its agent on the source.

What is missing hinders the runbook; it is never the cause of the outage. vmreach installs and enables nothing.

Sources: Network Watcher, "Connection troubleshoot overview" (prerequisites) and "Network Watcher Agent VM extension".
"""

from __future__ import annotations

from dataclasses import replace

from diagnostics.findings import Cause, Confidence, Finding, Severity, Step
from diagnostics.network import ids
from diagnostics.network.ids import ResourceId
from diagnostics.runbooks import remedies
from diagnostics.runbooks.diagnosis import said
from diagnostics.runbooks.questions import Asking, Extension, FindWatcher, ReadExtensions, Unread, ask
from diagnostics.runbooks.situation import Machine, Situation, done
from diagnostics.runbooks.step import failed, inconclusive, passed, skipped

NO_AGENT, NO_WATCHER = "CON013", "CON014"
AGENT = "Network Watcher agent on the source"
_PUBLISHER = "Microsoft.Azure.NetworkWatcher"
_AGENTS = frozenset({"networkwatcheragentwindows", "networkwatcheragentlinux"})
_HINDERS = "It keeps Network Watcher from probing; it is not why the connection fails."


def prerequisites(situation: Situation) -> Asking[Situation]:
    """See whether a connectivity check can be made; where it can't, the obstacle says why."""
    source = situation.source
    situation = yield from _watcher(situation, source)
    situation = yield from _agent(situation, source)
    if source is not None and not isinstance(source.vm, Unread) and source.vm.running is False:
        # The first thing in the way: as long as it is off, nothing else matters.
        return replace(situation, obstacle=f"{source.id.name} does not run, so it can't probe")
    return situation


def _watcher(situation: Situation, source: Machine | None) -> Asking[Situation]:
    """Is there a Network Watcher in the region and subscription of the source?"""
    if source is None or not source.location:
        why = _no_machine(source) or f"Azure gives no region for {source.id.name if source else 'the source'}"
        return (yield from done(situation, skipped("Network Watcher in the source's region", why)))
    region, subscription = source.location, source.id.subscription
    name = f"Network Watcher in {region}"
    answer = yield from ask(FindWatcher(subscription, region))
    if not isinstance(answer, Unread):
        return (yield from done(situation, passed(name, f"{answer.name} answers for {region}", answer.text)))
    if not answer.missing:
        return (yield from done(situation, inconclusive(name, f"could not look for it: {answer}")))
    text = f"subscription {subscription} has no Network Watcher in region {region}"
    situation = replace(situation, obstacle=situation.obstacle or f"{text}, so no connectivity check can be made")
    return (yield from done(situation, failed(name, text), (_no_watcher(situation, source, text),)))


def _no_watcher(situation: Situation, source: Machine, text: str) -> Finding:
    subscription, region = source.id.subscription, source.location
    return said(
        situation,
        NO_WATCHER,
        f"No Network Watcher in region {region}, so no connection from there can be probed",
        # Of the subscription, not of the VM: every VM of the region lacks it, and one card is enough.
        about=ResourceId.parse(f"/subscriptions/{subscription}"),
        severity=Severity.MEDIUM,
        confidence=Confidence.PROVEN,
        cause=Cause(kind="network-watcher", text=f"{text[:1].upper()}{text[1:]}. {_HINDERS}", name=region),
        remedy=remedies.enable_watcher(subscription, region),
    )


def _agent(situation: Situation, source: Machine | None) -> Asking[Situation]:
    """Is the agent's extension on the source?"""
    why = _no_machine(source)
    if source is None or why:
        return (yield from done(situation, skipped(AGENT, why)))
    if source.id.type == ids.SCALE_SET_VM:
        text = (
            f"{source.id.name} is an instance of scale set {source.id.names[0]}: its extensions belong to the scale "
            "set's model, which is not read, so whether it has the agent is not known"
        )
        return (yield from done(situation, inconclusive(AGENT, text)))
    answer = yield from ask(ReadExtensions(source.id))
    if isinstance(answer, Unread):
        text = f"could not read the extensions of {source.id.name}: {answer}"
        return (yield from done(situation, inconclusive(AGENT, text)))
    agents = [extension for extension in answer if is_agent(extension)]
    if agents:
        return (yield from done(situation, _state(source, agents)))
    text = f"{source.id.name} does not have the Network Watcher agent"
    told = failed(AGENT, text, _listing(answer))
    situation = replace(situation, obstacle=situation.obstacle or f"{text}, so it can't probe")
    return (yield from done(situation, told, (_no_agent(situation, source, answer),)))


def _state(source: Machine, agents: list[Extension]) -> Step:
    """An agent that is there may yet be of no use."""
    evidence = tuple(f"extension {each.name}: {each.type}, {each.state or 'no state given'}" for each in agents)
    states = {each.state.lower(): each.state for each in agents}
    if "succeeded" in states:
        return passed(AGENT, f"{source.id.name} has it", *evidence)
    if "failed" in states:
        text = f"{source.id.name} has it, but installing or updating it failed: it may not probe"
        return failed(AGENT, text, *evidence)
    shown = ", ".join(states.values()).strip(", ") or "not given"
    return inconclusive(AGENT, f"{source.id.name} has it, in state {shown}: it may not probe yet", *evidence)


def _no_agent(situation: Situation, source: Machine, extensions: tuple[Extension, ...]) -> Finding:
    vm, os = source.id, "" if isinstance(source.vm, Unread) else source.vm.os
    text = f"{vm.name} has no extension of publisher {_PUBLISHER}: {_listing(extensions)}. {_HINDERS}"
    return said(
        situation,
        NO_AGENT,
        f"{vm.name} has no Network Watcher agent, so nothing can be probed from it",
        about=vm,
        severity=Severity.MEDIUM,
        confidence=Confidence.PROVEN,
        cause=Cause(kind="extension", text=text, name="NetworkWatcherAgent", resource_id=vm.text),
        remedy=remedies.install_agent(vm, os, source.location),
    )


def is_agent(extension: Extension) -> bool:
    """Whether an extension is the Network Watcher agent: by publisher and type, for its name can be anything."""
    return extension.publisher.lower() == _PUBLISHER.lower() and extension.type.lower() in _AGENTS


def _listing(extensions: tuple[Extension, ...]) -> str:
    names = ", ".join(f"{each.name} ({each.publisher}.{each.type})" for each in extensions)
    return f"it has {names}" if names else "it has no extension at all"


def _no_machine(source: Machine | None) -> str:
    """Why there is nothing to look at; empty for a VM that may be there."""
    if source is None:
        return "the source was not found"
    if source.id.type == ids.NETWORK_INTERFACE and isinstance(source.vm, Unread):
        return f"no VM is known behind {source.id.name}"
    if isinstance(source.vm, Unread) and source.vm.missing:
        return f"{source.id.name} does not exist"
    return ""
