"""
Errors that people and machines can act on.

Every error of the suite is an :class:`AccordError`: it states the fact and the
place in `message`, the next move in `hint`, and carries a stable `code` that
documentation, logs and JSON answers use. No message ever holds personal data
or a secret: whoever raises one passes text through :mod:`accord.redact` first
when it comes from a driver.
"""

from __future__ import annotations

import enum
from typing import ClassVar


class ExitCode(enum.IntEnum):
    """The one table of exit codes that every command of the suite keeps to."""

    DONE = 0
    """Everything asked for is done, or there was nothing to do."""
    FAILED = 1
    """Something failed; nothing more can be expected from a plain rerun."""
    USAGE = 2
    """The call itself is wrong: unknown flag, store, app or target."""
    PARTIAL = 3
    """Part of the work is done and recorded; run the same command again."""
    BLOCKED = 4
    """A policy or a legal hold forbids it."""
    AWAITING_APPROVAL = 5
    """A second person has to approve first."""
    DRIFT = 6
    """A file, a ledger or a live schema disagrees with what was recorded."""
    LEASE_HELD = 7
    """Another run holds the lease."""
    STORE_UNAVAILABLE = 8
    """A store can't be reached, or refuses us."""


class AccordError(Exception):
    """
    Root of every error that the suite raises on purpose.

    Args:
        message: The fact and the place, one or two plain sentences.
        hint: The next move for the person who reads it.

    A subclass sets `code` (stable, documented in docs/reference/errors.md), `exit_code` (what a
    command returns when the error reaches it) and `http_status` (what the API answers then).
    """

    code: ClassVar[str] = "ACC-000"
    exit_code: ClassVar[ExitCode] = ExitCode.FAILED
    http_status: ClassVar[int] = 500

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"[{self.code}] {self.message}"


# --- 1xx: the call and the configuration -----------------------------------


class UsageError(AccordError):
    """The caller asked for something that does not exist or does not fit together."""

    code = "ACC-100"
    exit_code = ExitCode.USAGE
    http_status = 400


class UnknownStore(UsageError):
    """A store alias is not configured."""

    code = "ACC-101"
    http_status = 404


class UnknownApp(UsageError):
    """An app label holds no steps in the stores that were asked."""

    code = "ACC-102"
    http_status = 404


class UnknownTarget(UsageError):
    """A step, run or target name matches nothing."""

    code = "ACC-103"
    http_status = 404


class AmbiguousTarget(UsageError):
    """A prefix matches more than one step."""

    code = "ACC-104"


class WrongEnvironment(UsageError):
    """The environment named in the call is not the one that the settings describe."""

    code = "ACC-105"


class ConfigurationError(AccordError):
    """A setting is missing, of the wrong type, or can't be loaded."""

    code = "ACC-110"
    exit_code = ExitCode.USAGE


# --- 2xx: revisions on disk and the graph they form -------------------------


class RevisionError(AccordError):
    """A revision file can't be used. Nothing was changed."""

    code = "ACC-200"
    exit_code = ExitCode.USAGE
    http_status = 409


class RevisionUnreadable(RevisionError):
    """A revision file has a syntax error, or raises while it is imported."""

    code = "ACC-201"


class RevisionWithoutMigration(RevisionError):
    """A revision file defines no `Migration` class."""

    code = "ACC-202"


class MissingDependency(RevisionError):
    """A step depends on one that no file provides."""

    code = "ACC-203"


class CyclicDependency(RevisionError):
    """Steps depend on each other in a circle."""

    code = "ACC-204"


class DuplicateNumber(RevisionError):
    """Two revisions of one app and store carry the same number."""

    code = "ACC-205"


class ConflictingLeaves(RevisionError):
    """An app has more than one newest step in a store."""

    code = "ACC-206"


class InvalidRevision(RevisionError):
    """A revision was read, and what it declares does not fit (name, operation, option)."""

    code = "ACC-207"


# --- 3xx: ledgers and drift ---------------------------------------------------


