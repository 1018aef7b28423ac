"""``python -m sandbox.arm [scenario …]``: the sandbox until Ctrl-C, and what an app needs to use it."""

import argparse
import difflib
import json
import shlex
import signal
import sys
import threading
from collections.abc import Callable

import msgspec

from sandbox.arm import Sandbox
from sandbox.scenario import DERIVED, ESTATES, Json, Scenario


def main(arguments: list[str] | None = None) -> int:
    """Serve the named scenarios, or all; say on standard output how to reach them."""
    known = {path.stem: path for folder in (ESTATES, DERIVED) for path in sorted(folder.glob("*.json"))}
    parser = _parser()
    given = parser.parse_args(arguments)
    unknown = set(given.scenario) - known.keys()
    if unknown:
        near = difflib.get_close_matches(min(unknown), known, cutoff=0.4)
        some = f"there are {', '.join(list(known)[:3])} and {len(known) - 3} more"
        perhaps = f"; did you mean {' or '.join(near)}?" if near else f"; {some}"
        parser.error(f"no scenario {', '.join(sorted(unknown))}{perhaps}")
    ended = threading.Event()
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda *_: ended.set())
    chosen = [Scenario.load(known[name]) for name in dict.fromkeys(given.scenario or known)]
    with Sandbox(chosen, given.port, given.operation_seconds) as sandbox:
        if given.json:
            sys.stdout.write(json.dumps(_document(sandbox)) + "\n")
            threading.Thread(target=_until_left, args=(ended.set,), daemon=True).start()
        else:
            sys.stdout.write(_exports(sandbox))
        sys.stdout.flush()
        ended.wait()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox.arm", description="A small Azure on loopback.")
    parser.add_argument("scenario", nargs="*", help="name of a scenario to serve; all without one")
    parser.add_argument("--port", type=int, default=0, help="where to listen; any free port without it")
    parser.add_argument("--operation-seconds", type=float, default=2.0, help="how long operations take")
    told = "one line of JSON instead of shell; serve until standard input ends, too: for a program that starts this one"
    parser.add_argument("--json", action="store_true", help=told)
    return parser


def _exports(sandbox: Sandbox) -> str:
    """What a shell takes."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in sandbox.environment().items()]
    lines.append(f"# look at {sandbox.url}/sandbox/calls, /sandbox/teams, /sandbox/resources; Ctrl-C ends")
    return "".join(f"{line}\n" for line in lines)


def _document(sandbox: Sandbox) -> Json:
    """What a program takes."""
    served = [_told(scenario) for scenario in sandbox.scenarios]
    return {"url": sandbox.url, "environment": sandbox.environment(), "scenarios": served}


def _told(scenario: Scenario) -> Json:
    """A scenario as far as whoever works it through has to know it, and what is expected of that."""
    return {
        "name": scenario.name,
        "title": scenario.title,
        "story": scenario.story,
        "subscription": scenario.subscription,
        "runCommand": scenario.run_command,
        "alert": scenario.alert,
        "expected": msgspec.to_builtins(scenario.expected),
    }


def _until_left(end: Callable[[], None]) -> None:
    """Wait until whoever started this closes our standard input, or ends: then nobody needs it any more."""
    while sys.stdin.buffer.read(4_096):
        pass
    end()


if __name__ == "__main__":
    raise SystemExit(main())
