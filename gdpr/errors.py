"""Errors of the erasure of people: of requests, consents, and the data map."""

from __future__ import annotations

from accord.denied import Denied
from accord.errors import AccordError, ExitCode, StoreError, StoreUnavailable, UsageError


class RequestError(AccordError):
    """A demand for erasure can't be handled as asked. Nothing was changed."""

    code = "ACC-820"
    http_status = 409


class UnknownRequest(RequestError):
    """No request has this reference, or several begin with it."""

    code = "ACC-821"
    exit_code = ExitCode.USAGE
    http_status = 404


class IllegalTransition(RequestError):
    """The state that a request is in doesn't allow what was asked."""

    code = "ACC-822"
    exit_code = ExitCode.USAGE


class OwnRequest(Denied, RequestError):
    """Who filed, planned or came after a request, or is its subject, can't decide about it."""

    code = "ACC-823"
    exit_code = ExitCode.BLOCKED
    http_status = 403


class AwaitingApproval(RequestError):
    """A second person has to approve the plan first."""

    code = "ACC-825"
    exit_code = ExitCode.AWAITING_APPROVAL


class ApprovalVoid(AwaitingApproval):
    """What was approved is not what would happen now, or the approval expired."""

    code = "ACC-826"


class OnHold(RequestError):
    """A legal hold forbids to erase."""

    code = "ACC-827"
    exit_code = ExitCode.BLOCKED


class ErasureIncomplete(RequestError):
    """Part of the erasure is done; the rest waits for a store, a person or a later attempt."""

    code = "ACC-828"
    exit_code = ExitCode.PARTIAL


class KeysDestroyed(RequestError):
    """The keys of the person were destroyed when the request was closed."""

    code = "ACC-830"


class KeysLost(KeysDestroyed):
    """The key of a request is lost with its server's memory; the person has to be named again."""

    code = "ACC-838"
    exit_code = ExitCode.PARTIAL


class NotThatPerson(RequestError):
    """A key was given that is not that of the person whom the request is about."""

    code = "ACC-839"
    exit_code = ExitCode.USAGE


class RetentionUnapproved(RequestError):
    """More has run out than a run in production lets go without a person."""

    code = "ACC-860"
    exit_code = ExitCode.AWAITING_APPROVAL


class ReceiptInvalid(RequestError):
    """A receipt is not what was signed."""

    code = "ACC-831"
    exit_code = ExitCode.DRIFT


class ExtensionRefused(RequestError):
    """The time to answer can't be extended any more."""

    code = "ACC-832"
    exit_code = ExitCode.BLOCKED


class WhoseIsIt(RequestError):
    """Something has a key that somebody else may have by now; a person has to say whose it is."""

    code = "ACC-829"
    exit_code = ExitCode.PARTIAL


class KeyReused(RequestError):
    """An idempotency key was sent before, with something else."""

    code = "ACC-833"
    exit_code = ExitCode.USAGE
    http_status = 422


class UnknownNotice(UsageError):
    """No notice of this purpose, version and language is on record."""

    code = "ACC-841"
    http_status = 404


class ConsentRefused(RequestError):
    """A consent can't be recorded as it was told."""

    code = "ACC-840"
    exit_code = ExitCode.USAGE


class InvalidDataMap(AccordError):
    """A data map can't be used as it is declared. No personal data were touched."""

    code = "ACC-800"
    exit_code = ExitCode.USAGE


class DataMapOpen(AccordError):
    """The data map leaves places or fields open, and the policy erases by a complete one only."""

    code = "ACC-806"
    exit_code = ExitCode.BLOCKED
    http_status = 409


class UnknownSubject(UsageError):
    """No data subject has this key."""

    code = "ACC-801"
    http_status = 404


class AmbiguousSubject(UsageError):
    """A key belongs to more than one data subject."""

    code = "ACC-802"
    http_status = 422


class WrongKeyType(UsageError):
    """A key is not of the type that the data map declares."""

    code = "ACC-803"
    http_status = 422


class ErasureRefused(StoreError):
    """A store refuses to erase what an entry of the data map names."""

    code = "ACC-804"


class ExternalFailed(StoreError):
    """The project's class for an external place raised an error that is not about reaching it."""

    code = "ACC-807"


class ExternalNonsense(StoreError):
    """The project's class for an external place gave what is no answer."""

    code = "ACC-808"


class DeletionQueued(StoreUnavailable):
    """An external place has taken a deletion and still has what was to go: nothing is complete yet."""

    code = "ACC-809"
    exit_code = ExitCode.PARTIAL


class ExportRefused(UsageError):
    """An access export can't be written as it was asked for."""

    code = "ACC-805"


class ExportOver(ExportRefused):
    """An export can't be downloaded any more: it expired, was deleted, or was downloaded often enough."""

    code = "ACC-810"
    http_status = 410


class RegisterError(AccordError):
    """The register of erasures doesn't allow to go on. Nothing was erased."""

    code = "ACC-850"
    http_status = 503


class RegisterUnavailable(RegisterError):
    """The register of erasures can't be read or written."""

    code = "ACC-851"


class RegisterBroken(RegisterError):
    """The register of erasures was changed, or its end was cut off."""

    code = "ACC-852"
    exit_code = ExitCode.DRIFT


class StoreRestored(RegisterError):
    """A store was restored to an earlier state; whom that brought back is erased again first."""

    code = "ACC-854"
    exit_code = ExitCode.BLOCKED


class RegisterForeign(RegisterError):
    """The register of erasures is that of another database, or it is gone."""

    code = "ACC-853"
    exit_code = ExitCode.DRIFT


class DrillRefused(UsageError):
    """A drill of this project can't be held: a store can't be moved to a server of its own."""

    code = "ACC-855"


class DrillFailed(AccordError):
    """A drill did not go as it has to: what was restored was not noticed, or not erased again."""

    code = "ACC-856"
    exit_code = ExitCode.DRIFT