class DriftError(AccordError):
    """What is recorded and what is found disagree. Nothing was changed."""

    code = "ACC-300"
    exit_code = ExitCode.DRIFT
    http_status = 409


class ChecksumMismatch(DriftError):
    """An applied revision was edited afterwards."""

    code = "ACC-301"


class LedgerOrphan(DriftError):
    """The ledger names an applied step whose file is gone."""

    code = "ACC-302"


class InconsistentLedger(DriftError):
    """A step is recorded as applied before one that it depends on."""

    code = "ACC-303"


class BaselineMismatch(DriftError):
    """A live schema does not match the steps that a baseline would record."""

    code = "ACC-304"


class ConflictingState(DriftError):
    """An object that a step would create exists already, with another definition."""

    code = "ACC-305"


# --- 4xx: running ----------------------------------------------------------------


class StepFailed(AccordError):
    """A step failed; the steps before it stay recorded, those that need it did not run."""

    code = "ACC-400"


class IrreversibleStep(AccordError):
    """A step that the revert would pass says that it can't be undone. Nothing was changed."""

    code = "ACC-401"
    exit_code = ExitCode.USAGE
    http_status = 409


class PlanChanged(AccordError):
    """The plan made under the lease differs from the one that was confirmed."""

    code = "ACC-402"
    exit_code = ExitCode.PARTIAL
    http_status = 409


class Interrupted(AccordError):
    """A person or the system asked the run to stop; it stopped between two steps."""

    code = "ACC-403"
    exit_code = ExitCode.PARTIAL


class NotConfirmed(AccordError):
    """A question needed a yes and did not get one. Nothing was changed."""

    code = "ACC-404"
    exit_code = ExitCode.USAGE


# --- 5xx: leases -------------------------------------------------------------------


class LeaseError(AccordError):
    """The lease protocol refused."""

    code = "ACC-500"
    exit_code = ExitCode.LEASE_HELD
    http_status = 409


class LeaseHeld(LeaseError):
    """Another run holds the lease, and the time to wait is over."""

    code = "ACC-501"


class LeaseLost(LeaseError):
    """The lease of a run ran out or was taken over; the run stopped writing."""

    code = "ACC-502"
    exit_code = ExitCode.PARTIAL


class StaleFence(LeaseError):
    """A store refused a write, because it has seen a later holder's fencing token."""

    code = "ACC-503"
    exit_code = ExitCode.PARTIAL


# --- 6xx: stores and servers ---------------------------------------------------------


class StoreError(AccordError):
    """A store answered with an error that is not about reaching it."""

    code = "ACC-600"
    http_status = 502


class StoreUnavailable(StoreError):
    """A store can't be reached."""

    code = "ACC-601"
    exit_code = ExitCode.STORE_UNAVAILABLE
    http_status = 503


class StoreRefused(StoreUnavailable):
    """A store can be reached and rejects our credentials or our permissions."""

    code = "ACC-602"


class UnsupportedServer(StoreUnavailable):
    """A server is of a version or a kind that the suite does not work with."""

    code = "ACC-603"


class ReplicaSetRequired(StoreUnavailable):
    """MongoDB runs alone, and what is asked needs a replica set."""

    code = "ACC-604"


# --- 7xx: embedded servers --------------------------------------------------------------


class EmbeddedError(AccordError):
    """An embedded development server could not be fetched, started or stopped."""

    code = "ACC-700"
    exit_code = ExitCode.STORE_UNAVAILABLE
    http_status = 503


class EmbeddedStartFailed(EmbeddedError):
    """An embedded server did not start; the last lines of its log are in the message."""

    code = "ACC-701"


class EmbeddedFetchFailed(EmbeddedError):
    """The files of an embedded server could not be fetched or failed their checksum."""

    code = "ACC-702"


class EmbeddedNotInstalled(EmbeddedError):
    """The packages of an embedded server are not installed."""

    code = "ACC-703"


