"""Errors of planning and running migrations, and of what an environment asks before a run."""

from __future__ import annotations

from accord.denied import Denied
from accord.errors import AccordError, DriftError, ExitCode, NotConfirmed, RevisionError, UsageError


class UnknownApp(UsageError):
    """An app label holds no steps in the stores that were asked."""

    code = "ACC-102"
    http_status = 404


class AmbiguousTarget(UsageError):
    """A prefix matches more than one step."""

    code = "ACC-104"


class WrongEnvironment(UsageError):
    """The environment named in the call is not the one that the settings describe."""

    code = "ACC-105"


class SnapshotUnusable(UsageError):
    """A file of a schema snapshot is missing, or it can't be read or written. Nothing was compared."""

    code = "ACC-106"


class NotPartitionable(UsageError):
    """A table can't be partitioned as declared, or isn't as far as is asked. Nothing was changed."""

    code = "ACC-107"
    http_status = 409


class MissingDependency(RevisionError):
    """A step depends on one that no file provides."""

    code = "ACC-203"


class CyclicDependency(RevisionError):
    """Steps depend on each other in a circle."""

    code = "ACC-204"


class ConflictingLeaves(RevisionError):
    """An app has more than one newest step in a store."""

    code = "ACC-206"


class LedgerOrphan(DriftError):
    """The ledger names an applied step whose file is gone."""

    code = "ACC-302"


class BaselineMismatch(DriftError):
    """A live schema does not match the steps that a baseline would record."""

    code = "ACC-304"


class BaselineUnproved(DriftError):
    """A baseline would record steps that can't be looked at, or not whole, and nobody vouched for them."""

    code = "ACC-309"


class LiveStoresDiffer(DriftError):
    """Live stores are not as their applied steps describe, and the environment's policy refuses that."""

    code = "ACC-320"


class PlanChanged(AccordError):
    """The plan made under the lease differs from the one that was confirmed."""

    code = "ACC-402"
    exit_code = ExitCode.PARTIAL
    http_status = 409


class ForetoldToFail(AccordError):
    """A look at the servers shows that steps of the plan would fail. Nothing was changed."""

    code = "ACC-405"
    http_status = 409


class DataWouldGo(NotConfirmed):
    """A revert would drop what holds data, and no person agreed to that. Nothing was undone."""

    code = "ACC-407"


class StepsUnderWay(UsageError):
    """Steps were begun and did not end, and what is asked would leave them so. Nothing was changed."""

    code = "ACC-411"
    http_status = 409


class GovernanceError(AccordError):
    """The policy of an environment refuses. Nothing was changed."""

    code = "ACC-920"
    exit_code = ExitCode.BLOCKED
    http_status = 409


class PlanNotApproved(GovernanceError):
    """A second person has to approve the plan before it may run here."""

    code = "ACC-921"
    exit_code = ExitCode.AWAITING_APPROVAL


class ReviewMissing(GovernanceError):
    """A run went ahead without approval, and nobody has reviewed that. Nothing else runs before."""

    code = "ACC-929"
    exit_code = ExitCode.AWAITING_APPROVAL


class ApprovalClosed(GovernanceError):
    """An approval request is decided, used or expired, and can't be decided any more."""

    code = "ACC-922"


class OwnPlan(Denied, GovernanceError):
    """Who asked for an approval, or came after that, can't decide about it."""

    code = "ACC-923"
    http_status = 403


class UnknownApproval(UsageError):
    """No approval request has this reference, or several begin with it."""

    code = "ACC-924"
    http_status = 404


class NotEntitled(Denied, GovernanceError):
    """An account does not exist, is not active, or lacks the permission."""

    code = "ACC-925"
    http_status = 403


class NotAttested(GovernanceError):
    """Steps of the plan have not been run, as they are, in the environment that has to go first."""

    code = "ACC-926"


class AttestationUnusable(GovernanceError):
    """An attestation can't be read, or speaks of another project or outcome."""

    code = "ACC-927"


class LossesUnseen(GovernanceError):
    """A plan that drops what holds data was approved by somebody who didn't say that they saw it."""

    code = "ACC-928"


class ConventionBroken(GovernanceError):
    """Pending steps break the conventions that the environment asks for."""

    code = "ACC-930"


class LintRefused(GovernanceError):
    """Lint finds errors in pending steps, and the policy of the environment refuses that."""

    code = "ACC-931"
