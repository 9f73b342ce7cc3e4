"""
What a process does that may open the stores of a drill: one act, its answer a file.

    python -m gdpr.drill.child ACT ANSWER < QUESTION
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django

if TYPE_CHECKING:
    from gdpr.datamap.subjects import SubjectKeys

FILER, APPROVER = "drill-filer", "drill-approver"
Said = Mapping[str, Any]


_outside: list[str] = []
"""Entries of the project's data map that a drill must not touch."""


def leave_outside_alone() -> None:
    """
    Take the entries that the project's own code erases out of the data map of this process.

    A file store or a processor's service has no address that could be exchanged: it would be the real one.
    """
    from gdpr.datamap import map as data_map
    from gdpr.datamap.externals import EXTERNAL

    whole = data_map.declared_data_map()
    inside = tuple(entry for entry in whole.entries if not entry.store.startswith(EXTERNAL))
    _outside.extend(entry.id for entry in whole.entries if entry not in inside)
    data_map.declared_data_map = lambda: replace(whole, entries=inside)


def migrate(_: Said) -> Said:
    """Bring every store up to date."""
    from django.core.management import call_command

    call_command("migrate_all", "--noinput", "--format", "json")
    return {}


def plant(said: Said) -> Said:
    """Make the people, and two accounts of staff."""
    from accord.seam.registry import opened
    from gdpr.drill import planting

    _accounts()
    planter = planting.planter_of(said["planter"]) if said["planter"] else None
    with opened() as stores:
        made = [
            planting.plant_by(planter, number) if planter else planting.plant(stores)
            for number in range(1, said["people"] + 1)
        ]
    outside = dict.fromkeys(_outside, "it lies outside of every store")
    return {"people": [one.keys.to_json() for one in made], "left_out": made[-1].left_out | outside}


def _accounts() -> None:
    from django.contrib.auth import get_user_model
    from django.db import router

    from gdpr.drill import fitting

    model = get_user_model()
    for name in (FILER, APPROVER):
        given = {model.USERNAME_FIELD: name, "is_superuser": True, "is_active": True}
        fitting.row(model, router.db_for_write(model), given, fitting.Neighbours())


def erase(said: Said) -> Said:
    """Erase people, as two accounts of staff do it."""
    from django.contrib.auth import get_user_model

    from gdpr.erasure import approvals, planning, registering, requests, saga, transitions
    from gdpr.models import ErasureRequest
    from gdpr.states import Channel, IdentityMethod
    from gdpr.stores.base import opened_stores

    filer, approver = (get_user_model()._default_manager.get_by_natural_key(one) for one in (FILER, APPROVER))
    filed = []
    for keys in _people(said):
        request = requests.file_request(
            keys, by=filer, channel=Channel.COMMAND, identity=IdentityMethod.STAFF
        )
        plan = planning.plan(request)
        approvals.approve(ErasureRequest.objects.get(pk=request.pk), by=approver, digest=plan.digest)
        filed.append(request.pk)
    with opened_stores() as stores:
        refused = saga.carry_out(filed, stores)
    registering.tell_stores()
    states = ErasureRequest.objects.filter(pk__in=filed).values_list("pk", "state", "trouble")
    undone = {
        str(pk): str(refused.get(pk, trouble or state))
        for pk, state, trouble in states
        if state not in transitions.COMPLETE
    }
    return {"undone": undone}


def detect(_: Said) -> Said:
    """Ask the health check of the register."""
    from gdpr import register_health

    [found] = register_health.look()
    return {"level": str(found.level), "message": found.message}


def replay(said: Said) -> Said:
    """Erase again."""
    from gdpr import replaying
    from gdpr.models import ErasureStep
    from gdpr.states import StepState

    found = [asdict(one) for one in replaying.replay(wait=said["wait"])]
    left = ErasureStep.objects.filter(state__in=(StepState.MANUAL, StepState.FAILED))
    troubles = left.values_list("entry", "error_code").order_by("entry").distinct()
    return {"stores": found, "troubles": [f"{entry} {code}".strip() for entry, code in troubles]}


def look(said: Said) -> Said:
    """Tell what is left of some people, and what there is of others."""
    from gdpr.erasure import planning, verification
    from gdpr.stores.base import opened_stores

    verdicts = [verification.read(keys) for keys in _people(said, "erased")]
    with opened_stores() as stores:
        drafts = planning.draft(dict(enumerate(_people(said, "others"))), stores, None)
    return {
        "left": [list(verdict.leftovers) for verdict in verdicts],
        "there": [
            {line["entry"]: line["found"] for line in one["entries"] if line["found"]}
            for one in drafts.values()
        ],
    }


def _people(said: Said, name: str = "people") -> list[SubjectKeys]:
    from gdpr.datamap.subjects import SubjectKeys

    return [SubjectKeys.from_json(one) for one in said[name]]


ACTS: Mapping[str, Callable[[Said], Said]] = {
    act.__name__: act for act in (migrate, plant, erase, detect, replay, look)
}


def main(act: str, answer: str) -> None:
    """Do it. Nothing but the answer is written to the file; what is printed meanwhile goes to the log."""
    said = json.load(sys.stdin)
    django.setup()
    leave_outside_alone()
    with redirect_stdout(sys.stderr):
        found = ACTS[act](said)
    Path(answer).write_text(json.dumps(found, default=str), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