class EmbeddedDataUnusable(EmbeddedError):
    """The data folder of an embedded server can't be used (owner, rights, space, content)."""

    code = "ACC-704"


# --- 82x to 84x: erasure requests, approvals, holds, consent ------------------------------


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


class OwnRequest(RequestError):
    """Who filed a request, planned it or is its subject can't decide about it."""

    code = "ACC-823"
    exit_code = ExitCode.BLOCKED
    http_status = 403


class NotAllowed(AccordError):
    """A person lacks the permission, or did not prove who they are."""

    code = "ACC-824"
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


class StepTaken(RequestError):
    """Another worker has taken the step over; what it does counts."""

    code = "ACC-829"
    exit_code = ExitCode.PARTIAL


class KeysDestroyed(RequestError):
    """The keys of the person were destroyed when the request was closed."""

    code = "ACC-830"


class ReceiptInvalid(RequestError):
    """A receipt is not what was signed."""

    code = "ACC-831"
    exit_code = ExitCode.DRIFT


class ExtensionRefused(RequestError):
    """The time to answer can't be extended any more."""

    code = "ACC-832"
    exit_code = ExitCode.BLOCKED


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


# --- 9xx: audit, signatures, governance, health -------------------------------------------


class AuditError(AccordError):
    """The audit trail refused, or can't be read."""

    code = "ACC-900"


class OutsideTransaction(AuditError):
    """An audit event has to be recorded in the transaction of its act, and there is none."""

    code = "ACC-901"


class PersonalDataRefused(AuditError):
    """An audit event may hold enumerated words, numbers and random references only."""

    code = "ACC-902"


class AuditChainBroken(AuditError):
    """The audit trail is not what was written."""

    code = "ACC-903"
    exit_code = ExitCode.DRIFT


class SubjectErased(AccordError):
    """A write concerns a person who is erased, or is being erased."""

    code = "ACC-905"
    exit_code = ExitCode.BLOCKED
    http_status = 409


class SignatureError(AccordError):
    """A signature can't be relied on."""

    code = "ACC-910"
    exit_code = ExitCode.BLOCKED


class ForgedSignature(SignatureError):
    """A signature does not belong to what it stands under."""

    code = "ACC-911"


class ForeignSignature(SignatureError):
    """A key signed that is neither ours nor trusted."""

    code = "ACC-912"


class GovernanceError(AccordError):
    """The policy of an environment refuses. Nothing was changed."""

    code = "ACC-920"
    exit_code = ExitCode.BLOCKED
    http_status = 409


class PlanNotApproved(GovernanceError):
    """A second person has to approve the plan before it may run here."""

    code = "ACC-921"
    exit_code = ExitCode.AWAITING_APPROVAL


class ApprovalClosed(GovernanceError):
    """An approval request is decided, used or expired, and can't be decided any more."""

    code = "ACC-922"


class OwnPlan(GovernanceError):
    """Who asked for an approval can't decide about it."""

    code = "ACC-923"
    http_status = 403


class UnknownApproval(UsageError):
    """No approval request has this reference, or several begin with it."""

    code = "ACC-924"
    http_status = 404


class NotEntitled(GovernanceError):
    """An account does not exist, is not active, or lacks the permission."""

    code = "ACC-925"
    http_status = 403


class NotAttested(GovernanceError):
    """Steps of the plan have not been run, as they are, in the environment that has to go first."""

    code = "ACC-926"


class AttestationUnusable(GovernanceError):
    """An attestation can't be read, or speaks of another project or outcome."""

    code = "ACC-927"


class ConventionBroken(GovernanceError):
    """Pending steps break the conventions that the environment asks for."""

    code = "ACC-930"


# --- 80x: the data map ---------------------------------------------------------------------


class InvalidDataMap(AccordError):
    """A data map can't be used as it is declared. No personal data were touched."""

    code = "ACC-800"
    exit_code = ExitCode.USAGE


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


class ExportRefused(UsageError):
    """An access export can't be written where it was asked for."""

    code = "ACC-805"
