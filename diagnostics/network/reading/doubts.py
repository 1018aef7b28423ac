"""Rules of an NSG of which it cannot be read whether they allow or deny, or in which direction.

Such a rule becomes one for each thing that it may be, and each of them matches perhaps: where it makes a difference,
the answer is unknown, and names what could not be read.
"""

from __future__ import annotations

from itertools import product

import msgspec

from diagnostics.network import wire

ACCESS = ("Allow", "Deny")
DIRECTION = ("Inbound", "Outbound")


def spelled_out(rule: wire.SecurityRule) -> tuple[wire.SecurityRule, ...]:
    """The rules that a rule may be: itself, where it can be read."""
    read = rule.properties
    accesses, directions = _choices(read.access, ACCESS), _choices(read.direction, DIRECTION)
    if len(accesses) == len(directions) == 1:
        return (rule,)
    odd = [f"access {read.access!r}"] if len(accesses) > 1 else []
    odd += [f"direction {read.direction!r}"] if len(directions) > 1 else []
    # A source that is neither prefix nor tag is unknown, under the name that it has.
    unknown = msgspec.structs.replace(
        read,
        source_address_prefix=f"{' and '.join(odd)} of rule {rule.name}",
        source_address_prefixes=None,
        source_application_security_groups=None,
    )
    return tuple(
        msgspec.structs.replace(rule, properties=msgspec.structs.replace(unknown, access=access, direction=direction))
        for access, direction in product(accesses, directions)
    )


def all_spelled_out(group: wire.SecurityGroup) -> wire.SecurityGroup:
    """The same for the rules of an NSG."""
    rules = tuple(each for rule in group.properties.security_rules or () for each in spelled_out(rule))
    return msgspec.structs.replace(group, properties=msgspec.structs.replace(group.properties, security_rules=rules))


def _choices(text: str, known: tuple[str, ...]) -> tuple[str, ...]:
    return (text,) if text.lower() in map(str.lower, known) else known
