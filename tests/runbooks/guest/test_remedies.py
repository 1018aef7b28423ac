"""What is to be typed in a guest: it turns nothing off by itself, and a guest's own words stay words."""

from __future__ import annotations

import pytest

from diagnostics.network.ids import ResourceId
from diagnostics.network.probes import Shell
from diagnostics.paste import az
from diagnostics.paste.nics import reput_nic
from diagnostics.runbooks.guest.remedies import Place, allow_port, default_gateway
from diagnostics.runbooks.guest.routes import Interface
from diagnostics.runbooks.guest.verdict import Verdict

NIC = ResourceId.parse("/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/networkInterfaces/nic-1")


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        ("Block SQL", "'Block SQL'"),
        ("Bob's", "'Bob''s'"),
        ("Bob\u2019; Remove-Item x", "'Bob\u2019\u2019; Remove-Item x'"),
        ("a\u2018b\u201ac\u201bd", "'a\u2018\u2018b\u201a\u201ac\u201b\u201bd'"),
    ],
)
def test_a_rule_of_windows_firewall_is_shown_and_not_disabled_by_pasting(name: str, quoted: str) -> None:
    made = allow_port(Shell.WINDOWS, 1433, Verdict(blocks=True, rule=f"rule {name}", name=name))
    show, disable = made.az_cli.splitlines()
    assert show == f"Get-NetFirewallRule -DisplayName {quoted}"
    assert disable == f"# or, if nobody needs it: Disable-NetFirewallRule -DisplayName {quoted}"
    assert "a rule that blocks wins over all that allow" in made.summary


@pytest.mark.parametrize("name", [None, "Ethernet 2"])
def test_a_metric_is_promised_only_where_the_command_sets_one(name: str | None) -> None:
    interface = Interface(name, 9) if name else None
    made = default_gateway(Place(Shell.WINDOWS, "10.0.2.5", "10.0.2.1", interface=interface))
    assert ("metric" in made.summary) is ("metric" in made.az_cli) is bool(name)
    assert "outlasts a restart" in made.summary


def test_a_comment_stays_one_line() -> None:
    assert az.otherwise("or", "az x --name 'a\naz vm delete'") == "# or: az x --name 'a az vm delete'"


def test_a_nic_is_put_back_whatever_the_shell_and_its_output_format() -> None:
    get, put = reput_nic(NIC).az_cli.splitlines()
    assert get.endswith(" --output-file nic.json")
    assert put.endswith(" --body '@nic.json'")


@pytest.mark.parametrize(
    ("shell", "verdict", "command"),
    [
        (Shell.WINDOWS, Verdict(blocks=True, rule="the default"), "-LocalPort 22 -Action Allow"),
        (Shell.LINUX, Verdict(blocks=True, rule="zone public", name="public"), "--zone=public --add-port=22/tcp"),
        (Shell.LINUX, Verdict(blocks=True, rule="ufw-input"), "ufw allow 22/tcp"),
        (Shell.LINUX, Verdict(blocks=True, rule="policy DROP"), "iptables -I INPUT -p tcp --dport 22 -j ACCEPT"),
    ],
)
def test_a_port_is_opened_to_all_only_where_the_source_is_not_known(
    shell: Shell, verdict: Verdict, command: str
) -> None:
    assert command in allow_port(shell, 22, verdict).az_cli
    narrow = allow_port(shell, 22, verdict, source="10.0.0.4")
    assert command not in narrow.az_cli or "-RemoteAddress 10.0.0.4" in narrow.az_cli
    assert "TCP port 22 from 10.0.0.4" in narrow.summary
