"""
Rows that came after the fence and have a key which somebody else may have by now.

An e-mail address or a user name is given again: who signs up with it after an erasure is a new
person until somebody says otherwise. Nothing of them is erased on the word of a key alone.
"""

from __future__ import annotations

from accord import clock
from accord.acting import Account
from accord.audit.events import EventKind, ObjectKind
from accord.wording import say
from gdpr.datamap.map import load_data_map
from gdpr.datamap.subjects import SubjectKeys
from gdpr.erasure import actors, encryption, planning, state_changes, steps
from gdpr.errors import IllegalTransition, WhoseIsIt
from gdpr.models import ErasureRequest
from gdpr.states import RequestState, StepState
from gdpr.stores.base import Stores, opened_stores


def tell(request: ErasureRequest, entry: str, *, same_person: bool, by: Account) -> ErasureRequest:
    """
    Note whose the newer rows of an entry are, and go on: they are erased, or never looked at again.

    Args:
        request: One that asks about this entry.
        entry: Id of the entry.
        same_person: Whether they are those of the person who is erased.
        by: Who says so.

    Raises:
        IllegalTransition: Nothing is asked about this entry.
        KeysDestroyed: The request is closed.
        StoreUnavailable: A store can't be asked what refers to the rows; nothing is noted.
    """
    actors.require(by, actors.EXECUTE, about=request)
    with opened_stores() as stores, state_changes.locked(request) as held:
        if entry not in steps.in_doubt(held):
            raise IllegalTransition(
                say(
                    "Request {reference} doesn't ask whose the rows of “{entry}” are.",
                    reference=held.reference,
                    entry=entry,
                ),
                hint="See what waits for a person: gdpr_erase --request REFERENCE.",
            )
        told = encryption.keys_of(held).told(entry, same_person=same_person)
        if same_person:
            told = _with_dependents(held.pk, told, entry, stores)
        encryption.reseal([held], {held.pk: told})
        _go_on(held, entry, same_person=same_person, by=by)
    return held


def _with_dependents(request: int, told: SubjectKeys, entry: str, stores: Stores) -> SubjectKeys:
    """Collect what refers to the newer rows, before these go."""
    the_map = load_data_map()
    dependents = {one.id for one in the_map.dependents(entry)}
    wanted = [one for one in the_map.to_collect() if one.id in dependents]
    return planning.collected({request: told}, wanted, stores)[request]


def question(request: ErasureRequest, entry: str) -> WhoseIsIt:
    """Return the error of an entry about which something else was said than what is asked."""
    return WhoseIsIt(
        say(
            "Request {reference} asks whose the rows of “{entry}” are that came after the erasure.",
            reference=request.reference,
            entry=entry,
        ),
        hint="Look at them, then: gdpr_erase --request REFERENCE --another-person ENTRY, which leaves them "
        "alone, or --same-person ENTRY, which erases them.",
    )


def _go_on(held: ErasureRequest, entry: str, *, same_person: bool, by: Account) -> None:
    step = held.steps.filter(entry=entry, state=StepState.MANUAL)
    if same_person:
        step.update(error_code="")
        # What refers to the rows goes before them, as it did the first time.
        steps.reopen(held, [entry, *(one.id for one in load_data_map().dependents(entry))])
    else:
        step.update(state=StepState.DONE, error_code="", confirmed_by_id=by.pk, finished_at=clock.now())
    event, of_step = EventKind.ERASURE_RESUMED, ObjectKind.ERASURE_STEP
    state_changes.record([state_changes.act(held, event, object_kind=of_step)], by=by)
    if held.state == RequestState.NEEDS_OPERATOR:
        state_changes.move([held], RequestState.EXECUTING, event, by=by)
