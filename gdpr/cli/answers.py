"""What commands answer about a request: as lines for people, and as a JSON document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from accord import clock
from accord.errors import ExitCode, StoreRefused, StoreUnavailable
from accord.meanings import meaning, permission
from accord.words import counted
from gdpr.documents import OpenFinding, PlanDocument, RestrictedLine
from gdpr.erasure import actors, approvals, deadlines, receipts, restricted, transitions
from gdpr.models import ErasureRequest
from gdpr.states import RequestState

_SHOWN = 10
"""Open findings that a plan shows at a terminal; its document has them all."""
AWAY = frozenset({StoreUnavailable.code, StoreRefused.code})
_WAITS_FOR_APPROVAL = frozenset({RequestState.RECEIVED, RequestState.PLANNED, RequestState.APPROVED})
_BLOCKED = frozenset({RequestState.BLOCKED_HOLD, RequestState.IDENTITY_CHECK}) | transitions.ENDED

_NEXT = {
    RequestState.RECEIVED: "Plan it: gdpr_erase --request {reference}",
    RequestState.IDENTITY_CHECK: "Note how the identity was checked: "
    "gdpr_erase --request {reference} --identity METHOD",
    RequestState.PLANNED: "Another person with the permission {permission} approves it: in the admin, "
    "or with gdpr_erase --request {reference} --approve --as USERNAME",
    RequestState.APPROVED: "Start it: gdpr_erase --request {reference}, or wait for gdpr_process.",
    RequestState.RETRY_WAIT: "gdpr_process tries again by itself; now: "
    "gdpr_erase --request {reference} --resume",
    RequestState.BLOCKED_HOLD: "Another person than the one who placed the hold releases it: in the admin, "
    "or with gdpr_hold release.",
    RequestState.NEEDS_OPERATOR: "See the steps below; then gdpr_erase --request {reference} --resume, or "
    "--confirm ENTRY for what was done by hand. Where it is asked whose something is: --another-person ENTRY "
    "or --same-person ENTRY.",
}


def exit_code(request: ErasureRequest, *, moved: bool = True) -> ExitCode:
    """
    Say with which code a command leaves that brought a request this far.

    Args:
        request: As it came to rest.
        moved: Whether anything was done; a store that is unavailable and nothing done is another code.
    """
    state = RequestState(request.state)
    if state in transitions.COMPLETE:
        return ExitCode.DONE
    if state in _WAITS_FOR_APPROVAL:
        return ExitCode.AWAITING_APPROVAL
    if state in _BLOCKED:
        return ExitCode.BLOCKED
    away = state is RequestState.RETRY_WAIT and request.trouble in AWAY
    return ExitCode.STORE_UNAVAILABLE if away and not moved else ExitCode.PARTIAL


def next_move(request: ErasureRequest) -> str:
    """Describe what an operator can do now; empty when there is nothing."""
    text = _NEXT.get(RequestState(request.state), "")
    return text.format(reference=request.reference[:8], permission=permission(actors.APPROVE))


def request_document(request: ErasureRequest, code: ExitCode) -> dict[str, Any]:
    """Describe a request (`accord.erasure/1`)."""
    newest = request.plans.order_by("-number").first()
    receipt = receipts.latest(request)
    return {
        "schema": "accord.erasure/1",
        "request": request.reference,
        "state": request.state,
        "exit_code": int(code),
        "complete": request.state in transitions.COMPLETE,
        "closed": request.closed_at is not None,
        "received_at": request.received_at.isoformat(),
        "due_at": request.due_at.isoformat(),
        "next_attempt_at": request.next_attempt_at and request.next_attempt_at.isoformat(),
        "trouble": request.trouble,
        "next": next_move(request),
        "approvals": _approvals(request),
        "plan": None if newest is None else newest.document,
        "steps": [_step(step) for step in request.steps.order_by("position")],
        "receipt": None if receipt is None else receipts.signed_document(receipt),
    }


def _approvals(request: ErasureRequest) -> dict[str, Any] | None:
    if request.state not in (RequestState.PLANNED, RequestState.APPROVED):
        return None
    found = approvals.standing(request)
    return {"given": found.given, "needed": found.needed, "missing": list(found.lacking)}


def _step(step: Any) -> dict[str, Any]:
    names = ("entry", "store", "target", "action", "again", "state", "found", "affected", "residue", "kept")
    return {name: getattr(step, name) for name in (*names, "attempt", "error_code")}


def request_lines(request: ErasureRequest) -> Iterator[str]:
    """Describe a request for people."""
    yield f"Request {request.reference}: {request.get_state_display()}"
    if request.state in transitions.OPEN:
        left = deadlines.days_left(request.due_at, clock.now())
        time = f"{left} days left" if left >= 0 else f"overdue by {-left} days"
        yield f"Due {request.due_at:%Y-%m-%d} ({time})"
        yield from _restrictions(request)
    if request.next_attempt_at is not None:
        yield f"Next attempt {request.next_attempt_at:%Y-%m-%d %H:%M:%S} UTC"
    if request.state == RequestState.PLANNED and (given := approvals.standing(request)).needed > 1:
        yield f"Approvals: {given.words}"
    move = next_move(request)
    if move:
        yield f"Next: {move}"


def _restrictions(request: ErasureRequest) -> Iterator[str]:
    """Tell that the person's data are restricted now, and what that means for this request."""
    found = restricted.told({0: request.subject_tag}).get(0, [])
    if found and restricted.stopping([request]):
        yield f"Restricted since {_since(found)}: it waits until that is lifted, with gdpr_restrict lift."
    elif found:
        yield f"Restricted since {_since(found)}: the person demanded it after that, so it goes on."


