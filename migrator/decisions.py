"""What a person may decide about a request, in the words for a plan and in those for drift."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext_lazy as _

from accord.admin_parts import OfferedDecision
from migrator.models import DRIFT, IDENTITY, PlanApproval

DECISIONS = {
    act.name: act
    for act in (
        OfferedDecision(
            name="approve",
            label=_("Approve…"),
            submit=_("Approve this plan"),
            explains=_(
                "Once approved, the plan may run, as often as it takes to finish it, until the "
                "approval expires. Another plan is not covered."
            ),
            leads=True,
        ),
        OfferedDecision(
            name="reject",
            label=_("Reject…"),
            submit=_("Reject this plan"),
            explains=_(
                "A rejected request stays closed. If the plan is still wanted, it has to be asked for anew."
            ),
        ),
        OfferedDecision(
            name="take_back",
            label=_("Take back…"),
            submit=_("Take the approval back"),
            explains=_(
                "Your own yes is taken back, or those of all others where you gave none. The plan may not "
                "run until it is approved again; a run that goes on under it stops before its next step."
            ),
        ),
    )
}


_ABOUT_DRIFT: Mapping[str, Mapping[str, Any]] = {
    "approve": {
        "submit": _("Accept this drift"),
        "explains": _(
            "Runs go on although ledger and file disagree, until the acceptance ends or one of them changes."
        ),
    },
    "reject": {
        "submit": _("Reject this request"),
        "explains": _("The drift goes on stopping runs. To have it accepted, it has to be asked for anew."),
    },
    "take_back": {
        "submit": _("Take the acceptance back"),
        "explains": _("The drift stops runs again, until it is accepted again."),
    },
}
"""What the decisions say that are about drift, and not about a plan."""
_ABOUT_IDENTITY: Mapping[str, Mapping[str, Any]] = {
    "approve": {
        "submit": _("Approve this change"),
        "explains": _("Once approved, these stores may be made to belong to another environment."),
    },
    "reject": {
        "submit": _("Reject this request"),
        "explains": _(
            "The stores stay where they belong. To have them changed, it has to be asked for anew."
        ),
    },
    "take_back": {
        "explains": _("The stores stay where they belong, until the change is approved again."),
    },
}
"""What those say that are about the environment of stores."""
_ABOUT = {DRIFT: _ABOUT_DRIFT, IDENTITY: _ABOUT_IDENTITY}


def decision(name: str, about: PlanApproval) -> OfferedDecision:
    """Return a decision in the words for what it is about."""
    return replace(DECISIONS[name], **_ABOUT.get(about.kind, {}).get(name, {}))
