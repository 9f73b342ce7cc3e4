"""
What another tool applied since a store was marked: plain `migrate`, or `alembic upgrade`.

Django's and Alembic's own tables stay the truth, so that such a step counts as applied; but no run planned
it, asked for an approval or put it into the trail. What stood there before the first run is kept in a mark.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from accord.seam.marks import KeepsMarks, not_understood
from accord.seam.stores import Store
from accord.seam.types import Lease, StepKey
from migrator.engine.situation import Situation

MARK = "outside"
"""Name of the mark: the steps of other tools that stood in a store when it was marked."""


def unrecorded(situation: Situation, alias: str) -> frozenset[StepKey]:
    """
    Name the applied steps of a store that no run of ours recorded as they stand.

    Squashed steps and their parts are left out: Django itself writes those rows during our runs.
    """
    steps = situation.graph.steps
    squashed = {key for step in situation.steps if step.replaces for key in (step.key, *step.replaces)}
    return frozenset(
        key
        for key, line in situation.applied.items()
        if key.store == alias and line.checksum is None and not line.reverting
        if key in steps and key not in squashed
    )


def keep(store: Store, situation: Situation, lease: Lease) -> None:
    """
    Keep in a store that is about to be marked what other tools applied before. Killed, it is begun again.

    Raises:
        StaleFence: The store has seen a later run.
        StoreUnavailable: It can't be reached.
    """
    if isinstance(store, KeepsMarks) and store.takes_marks():
        names = sorted(f"{key.app}.{key.name}" for key in unrecorded(situation, store.alias))
        store.write_mark(MARK, json.dumps(names), lease, expected=store.read_mark(MARK))


def since(stores: Mapping[str, Store], situation: Situation) -> frozenset[StepKey]:
    """
    Name what other tools applied in stores since they were marked. A store that isn't marked yet has nothing.

    Raises:
        MarkNotUnderstood: What a store keeps can't be read.
        StoreUnavailable: A store can't be reached.
    """
    found: set[StepKey] = set()
    for alias, own in situation.identities.items():
        # Most stores have no such step, and aren't asked.
        if own is not None and (keys := unrecorded(situation, alias)):
            before = _before(stores[alias])
            found |= {key for key in keys if f"{key.app}.{key.name}" not in before}
    return frozenset(found)


def _before(store: Store) -> Collection[str]:
    text = store.read_mark(MARK) if isinstance(store, KeepsMarks) else None
    if text is None:
        return ()
    try:
        names = json.loads(text)
    except ValueError:
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise not_understood(store.alias, MARK, "says something")
    return frozenset(names)
