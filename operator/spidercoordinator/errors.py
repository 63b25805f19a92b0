"""Everything this project raises on purpose.

SpiderCoordinatorError          base; str() is one line an administrator can act on
├── SettingsError               the operator's environment or command line is wrong: do not start
├── LoginError                  no way to the API server: no kubeconfig, no service account
├── ManifestError               a file cannot be read, or is no YAML
├── InvalidObjectError          a user's object cannot be used; names field, value, what is allowed
├── OddObjectError              an object of others lacks what its kind always has
├── LeadershipLostError         another replica leads, or may do so soon: stop
├── KindRemovedError            the CRD of one of our kinds was deleted: stop, and wait for it anew
├── OperatorEndedError          what runs the operator failed: stop, and start anew
└── ApiError                    the API server refused, or was not reached
    ├── ApiUnavailableError     no connection, time-out, 5xx, 429: try again later
    ├── ApiUnauthorizedError    401
    ├── ApiForbiddenError       403
    ├── ApiNotFoundError        404: no such object, or no such kind
    ├── ApiConflictError        409: it changed in between, it exists already, or another manages it
    ├── ApiGoneError            410: the resource version is too old, list again
    └── ApiInvalidError         400, 422: the object breaks a rule of its schema
"""

from __future__ import annotations

from enum import StrEnum


class Refusal(StrEnum):
    """Why the API server did not do what was asked, as one CamelCase word for reasons."""

    UNAUTHORIZED = "Unauthorized"
    """It does not know who asks."""
    FORBIDDEN = "Forbidden"
    """A role is missing."""
    DENIED = "Denied"
    """An admission policy, webhook or plugin said no."""
    QUOTA_EXCEEDED = "QuotaExceeded"
    """A ResourceQuota is used up."""
    NAMESPACE_TERMINATING = "NamespaceTerminating"
    """Nothing can be created in a namespace that is being deleted."""
    NOT_FOUND = "NotFound"
    """The object, its namespace or its kind does not exist."""
    CONFLICT = "Conflict"
    """It changed in between, exists already, or a field belongs to another manager."""
    INVALID = "Invalid"
    """It breaks a rule of its schema."""
    TOO_LARGE = "TooLarge"
    """It is larger than the API server, or etcd, takes."""
    THROTTLED = "Throttled"
    """Too many requests."""
    WEBHOOK_FAILED = "WebhookFailed"
    """An admission webhook that must answer does not."""
    UNAVAILABLE = "Unavailable"
    """No answer, or an error of the server's own."""
    OTHER = "Refused"
    """Anything else."""

    @property
    def is_transient(self) -> bool:
        """Whether the next try will likely do, so that nobody need be told of one."""
        return self in {Refusal.CONFLICT, Refusal.THROTTLED, Refusal.UNAVAILABLE}


class SpiderCoordinatorError(Exception):
    """Base of all errors of this project."""


class SettingsError(SpiderCoordinatorError):
    """The operator was started with a setting that cannot be used."""


class LoginError(SpiderCoordinatorError):
    """Neither a kubeconfig nor a service account leads to an API server."""


class ManifestError(SpiderCoordinatorError):
    """A file that should hold manifests cannot be read as such."""


class InvalidObjectError(SpiderCoordinatorError):
    """A user's object cannot be used as it is.

    Attributes:
        field: path of the field in the object, as the API knows it (`spec.coordinator.vethMTU`).
        reason: CamelCase word for a status condition.
    """

    def __init__(self, message: str, *, field: str = "", reason: str = "Invalid") -> None:
        super().__init__(message)
        self.field = field
        self.reason = reason


class OddObjectError(SpiderCoordinatorError):
    """An object of another project lacks what objects of its kind always have: it says nothing."""


class LeadershipLostError(SpiderCoordinatorError):
    """This process led, and may not write any more: another one does, or may do so soon."""


class KindRemovedError(SpiderCoordinatorError):
    """The CRD of one of our kinds was deleted while the operator ran."""


class OperatorEndedError(SpiderCoordinatorError):
    """What runs the operator failed, by a bug or an event that nobody expected."""


class ApiError(SpiderCoordinatorError):
    """A request to the API server failed.

    Attributes:
        status: HTTP status, 0 when no answer came.
        retry_after: seconds the server asked to wait, 0 when it did not say.
        causes: `(field, message)` pairs of the server's own list of causes.
        subject: the object that the server's answer is about, empty where it names none, as when it
            does not have the whole kind.
        refusal: why it failed.
    """

    def __init__(  # noqa: PLR0913 - an answer has this many parts
        self,
        message: str,
        *,
        status: int = 0,
        retry_after: float = 0.0,
        causes: tuple[tuple[str, str], ...] = (),
        subject: str = "",
        refusal: Refusal = Refusal.UNAVAILABLE,
    ) -> None:
        super().__init__(message)
        self.refusal = refusal
        self.status = status
        self.subject = subject
        self.retry_after = retry_after
        self.causes = causes


class ApiUnavailableError(ApiError):
    """No answer, or one that says: later."""


class ApiUnauthorizedError(ApiError):
    """The API server does not know who asks."""


class ApiForbiddenError(ApiError):
    """The API server knows who asks and says no: a role is missing, or something denies it."""


class ApiNotFoundError(ApiError):
    """The object, or its whole kind, does not exist."""


class ApiConflictError(ApiError):
    """The object changed in between, exists already, or a field belongs to another manager."""


class ApiGoneError(ApiError):
    """The resource version asked for is no longer kept."""


class ApiInvalidError(ApiError):
    """The object breaks a rule of its schema."""


_BY_STATUS: dict[int, type[ApiError]] = {
    400: ApiInvalidError,
    401: ApiUnauthorizedError,
    403: ApiForbiddenError,
    404: ApiNotFoundError,
    409: ApiConflictError,
    410: ApiGoneError,
    422: ApiInvalidError,
    429: ApiUnavailableError,
}


def api_error_class(status: int) -> type[ApiError]:
    """Return the class that stands for an HTTP status."""
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return ApiUnavailableError if status == 0 or status >= 500 else ApiError  # noqa: PLR2004 - HTTP's own border
