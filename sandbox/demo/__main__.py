"""Runs every scenario through the whole application and compares what was found with what was expected."""

import sys
from contextlib import ExitStack

from rich.console import Console

from sandbox.azurite import AzuriteMissingError
from sandbox.demo.run import run
from sandbox.demo.tell import opening, story, verdicts
from sandbox.processes import ProcessFailedError
from sandbox.scenario import scenarios
from sandbox.stack import Stack

_PLAIN_WIDTH = 120  # of output that goes to a file or a log


def main() -> int:
    """Run the demo; 0 when every scenario ended as expected."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_PLAIN_WIDTH)
    outcomes = []
    try:
        with ExitStack() as running:
            with console.status("Starting Azure (simulated), storage (Azurite) and the function app …"):
                stack = running.enter_context(Stack(scenarios()))
            opening(console, stack)
            for number, scenario in enumerate(stack.azure.scenarios, 1):
                with console.status(f"{scenario.name}: waiting for the diagnosis …"):
                    outcome = run(stack, scenario)
                story(console, number, outcome)
                outcomes.append(outcome)
    except (AzuriteMissingError, ProcessFailedError) as error:
        console.print(str(error), style="red")
        return 1
    verdicts(console, outcomes)
    return 0 if all(outcome.as_expected for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
