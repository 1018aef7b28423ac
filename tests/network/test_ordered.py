"""The rules of an NSG in order: those that a question can be about."""

from diagnostics.network.model import SecurityRule
from diagnostics.network.ordered import Ordered
from diagnostics.network.security import Context

RULES = (
    SecurityRule("rdp", 300, "Inbound", "Deny", default=False, protocol="Udp", destination_ports=("3389",)),
    SecurityRule("web", 100, "Inbound", "Allow", default=False, protocol="TCP", destination_ports=("80", "8000-8999")),
    SecurityRule("ping", 200, "Inbound", "Allow", default=False, protocol="Icmp"),
    SecurityRule("odd", 400, "Inbound", "Allow", default=False, protocol="Tcp", destination_ports=("http",)),
    SecurityRule("out", 100, "Outbound", "Allow", default=False),
)


def names(rules: Ordered, protocol: str, port: int | None) -> list[str]:
    return [rules.rules[place].name for place in rules.about(protocol, port) if not rules.rules[place].default]


def test_the_rules_about_a_port_in_order() -> None:
    rules = Ordered(RULES, inbound=True)
    assert names(rules, "tcp", 8080) == ["web", "odd"]
    assert names(rules, "tcp", 22) == ["odd"]  # whatever its port stands for
    assert names(rules, "tcp", None) == ["web", "odd"]
    assert names(rules, "udp", 3389) == ["rdp"]
    assert names(rules, "icmp", 22) == ["ping"]  # it has no ports


def test_every_port_one_after_the_other() -> None:
    rules = Ordered(RULES, inbound=True)
    assert [port for port in range(9100) if "web" in names(rules, "tcp", port)] == [80, *range(8000, 9000)]


def test_all_rules_at_a_place_are_read() -> None:
    rules = Ordered(RULES, inbound=True)
    read = rules.at(Context())
    assert [rule for rule, _ in read] == [*rules.rules]
    assert all(terms == rules.terms(place, Context()) for place, (_, terms) in enumerate(read))
