"""The SDK's clients: one credential, one client per subscription, made when first used."""

from __future__ import annotations

import re
from collections.abc import Callable
from threading import RLock
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from diagnostics.cloud.closing import close_with
from diagnostics.errors import PermanentError
from diagnostics.settings import Access, is_loopback

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.core.pipeline import PipelineRequest
    from azure.mgmt.compute import ComputeManagementClient
    from azure.mgmt.network import NetworkManagementClient
    from azure.mgmt.resourcegraph import ResourceGraphClient

_RETRIES = 3
_ODD = re.compile(r"[\s\\\x00-\x1f\x7f]")  # what one reader of URLs drops and another takes for a part of the host
_LONGEST = 300  # characters of an error
_LONGEST_WAIT = 20.0  # seconds; a function does not sleep for longer: its message comes back


class Clients:
    """Makes and keeps the SDK's clients. Safe to use from several threads."""

    def __init__(self, settings: Access) -> None:
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

    def sign_in(self) -> None:
        """Get a token now, for whoever waits; raises PermanentError, with what to do, where none is to be had."""
        from azure.core.exceptions import ClientAuthenticationError  # noqa: PLC0415

        try:
            self.credential.get_token(self._settings.cloud.audience)
        except ClientAuthenticationError as error:
            tried = [" ".join(line.split()) for line in str(error.message).splitlines()] or [""]
            why = next((line for line in tried if line.startswith("AzureCliCredential")), tried[0])
            raise PermanentError(f"no login to Azure: run `az login` ({why[:_LONGEST]})") from error

    def network(self, subscription: str) -> NetworkManagementClient:
        """The client for NICs, Network Watcher and the rest of Microsoft.Network.

        Each call names its api-version: the client itself would take one, and not use it.
        """

        def make() -> NetworkManagementClient:
            from azure.mgmt.network import NetworkManagementClient  # noqa: PLC0415

            return NetworkManagementClient(self.credential, subscription, **self._options())

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

    def is_arm(self, url: str) -> bool:
        """Whether a URL leads to Azure Resource Manager, so that it may get a token.

        That is the endpoint itself, or one of its regions: recorded operations are at `brazilus.management.azure.com`.
        """
        try:
            there, here = _place(urlsplit(url)), _place(urlsplit(self._settings.arm_endpoint))
        except ValueError:  # no URL at all
            return False
        plain = not _ODD.search(url) and "@" not in urlsplit(url).netloc
        return plain and there[::2] == here[::2] and f".{there[1]}".endswith(f".{here[1]}")

    def _kept[T](self, kind: str, subscription: str, make: Callable[[], T]) -> T:
        with self._lock:
            if (kind, subscription) not in self._made:
                self._made[kind, subscription] = make()
            client: T = self._made[kind, subscription]
            return client

    def _options(self) -> dict[str, Any]:
        settings = self._settings
        return {
            "base_url": settings.arm_endpoint,
            "credential_scopes": [settings.cloud.audience],
            # Azure's Retry-After overrides it; without one, or with 0, the SDK would sleep 30 s.
            "polling_interval": settings.poll_seconds,
            "retry_policy": _patience(),
            "per_call_policies": [_plain_http()] if is_loopback(settings.arm_endpoint) else [],
        }


def _place(url: SplitResult) -> tuple[str, str, int | None]:
    """Scheme, host and port."""
    scheme = url.scheme.lower()
    return scheme, url.hostname or "", url.port or {"https": 443, "http": 80}.get(scheme)


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


def _plain_http() -> Any:
    from azure.core.pipeline.policies import SansIOHTTPPolicy  # noqa: PLC0415

    class PlainHttp(SansIOHTTPPolicy[Any, Any]):
        """Lets tokens go over plain http: for an address that is this machine's own."""

        def on_request(self, request: PipelineRequest[Any]) -> None:
            request.context.options["enforce_https"] = False

    return PlainHttp()
