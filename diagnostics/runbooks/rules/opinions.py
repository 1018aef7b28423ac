"""What several witnesses say about one flow, side by side, and where they contradict each other.

Configuration says what should be, Azure's own answers what the platform believes, a probe what happened. Rules and a
probe answer different questions: a probe that fails though every rule allows contradicts nobody, for a guest, a
listener or an appliance can be why. A probe that arrives although a rule denies contradicts that rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from diagnostics.network.security import Verdict

ADMIN_RULE = "securityadminrule_"
"""How Azure's answers begin the names of security admin rules, in lower case."""


class Who(StrEnum):
    """Who says something."""

    CONFIGURED = "configured"
    EFFECTIVE = "effective NSG"
    FLOW_VERIFY = "IP flow verify"
    DIAGNOSTICS = "NSG diagnostics"
    PROBE = "probe"


AZURE = (Who.EFFECTIVE, Who.FLOW_VERIFY, Who.DIAGNOSTICS)
"""Azure's own answers about rules."""


class Side(StrEnum):
    """What an opinion is about."""

    OUT = "out"
    IN = "in"
    WAY = "on the whole way"


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one of them says.

    Attributes:
        place: the machine at that side.
        verdict: unknown where it could not be asked, or does not know.
        rule: the rule that decides, by its bare name; empty where none is named.
        group: the NSG that holds it; empty where that is not said.
        text: what it says, or why it says nothing, behind the verdict.
    """

    who: Who
    side: Side
    place: str
    verdict: Verdict
    rule: str = ""
    group: str = ""
    text: str = ""

    def __str__(self) -> str:
        where = f"{self.who}, {self.side} at {self.place}" if self.place else self.who
        plain = self.verdict is Verdict.UNKNOWN or (self.who is Who.PROBE and self.verdict is Verdict.ALLOWED)
        verdict = "" if plain else f"{self.verdict} "
        return f"{where}: {verdict}{self.text or self.rule}".rstrip(" :")

    @property
    def short(self) -> str:
        """In a few words, for a title."""
        subject, allows, denies = _WORDS.get(self.who, (self.who, "allows it", "denies it"))
        return f"{subject} {denies if self.verdict is Verdict.DENIED else allows}"


_WORDS = {
    Who.CONFIGURED: ("the configuration", "allows it", "denies it"),
    Who.EFFECTIVE: ("what Azure calls effective", "allows it", "denies it"),
    Who.PROBE: ("the probe", "arrives", "is stopped"),
}


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Two camps about one side of a flow."""

    side: Side
    place: str
    allowed: tuple[Opinion, ...]
    denied: tuple[Opinion, ...]

    @property
    def all(self) -> tuple[Opinion, ...]:
        """Everybody who takes part in it."""
        return (*self.denied, *self.allowed)

    @property
    def title(self) -> str:
        """Who contradicts whom."""
        camps = (" and ".join(each.short for each in camp[:2]) for camp in (self.denied, self.allowed))
        return ", but ".join(camps)

    @property
    def means(self) -> str:
        """What it usually means, and what to do."""
        denying, allowing = {each.who for each in self.denied}, {each.who for each in self.allowed}
        if any(each.rule.lower().startswith(ADMIN_RULE) for each in self.denied):
            return (
                "A security admin rule of Azure Virtual Network Manager stands above the NSGs and denies it; no NSG "
                "rule overrides that. Change it, or its network group, in the network manager."
            )
        if Who.PROBE in allowing:
            return (
                "The probe is what happened. Usually the rule or route was changed a moment ago and is not in force on "
                "the host yet, or the probe left from another address than was asked about: look again in five "
                "minutes, and change nothing before that."
            )
        if Who.PROBE in denying and Who.CONFIGURED in allowing:
            return (
                "The probe met a rule that the configuration does not show: usually it was taken away a moment ago, or "
                "a security admin rule of a network manager is meant. Look again in five minutes."
            )
        if Who.CONFIGURED in denying | allowing:
            return (
                "What is configured is not what works: usually the last change of an NSG has not reached the host yet "
                "(it takes a few minutes), an NSG was put on the subnet or NIC since, or a security admin rule of a "
                "network manager stands above. Look again in five minutes; if it stays so, write the NSG once more "
                "unchanged, or ask Azure support."
            )
        return (
            "Azure's own answers contradict each other: usually one of them is older than the last change. Look again "
            "in five minutes."
        )


def disagreements(opinions: Iterable[Opinion]) -> tuple[Disagreement, ...]:
    """Where known opinions about one side differ. Who does not know contradicts nobody."""
    sides: dict[Side, list[Opinion]] = {}
    for each in opinions:
        if each.verdict is not Verdict.UNKNOWN:
            sides.setdefault(each.side, []).append(each)
    found = []
    for side, listed in sides.items():
        allowed = tuple(each for each in listed if each.verdict is Verdict.ALLOWED)
        denied = tuple(each for each in listed if each.verdict is Verdict.DENIED)
        if allowed and denied:
            place = next((each.place for each in listed if each.place), "")
            found.append(Disagreement(side, place, allowed, denied))
    return tuple(found)


def confirmed(opinions: Iterable[Opinion], side: Side, rule: str) -> tuple[Opinion, ...]:
    """Whoever of Azure's answers and the probe names the same rule as what denies."""
    return tuple(
        each
        for each in opinions
        if each.side is side
        and each.who is not Who.CONFIGURED
        and each.verdict is Verdict.DENIED
        and each.rule.lower() == rule.lower()
    )
