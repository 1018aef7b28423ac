"""The order of an NSG's rules: which never match, change nothing, say the same, or stand in each other's way."""

from __future__ import annotations

import re
from collections.abc import Iterator

from diagnostics.checks.catalogue import check
from diagnostics.checks.found import Found, Said, Unclear
from diagnostics.checks.rules_reading import lets_everything_out
from diagnostics.checks.rules_remedy import OVERVIEW, menu, move_above, remove
from diagnostics.checks.rules_told import FIRST, LAST, Fault, Odd, clashing, own
from diagnostics.checks.view import View
from diagnostics.checks.words import fact, listed, named, rule_cause
from diagnostics.findings import Cause, Remedy, Severity
from diagnostics.network.model import SecurityGroup, SecurityRule
from diagnostics.paste import az, bicep, links

_SHOWN = 5
_IN_DOUBT = re.compile(r"""(?:access|direction) .*['"](|\[.*\])['"] of rule .*""")
"""The source of a rule of which access or direction cannot be read (network/reading/doubts.py)."""
_PROTOCOLS = frozenset({"*", "any", "all", "tcp", "udp", "icmp", "icmpv6", "esp", "ah", ""})


@check("NSG003", "Rule can never match", Severity.LOW)
def dead_rules(view: View) -> Iterator[Said]:
    """The rules before it take all of its flows, or there are none, so whoever wrote it believes in what is not so.

    The lower priority number wins, and the first rule that matches ends the matter ("Network security groups
    overview"). The rules before it count together; it is worse where they decide the contrary.
    """
    for group, odd in _odd(view, Fault.DEAD):
        if not odd.by:
            text = (
                "Correct its addresses or delete it: source and destination are of two families, and no flow has both."
            )
        elif odd.contrary:
            text = f"Decide what is meant: move it above {listed(rule.name for rule in odd.by)}, or delete it."
        else:
            text = "Delete it: nothing changes."
        remedy = _above(group, odd, text) if odd.contrary else remove(group, odd.rule, text)
        severity = Severity.MEDIUM if odd.contrary else None
        yield _found(view, group, odd, "can never match", remedy, severity=severity)


@check("NSG004", "Rule is redundant", Severity.INFO)
def redundant_rules(view: View) -> Iterator[Said]:
    """Without the rule every flow would end the same, so it is only one more line to read.

    It may be there on purpose, as a guard against what comes behind it.
    """
    for group, odd in _odd(view, Fault.REDUNDANT):
        if not lets_everything_out(odd.rule):
            text = "Delete it, or keep it as a guard and say so in its description: without it nothing changes today."
            yield _found(view, group, odd, "changes nothing", remove(group, odd.rule, text))


@check("NSG005", "Rules conflict", Severity.INFO)
def conflicting_rules(view: View) -> Iterator[Said]:
    """A rule before it decides the contrary of some of its flows, and neither is an exception from the other.

    Only their order says who wins where they overlap; whoever moves one changes what is let through.
    """
    for group, odd in _odd(view, Fault.CONFLICT):
        names = listed(rule.name for rule in odd.by)
        text = f"Make sure that {names} is to win where both match, and say so in its description, or part their terms."
        yield _found(view, group, odd, f"conflicts with {names}", remove(group, odd.rule, text))


@check("NSG006", "Duplicate rule", Severity.LOW)
def duplicate_rules(view: View) -> Iterator[Said]:
    """Another rule before it has the same terms and does the same, perhaps spelt in another way, so it never matches.

    Whoever deletes one of the two believes a port closed, or open, that is not.
    """
    for group, odd in _odd(view, Fault.DUPLICATE):
        text = f"Delete it: {odd.by[0].name} does the same."
        yield _found(view, group, odd, f"says the same as {odd.by[0].name}", remove(group, odd.rule, text))


@check("NSG007", "Priorities inverted: a narrow Deny stands below a broad Allow", Severity.MEDIUM)
def inverted_rules(view: View) -> Iterator[Said]:
    """The Deny is an exception from the Allow, but stands below it, so what was to be kept out is let in.

    The lower priority number wins ("Network security groups overview").
    """
    for group, odd in _odd(view, Fault.INVERTED):
        names = listed(rule.name for rule in odd.by)
        part = "" if odd.whole else " in part"
        text = f"Give {odd.rule.name} a lower priority number than {names}; see first that nobody needs what it denies."
        yield _found(view, group, odd, f"is overruled{part} by the broader {names} above it", _above(group, odd, text))


@check("NSG009", "Rule with a value that Azure would not understand", Severity.MEDIUM)
def unreadable_rules(view: View) -> Iterator[Said]:
    """A port range, prefix, protocol, direction or access is none: the deployment fails, or the rule does not work.

    Azure once accepted such values (`789` as an address), so old NSGs may hold them; nobody can say what they match.
    """
    for group in view.groups:
        texts = {rule: odd.text for rule, odd in view.odd(group).items() if odd.fault is Fault.UNREADABLE}
        for rule in own(group):
            unreadable = (texts.get(rule) if texts else None) or _no_such_value(rule)
            if unreadable and (expressions := _expressions(rule)):
                yield Unclear(group.id, tuple(f"{text} in rule {rule.name}" for text in expressions))
            elif unreadable:
                yield _unreadable(group, rule, unreadable)


