"""
Errors that operators and programs can act on.

Every error of the suite is an :class:`AccordError`: it states the fact and the
place in `message`, the next move in `hint`, and carries a stable `code`. No message
ever holds personal data or a secret: text of a driver passes through
:mod:`accord.secrets.redact` first.
"""

from __future__ import annotations

import enum
from typing import ClassVar

from accord.denied import Denied


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
        hint: The next move for the operator who reads it.

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

    def reword(self, message: str) -> None:
        """
        Say more than whoever raised it could know, such as the step that was under way.

        Args:
            message: The whole text from now on.
        """
        self.message = message
        self.args = (message,)


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


class UnknownTarget(UsageError):
    """A step, run or target name matches nothing."""

    code = "ACC-103"
    http_status = 404


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


class DuplicateNumber(RevisionError):
    """Two revisions of one app and store carry the same number."""

    code = "ACC-205"


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


class InconsistentLedger(DriftError):
    """A step is recorded as applied before one that it depends on."""

    code = "ACC-303"


class ConflictingState(DriftError):
    """An object that a step would create exists already, with another definition."""

    code = "ACC-305"


class LedgerNotUnderstood(DriftError):
    """A ledger holds something that this version can't read: what is applied there can't be told."""

    code = "ACC-306"


# --- 4xx: running ----------------------------------------------------------------


class StepFailed(AccordError):
    """A step failed; the steps before it stay recorded, those that need it did not run."""

    code = "ACC-400"


class LockNotFree(StepFailed):
    """Others held what a step has to lock for as long as the policy lets it try."""

    code = "ACC-408"


class IrreversibleStep(AccordError):
    """A step that the revert would pass says that it can't be undone. Nothing was changed."""

    code = "ACC-401"
    exit_code = ExitCode.USAGE
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
    """
    A store can be reached and rejects our credentials or our permissions.

    Args:
        message: As for every error.
        hint: As for every error.
        lacks_right: We are known there, and one right is missing: something else may still be done.
    """

    code = "ACC-602"

    def __init__(self, message: str, *, hint: str = "", lacks_right: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.lacks_right = lacks_right


class UnsupportedServer(StoreUnavailable):
    """A server is of a version or a kind that the suite does not work with."""

    code = "ACC-603"


# --- 82x to 84x: erasure requests, approvals, holds, consent ------------------------------


class NotAllowed(Denied, AccordError):
    """A person lacks the permission, or did not prove who they are."""

    code = "ACC-824"
    exit_code = ExitCode.BLOCKED
    http_status = 403


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
