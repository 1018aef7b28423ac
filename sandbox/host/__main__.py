import argparse
import asyncio
import logging
import os
import signal
import sys
import threading
from pathlib import Path

from sandbox.host.errors import StartError
from sandbox.host.server import Options, load


def main() -> int:
    """0 after a signal stopped the host, 1 when the app cannot be hosted."""
    arguments = _arguments()
    if arguments.stop_with_stdin:
        threading.Thread(target=_stop_at_end_of_input, daemon=True).start()
    options = Options(
        app=arguments.app,
        port=arguments.port,
        ready_file=arguments.ready_file and arguments.ready_file.resolve(),
        lease_seconds=arguments.lease_seconds,
        grace_seconds=arguments.grace_seconds,
    )
    try:
        asyncio.run(load(options).serve())
    except StartError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except Exception:
        logging.getLogger(__name__).exception("a defect of this host")
        return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox.host", description="A local Azure Functions host.")
    parser.add_argument("--app", type=Path, default=Path(), help="folder of function_app.py and host.json")
    parser.add_argument("--port", type=int, default=0, help="default: any free port of 127.0.0.1")
    parser.add_argument("--ready-file", type=Path, help="the ready line is written here too")
    parser.add_argument("--lease-seconds", type=_at_least_one, default=10, help="how long a received message is hidden")
    parser.add_argument("--grace-seconds", type=float, default=10.0, help="how long a stop waits for running functions")
    parser.add_argument("--stop-with-stdin", action="store_true", help="stop when standard input ends")
    return parser.parse_args()


def _at_least_one(text: str) -> int:
    if (value := int(text)) < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return value


def _stop_at_end_of_input() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # A function that hangs in the worker's thread pool would keep a normal exit waiting for it.
    os._exit(code)
