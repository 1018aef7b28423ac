"""One way to run a function, shared by all triggers."""

import logging
import time
import uuid
from collections.abc import Mapping

from sandbox.host.errors import InvocationError
from sandbox.host.functions import Function
from sandbox.host.logs import running
from sandbox.host.outputs import Outputs
from sandbox.host.worker import Datum, Worker

_logger = logging.getLogger(__name__)


class Invoker:
    """Runs functions, delivers their outputs and logs how it went, in the words of the Azure host."""

    def __init__(self, worker: Worker, outputs: Outputs) -> None:
        self._worker = worker
        self._outputs = outputs

    async def run(
        self, function: Function, data: Datum, metadata: Mapping[str, Datum] | None = None, reason: str = "trigger"
    ) -> Datum | None:
        """What the function returned, once its outputs are delivered. Raises InvocationError."""
        invocation_id = str(uuid.uuid4())
        started = time.monotonic()
        with running(invocation_id, function.name):
            _logger.info("Executing 'Functions.%s' (Reason='%s', Id=%s)", function.name, reason, invocation_id)
            outcome = "Failed"
            try:
                returned = await self._run(invocation_id, function, data, metadata or {})
                outcome = "Succeeded"
            finally:
                milliseconds = round((time.monotonic() - started) * 1000)
                level = logging.INFO if outcome == "Succeeded" else logging.ERROR
                text = "Executed 'Functions.%s' (%s, Id=%s, Duration=%dms)"
                _logger.log(level, text, function.name, outcome, invocation_id, milliseconds)
        return returned

    async def _run(
        self, invocation_id: str, function: Function, data: Datum, metadata: Mapping[str, Datum]
    ) -> Datum | None:
        inputs = {function.trigger.name: data}
        outcome = await self._worker.invoke(invocation_id, function.id, inputs, metadata)
        if outcome.error is not None:
            raise InvocationError(f"function {function.name} failed: {outcome.error}")
        try:
            await self._outputs.deliver(function, outcome)
        except InvocationError as error:
            _logger.error("%s", error)  # noqa: TRY400 - the storage SDK's stack says nothing about the function
            raise
        return outcome.returned
