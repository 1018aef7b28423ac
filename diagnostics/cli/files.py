"""Files and folders of JSON, read into estates; what cannot be read is counted and told."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from diagnostics.cli.texts import plain
from diagnostics.errors import ParseError
from diagnostics.network.estate import Estate, Problem

_SHOWN = 5


def load(
    paths: Sequence[Path],
    tags: Sequence[Path] = (),
    parameters: Sequence[Path] = (),
    *,
    option: str = "--estate",
    every: bool = False,
    complete: bool = False,
) -> Estate:
    """The estate in files and folders; problems are told on standard error.

    Args:
        paths: files, or folders: all `*.json` in them and below, hidden ones left out.
        tags: files with service tags, the same way.
        parameters: files with values for the parameters of templates; of two values of one name the later one counts.
        option: the argument that the paths came from, named in errors.
        every: whether to tell all problems, not the first few.
        complete: whether what is in none of the files does not exist.

    Raises:
        ParseError: a path does not exist, nothing of a network could be read, or parameters cannot be.
    """
    from diagnostics.network.reading import Given, read_files  # noqa: PLC0415 - `--help` need not wait for it

    unread: list[Problem] = []
    files = [*_all(paths, option), *_all(tags, "--tags")]
    given = Given(_given(parameters)) if parameters else None
    estate = read_files(_contents(files, unread), complete=complete, paths=True, given=given)
    estate = replace(estate, problems=(*unread, *estate.problems))
    tell(estate.problems, every=every)
    if not _anything(estate):
        named = ", ".join(map(str, paths))
        what = f"none of {len(files)} files holds anything of a network" if files else "there is no *.json"
        raise ParseError(f"{option}: {named}: {what}")
    return estate


def tell(problems: Sequence[Problem], *, every: bool = False) -> None:
    """Say on standard error what could not be read: how much, and the first few."""
    if not problems:
        return
    shown = problems if every else problems[:_SHOWN]
    more = "" if len(shown) == len(problems) else f"; the first {len(shown)} (--all-problems shows all)"
    word = "problem" if len(problems) == 1 else "problems"
    lines = [f"{len(problems)} {word} while reading: what they are about counts as unknown{more}"]
    lines += [plain(f"  {problem.where}: {problem.text}") for problem in shown]
    sys.stderr.write("\n".join(lines) + "\n")


def unread(*estates: Estate) -> str:
    """Why nothing found is not nothing there: what could not be read; empty where all was."""
    many = sum(len(estate.problems) for estate in estates)
    return f"nothing was found, but {many} thing{'s' if many != 1 else ''} could not be read" if many else ""


def _all(paths: Iterable[Path], option: str) -> Iterator[Path]:
    for path in paths:
        try:
            if path.is_dir():
                yield from _below(path)
            elif path.exists():
                yield path
            else:
                raise ParseError(f"{option}: {path}: there is no such file or folder")
        except OSError as error:
            raise ParseError(f"{option}: {path}: {error.strerror or error}") from None


def _below(folder: Path) -> Iterator[Path]:
    """The JSON files of a folder and of those in it, in the same order everywhere."""
    for parent, folders, files in folder.walk(on_error=_raise):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        names = sorted(name for name in files if name.lower().endswith(".json") and not name.startswith("."))
        yield from (parent / name for name in names)


def _raise(error: OSError) -> None:
    raise error


def _given(files: Sequence[Path]) -> dict[str, Any]:
    """The values in files of parameters. Raises ParseError for one that cannot be read: nothing goes without it."""
    from diagnostics.network.reading import read_parameters  # noqa: PLC0415 - see `load`

    found: dict[str, Any] = {}
    for path in files:
        try:
            found |= read_parameters(path.read_bytes(), f"--parameters: {path}")
        except OSError as error:
            raise ParseError(f"--parameters: {path}: {error.strerror or error}") from None
    return found


def _contents(files: Iterable[Path], unread: list[Problem]) -> Iterator[tuple[str, bytes]]:
    for path in files:
        try:
            yield str(path), path.read_bytes()
        except OSError as error:
            unread.append(Problem(str(path), error.strerror or str(error)))


def _anything(estate: Estate) -> bool:
    """Whether a resource or an answer of Azure was read; `facts.resources` has those that could not be, too."""
    around = estate.facts
    return any(
        (
            *(estate.networks, estate.nics, estate.vms, estate.security_groups, estate.route_tables),
            *(estate.public_ips, estate.nat_gateways, estate.load_balancers, estate.firewalls, estate.gateways),
            *(estate.local_gateways, estate.connections, estate.effective_routes, estate.effective_groups),
            *(around.watchers, around.flow_logs, around.connection_monitors, around.bastions, around.activity_alerts),
        )
    )
