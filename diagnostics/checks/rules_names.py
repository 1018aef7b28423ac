"""What rules of NSGs name: application security groups and service tags; and how near an NSG is to its limits."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping

from diagnostics.checks.catalogue import check
from diagnostics.checks.found import Found, Said, Unclear
from diagnostics.checks.rules_remedy import change, menu, remove
from diagnostics.checks.rules_told import own
from diagnostics.checks.view import View
from diagnostics.checks.words import fact, named, rule_cause
from diagnostics.findings import Confidence, Remedy, Severity
from diagnostics.network import ids
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import SecurityGroup, SecurityRule
from diagnostics.network.prefixes import names_tag, read_prefix
from diagnostics.network.tags import ServiceTags
from diagnostics.paste import az, bicep, links

_GROUPS = "/azure/virtual-network/application-security-groups"
_TAGS = "/azure/virtual-network/service-tags-overview"
_LIMITS = "/azure/azure-resource-manager/management/azure-subscription-service-limits"
_ALWAYS: Mapping[str, str] = {
    name.lower(): name
    for name in (
        "VirtualNetwork",
        "Internet",
        "AzureLoadBalancer",
        "AzurePlatformDNS",
        "AzurePlatformIMDS",
        "AzurePlatformLKM",
        "AzureTrafficManager",
        "GatewayManager",
        "CorpNetPublic",
        "CorpNetSaw",
    )
}
_NEAR = 0.8
_MOST_RULES, _MOST_ADDRESSES, _MOST_GROUPS, _MOST_GROUPS_OF_RULE = 1_000, 4_000, 100, 10


@check("NSG019", "Rule names an application security group without members here", Severity.LOW)
def empty_groups(view: View) -> Iterator[Said]:
    """The application security group has no members, or is in another region, so the rule matches nothing.

    An application security group is of one region, and its members are all of one virtual network ("Application
    security groups").
    """
    known = view.facts.knows_all(ids.NETWORK_INTERFACE) and not _unseen_scale_sets(view)
    for group in view.groups:
        for rule in own(group):
            for named_group in dict.fromkeys((*rule.source_groups, *rule.destination_groups)):
                yield from _of_group(view, group, rule, named_group, known=known)


@check("NSG020", "Unknown service tag", Severity.LOW)
def unknown_tags(view: View) -> Iterator[Said]:
    """The rule names a service tag that Azure's list does not have: misspelt, or gone, so nobody knows what it matches.

    Without a list of service tags at hand, only what is nearly one of the tags that no list has ("Virtual network
    service tags").
    """
    listed = view.estate.service_tags
    meant: dict[str, str | None] = {}
    fine: set[str] = set()
    for group in view.groups:
        for rule in own(group):
            if fine.issuperset(rule.sources) and fine.issuperset(rule.destinations):
                continue
            for text in dict.fromkeys((*rule.sources, *rule.destinations)):
                if text not in meant:
                    meant[text] = _meant(text.strip(), listed)
                if (near := meant[text]) is not None:
                    yield _unknown_tag(group, rule, text.strip(), near)
                else:
                    fine.add(text)


def _meant(tag: str, listed: ServiceTags) -> str | None:
    """What an unknown tag is nearest to, or nothing; None for a tag that is known, or of which nothing is known."""
    name = tag.lower()
    if not names_tag(tag) or name in _ALWAYS or name in listed.prefixes or read_prefix(tag) is not None:
        return None
    near = difflib.get_close_matches(name, [*listed.prefixes, *_ALWAYS], n=1, cutoff=0.85)
    if near:
        return _ALWAYS.get(near[0]) or listed.spelt(near[0])
    return "" if listed.prefixes else None


@check("NSG022", "NSG nearly at a limit of Azure", Severity.LOW)
def near_limits(view: View) -> Iterator[Said]:
    """An NSG holds 1,000 rules, 4,000 addresses as sources and as destinations, and 100 application security groups.

    At the limit Azure refuses the next change, mostly an urgent one ("Azure subscription and service limits").
    """
    for group in view.groups:
        near = [text for text, count, most in _counts(group) if count >= most * _NEAR] if _may_be_near(group) else []
        if near:
            yield _near_limit(group, near)


def _of_group(
    view: View, group: SecurityGroup, rule: SecurityRule, wanted: ResourceId, *, known: bool
) -> Iterator[Said]:
    here, there = (ids.region(view.facts.location(each)) for each in (group.id, wanted))
    if here and there and here != there:
        yield _no_members(group, rule, wanted, f"it is in {there}, and the NSG in {here}")
    elif view.estate.members.get(wanted):
        return
    elif known:
        yield _no_members(group, rule, wanted, "no network interface is a member of it")
    else:
        yield Unclear(group.id, (f"the members of application security group {wanted.name}",))


def _unseen_scale_sets(view: View) -> bool:
    """Whether there are scale sets: their instances are members without being listed among network interfaces."""
    sets = {rid for rid in view.facts.resources if rid.type == ids.SCALE_SET}
    seen = {nic.id.parent.parent for nic in view.nics if nic.id.parent and nic.id.parent.type == ids.SCALE_SET_VM}
    return bool(sets - seen)


def _no_members(group: SecurityGroup, rule: SecurityRule, wanted: ResourceId, why: str) -> Found:
    summary = (
        f"Put the network interfaces that are meant into {wanted.name}, or delete the rule: now it matches nothing."
    )
    title = f"Rule {named(rule)} of NSG {group.id.name} names application security group {wanted.name} in vain"
    causes = (rule_cause(group.id, rule), fact("application-security-group", why, wanted, wanted.name))
    remedy = remove(group, rule, summary, _GROUPS)
    return Found(
        group.id, title, causes, remedy, (rule.name.lower(), wanted.name.lower()), confidence=Confidence.LIKELY
    )


def _unknown_tag(group: SecurityGroup, rule: SecurityRule, tag: str, near: str) -> Found:
    meant = f" Is {near} meant?" if near else ""
    summary = f"Correct {tag} in rule {rule.name}, or delete the rule.{meant}"
    end = "source" if tag in {text.strip() for text in rule.sources} else "destination"
    command = f"--{end}-address-prefixes {az.quoted(near or 'TAG')}"
    remedy = change(group, rule, summary, command, f"{end}AddressPrefix: a tag that exists")
    text = f"Azure has no service tag {tag} that is known here.{meant}"
    causes = (rule_cause(group.id, rule), fact("service-tag", text, group.id, tag))
    title = f"Rule {named(rule)} of NSG {group.id.name} names service tag {tag}, which is not known"
    return Found(group.id, title, causes, remedy, (rule.name.lower(), tag.lower()), confidence=Confidence.LIKELY)


def _may_be_near(group: SecurityGroup) -> bool:
    """Whether an NSG has much of anything: most have not, and nothing need be counted exactly."""
    rules = own(group)
    if len(rules) >= _MOST_RULES * _NEAR or any(rule.source_groups or rule.destination_groups for rule in rules):
        return True
    return sum(len(rule.sources) + len(rule.destinations) for rule in rules) >= _MOST_ADDRESSES * _NEAR


def _counts(group: SecurityGroup) -> Iterator[tuple[str, int, int]]:
    """What an NSG has of each thing that is limited, and the limit."""
    rules = [*own(group)]
    several = (
        ("rules", len(rules), _MOST_RULES),
        ("addresses as sources", sum(len(rule.sources) for rule in rules), _MOST_ADDRESSES),
        ("addresses as destinations", sum(len(rule.destinations) for rule in rules), _MOST_ADDRESSES),
        ("application security groups", len(_all_groups(rules)), _MOST_GROUPS),
    )
    for what, count, most in several:
        yield f"{count:,} of {most:,} {what}", count, most
    for rule in rules:
        count = len({*rule.source_groups, *rule.destination_groups})
        text = f"{count} of {_MOST_GROUPS_OF_RULE} application security groups in rule {rule.name}"
        yield text, count, _MOST_GROUPS_OF_RULE


def _all_groups(rules: list[SecurityRule]) -> set[ResourceId]:
    return {named_group for rule in rules for named_group in (*rule.source_groups, *rule.destination_groups)}


def _near_limit(group: SecurityGroup, near: list[str]) -> Found:
    place = az.placed(group.id, nsg_name=group.id.name)
    remedy = Remedy(
        summary="Put rules together (plural prefixes and ports, service tags, larger prefixes), and delete those that "
        "NSG003, NSG004 and NSG006 name.",
        az_cli=f"az network nsg rule list {place} --query 'length(@)'",
        bicep=bicep.comment("one rule with sourceAddressPrefixes and destinationPortRanges in place of several"),
        doc_url=links.LEARN + _LIMITS,
        portal_url=links.blade(group.id, menu(inbound=True)),
    )
    causes = tuple(fact("limit", f"it has {text}", group.id) for text in near)
    return Found(group.id, f"NSG {group.id.name} is nearly at a limit of Azure", causes, remedy)
