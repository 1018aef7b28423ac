"""The address of a Teams webhook: which can be used at all. It is a secret, and no error repeats it.

Source: Microsoft Teams, "Create incoming webhooks with Workflows for Microsoft Teams".
"""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from diagnostics.errors import SettingsError

SETTING = "VMREACH_TEAMS_WEBHOOK_URL"
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_LEGACY = ("webhook.office.com", "outlook.office.com", "outlook.office365.com")


def usable_host(url: str) -> str:
    """The host of a webhook's address.

    Raises:
        SettingsError: the address can't be one of a Workflows flow; the text does not repeat it.
    """
    if url.lower().startswith("@microsoft.keyvault("):
        raise SettingsError(f"{SETTING}: its Key Vault reference was not resolved; may the app read the secret?")
    try:
        parts = urlsplit(url)
        host, _ = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        parts, host = SplitResult("", "", "", "", ""), ""
    if not host or not url.isascii() or not url.isprintable() or " " in url or parts.username is not None:
        raise SettingsError(f"{SETTING}: not a URL that can be posted to")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
        raise SettingsError(f"{SETTING}: has to be https")
    if any(host == legacy or host.endswith("." + legacy) for legacy in _LEGACY):
        raise SettingsError(
            f"{SETTING}: {host} is an Office 365 connector, which Microsoft has retired; create a webhook with "
            'Workflows in the channel ("Post to a channel when a webhook request is received") and use its URL'
        )
    return host
