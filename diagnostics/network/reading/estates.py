"""Documents put together into one estate, whatever mixture of files they come from."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from pathlib import PurePath

from diagnostics.errors import ParseError
from diagnostics.network.estate import Estate
from diagnostics.network.reading.assembly import Assembly
from diagnostics.network.reading.documents import documents
from diagnostics.network.reading.parameters import Given
from diagnostics.network.reading.texts import values


def read_files(
    files: Iterable[tuple[str, bytes]],
    *,
    listed: AbstractSet[str] | None = None,
    complete: bool = False,
    paths: bool = False,
    given: Given | None = None,
) -> Estate:
    """The estate in files of JSON, each with its name.

    Whatever cannot be read is among the estate's `problems`, with file and JSON path; nothing is raised for it. Of two
    bodies of one resource the later one counts.

    Args:
        files: name and content of each.
        listed: types of which everything is in them; by default those of which a list is among them. A type of which a
            body could not be read is not one of them.
        complete: whether everything is in them, whatever its type.
        paths: whether the names are paths, so that facts say which file each resource stands in.
        given: values for the parameters of templates among them; one that no template has is a problem.
    """
    given = given or Given({})
    made = Assembly(listed, complete=complete)
    for name, body in files:
        try:
            found = values(body, name)
        except ParseError as error:
            made.problem(name, str(error))
            continue
        for number, value in enumerate(found):
            where = f"{name} $" if len(found) == 1 else f"{name} line {number + 1} $"
            made.take(documents(given.into(value), where, PurePath(name).stem), where, name if paths else "")
    for name in given.unused:
        made.problem(f"parameters.{name}", "no template has a parameter of that name")
    return made.estate()


def read_objects(
    objects: Iterable[object],
    where: str = "$",
    *,
    listed: AbstractSet[str] | None = None,
    complete: bool = False,
) -> Estate:
    """The same for JSON values that are decoded already: resources, lists and pages of them, answers of Azure."""
    made = Assembly(listed, complete=complete)
    for number, value in enumerate(objects):
        place = f"{where}[{number}]"
        made.take(documents(value, place), place)
    return made.estate()
