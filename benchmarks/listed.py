"""The bodies of lists, decoded into Structs and made into an estate, with the seconds that each step takes."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec


def timed[T](seconds: dict[str, float], name: str, run: Callable[[], T]) -> T:
    """Run something, and note how long it took."""
    start = time.perf_counter()
    answer = run()
    seconds[name] = time.perf_counter() - start
    return answer


def decoder(form: type[msgspec.Struct]) -> msgspec.json.Decoder[Any]:
    """What decodes a list of a form."""
    page: Any = msgspec.defstruct("Page", [("value", list[form])])  # type: ignore[valid-type]  # made while running
    return msgspec.json.Decoder(page)


def estate(folder: str, seconds: dict[str, float], only: str = "") -> Any:
    """The estate of the bodies in a folder, of all or of one type; notes the seconds of `decode` and `estate`."""
    from diagnostics.network.estate import Estate  # noqa: PLC0415  what is imported here counts as the program's own
    from diagnostics.network.reading.kinds import KINDS  # noqa: PLC0415

    names = [path.stem for path in sorted(Path(folder).iterdir()) if only in {"", path.stem}]
    kinds = {name: KINDS[f"microsoft.network/{name.lower()}"] for name in names}
    decoders = {name: decoder(kind.form) for name, kind in kinds.items()}
    texts = {name: Path(folder, f"{name}.json").read_bytes() for name in kinds}
    lists = timed(seconds, "decode", lambda: {name: decoders[name].decode(body).value for name, body in texts.items()})
    texts.clear()

    def made() -> Estate:
        found = {kind.field: map(kind.make, lists[name]) for name, kind in kinds.items()}
        fields: dict[str, Any] = {field: {each.id: each for each in some} for field, some in found.items()}
        return Estate(**fields)

    return timed(seconds, "estate", made)
