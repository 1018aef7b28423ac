"""``python -m sandbox.arm [scenario …]``: the sandbox until Ctrl-C, and what an app needs to use it."""

import argparse
import shlex
import signal
import sys
import threading

from sandbox.arm import Sandbox
from sandbox.scenario import scenarios


def main(arguments: list[str] | None = None) -> int:
    """Serve the named scenarios, or all; say on standard output how to reach them."""
    known = {scenario.name: scenario for scenario in scenarios()}
    parser = argparse.ArgumentParser(prog="python -m sandbox.arm", description="A small Azure on loopback.")
    parser.add_argument("scenario", nargs="*", help=f"one of {', '.join(known)}; all without a name")
    parser.add_argument("--port", type=int, default=0, help="where to listen; any free port without it")
    parser.add_argument("--operation-seconds", type=float, default=2.0, help="how long operations take")
    given = parser.parse_args(arguments)
    unknown = set(given.scenario) - known.keys()
    if unknown:
        parser.error(f"no scenario {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    ended = threading.Event()
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda *_: ended.set())
    chosen = [known[name] for name in given.scenario] or list(known.values())
    with Sandbox(chosen, given.port, given.operation_seconds) as sandbox:
        for name, value in sandbox.environment().items():
            sys.stdout.write(f"export {name}={shlex.quote(value)}\n")
        sys.stdout.write(f"# look at {sandbox.url}/sandbox/calls, /sandbox/teams, /sandbox/resources; Ctrl-C ends\n")
        sys.stdout.flush()
        ended.wait()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
