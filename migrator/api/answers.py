"""What is answered about runs, plans and approvals. People are random references of the audit trail."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accord.api.moments import MomentField
from accord.seam.types import Language, Phase
from migrator.cli.render_approvals import approval_document
from migrator.engine.drift import DriftKind
from migrator.models import APPROVAL_KINDS, ApprovalState, PlanApproval, RunKind, RunOutcome
from migrator.review import Review

_PHASES = [phase.value for phase in Phase]


class RunAnswer(serializers.Serializer):
    """A run, as a list shows it."""

    id = serializers.CharField()
    kind = serializers.ChoiceField(RunKind.choices)
    outcome = serializers.ChoiceField(RunOutcome.choices)
    environment = serializers.CharField()
    digest = serializers.CharField()
    planned = serializers.IntegerField(help_text="Steps that were planned.")
    done = serializers.IntegerField(help_text="Steps that succeeded.")
    started_at = MomentField()
    finished_at = MomentField(allow_null=True)
    error_code = serializers.CharField(allow_blank=True)
    error = serializers.CharField(allow_blank=True)


class StepRunAnswer(serializers.Serializer):
    """A step of a run."""

    position = serializers.IntegerField()
    store = serializers.CharField()
    app = serializers.CharField()
    name = serializers.CharField()
    direction = serializers.CharField()
    outcome = serializers.ChoiceField(RunOutcome.choices)
    started_at = MomentField()
    seconds = serializers.FloatField(allow_null=True)
    changed = serializers.IntegerField()
    detail = serializers.CharField(allow_blank=True)
    error_code = serializers.CharField(allow_blank=True)
    error = serializers.CharField(allow_blank=True)


class RunDetail(RunAnswer):
    """A run with its steps."""

    steps = StepRunAnswer(many=True)


class BoundDrift(serializers.Serializer):
    """A disagreement of ledger and file that may stay."""

    key = serializers.CharField()
    drift = serializers.ChoiceField([kind.value for kind in DriftKind])
    digest = serializers.CharField(help_text="Of what stands in ledger and file.")


class BoundIdentity(serializers.Serializer):
    """A store that is to belong to another environment."""

    store = serializers.CharField()
    change = serializers.CharField(help_text="From where to where: `production>staging`.")
    id = serializers.CharField(help_text="Which store it is.")


class BoundStep(serializers.Serializer):
    """A step, as an approval binds it."""

    key = serializers.CharField()
    phase = serializers.ChoiceField(_PHASES)
    checksum = serializers.CharField()


class StandingAnswer(serializers.Serializer):
    """How far the yes-es to a request are."""

    given = serializers.IntegerField(help_text="How many count of those that are needed.")
    needed = serializers.IntegerField()
    missing = serializers.ListField(
        child=serializers.CharField(), help_text="Groups of which nobody has said yes yet."
    )


class ApprovalAnswer(serializers.Serializer):
    """A request that a plan may run (`accord.approval/1`)."""

    schema = serializers.CharField()
    reference = serializers.CharField()
    state = serializers.ChoiceField(ApprovalState.choices)
    environment = serializers.CharField()
    kind = serializers.ChoiceField(APPROVAL_KINDS)
    direction = serializers.CharField()
    target = serializers.CharField(allow_blank=True)
    digest = serializers.CharField()
    steps = BoundStep(many=True)
    remaining = serializers.ListField(child=serializers.CharField(), help_text="Steps that may still run.")
    drift = BoundDrift(many=True)
    environments = BoundIdentity(many=True)
    reason = serializers.CharField()
    requested_by = serializers.CharField()
    requested_at = MomentField()
    expires_at = MomentField()
    approvals = StandingAnswer(allow_null=True, help_text="While it is open.")
    decided_by = serializers.CharField(allow_null=True)
    decided_at = MomentField(allow_null=True)
    decision_reason = serializers.CharField(allow_blank=True)
    run = serializers.CharField(allow_null=True)

    def to_representation(self, instance: PlanApproval) -> Any:
        """Describe a request as the command does."""
        return approval_document(instance, self.context["approvals"])


class StatementAnswer(serializers.Serializer):
    """What would be sent to a store."""

    language = serializers.ChoiceField([language.value for language in Language])
    text = serializers.CharField()
    opaque = serializers.BooleanField(help_text="Seen in the file only.")


class ReviewedStepAnswer(serializers.Serializer):
    """A step as it stands on disk now."""

    key = serializers.CharField()
    phase = serializers.ChoiceField(_PHASES, allow_blank=True, help_text="Empty for drift.")
    checksum = serializers.CharField()
    title = serializers.CharField(allow_blank=True)
    irreversible = serializers.CharField(allow_blank=True)
    done = serializers.BooleanField()
    statements = StatementAnswer(many=True)


class ReviewedStore(serializers.Serializer):
    """The steps of one store."""

    store = serializers.CharField()
    steps = ReviewedStepAnswer(many=True)


class ApprovalDetail(ApprovalAnswer):
    """A request with what each step would send, and what should be known before deciding."""

    stores = ReviewedStore(many=True)
    findings = serializers.ListField(child=serializers.CharField())
    losses = serializers.ListField(
        child=serializers.CharField(), help_text="What goes with what it holds, a line each."
    )
    uncounted = serializers.BooleanField(help_text="A store could not be asked what would go.")
    stuck = serializers.ListField(
        child=serializers.CharField(), help_text="Steps to undo that can't be undone, each with its reason."
    )
    left = serializers.ListField(
        child=serializers.CharField(),
        help_text="Steps to undo whose effect was found there: it stays, and only their lines go.",
    )
    asks_seen = serializers.BooleanField(help_text="Whoever approves has to send `seen`.")

    def to_representation(self, instance: PlanApproval) -> Any:
        """Add what was looked at."""
        found: Review = self.context["review"]
        stores = [{"store": store, "steps": steps} for store, steps in found.stores]
        return {
            **super().to_representation(instance),
            "stores": ReviewedStore(stores, many=True).data,
            "findings": list(found.findings),
            "losses": list(found.losses),
            "uncounted": found.uncounted,
            "stuck": list(found.stuck),
            "left": list(found.left),
            "asks_seen": found.needs_a_tick,
        }


class PlannedStep(BoundStep):
    """A step that would run."""

    store = serializers.CharField()
    app = serializers.CharField()
    name = serializers.CharField()
    title = serializers.CharField(allow_blank=True)
    irreversible = serializers.CharField(allow_blank=True)


class AcceptanceAnswer(serializers.Serializer):
    """What people said to drift."""

    reference = serializers.CharField()
    by = serializers.CharField(help_text="Reference in the audit trail of who had the last word.")
    until = MomentField(allow_null=True, help_text="Null: until ledger or file changes.")
    reason = serializers.CharField()


class DriftAnswer(serializers.Serializer):
    """What disagrees, and may."""

    key = serializers.CharField()
    kind = serializers.ChoiceField([kind.value for kind in DriftKind])
    tolerable = serializers.BooleanField()
    accepted = AcceptanceAnswer(allow_null=True)
    code = serializers.CharField()
    message = serializers.CharField()
    hint = serializers.CharField(allow_blank=True)
    exit_code = serializers.IntegerField()


class PlanAnswer(serializers.Serializer):
    """What would run now (`accord.plan/1`)."""

    schema = serializers.CharField()
    direction = serializers.CharField()
    digest = serializers.CharField()
    steps = PlannedStep(many=True)
    waiting = serializers.ListField(child=serializers.CharField())
    drift = DriftAnswer(many=True)
