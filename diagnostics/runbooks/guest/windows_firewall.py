"""What Windows Firewall says to a connection.

A block rule wins over every allow rule; what no rule is for, the profile's default decides ("Windows Firewall rules",
rule precedence for inbound rules).
"""

from __future__ import annotations

import ipaddress

import msgspec

from diagnostics.runbooks.guest.verdict import Verdict

_CATEGORIES = {"domainauthenticated": "domain", "public": "public", "private": "private"}


class Profile(msgspec.Struct, frozen=True):
    """A profile: `inbound` is its default for inbound connections, `rules` whether allow rules count at all."""

    name: str
    enabled: bool
    inbound: str = ""
    rules: str = ""


class FirewallRule(msgspec.Struct, frozen=True):
    """An inbound rule for the port.

    Attributes:
        profile: `Any`, or names with commas between.
        own: whether it is for the program that listens: for any program, or for this one.
        remote: whom it is for; `more` says that the list was cut.
    """

    name: str
    action: str
    profile: str = "Any"
    own: bool = True
    remote: tuple[str, ...] | str | None = ()
    more: bool = False

    def covers(self, source: str) -> bool | None:
        """Whether it is for a source; None where that can't be told."""
        listed = (self.remote,) if isinstance(self.remote, str) else self.remote or ("Any",)
        answers = [_within(text, source) for text in listed]
        return True if True in answers else None if None in answers or self.more else False


def judge(
    profiles: list[Profile], active: list[str], rules: list[FirewallRule], source: str, *, state: str = "", cut: int = 0
) -> Verdict | None:
    """What it says; None where no profile is known.

    Args:
        profiles: all of them.
        active: categories of the networks that it is connected to; none means that it can't be told which profile.
        rules: the inbound rules for the port.
        source: who connects; empty if that is not known.
        state: of the firewall's service, if known.
        cut: how many rules were left out.
    """
    if state and state != "Running":
        return Verdict(blocks=False, rule=f"the service of Windows Firewall is {state}")
    wanted = {_CATEGORIES.get(text.lower(), text.lower()) for text in active}
    acting = [each for each in profiles if not wanted or each.name.lower() in wanted]
    verdicts = [_profile(profile, rules, source, cut) for profile in acting]
    blocking = [verdict for verdict in verdicts if verdict.blocks]
    if not verdicts:
        return None
    first = blocking[0] if blocking else verdicts[0]
    agreed = len(blocking) in {0, len(verdicts)}
    return Verdict(first.blocks, first.rule, first.name, first.sure and agreed)


def _profile(profile: Profile, rules: list[FirewallRule], source: str, cut: int) -> Verdict:
    named = f"profile {profile.name} of Windows Firewall"
    if not profile.enabled:
        return Verdict(blocks=False, rule=f"{named} is off")
    if profile.rules.lower() == "false":
        return Verdict(blocks=True, rule=f"{named} blocks all inbound connections, whatever its rules")
    here = [rule for rule in rules if rule.own and _is_for(rule, profile)]
    maybe = False
    for action, blocks in (("block", True), ("allow", False)):
        covering = [(rule, rule.covers(source)) for rule in here if rule.action.lower().startswith(action)]
        if sure := next((rule for rule, covers in covering if covers), None):
            return Verdict(blocks, f"rule {sure.name!r} in {named}", sure.name, sure=not maybe)
        maybe = maybe or any(covers is None for _, covers in covering)
    allows = profile.inbound.lower() == "allow"
    text = f"the default of {named}: no rule allows it" if not allows else f"the default of {named}"
    return Verdict(not allows, text, sure=not maybe and not cut)


def _is_for(rule: FirewallRule, profile: Profile) -> bool:
    names = {name.strip().lower() for name in rule.profile.split(",")}
    return bool(names & {"any", "", profile.name.lower()})


def _within(text: str, source: str) -> bool | None:
    """Whether a remote address of a rule holds the source: a prefix, a range, or a word such as `LocalSubnet`."""
    if text.lower() == "any":
        return True
    first, dash, last = text.partition("-")
    try:
        address = ipaddress.ip_address(source)
        if dash:
            low, high = ipaddress.ip_address(first), ipaddress.ip_address(last)
            return low.version == address.version and int(low) <= int(address) <= int(high)
        return address in ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
