"""Managed identity as App Service gives it to an app, and what ARM makes of the tokens.

Source: "How to use managed identities for App Service and Azure Functions", REST endpoint reference.
"""

import base64
import secrets
import time
from collections.abc import Mapping

import msgspec

from sandbox.arm.wire import ArmError, Json, Reply
from sandbox.arm.world import TENANT

# Who the function app is: its identity's application and object ids, as they appear in tokens and in the activity log.
CLIENT_ID = "b4ce6f2d-7d4f-4d0c-8a55-31b7a1f3c0e9"
OBJECT_ID = "7c0d4b9e-1b57-4c43-9a43-0d6c1f1f2b11"

_LIFETIME = 24 * 60 * 60  # seconds
_AUDIENCES = {"https://management.azure.com", "https://management.core.windows.net"}


class Identity:
    """Issues tokens to whoever knows the header's secret, and recognises its own."""

    def __init__(self) -> None:
        self.header = secrets.token_hex(16).upper()
        self._issued: dict[str, tuple[str, float]] = {}

    def token(self, query: Mapping[str, str], headers: Mapping[str, str]) -> Reply:
        """Answer GET ?resource=…&api-version=2019-08-01 with an access token for that resource."""
        if headers.get("X-IDENTITY-HEADER") != self.header:
            return Reply({"statusCode": 401, "message": "The X-IDENTITY-HEADER is missing or wrong."}, 401)
        if query.get("api-version") != "2019-08-01" or not query.get("resource"):
            return Reply({"statusCode": 400, "message": "api-version=2019-08-01 and resource are required."}, 400)
        resource, expires = query["resource"], int(time.time()) + _LIFETIME
        token = _encode({"typ": "JWT", "alg": "RS256"}, _claims(resource, expires))
        self._issued[token] = (resource.rstrip("/"), expires)
        kind = {"resource": resource, "token_type": "Bearer", "client_id": CLIENT_ID}
        return Reply({"access_token": token, "expires_on": str(expires)} | kind)

    def require(self, authorization: str | None) -> None:
        """401 with a challenge, as ARM answers, unless the token is ours, for ARM, and still good."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise _refused("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
        audience, expires = self._issued.get(token, ("", 0.0))
        if not audience:
            raise _refused("InvalidAuthenticationToken", "The access token is invalid.")
        if audience not in _AUDIENCES:
            text = f"The access token has been obtained for wrong audience or resource '{audience}'."
            raise _refused("InvalidAuthenticationTokenAudience", text)
        if expires < time.time():
            raise _refused("ExpiredAuthenticationToken", "The access token expiry UTC time has passed.")

    def expire(self) -> None:
        """End the life of every token issued so far."""
        self._issued = {token: (audience, 0.0) for token, (audience, _) in self._issued.items()}


def _claims(resource: str, expires: int) -> Json:
    times = {"iat": expires - _LIFETIME, "nbf": expires - _LIFETIME, "exp": expires}
    return {"aud": resource, "iss": f"https://sts.windows.net/{TENANT}/", "tid": TENANT, "ver": "1.0"} | times | {
        "appid": CLIENT_ID, "oid": OBJECT_ID, "sub": OBJECT_ID, "idtyp": "app",
    }  # fmt: skip


def _encode(*parts: Json) -> str:
    """A token of the right form. Nobody checks its signature, so that is random bytes."""
    coded = [*(msgspec.json.encode(part) for part in parts), secrets.token_bytes(32)]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in coded)


def _refused(code: str, text: str) -> ArmError:
    where = f'Bearer authorization_uri="https://login.windows.net/{TENANT}"'
    challenge = f'{where}, error="invalid_token", error_description="{text}"'
    return ArmError(401, code, text, headers={"WWW-Authenticate": challenge})
