"""The arguments of the command line. argparse: no dependency, and exit code 2 for bad usage."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from diagnostics import __version__
from diagnostics.cli import audit, checks, diagnose, diff, explain, exposure, rules, scenarios
from diagnostics.errors import ParseError
from diagnostics.network.questions import port

if TYPE_CHECKING:
    type Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - it has no public name

_ENDPOINT = (
    "name or id of a VM, NIC, IP configuration (NIC/NAME), private endpoint or public IP, or an address; in any case"
)
_FILES = "files of JSON, or folders of them: ARM bodies and lists, Resource Graph rows, what az prints, templates"
_TARGET = "the same with port and protocol: vm2:3389, vm2:53/udp, [2001:db8::4]:443/tcp, vm2/icmp; tcp if not given"


def parser() -> argparse.ArgumentParser:
    """The parser; what it returns has `run`, the command's function."""
    top = argparse.ArgumentParser(
        prog="python -m diagnostics",
        description="Why a VM of Azure can't be reached: from exported configuration alone (explain, exposure, rules, "
        "diff, audit: no login, no call), or by looking at what runs (diagnose).",
        epilog="How to export with az, what a diagnosis may do, and what the answers mean: docs/cli.md",
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"vmreach {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _explain(commands)
    _exposure(commands)
    _rules(commands)
    _diff(commands)
    _audit(commands)
    _checks(commands)
    _diagnose(commands)
    _scenarios(commands)
    return top


def _explain(commands: Commands) -> None:
    codes = "0 allowed, 1 denied, 3 unknown"
    command = _command(commands, "explain", "whether a flow gets through and back, hop by hop, and why", codes)
    command.set_defaults(run=explain.run)
    _estate(command)
    command.add_argument("--from", dest="source", required=True, metavar="ENDPOINT", help=_ENDPOINT)
    target = "ENDPOINT[:PORT][/PROTOCOL]"
    command.add_argument("--to", dest="destination", required=True, metavar=target, help=_TARGET)
    command.add_argument("--source-port", type=_port, metavar="N", help="the port it comes from; any, if not given")


def _exposure(commands: Commands) -> None:
    codes = "0 nothing is exposed, 1 something is, 3 nothing for sure, something perhaps"
    command = _command(commands, "exposure", "what can be reached from the internet, and by which rules", codes)
    command.set_defaults(run=exposure.run)
    _estate(command)
    command.add_argument("--of", metavar="ENDPOINT", help=f"only of this one: {_ENDPOINT}")


def _rules(commands: Commands) -> None:
    codes = "0 nothing was found, 1 something was, 3 nothing for sure, but not all rules could be judged"
    command = _command(commands, "rules", "which rules of NSGs never match, repeat others or contradict them", codes)
    command.set_defaults(run=rules.run)
    _estate(command)
    command.add_argument("--group", metavar="NAME", help="only of this NSG: its name or id, in any case")


def _diff(commands: Commands) -> None:
    codes = "0 nothing changes, 1 something does, 3 nothing for sure, something perhaps"
    command = _command(commands, "diff", "the flows whose verdict differs between two estates", codes)
    command.set_defaults(run=diff.run)
    command.add_argument("before", type=Path, metavar="BEFORE", help="a JSON file, or a folder of them")
    command.add_argument("after", type=Path, metavar="AFTER", help="the same, after the change")


def _audit(commands: Commands) -> None:
    codes = "0 nothing at or above --fail-on, 1 something, 2 bad usage or input"
    does = "all checks over exports, or over templates before they are deployed"
    command = _command(commands, "audit", does, codes)
    command.set_defaults(run=audit.run)
    command.add_argument("paths", nargs="*", type=Path, metavar="PATH", help=_FILES)
    command.add_argument("--estate", type=Path, nargs="+", action="extend", default=[], metavar="PATH", help="the same")
    command.add_argument("--format", choices=audit.FORMS, help="what to print; table if not given")
    command.add_argument("--details", action="store_true", help="with the table: what decides, and what to do")
    command.add_argument("--output", type=Path, metavar="FILE", help="write it to a file instead")
    stop = "the severity to end with 1 at, or never; low if not given"
    command.add_argument("--fail-on", choices=(*audit.SEVERITIES, "never"), default="low", help=stop)
    command.add_argument("--check", action="append", default=[], metavar="ID", help="only this check; may be repeated")
    decided = "a TOML file with other severities, and findings to leave out (docs/cli.md)"
    command.add_argument("--policy", type=Path, metavar="FILE", help=decided)
    whole = "what is in none of the files does not exist; else it is not known"
    command.add_argument("--complete", action="store_true", help=whole)
    command.add_argument("--now", metavar="ISO", help="when it was exported: suppressions end by it; now")
    jobs = "processes to make the checks by, on Linux; as many as is worth it"
    command.add_argument("--jobs", type=_jobs, metavar="N", help=jobs)


def _checks(commands: Commands) -> None:
    command = _parser(commands, "checks", "every check that an audit makes", "0")
    command.set_defaults(run=checks.run)
    command.add_argument("names", nargs="*", metavar="ID", help="tell all of these")


def _diagnose(commands: Commands) -> None:
    codes = "0 it works, 1 a fault was found, 3 it could not tell; 130 Ctrl-C"
    does = "why one VM can't reach another, or the internet, by looking at what runs in Azure now"
    command = _parser(commands, "diagnose", does, codes)
    command.set_defaults(run=diagnose.run)
    machine = "name or id of a VM, or id of one of its NICs"
    command.add_argument("--source", metavar="VM", help=f"the VM that can't reach something: {machine}")
    to = "what it can't reach: the same, an address or a host name, each with a port or none; the internet without it"
    command.add_argument("--dest", metavar="VM|ADDRESS|HOST[:PORT]", help=to)
    command.add_argument("--protocol", choices=("tcp", "icmp", "http", "https"), help="what to probe with; tcp")
    problems = ("vm-to-vm", "secondary-nic", "vm-to-internet", "auto")
    command.add_argument("--problem", choices=problems, help="which runbook to work through; auto picks by the ends")
    where = "a subscription or management group to look at, and nothing outside; may be given more than once; else "
    where += "VMREACH_SCOPES, else the subscriptions of the ids that are named"
    command.add_argument("--subscription", action="append", default=[], metavar="ID", help=where)
    guest = "allow scripts that only look in the guests of both ends, through Run Command: they run as root or System"
    command.add_argument("--guest", action="store_true", help=guest)
    command.add_argument("--alert-time", metavar="ISO", help="when it failed, such as 2026-11-25T03:04:05Z; now")
    history = "how many hours before that to look for who changed what, 1 to 2160; VMREACH_HISTORY_HOURS, else 12"
    command.add_argument("--history", type=_hours, metavar="HOURS", help=history)
    sandbox = "against the sandbox on this machine instead of Azure; without --source, the alert of this scenario"
    command.add_argument("--sandbox", nargs="?", const="", metavar="NAME", help=sandbox)


def _scenarios(commands: Commands) -> None:
    codes = "0 all as expected, 1 something differs"
    does = "whether the scenarios of the sandbox are diagnosed as an expert would"
    command = _parser(commands, "scenarios", does, codes)
    command.set_defaults(run=scenarios.run)
    command.add_argument("names", nargs="*", metavar="NAME", help="only these")
    command.add_argument("--list", action="store_true", help="only tell their names, titles and what is expected")


def _command(commands: Commands, name: str, does: str, codes: str) -> argparse.ArgumentParser:
    """A command that reads exports."""
    command = _parser(commands, name, does, codes)
    command.add_argument("--all-problems", action="store_true", help="tell everything that could not be read")
    tags = "Azure's service tags as JSON: the weekly file, or what `az network list-service-tags` prints"
    command.add_argument("--tags", type=Path, nargs="+", action="extend", default=[], metavar="FILE", help=tags)
    values = "values for the parameters of templates, as `bicep build-params` writes them"
    command.add_argument("--parameters", type=Path, nargs="+", action="extend", default=[], metavar="FILE", help=values)
    return command


def _parser(commands: Commands, name: str, does: str, codes: str) -> argparse.ArgumentParser:
    command = commands.add_parser(
        name,
        help=does,
        description=f"Tell {does}.",
        epilog=f"Exit code: {codes}; 2 bad usage, or nothing could be read.",
        allow_abbrev=False,
    )
    command.add_argument("--json", action="store_true", help="one JSON document instead of text")
    return command


def _estate(command: argparse.ArgumentParser) -> None:
    command.add_argument("--estate", type=Path, nargs="+", action="extend", required=True, metavar="PATH", help=_FILES)


def _port(text: str) -> int:
    try:
        return port(text, "source port")
    except ParseError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _hours(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:5]) <= 2_160):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of hours from 1 to 2160")
    return int(text)


def _jobs(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:5]) <= 1_000):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of processes from 1 to 1000")
    return int(text)
