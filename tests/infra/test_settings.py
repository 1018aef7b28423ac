"""Every setting has its parameter, in both ways, with the default and the bounds that vmreach itself has."""

import pytest

from tests.conftest import ROOT
from tools.infra import documented
from tools.infra.deployment import Way, bicep, terraform
from tools.infra.documented import refused, settings, unscheduled

INFRA, PAGE = ROOT / "infra", ROOT / "docs" / "settings.md"
WAYS = {"Bicep": bicep, "Terraform": terraform}


@pytest.fixture(scope="module", params=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    return WAYS[request.param](INFRA)


def test_every_setting_has_its_parameter_as_the_page_says_and_vmreach_reads_it() -> None:
    found = documented.problems(INFRA, PAGE)
    assert not found, "\n".join(found)


def test_the_page_has_all_settings_with_their_defaults() -> None:
    read = settings(PAGE)
    assert len(read) == 18
    assert read["VMREACH_SCOPES"] == "*(required)*"
    assert read["VMREACH_SWEEP_SCHEDULE"] == "0 */15 * * * *"
    assert read["VMREACH_TEAMS_WEBHOOK_URL"] == read["VMREACH_ARM_ENDPOINT"] == ""


def test_secrets_are_secret(way: Way) -> None:
    assert {name for name, parameter in way.parameters.items() if parameter.secret} == {"teams_webhook_url"}


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("VMREACH_RECHECK_MINUTES", "1440", ""),
        ("VMREACH_RECHECK_MINUTES", "1441", "not a whole number from 0 to 1440"),
        ("VMREACH_CLOUD", "mars", "none of public"),
    ],
)
def test_what_vmreach_refuses_is_asked_of_vmreach(name: str, value: str, said: str) -> None:
    assert said in refused(name, value)
    assert bool(said) == bool(refused(name, value))


@pytest.mark.parametrize(
    ("schedule", "fine"),
    [("0 */15 * * * *", True), ("0 0 5 * * MON-FRI", True), ("*/15 * * * *", False), ("0 0 25 * * *", False)],
)
def test_schedules_are_parsed(schedule: str, fine: bool) -> None:  # noqa: FBT001 - a column of the table
    assert ([*unscheduled(schedule)] == []) is fine