@check("NSG021", "Two rules with one priority, or a priority out of bounds", Severity.HIGH)
def misplaced_rules(view: View) -> Iterator[Said]:
    """Azure refuses an NSG in which two rules of a direction have one priority, or one outside of 100 to 4096.

    The whole deployment fails ("Network security groups overview"); a template does not show it before.
    """
    for group in view.groups:
        for direction, priority in sorted(clashing(group)):
            yield _clash(group, direction, priority)
        for rule in own(group):
            # Without a priority, it is a rule of which nothing could be read: that is told as such.
            if rule.priority and not FIRST <= rule.priority <= LAST:
                yield _out_of_bounds(group, rule)


def _odd(view: View, fault: Fault) -> Iterator[tuple[SecurityGroup, Odd]]:
    for group in view.groups:
        yield from ((group, odd) for odd in view.odd(group).values() if odd.fault is fault)


def _found(
    view: View, group: SecurityGroup, odd: Odd, what: str, remedy: Remedy, *, severity: Severity | None = None
) -> Found:
    rule, name = odd.rule, named(odd.rule)
    causes = [rule_cause(group.id, rule, f"rule {name} {odd.text}"), view.causes.of(group, rule)]
    causes += [view.causes.of(group, other) for other in odd.by[:_SHOWN]]
    title = f"Rule {name} of NSG {group.id.name} {what}"
    return Found(group.id, title, tuple(causes), remedy, _parts(rule), severity)


def _parts(rule: SecurityRule) -> tuple[str, ...]:
    """Names of rules count in any case, and inbound and outbound ones are one list."""
    return (rule.name.lower(),)


def _above(group: SecurityGroup, odd: Odd, text: str) -> Remedy:
    """The rule, moved above all that decides the contrary."""
    contrary = [rule for rule in odd.by if rule.allows != odd.rule.allows]
    return move_above(group, odd.rule, min(contrary, key=lambda rule: rule.priority), text)


def _no_such_value(rule: SecurityRule) -> str:
    """A protocol, access or direction that is none."""
    if rule.protocol.strip().lower() not in _PROTOCOLS:
        return f"rule {rule.name}: protocol: {rule.protocol!r} is none"
    if rule.access.lower() not in {"allow", "deny"}:
        return f"rule {rule.name}: access: {rule.access!r} is neither Allow nor Deny"
    if rule.direction.lower() not in {"inbound", "outbound"}:
        return f"rule {rule.name}: direction: {rule.direction!r} is neither Inbound nor Outbound"
    return ""


def _expressions(rule: SecurityRule) -> list[str]:
    """The values of a rule that a template works out only when it is deployed: `[parameters('source')]`."""
    texts = (*rule.sources, *rule.source_ports, *rule.destinations, *rule.destination_ports)
    written = dict.fromkeys((*texts, rule.protocol, rule.access, rule.direction))
    in_doubt = [found[1] or "access or direction" for text in written if (found := _IN_DOUBT.fullmatch(text))]
    return in_doubt or [text for text in written if text.startswith("[") and text.endswith("]")]


def _unreadable(group: SecurityGroup, rule: SecurityRule, text: str) -> Found:
    summary = f"Correct the value in rule {rule.name}, or delete the rule: {text.removeprefix(f'rule {rule.name}: ')}."
    cause: Cause = rule_cause(group.id, rule, text)
    title = f"Rule {named(rule)} of NSG {group.id.name} has a value that Azure would not understand"
    return Found(group.id, title, (cause, rule_cause(group.id, rule)), remove(group, rule, summary), _parts(rule))


def _clash(group: SecurityGroup, direction: str, priority: int) -> Found:
    here = [rule for rule in own(group) if (rule.direction.lower(), rule.priority) == (direction, priority)]
    here.sort(key=lambda rule: rule.name.lower())
    names = listed(dict.fromkeys(rule.name for rule in here))
    summary = f"Give all but one of {names} another priority: of a direction, each may be there once."
    title = f"Rules {names} of NSG {group.id.name} have one priority: {direction} {priority}"
    causes = tuple(rule_cause(group.id, rule) for rule in here[:_SHOWN])
    return Found(group.id, title, causes, _renumber(group, here[0], summary), (direction, str(priority)))


def _out_of_bounds(group: SecurityGroup, rule: SecurityRule) -> Found:
    summary = f"Give rule {rule.name} a priority from {FIRST} to {LAST} that no other {rule.direction} rule has."
    title = f"Rule {named(rule)} of NSG {group.id.name} has a priority outside of {FIRST} to {LAST}"
    cause = fact("security-rule", f"its priority is {rule.priority}", group.id, rule.name)
    parts = (*_parts(rule), "out of bounds")
    return Found(group.id, title, (cause, rule_cause(group.id, rule)), _renumber(group, rule, summary), parts)


def _renumber(group: SecurityGroup, rule: SecurityRule, summary: str) -> Remedy:
    place = az.placed(group.id, nsg_name=group.id.name)
    return Remedy(
        summary=summary,
        az_cli=f"az network nsg rule list {place} -o table",
        bicep=bicep.comment(f"rule {bicep.quoted(rule.name)} of {bicep.quoted(group.id.name)}: another priority"),
        doc_url=links.LEARN + OVERVIEW,
        portal_url=links.blade(group.id, menu(inbound=rule.inbound)),
    )
