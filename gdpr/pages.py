"""What the pages of the admin show of requests, holds and receipts, prepared for templates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accord import conf
from accord.errors import AccordError, ReceiptInvalid
from accord.models import AuditEvent
from gdpr.models import ErasureRequest, ErasureStep, LegalHold, Receipt
from gdpr.services import actors, approvals, holds, receipts, requests, transitions
from gdpr.states import HoldReason, RejectionGround, StepState
from gdpr.states import RequestState as S

STAGES = (S.RECEIVED, S.PLANNED, S.APPROVED, S.EXECUTING, S.VERIFYING, S.COMPLETED)
TIMELINE = 200
_STAGE_OF: Mapping[S, S] = {
    S.IDENTITY_CHECK: S.RECEIVED,
    S.FENCED: S.EXECUTING,
    S.RETRY_WAIT: S.EXECUTING,
    S.NEEDS_OPERATOR: S.EXECUTING,
    S.COMPLETED_WITH_RETENTION: S.COMPLETED,
}


@dataclass(frozen=True, kw_only=True)
class Stage:
    """
    One station of a request.

    Attributes:
        label: Its name.
        place: `done`, `current` or `ahead`.
    """

    label: str
    place: str


@dataclass(frozen=True, kw_only=True)
class Decision:
    """
    Something that may be decided about a request or a hold.

    Attributes:
        name: Of the address.
        label: On the button.
        hindrance: Why this person can't decide it; empty when they can.
    """

    name: str
    label: str
    hindrance: str


def stages(request: ErasureRequest) -> Sequence[Stage]:
    """Give the stations of a request; none is lit where it ended without an erasure."""
    state = S(request.held_in or request.state)
    if state in transitions.ENDED:
        return [Stage(label=str(one.label), place="ahead") for one in STAGES]
    reached = STAGES.index(_STAGE_OF.get(state, state))
    return [Stage(label=str(one.label), place=_place(number, reached)) for number, one in enumerate(STAGES)]


def _place(number: int, reached: int) -> str:
    if number == reached:
        return "current"
    return "done" if number < reached else "ahead"


def plan_by_store(request: ErasureRequest) -> Sequence[tuple[str, Sequence[Mapping[str, Any]]]]:
    """Give the lines of the plan under which something happens or is kept, by store, in its order."""
    lines = [line for line in _lines(request) if _matters(line)]
    return [(store, list(group)) for store, group in groupby(lines, key=itemgetter("store"))]


def untouched(request: ErasureRequest) -> Sequence[Mapping[str, Any]]:
    """Give the lines of the plan that hold nothing of the person, or nobody's data."""
    return [line for line in _lines(request) if not _matters(line)]


def _lines(request: ErasureRequest) -> Sequence[Mapping[str, Any]]:
    made = request.plans.order_by("-number").first()
    return [] if made is None else made.document["entries"]


def _matters(line: Mapping[str, Any]) -> bool:
    return bool(line["found"] or line["keep"] or line.get("instructions"))


def steps_by_store(request: ErasureRequest) -> Sequence[tuple[str, int, Sequence[ErasureStep]]]:
    """Give the steps of a request with the number of those that are done, grouped by store."""
    groups: dict[str, list[ErasureStep]] = {}
    for step in request.steps.order_by("position"):
        groups.setdefault(step.store, []).append(step)
    return [
        (store, sum(step.state == StepState.DONE for step in steps), steps) for store, steps in groups.items()
    ]


def entries_of(request: ErasureRequest) -> Sequence[str]:
    """Name the entries that a hold can be placed on."""
    return [line["entry"] for line in _lines(request) if "reason" not in line]


def timeline(request: ErasureRequest) -> Sequence[AuditEvent]:
    """Give the newest events about a request, newest first."""
    events = AuditEvent.objects.using(conf.load().coordinator).filter(request_ref=request.reference)
    return list(events.order_by("-seq")[:TIMELINE])


def active_holds(request: ErasureRequest) -> Sequence[LegalHold]:
    """Give the holds that stop a request."""
    return list(holds.active(request.subject_tag).order_by("placed_at"))


def decisions(request: ErasureRequest, person: AbstractBaseUser) -> Sequence[Decision]:
    """Give what can be decided about a request as it stands, with what hinders this person."""
    state = S(request.state)
    found = []
    if state is S.PLANNED:
        found.append(_decision("approve", _("Approve…"), _deciding_hindrance(request, person)))
    if S.REJECTED in transitions.TRANSITIONS[state] and request.fenced_at is None:
        found.append(_decision("reject", _("Reject…"), _deciding_hindrance(request, person)))
    if state in transitions.OPEN:
        found.append(_decision("hold", _("Place hold…"), _lacks(person, actors.PLACE_HOLD)))
    return found


def release(hold: LegalHold, person: AbstractBaseUser) -> Decision | None:
    """Give the release of a hold, with what hinders this person; none where it is released."""
    if hold.released_at is not None:
        return None
    try:
        actors.require(person, actors.RELEASE_HOLD)
        holds.require_releasable(hold, person)
    except AccordError as exc:
        return _decision("release", _("Release…"), exc.message)
    return _decision("release", _("Release…"), "")


def _decision(name: str, label: str, hindrance: str) -> Decision:
    return Decision(name=name, label=label, hindrance=hindrance)


def _deciding_hindrance(request: ErasureRequest, person: AbstractBaseUser) -> str:
    try:
        actors.require(person, actors.APPROVE)
        actors.require_another(person, request)
    except AccordError as exc:
        return exc.message
    return ""


def _lacks(person: AbstractBaseUser, permission: str) -> str:
    try:
        actors.require(person, permission)
    except AccordError as exc:
        return exc.message
    return ""


def name_of(account: int | str | None) -> str:
    """Name an account of staff, which may be gone."""
    if account is None:
        return "-"
    found = get_user_model()._default_manager.filter(pk=account).first()
    return _("account %(key)s, deleted") % {"key": account} if found is None else found.get_username()


def signature(receipt: Receipt) -> tuple[str, str]:
    """
    Check the signature of a receipt.

    Returns:
        Who signed it, and what is wrong with it; one of them is empty.
    """
    try:
        return receipts.verify_receipt(receipts.signed_document(receipt)), ""
    except ReceiptInvalid as exc:
        return "", exc.message


def _approve(request: ErasureRequest, person: AbstractBaseUser, answer: Mapping[str, Any]) -> None:
    approvals.approve(request, by=person, digest=answer["digest"], reason=answer["reason"])


def _reject(request: ErasureRequest, person: AbstractBaseUser, answer: Mapping[str, Any]) -> None:
    requests.reject(request, RejectionGround(answer["ground"]), by=person, reason=answer["reason"])


def _hold(request: ErasureRequest, person: AbstractBaseUser, answer: Mapping[str, Any]) -> None:
    reason, entry = HoldReason(answer["reason"]), answer["entry"]
    holds.place_hold(request.subject_kind, request.subject_tag, reason, by=person, entry=entry)


Take = Callable[[ErasureRequest, AbstractBaseUser, Mapping[str, Any]], None]
TAKE: Mapping[str, Take] = {"approve": _approve, "reject": _reject, "hold": _hold}
"""How a decision is taken, with what the form said."""
SAID: Mapping[str, Any] = {
    "approve": gettext_lazy("Approved. The next run of gdpr_process carries it out."),
    "reject": gettext_lazy("Rejected. Tell the person why, and where they can complain (Art. 12(4))."),
    "hold": gettext_lazy("The hold is placed. Another person has to release it."),
}
"""What a person reads once it is taken."""