def _since(found: Sequence[RestrictedLine]) -> str:
    return ", ".join(f"{one['since'][:10]} (Art. {one['reason']})" for one in found)


def plan_lines(document: PlanDocument) -> Iterator[str]:
    """Show what would happen, entry by entry."""
    yield f"Plan {document['digest'][:12]} ({len(document['entries'])} entries)"
    yield from table(
        ("store", "entry", "action", "found", "delete", "anonymise", "keep", ""),
        [
            (
                *(line["store"], line["entry"], line["action"] + (", twice" if line["again"] else "")),
                *(f"{line[name]:,}" for name in ("found", "delete", "anonymise", "keep")),
                _why(line),
            )
            for line in document["entries"]
            if line["action"] != "nothing"
        ],
    )
    totals = [
        sum(line[name] for line in document["entries"]) for name in ("found", "delete", "anonymise", "keep")
    ]
    yield "Found {:,}: {:,} to delete, {:,} to anonymise or empty, {:,} to keep.".format(*totals)
    yield from _restricted_lines(document.get("restricted", []))
    yield from _open_lines(document.get("open_findings", []))


def _restricted_lines(found: Sequence[RestrictedLine]) -> Iterator[str]:
    if found:
        yield f"The person's data are restricted since {_since(found)}."
        yield "Only what they demand after that is carried out; anything else waits until it is lifted."


def _open_lines(found: Sequence[OpenFinding]) -> Iterator[str]:
    if found:
        yield f"The data map leaves {counted(len(found), 'thing')} open, which no erasure covers:"
        yield from (f"  {one['message']} ({one['id']})" for one in found[:_SHOWN])
    if len(found) > _SHOWN:
        yield f"  ... and {len(found) - _SHOWN} more; see gdpr_datamap check."


def _why(line: Mapping[str, Any]) -> str:
    if line["keep"]:
        return f"Art. {line['article']}: {line['basis']}, until {line['until']}"
    return str(line.get("instructions", ""))


def step_lines(request: ErasureRequest) -> Iterator[str]:
    """Show how far each step is."""
    rows = [
        (
            *(step.store, step.entry + (" (again)" if step.again else ""), str(step.get_state_display())),
            *(f"{step.found:,}", f"{step.affected:,}", "-" if step.residue is None else f"{step.residue:,}"),
            *(f"{step.kept:,}", meaning(step.error_code)),
        )
        for step in request.steps.order_by("position")
    ]
    if rows:
        yield from table(("store", "step", "state", "found", "changed", "left", "kept", ""), rows)


def table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lay rows out in columns, numbers to the right."""
    columns = list(zip(*rows, strict=True)) or [()] * len(heading)
    numbers = [bool(column) and all(map(_is_number, column)) for column in columns]
    widths = [max(map(len, (title, *column))) for title, column in zip(heading, columns, strict=True)]
    for row in (heading, *rows):
        cells = zip(row, widths, numbers, strict=True)
        laid = [cell.rjust(width) if right else cell.ljust(width) for cell, width, right in cells]
        yield ("  " + "  ".join(laid)).rstrip()


def _is_number(cell: str) -> bool:
    return cell == "-" or cell.replace(",", "").isdigit()


def joined(lines: Iterable[str]) -> str:
    """Join lines."""
    return "\n".join(lines)
