"""Times as Azure Monitor writes them."""

from __future__ import annotations

from datetime import UTC, datetime

_US_STYLE = "%m/%d/%Y %I:%M:%S %p"


def read(text: str | None) -> datetime | None:
    """The time in UTC, or None where there is none to read.

    Azure writes ISO 8601 with up to seven digits of a second, with or without a zone (then UTC is meant), and in log
    alerts of the first version `3/22/2019 1:36:33 PM`.
    """
    if not text:
        return None
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError:
        try:
            time = datetime.strptime(text.strip(), _US_STYLE).replace(tzinfo=UTC)
        except ValueError:
            return None
    try:
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except OverflowError:  # the first or last day that there is, in another zone
        return None
