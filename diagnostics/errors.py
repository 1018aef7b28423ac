"""What can go wrong, in the four ways that the code treats differently."""

from __future__ import annotations


class VmreachError(Exception):
    """An error that vmreach itself raises; the text is one sentence that names what and where."""


class ParseError(VmreachError):
    """Input that cannot be read: says which field and which value. Trying again gives the same."""


class TemporaryError(VmreachError):
    """Something that may work later (throttling, a lock held, a service away): the message is tried again.

    Attributes:
        retry_after: seconds that the other side asked to wait, or None where it did not say.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class PermanentError(VmreachError):
    """Something that will not work however often it is tried."""


class NotFoundError(PermanentError):
    """The resource does not exist, or this identity may not know that it does."""


class OutOfScopeError(PermanentError):
    """A resource outside `VMREACH_SCOPES`: refused, whoever asks."""


class SettingsError(PermanentError):
    """Settings that cannot be used; the text lists everything that is wrong with them."""


class ForbiddenError(PermanentError):
    """A permission that is missing.

    Attributes:
        action: the Azure action to grant, such as `Microsoft.Network/networkInterfaces/write`, if Azure named it.
        scope: the resource id on which to grant it, if Azure named it.
    """

    def __init__(self, message: str, *, action: str | None = None, scope: str | None = None) -> None:
        super().__init__(message)
        self.action = action
        self.scope = scope


class ChangedError(PermanentError):
    """The resource was changed by somebody else since it was read (HTTP 412)."""


BUSY = frozenset({"anotheroperationinprogress", "retryableerror", "retryableerrorduetoanotheroperation"})
"""Azure's codes, in lower case, for: another operation is under way on the resource."""


class OperationFailedError(PermanentError):
    """A long-running operation of Azure that ended as `Failed` or `Canceled`.

    Attributes:
        code: Azure's error code, such as `SubnetIsFull`.
    """

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code
