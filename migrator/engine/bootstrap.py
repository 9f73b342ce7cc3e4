"""The first steps of an empty production database: the tables that approvals and accounts are kept in."""

from __future__ import annotations

from collections.abc import Iterator

from accord import conf
from accord.events import Reporter, silent
from migrator.engine.api import Migrations
from migrator.engine.gate import Gate
from migrator.engine.plan import Target
from migrator.engine.request import Request
from migrator.engine.situation import Situation


def prepare(
    migrations: Migrations, gate: Gate, settings: conf.AccordSettings, report: Reporter = silent
) -> int:
    """
    Apply what has to stand before anybody can ask for an approval.

    Args:
        migrations: The migrations of the project.
        gate: Knows which steps need no approval.
        settings: Settings of the suite.
        report: Hears what happens.

    Returns:
        How many steps were applied; 0 where everything stood already.

    Raises:
        AccordError: A step failed, or a run could not begin.
    """
    done = 0
    for app in _apps(gate, migrations.situation()):
        target = Target(stores=(settings.coordinator,), app=app)
        result = migrations.run(Request(target=target), report=report)
        failures = [failure.error for failure in result.execution.failures]
        if error := result.error or next(iter(failures), None):
            raise error
        done += len(result.execution.outcomes)
    return done


def _apps(gate: Gate, situation: Situation) -> Iterator[str]:
    """Name the apps with such steps pending, in the order in which they are applied."""
    exempt = gate.exempt(situation)
    pending = [key for key in situation.graph.order() if key in exempt and key not in situation.done]
    yield from dict.fromkeys(key.app for key in pending)
