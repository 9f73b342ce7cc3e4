"""What is asked for where drift may stay: the disagreements of named steps, bound by what they hold. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from accord.errors import UnknownTarget, UsageError
from migrator.engine.drift import Drift
from migrator.engine.situation import Situation
from migrator.governance.work import DriftWork


def drift_work(situation: Situation, steps: Sequence[str], ends_at: datetime) -> DriftWork:
    """
    Bind disagreements, so that people may say that they stay.

    Args:
        situation: Files and ledgers.
        steps: Steps as `store:app.name`; everything that stops a run unless given.
        ends_at: Until when.

    Raises:
        UnknownTarget: A step has no disagreement that stops a run.
        UsageError: None has.
    """
    found = _chosen(situation, steps) if steps else situation.stops
    if not found:
        raise UsageError(
            "There is no drift that stops a run.", hint="showmigrations_all tells what there is."
        )
    return DriftWork(
        bound=tuple([str(drift.key), drift.kind.value, drift.digest] for drift in found), ends_at=ends_at
    )


def _chosen(situation: Situation, steps: Sequence[str]) -> Sequence[Drift]:
    stops = situation.stops
    for text in steps:
        if not any(str(drift.key) == text for drift in stops):
            known = ", ".join(dict.fromkeys(str(drift.key) for drift in stops)) or "none"
            raise UnknownTarget(
                f"“{text}” has no drift that stops a run.",
                hint=f"Write it as store:app.name. What stops a run: {known}.",
            )
    return [drift for drift in stops if str(drift.key) in steps]
