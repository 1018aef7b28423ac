"""`make sandbox`: everything runs until Ctrl-C, for use by hand. Prints where, and how to fire an alert."""

import os
import signal
import socket
import sys
import time
from pathlib import Path
from types import FrameType

import msgspec
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient, QueueMessage, TextBase64DecodePolicy
from rich.console import Console

from sandbox.azurite import AzuriteMissingError
from sandbox.processes import ProcessFailedError
from sandbox.scenario import Scenario, scenarios
from sandbox.stack import APP, Stack

_ALERTS = APP / ".cache" / "alerts"
_FUNCTIONS_PORT, _AZURE_PORT = 7071, 7072
_KEY = "sandbox"  # a key for a function app that only this machine can reach


def main() -> int:
    """Run until interrupted."""
    console = Console(highlight=False, soft_wrap=True)
    signal.signal(signal.SIGTERM, _interrupt)
    own = {name: value for name, value in os.environ.items() if name.startswith("VMREACH_")}
    settings = {"SANDBOX_FUNCTION_KEY": _KEY, "SANDBOX_MASTER_KEY": _KEY, **own}
    try:
        with Stack(
            scenarios(), settings, azure_port=_free(_AZURE_PORT), functions_port=_free(_FUNCTIONS_PORT)
        ) as stack:
            _tell(console, stack)
            _show_findings(console, stack)
    except KeyboardInterrupt:
        console.print("\nstopped")
    except (AzuriteMissingError, ProcessFailedError) as error:
        console.print(str(error), style="red")
        return 1
    return 0


def _tell(console: Console, stack: Stack) -> None:
    url = f"{stack.functions.url}/api/alerts?code={stack.functions.function_key}"
    console.print(f"function app   {stack.functions.url}   (key: {stack.functions.function_key})")
    console.print(f"Azure          {stack.azure.url}   (/sandbox/calls, /sandbox/teams, /sandbox/resources?id=…)")
    console.print(f"storage        {stack.storage.connection_string}", markup=False)
    console.print("\nVMs that an alert may name:")
    for scenario in stack.azure.scenarios:
        for body in scenario.resources:
            if body["type"].lower() == "microsoft.compute/virtualmachines":
                console.print(f"  {body['id']}")
    console.print("\nFire an alert:", style="bold")
    for path in _write_alerts(stack.azure.scenarios):
        console.print(f"  curl -d @{path.relative_to(APP)} -H 'Content-Type: application/json' '{url}'")
    console.print("\nFindings, as they come onto queue findings (Ctrl-C ends it all):")


def _write_alerts(all_scenarios: list[Scenario]) -> list[Path]:
    """One file an alert, fired now: what curl sends."""
    _ALERTS.mkdir(parents=True, exist_ok=True)
    paths = []
    for scenario in all_scenarios:
        paths.append(_ALERTS / f"{scenario.name}.json")
        paths[-1].write_bytes(msgspec.json.format(msgspec.json.encode(scenario.alert), indent=2))
    return paths


def _show_findings(console: Console, stack: Stack) -> None:
    """Look without taking: the messages stay for whoever reads the queue."""
    seen: set[str] = set()
    connection = stack.storage.connection_string
    with QueueClient.from_connection_string(
        connection, "findings", message_decode_policy=TextBase64DecodePolicy()
    ) as queue:
        while True:
            for message in _waiting(queue):
                if message.id not in seen:
                    finding = msgspec.json.decode(message.content)
                    console.print(f"  {finding['check']} {finding['status']}: {finding['title']}", markup=False)
                seen.add(message.id)
            time.sleep(0.3)


def _waiting(queue: QueueClient) -> list[QueueMessage]:
    try:
        return queue.peek_messages(max_messages=32)
    except ResourceNotFoundError:
        return []  # nothing was ever put there, so the queue is not there yet


def _free(port: int) -> int:
    """The port, or 0 (any) when it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return 0
    return port


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
