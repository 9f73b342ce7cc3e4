"""What the pages of the admin show of requests, holds and receipts, prepared for templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accord import conf
from accord.admin_parts import OfferedDecision
from accord.audit.events import ObjectKind
from accord.errors import AccordError
from accord.models import AuditEvent
from accord.wording import worded
from gdpr.erasure import actors, holds, receipts, restricted, transitions
from gdpr.errors import ReceiptInvalid
from gdpr.models import ErasurePlan, ErasureRequest, ErasureStep, LegalHold, Receipt, Restriction
from gdpr.states import RequestState as S
from gdpr.states import StepState

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


def stages(request: ErasureRequest) -> Sequence[Stage]:
    """Return the stations of a request; none is lit where it ended without an erasure."""
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
    """Return the lines of the plan under which something happens or is kept, by store, in its order."""
    lines = [line for line in _lines(request) if _matters(line)]
    return [(store, list(group)) for store, group in groupby(lines, key=itemgetter("store"))]


def untouched(request: ErasureRequest) -> Sequence[Mapping[str, Any]]:
    """Return the lines of the plan that hold nothing of the person, or no person's data."""
    return [line for line in _lines(request) if not _matters(line)]


def open_findings(request: ErasureRequest) -> Sequence[Mapping[str, Any]]:
    """Return what the data map left open when the request was planned: no erasure covers it."""
    made = _plan(request)
    return made.document.get("open_findings", ()) if made else ()


@dataclass(frozen=True, kw_only=True)
class Restricted:
    """
    That the person's data must not be used at the moment.

    Attributes:
        restriction: Why, and since when.
        waits: Whether this erasure waits for that to be lifted.
    """

    restriction: Restriction
    waits: bool


def restrictions(request: ErasureRequest) -> Sequence[Restricted]:
    """Return the restrictions that count now, of an erasure that isn't over."""
    if request.state not in transitions.OPEN:
        return ()
    waits = bool(restricted.stopping([request]))
    found = restricted.active([request.subject_tag]).order_by("restricted_at", "pk")
    return [Restricted(restriction=one, waits=waits) for one in found]


def totals(request: ErasureRequest, digest: str) -> Mapping[str, int]:
    """
    Count what a plan would do, for the page that asks about it.

    Args:
        request: The request.
        digest: Of the plan that the person saw.

    Returns:
        How many are deleted, anonymised and kept; empty where that is not the plan that stands.
    """
    if not digest or digest != request.plan_digest:
        return {}
    lines = _lines(request)
    return {name: sum(line[name] for line in lines) for name in ("delete", "anonymise", "keep")}


def _lines(request: ErasureRequest) -> Sequence[Mapping[str, Any]]:
    made = _plan(request)
    return [] if made is None else made.document["entries"]


def _plan(request: ErasureRequest) -> ErasurePlan | None:
    return request.plans.order_by("-number").first()


def _matters(line: Mapping[str, Any]) -> bool:
    return bool(line["found"] or line["keep"] or line.get("instructions"))


@dataclass(frozen=True, kw_only=True)
class StoreProgress:
    """
    How far a request is in one store.

    Attributes:
        store: Alias of the store.
        total: How many steps it has there.
        done: How many of them are done.
        shown: Those that found something, or are not done.
        quiet: Those that are done and found nothing.
    """

    store: str
    total: int
    done: int
    shown: Sequence[ErasureStep]
    quiet: Sequence[ErasureStep]


def steps_by_store(request: ErasureRequest) -> Sequence[StoreProgress]:
    """Return the steps of a request, grouped by store."""
    groups: dict[str, list[ErasureStep]] = {}
    for step in request.steps.order_by("position"):
        groups.setdefault(step.store, []).append(step)
    return [_progress(store, steps) for store, steps in groups.items()]


def _progress(store: str, steps: Sequence[ErasureStep]) -> StoreProgress:
    quiet = [step for step in steps if step.state == StepState.DONE and not step.found and not step.residue]
    return StoreProgress(
        store=store,
        total=len(steps),
        done=sum(step.state == StepState.DONE for step in steps),
        shown=[step for step in steps if step not in quiet],
        quiet=quiet,
    )


def entries_of(request: ErasureRequest) -> Sequence[str]:
    """Name the entries that a hold can be placed on."""
    return [line["entry"] for line in _lines(request) if "reason" not in line]


def timeline(request: ErasureRequest) -> dict[str, Sequence[AuditEvent]]:
    """Return the newest events about a request, newest first; those of single steps apart."""
    events = AuditEvent.objects.using(conf.load().coordinator).filter(request_ref=request.reference)
    newest = list(events.order_by("-seq")[:TIMELINE])
    of_steps = [event for event in newest if event.object_kind == ObjectKind.ERASURE_STEP]
    return {"timeline": [event for event in newest if event not in of_steps], "timeline_of_steps": of_steps}


def active_holds(request: ErasureRequest) -> Sequence[LegalHold]:
    """Return the holds that stop a request."""
    return list(holds.active(request.subject_tag).order_by("placed_at"))


RELEASE = OfferedDecision(
    name="release",
    label=gettext_lazy("Release…"),
    submit=gettext_lazy("Release this hold"),
    explains=gettext_lazy("An erasure that this hold stopped goes on, unless another hold stops it."),
    leads=True,
)


def release(hold: LegalHold, person: AbstractBaseUser) -> OfferedDecision:
    """Return the release of a hold, with what hinders this person."""
    try:
        actors.require(person, actors.RELEASE_HOLD)
        holds.require_releasable(hold, person)
    except AccordError as exc:
        return replace(RELEASE, hindrance=worded(exc.message))
    return RELEASE


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
        return "", worded(exc.message)
