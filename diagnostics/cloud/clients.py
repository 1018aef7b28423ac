"""The SDK's clients: one credential, one client per subscription, made when first used."""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock
from typing import TYPE_CHECKING, Any

from diagnostics.cloud.closing import close_with
from diagnostics.settings import Settings, is_loopback

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.core.pipeline import PipelineRequest
    from azure.mgmt.compute import ComputeManagementClient
    from azure.mgmt.network import NetworkManagementClient
    from azure.mgmt.resourcegraph import ResourceGraphClient

_RETRIES = 3
_LONGEST_WAIT = 20.0  # seconds; a function does not sleep for longer: its message comes back


class Clients:
    """Makes and keeps the SDK's clients. Safe to use from several threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._made: dict[tuple[str, str], Any] = {}
        self._lock = RLock()
        close_with(self, self._made)

    @property
    def credential(self) -> TokenCredential:
        """Managed identity in Azure, the caller's own login elsewhere."""

        def make() -> TokenCredential:
            from azure.identity import DefaultAzureCredential  # noqa: PLC0415

            return DefaultAzureCredential(
                authority=self._settings.cloud.authority, managed_identity_client_id=self._settings.client_id
            )

        return self._kept("credential", "", make)

    def network(self, subscription: str) -> NetworkManagementClient:
        """The client for NICs, Network Watcher and the rest of Microsoft.Network.

        Each call names its api-version: the client itself would take one, and not use it.
        """

        def make() -> NetworkManagementClient:
            from azure.mgmt.network import NetworkManagementClient  # noqa: PLC0415

            return NetworkManagementClient(self.credential, subscription, **self._options(once=True))

        return self._kept("network", subscription, make)

    def compute(self, subscription: str) -> ComputeManagementClient:
        """The client for VMs."""

        def make() -> ComputeManagementClient:
            from azure.mgmt.compute import ComputeManagementClient  # noqa: PLC0415

            return ComputeManagementClient(self.credential, subscription, **self._options())

        return self._kept("compute", subscription, make)

    def graph(self) -> ResourceGraphClient:
        """The client for Resource Graph."""

        def make() -> ResourceGraphClient:
            from azure.mgmt.resourcegraph import ResourceGraphClient  # noqa: PLC0415

            return ResourceGraphClient(self.credential, **self._options())

        return self._kept("graph", "", make)

    def _kept[T](self, kind: str, subscription: str, make: Callable[[], T]) -> T:
        with self._lock:
            if (kind, subscription) not in self._made:
                self._made[kind, subscription] = make()
            client: T = self._made[kind, subscription]
            return client

    def _options(self, *, once: bool = False) -> dict[str, Any]:
        settings = self._settings
        return {
            "base_url": settings.arm_endpoint,
            "credential_scopes": [settings.cloud.audience],
            # Azure's Retry-After overrides it; without one, or with 0, the SDK would sleep 30 s.
            "polling_interval": settings.poll_seconds,
            "retry_policy": _patience(),
            "per_call_policies": [_manners(once=once, allow_http=is_loopback(settings.arm_endpoint))],
        }


def _patience() -> Any:
    from azure.core.pipeline.policies import RetryPolicy  # noqa: PLC0415

    class Patience(RetryPolicy):  # type: ignore[type-arg]  # it is generic for the type checker only
        """Repeats a request that may work soon; the SDK would sleep as long as any `Retry-After` asks."""

        def is_retry(self, settings: dict[str, Any], response: Any) -> bool:
            """Whether to try again in this run."""
            again = (self.get_retry_after(response) or 0) <= _LONGEST_WAIT and super().is_retry(settings, response)
            if again and hasattr(response.http_response, "close"):
                response.http_response.close()  # nobody reads it: its connection would stay open until it is collected
            return again

    return Patience(retry_total=_RETRIES, retry_backoff_max=_LONGEST_WAIT)


def _manners(*, once: bool, allow_http: bool) -> Any:
    from azure.core.pipeline.policies import SansIOHTTPPolicy  # noqa: PLC0415

    class Manners(SansIOHTTPPolicy[Any, Any]):
        """With `once`, submits a POST once: azure-core repeats one on 503, and a connectivity check would run twice.

        Lets tokens go over plain http where the address is this machine's own.
        """

        def on_request(self, request: PipelineRequest[Any]) -> None:
            if once and request.http_request.method == "POST":
                request.context.options["retry_total"] = 0
            if allow_http:
                request.context.options["enforce_https"] = False

    return Manners()
