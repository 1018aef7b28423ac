"""A diagnosis as it goes on: steps as they end, and on a terminal what is being asked meanwhile, and for how long."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from diagnostics.cli.marks import Mark
from diagnostics.cli.texts import plain

if TYPE_CHECKING:
    from rich.live import Live
    from rich.text import Text

    from diagnostics.cli.page import Page
    from diagnostics.findings import Step
    from diagnostics.runbooks.questions import Question

_MARKS = {"passed": Mark.GOOD, "failed": Mark.BAD, "inconclusive": Mark.UNKNOWN, "skipped": Mark.INFO}
_NOT_ASKED = "guests are not asked without --guest"
_A_SECOND = 4
"""How often the time on the status line is drawn anew."""


class StatusLine:
    """The last line of a terminal, for as long as something goes on; nothing where there is no terminal."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._live: Live | None = None

    def show(self, text: Callable[[], str]) -> None:
        """Show this, as it is whenever the line is drawn, and count the seconds; instead of what is shown."""
        self.hide()
        console = self._page.console
        if console.is_terminal:
            from rich.live import Live  # noqa: PLC0415 - only a terminal needs it

            status = _Status(lambda: self._page.shown(f"{text()} …"))
            self._live = Live(
                status,
                console=console,
                refresh_per_second=_A_SECOND,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()

    def hide(self) -> None:
        """Take it away: before anything else is printed, and in the end."""
        if self._live:
            self._live.stop()
            self._live = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.hide()


class OnPage:
    """Tells a person. Leave the block before anything else is printed: that takes the status line away."""

    def __init__(self, page: Page) -> None:
        self.steps: list[Step] = []
        self._page, self._status = page, StatusLine(page)

    def asking(self, question: Question[Any]) -> None:
        """Say on a terminal what Azure takes its time over."""
        self._status.hide()
        if text := slow(question):
            self._status.show(lambda: text)

    def ended(self, step: Step) -> None:
        """Print a step: how it ended, its name, and what came of it."""
        self._status.hide()
        step = in_own_words(step)
        self.steps.append(step)
        self._page.marked(_MARKS[step.outcome], f"{step.name}: {step.summary}", bare=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._status.hide()


class OnStandardError:
    """Tells whoever waits for a document: a line for each step, without rich."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def asking(self, question: Question[Any]) -> None:
        """Say nothing: these lines may go to a file."""

    def ended(self, step: Step) -> None:
        """Print a step."""
        step = in_own_words(step)
        self.steps.append(step)
        sys.stderr.write(plain(f"{step.outcome}: {step.name}: {step.summary}") + "\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Nothing has to be taken away."""


@dataclass(frozen=True, slots=True)
class _Status:
    """`connectivity check vm1 → vm2:3389 … 12 s`, with the time as it is when it is drawn."""

    text: Callable[[], str]
    since: float = field(default_factory=time.monotonic)

    def __rich__(self) -> Text:
        from rich.text import Text  # noqa: PLC0415

        text = f"{self.text()} {time.monotonic() - self.since:.0f} s"
        return Text(text, style="bright_black", no_wrap=True, overflow="ellipsis")


def in_own_words(step: Step) -> Step:
    """A step as the command line tells it: whether guests are asked is up to an option here, not to a setting."""
    import msgspec  # noqa: PLC0415 - both are there when a step is

    from diagnostics.runbooks.guest.access import OFF  # noqa: PLC0415

    return msgspec.structs.replace(step, summary=step.summary.replace(OFF, _NOT_ASKED))


def slow(question: Question[Any]) -> str:
    """A question that takes its time, in words; empty for one that is answered at once."""
    from diagnostics.network.ids import ResourceId  # noqa: PLC0415 - all of these are there when a question is
    from diagnostics.runbooks import probing  # noqa: PLC0415

    match question:
        case probing.CheckConnectivity(probe):
            to = probe.destination.name if isinstance(probe.destination, ResourceId) else probe.destination
            port = f":{probe.port}" if probe.port else ""
            return f"connectivity check {probe.source.name} → {f'[{to}]' if ':' in to and port else to}{port}"
        case probing.VerifyFlow(check):
            way = "from" if check.direction.value == "Inbound" else "to"
            return f"IP flow verify {check.vm.name}, {check.direction.lower()} {way} {check.remote_address}"
        case probing.DiagnoseRules(check):
            return f"NSG diagnostics {check.target.name}, {check.direction.lower()}"
        case probing.ReadEffectiveRules(nic):
            return f"rules in effect at {nic.name}"
        case probing.RunInGuest(script):
            return f"script in {script.vm.name}: {script.what}"
    return ""
