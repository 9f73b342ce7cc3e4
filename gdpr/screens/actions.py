"""What can be decided about erasure requests: who may, what they are asked, and which service does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accord import clock
from accord.acting import Account
from accord.admin_parts import Decision
from gdpr.erasure import (
    actors,
    approvals,
    deadlines,
    holds,
    planning,
    requests,
    saga,
    steps,
    transitions,
    verification,
)
from gdpr.models import ErasureRequest
from gdpr.screens import request_context
from gdpr.screens.action import Act, Answer
from gdpr.screens.forms import ApproveForm, ByHandForm, ExtendForm, HoldForm, IdentityForm, RejectForm
from gdpr.states import ExtensionReason, HoldReason, IdentityMethod, RejectionGround
from gdpr.states import RequestState as S


def decisions(request: ErasureRequest, person: Account) -> Sequence[Decision]:
    """Return what can be decided about a request as it stands, with what hinders this person."""
    return [act.described(request, person) for act in ACTS.values() if act.offered(request)]


class Approve(Act):
    """Approve the plan that stood on the page, and to no other."""

    decision = Decision(
        name="approve",
        label=gettext_lazy("Approve…"),
        submit=gettext_lazy("Approve this plan"),
        explains=gettext_lazy(
            "Once approved, exactly the plan that you saw is carried out. What is erased can't be "
            "brought back. If the plan changes first, the approval is void."
        ),
        leads=True,
    )
    permissions = (actors.APPROVE,)
    states = frozenset({S.PLANNED})
    said = gettext_lazy("Approved. The next run of gdpr_process carries it out.")

    def described(self, request: ErasureRequest, person: Account) -> Decision:
        described = super().described(request, person)
        return replace(described, query=f"?digest={request.plan_digest}")

    def hindered(self, request: ErasureRequest, person: Account) -> str:
        actors.require_another(person, request)
        return ""

    def form(self, sent: Any, request: ErasureRequest) -> forms.Form:
        return ApproveForm(sent, initial={"digest": request.plan_digest})

    def take(self, request: ErasureRequest, person: Account, answer: Answer) -> None:
        approvals.approve(request, by=person, digest=answer["digest"], reason=answer["reason"])


class SettleIdentity(Act):
    """Note how it was made sure who asks."""

    decision = Decision(
        name="identity",
        label=gettext_lazy("Identity settled…"),
        submit=gettext_lazy("Note how identity was settled"),
        explains=gettext_lazy("It is noted how you made sure who asks. The proof itself is never kept."),
        leads=True,
    )
    permissions = (actors.FILE,)
    said = gettext_lazy("Noted. The request can be planned now.")

    def offered(self, request: ErasureRequest) -> bool:
        state = S(request.state)
        return state is S.IDENTITY_CHECK or (state is S.RECEIVED and not request.identity_method)

    def form(self, sent: Any, request: ErasureRequest) -> forms.Form:
        return IdentityForm(sent)

    def take(self, request: ErasureRequest, person: Account, answer: Answer) -> None:
        requests.check_identity(request, IdentityMethod(answer["method"]), by=person)


class MakePlan(Act):
    """Write down what would happen."""

    decision = Decision(
        name="plan",
        label=gettext_lazy("Plan…"),
        submit=gettext_lazy("Plan the erasure"),
        explains=gettext_lazy(
            "Every store is asked what it holds of the person. Nothing is changed; what would happen is "
            "written down, for another person to approve."
        ),
        leads=True,
    )
    permissions = (actors.FILE,)
    states = frozenset({S.RECEIVED})
    said = gettext_lazy("Planned. Another person has to approve it.")

    def hindered(self, request: ErasureRequest, person: Account) -> str:
        return "" if request.identity_method else _("It has to be settled first who asks.")

    def take(self, request: ErasureRequest, person: Account, answer: Answer) -> None:
        planning.plan(request, by=person)


class Retry(Act):
    """Try now what waits or was given up."""

    decision = Decision(
        name="retry",
        label=gettext_lazy("Retry now…"),
        submit=gettext_lazy("Retry now"),
        explains=gettext_lazy(
            "What waits for another attempt, or was given up, is due at once: the next run of "
            "gdpr_process tries it again. What is done already stays done."
        ),
        leads=True,
    )
    permissions = (actors.EXECUTE,)
    states = frozenset({S.RETRY_WAIT, S.NEEDS_OPERATOR})
    said = gettext_lazy("It is due now. The next run of gdpr_process goes on with it.")

    def take(self, request: ErasureRequest, person: Account, answer: Answer) -> None:
        saga.retry(request, by=person)


class ConfirmByHand(Act):
    """Vouch for what was done by hand."""

    decision = Decision(
        name="confirm",
        label=gettext_lazy("Done by hand…"),
        submit=gettext_lazy("Confirm that it is done"),
        explains=gettext_lazy(
            "You vouch that what the instructions ask for is done. "
            "The verification asks the store all the same."
        ),
    )
    permissions = (actors.EXECUTE,)
    said = gettext_lazy("Noted. The next run of gdpr_process goes on with it.")

    def offered(self, request: ErasureRequest) -> bool:
        return S(request.state) in transitions.OPEN and bool(steps.by_hand(request))

    def form(self, sent: Any, request: ErasureRequest) -> forms.Form:
        return ByHandForm(sent, entries=steps.by_hand(request))

    def take(self, request: ErasureRequest, person: Account, answer: Answer) -> None:
        saga.confirm_manual(request, answer["entry"], by=person)


class Verify(Act):
    """Ask every store again."""

    decision = Decision(
        name="verify",
        label=gettext_lazy("Verify now…"),
        submit=gettext_lazy("Verify now"),
        explains=gettext_lazy(
            "Every store is asked again what it holds of the person, over fresh connections. That can "
            "take some seconds. What is found that should be gone is erased again."
        ),
        leads=True,
    )
    permissions = (actors.EXECUTE,)
    states = transitions.COMPLETE

    def hindered(self, request: ErasureRequest, person: Account) -> str:
        if request.closed_at is None:
            return ""
        return _(
            "It is closed and the keys of the person are destroyed; "
            "“gdpr_erase KEY --verify-only” asks with the key."
        )

    def take(self, request: ErasureRequest, person: Account, answer: Answer) -> str:
        actors.require(person, *self.permissions)
        verdict = verification.verify_again(request, close=False)
        if verdict.residue:
            left = ngettext(
                "%(n)d is left that should be gone; the next run of gdpr_process erases it.",
                "%(n)d are left that should be gone; the next run of gdpr_process erases them.",
                verdict.residue,
            )
            return left % {"n": verdict.residue}
        asked = ngettext(
            "%(n)d place was asked: nothing is left that should be gone.",
            "%(n)d places were asked: nothing is left that should be gone.",
            len(verdict.readings),
        )
        return asked % {"n": len(verdict.readings)}


class AskForInformation(Act):
    """Doubt who asks."""

    decision = Decision(
        name="ask",
        label=gettext_lazy("Ask for information…"),
        submit=gettext_lazy("Ask for information"),
        explains=gettext_lazy(
            "For reasonable doubt about who asks (Art. 12(6)). The request waits until identity is "
            "settled, and is planned anew then. Write to the person yourself; ask for no more than it "
            "takes. The time limit goes on."
        ),
    )
    permissions = (actors.FILE, actors.APPROVE)
    states = frozenset({S.RECEIVED, S.PLANNED})
    said = gettext_lazy("It waits until it is settled who asks. Write to the person now.")

    def take(self, request: ErasureRequest, person: Account, answer: Answer) -> None:
        requests.ask_identity(request, by=person)


class Extend(Act):
    """Take two more months."""

    decision = Decision(
        name="extend",
        label=gettext_lazy("Extend…"),
        submit=gettext_lazy("Take two more months"),
        explains=gettext_lazy(
            "The answer is due three months after receipt instead of one. Tell the person within the "
            "first month, and why (Art. 12(3))."
        ),
    )
    permissions = (actors.FILE,)
    states = transitions.OPEN
    said = gettext_lazy("Extended. Tell the person why, within a month of receipt.")

    def hindered(self, request: ErasureRequest, person: Account) -> str:
        if request.extended_at is not None:
            return _("The time was extended already; Art. 12(3) allows it once.")
        if not deadlines.may_extend(request.received_at, clock.now()):
            return _("The first month is over; the person had to be told within it (Art. 12(3)).")
        return ""

    def form(self, sent: Any, request: ErasureRequest) -> forms.Form:
        return ExtendForm(sent)

    def take(self, request: ErasureRequest, person: Account, answer: Answer) -> None:
        requests.extend(request, ExtensionReason(answer["reason"]), by=person)


class PlaceHold(Act):
    """Keep data for the time being."""

    decision = Decision(
        name="hold",
        label=gettext_lazy("Place hold…"),
        submit=gettext_lazy("Place this hold"),
        explains=gettext_lazy(
            "The erasure stops before its next batch, until another person has released the hold."
        ),
    )
    permissions = (actors.PLACE_HOLD,)
    states = transitions.OPEN
    said = gettext_lazy("The hold is placed. Another person has to release it.")

    def form(self, sent: Any, request: ErasureRequest) -> forms.Form:
        return HoldForm(sent, entries=request_context.entries_of(request))

    def take(self, request: ErasureRequest, person: Account, answer: Answer) -> None:
        reason, entry = HoldReason(answer["reason"]), answer["entry"]
        holds.place_hold(request.subject_kind, request.subject_tag, reason, by=person, entry=entry)


class Reject(Act):
    """Refuse, on a legal ground."""

    decision = Decision(
        name="reject",
        label=gettext_lazy("Reject…"),
        submit=gettext_lazy("Reject this request"),
        explains=gettext_lazy(
            "Nothing is erased, and the keys of the person are destroyed here. The request stays closed."
        ),
    )
    permissions = (actors.APPROVE,)
    said = gettext_lazy("Rejected. Tell the person why, and where they can complain (Art. 12(4)).")

    def offered(self, request: ErasureRequest) -> bool:
        return steps.can_end(request)

    def hindered(self, request: ErasureRequest, person: Account) -> str:
        actors.require_another(person, request)
        return ""

    def form(self, sent: Any, request: ErasureRequest) -> forms.Form:
        return RejectForm(sent)

    def take(self, request: ErasureRequest, person: Account, answer: Answer) -> None:
        requests.reject(request, RejectionGround(answer["ground"]), by=person, reason=answer["reason"])


class Cancel(Act):
    """Note that the person took the demand back."""

    decision = Decision(
        name="cancel",
        label=gettext_lazy("Cancel…"),
        submit=gettext_lazy("Cancel this request"),
        explains=gettext_lazy(
            "For a demand that the person took back. Nothing is erased, and the keys of the person are "
            "destroyed here. The request stays closed."
        ),
    )
    permissions = (actors.FILE,)
    said = gettext_lazy("Cancelled. Nothing was erased.")

    def offered(self, request: ErasureRequest) -> bool:
        return steps.can_end(request)

    def take(self, request: ErasureRequest, person: Account, answer: Answer) -> None:
        requests.cancel(request, by=person)


ACTS: Mapping[str, Act] = {
    act.decision.name: act
    for act in (
        Approve(),
        SettleIdentity(),
        MakePlan(),
        Retry(),
        ConfirmByHand(),
        Verify(),
        AskForInformation(),
        Extend(),
        PlaceHold(),
        Reject(),
        Cancel(),
    )
}
"""Every kind of decision, by the name of its page; the first ones are what a request waits for."""
