"""What can be decided about erasure requests: who may, what they are asked, and which service does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext, gettext_lazy, ngettext

from accord.acting import Account, working_for
from accord.admin_parts import OfferedDecision
from gdpr.erasure import (
    actors,
    approvals,
    holds,
    newer,
    planning,
    requests,
    saga,
    steps,
    transitions,
    verification,
)
from gdpr.models import ErasureRequest
from gdpr.screens import offers, request_context
from gdpr.screens.action import Answer, DecisionAct
from gdpr.screens.forms import (
    ApproveForm,
    ByHandForm,
    DecisionForm,
    ExtendForm,
    HoldForm,
    IdentityForm,
    RejectForm,
    WhoseForm,
)
from gdpr.states import ExtensionReason, HoldReason, IdentityMethod, RejectionGround
from gdpr.states import RequestState as S


def decisions(request: ErasureRequest, person: Account) -> Sequence[OfferedDecision]:
    """Return what can be decided about a request as it stands, with what hinders this person."""
    return [act.described(request, person) for act in ACTS.values() if act.offered(request)]


# --- having it done ----------------------------------------------------------------------------------


def _approve(request: ErasureRequest, person: Account, answer: Answer) -> None:
    # The plan that stood on the page, and no other.
    approvals.approve(request, by=person, digest=answer["digest"], reason=answer["reason"])


def _revoke(request: ErasureRequest, person: Account, answer: Answer) -> None:
    approvals.revoke(request, by=person, reason=answer["reason"])


def _settle_identity(request: ErasureRequest, person: Account, answer: Answer) -> None:
    requests.check_identity(request, IdentityMethod(answer["method"]), by=person)


def _plan(request: ErasureRequest, person: Account, _answer: Answer) -> None:
    planning.plan(request, by=person)


def _retry(request: ErasureRequest, person: Account, _answer: Answer) -> None:
    saga.retry(request, by=person)


def _confirm(request: ErasureRequest, person: Account, answer: Answer) -> None:
    saga.confirm_manual(request, answer["entry"], by=person)


def _tell_whose(request: ErasureRequest, person: Account, answer: Answer) -> None:
    newer.tell(request, answer["entry"], same_person=answer["person"] == "same", by=person)


def _verify(request: ErasureRequest, person: Account, _answer: Answer) -> str:
    actors.require(person, actors.EXECUTE, about=request)
    with working_for(person):
        verdict = verification.verify_again(request, close=False)
    if verdict.newer:
        return gettext("Something came after the erasure; the next run of gdpr_process asks whose it is.")
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


def _ask(request: ErasureRequest, person: Account, _answer: Answer) -> None:
    requests.ask_identity(request, by=person)


def _extend(request: ErasureRequest, person: Account, answer: Answer) -> None:
    requests.extend(request, ExtensionReason(answer["reason"]), by=person)


def _hold(request: ErasureRequest, person: Account, answer: Answer) -> None:
    reason, entry = HoldReason(answer["reason"]), answer["entry"]
    holds.place_hold(request.subject_kind, request.subject_tag, reason, by=person, entry=entry)


def _reject(request: ErasureRequest, person: Account, answer: Answer) -> None:
    requests.reject(request, RejectionGround(answer["ground"]), by=person, reason=answer["reason"])


def _cancel(request: ErasureRequest, person: Account, _answer: Answer) -> None:
    requests.cancel(request, by=person)


# --- all of them -------------------------------------------------------------------------------------

_ACTS = (
    DecisionAct(
        decision=OfferedDecision(
            name="approve",
            label=gettext_lazy("Approve…"),
            submit=gettext_lazy("Approve this plan"),
            explains=gettext_lazy(
                "Once approved, exactly the plan that you saw is carried out. What is erased can't be "
                "brought back. If the plan changes first, the approval is void."
            ),
            leads=True,
        ),
        permissions=(actors.APPROVE,),
        offered=offers.in_states({S.PLANNED}),
        hindered=offers.may_not_approve,
        query=lambda request: f"?digest={request.plan_digest}",
        form=lambda sent, request: ApproveForm(sent, initial={"digest": request.plan_digest}),
        take=_approve,
        said=gettext_lazy("Approved. The next run of gdpr_process carries it out."),
    ),
    DecisionAct(
        decision=OfferedDecision(
            name="identity",
            label=gettext_lazy("Identity settled…"),
            submit=gettext_lazy("Note how identity was settled"),
            explains=gettext_lazy("It is noted how you made sure who asks. The proof itself is never kept."),
            leads=True,
        ),
        permissions=(actors.FILE,),
        offered=offers.identity_is_open,
        form=lambda sent, _request: IdentityForm(sent),
        take=_settle_identity,
        said=gettext_lazy("Noted. The request can be planned now."),
    ),
    DecisionAct(
        decision=OfferedDecision(
            name="plan",
            label=gettext_lazy("Plan…"),
            submit=gettext_lazy("Plan the erasure"),
            explains=gettext_lazy(
                "Every store is asked what it holds of the person. Nothing is changed; what would happen is "
                "written down, for another person to approve."
            ),
            leads=True,
        ),
        permissions=(actors.FILE,),
        offered=offers.in_states({S.RECEIVED}),
        hindered=offers.identity_unsettled,
        take=_plan,
        said=gettext_lazy("Planned. Another person has to approve it."),
    ),
    DecisionAct(
        decision=OfferedDecision(
            name="retry",
            label=gettext_lazy("Retry now…"),
            submit=gettext_lazy("Retry now"),
            explains=gettext_lazy(
                "What waits for another attempt, or was given up, is due at once: the next run of "
                "gdpr_process tries it again. What is done already stays done."
            ),
            leads=True,
        ),
        permissions=(actors.EXECUTE,),
        offered=offers.in_states({S.RETRY_WAIT, S.NEEDS_OPERATOR}),
        take=_retry,
        said=gettext_lazy("It is due now. The next run of gdpr_process goes on with it."),
    ),
    DecisionAct(
        decision=OfferedDecision(
            name="confirm",
            label=gettext_lazy("Done by hand…"),
            submit=gettext_lazy("Confirm that it is done"),
            explains=gettext_lazy(
                "You vouch that what the instructions ask for is done. "
                "The verification asks the store all the same."
            ),
        ),
        permissions=(actors.EXECUTE,),
        offered=offers.waits_for_a_hand,
        form=lambda sent, request: ByHandForm(sent, entries=steps.by_hand(request)),
        take=_confirm,
        said=gettext_lazy("Noted. The next run of gdpr_process goes on with it."),
    ),
    DecisionAct(
        decision=OfferedDecision(
            name="whose",
            label=gettext_lazy("Whose is it?…"),
            submit=gettext_lazy("Note it"),
            explains=gettext_lazy(
                "Something came after the erasure and has a key that is given again, such as an e-mail "
                "address. Nothing of it was touched. Look at it before you answer."
            ),
            leads=True,
        ),
        permissions=(actors.EXECUTE,),
        offered=offers.is_in_doubt,
        form=lambda sent, request: WhoseForm(sent, entries=steps.in_doubt(request)),
        take=_tell_whose,
        said=gettext_lazy("Noted. The next run of gdpr_process goes on with it."),
    ),
    DecisionAct(
        decision=OfferedDecision(
            name="verify",
            label=gettext_lazy("Verify now…"),
            submit=gettext_lazy("Verify now"),
            explains=gettext_lazy(
                "Every store is asked again what it holds of the person, over fresh connections. That can "
                "take some seconds. What is found that should be gone is erased again."
            ),
            leads=True,
        ),
        permissions=(actors.EXECUTE,),
        offered=offers.in_states(transitions.COMPLETE),
        hindered=offers.keys_destroyed,
        take=_verify,
    ),
    DecisionAct(
        decision=OfferedDecision(
            name="ask",
            label=gettext_lazy("Ask for information…"),
            submit=gettext_lazy("Ask for information"),
            explains=gettext_lazy(
                "For reasonable doubt about who asks (Art. 12(6)). The request waits until identity is "
                "settled, and is planned anew then. Write to the person yourself; ask for no more than it "
                "takes. The time limit goes on."
            ),
        ),
        permissions=(actors.FILE, actors.APPROVE),
        offered=offers.in_states({S.RECEIVED, S.PLANNED}),
        take=_ask,
        said=gettext_lazy("It waits until it is settled who asks. Write to the person now."),
    ),
    DecisionAct(
        decision=OfferedDecision(
            name="extend",
            label=gettext_lazy("Extend…"),
            submit=gettext_lazy("Take two more months"),
            explains=gettext_lazy(
                "The answer is due three months after receipt instead of one. Tell the person within the "
                "first month, and why (Art. 12(3))."
            ),
        ),
        permissions=(actors.FILE,),
        offered=offers.in_states(transitions.OPEN),
        hindered=offers.no_more_time,
        form=lambda sent, _request: ExtendForm(sent),
        take=_extend,
        said=gettext_lazy("Extended. Tell the person why, within a month of receipt."),
    ),
    DecisionAct(
        decision=OfferedDecision(
            name="hold",
            label=gettext_lazy("Place hold…"),
            submit=gettext_lazy("Place this hold"),
            explains=gettext_lazy(
                "The erasure stops before its next batch, until another person has released the hold."
            ),
        ),
        permissions=(actors.PLACE_HOLD,),
        offered=offers.in_states(transitions.OPEN),
        form=lambda sent, request: HoldForm(sent, entries=request_context.entries_of(request)),
        take=_hold,
        said=gettext_lazy("The hold is placed. Another person has to release it."),
    ),
    DecisionAct(
        decision=OfferedDecision(
            name="revoke",
            label=gettext_lazy("Take the approval back…"),
            submit=gettext_lazy("Take the approval back"),
            explains=gettext_lazy(
                "Your own yes is taken back, or those of all others where you gave none. The plan waits for "
                "approval again. What has begun is stopped by a legal hold."
            ),
        ),
        permissions=(actors.APPROVE,),
        offered=offers.has_a_yes,
        hindered=offers.asked_for_it,
        form=lambda sent, _request: DecisionForm(sent),
        take=_revoke,
        said=gettext_lazy("Taken back. Nothing is erased until the plan is approved again."),
    ),
    DecisionAct(
        decision=OfferedDecision(
            name="reject",
            label=gettext_lazy("Reject…"),
            submit=gettext_lazy("Reject this request"),
            explains=gettext_lazy(
                "Nothing is erased, and the keys of the person are destroyed here. The request stays closed."
            ),
        ),
        permissions=(actors.APPROVE,),
        offered=steps.can_end,
        hindered=offers.asked_for_it,
        form=lambda sent, _request: RejectForm(sent),
        take=_reject,
        said=gettext_lazy("Rejected. Tell the person why, and where they can complain (Art. 12(4))."),
    ),
    DecisionAct(
        decision=OfferedDecision(
            name="cancel",
            label=gettext_lazy("Cancel…"),
            submit=gettext_lazy("Cancel this request"),
            explains=gettext_lazy(
                "For a demand that the person took back. Nothing is erased, and the keys of the person are "
                "destroyed here. The request stays closed."
            ),
        ),
        permissions=(actors.FILE,),
        offered=steps.can_end,
        take=_cancel,
        said=gettext_lazy("Cancelled. Nothing was erased."),
    ),
)
ACTS: Mapping[str, DecisionAct] = {act.decision.name: act for act in _ACTS}
"""Every kind of decision, by the name of its page; the first ones are what a request waits for."""
