"""Stores of another environment, told with a plan that a run would refuse."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.core.management.color import Style

from accord import conf
from accord.identity import foreign
from migrator.engine.situation import Situation


def foreign_documents(situation: Situation) -> Sequence[dict[str, Any]]:
    """Describe the stores that say that they belong elsewhere; a run is refused while there is one."""
    found = foreign(situation.identities, conf.load().environment)
    return [
        {"store": alias, "environment": own.environment, "id": own.store_id} for alias, own in found.items()
    ]


def foreign_lines(situation: Situation, style: Style) -> Iterator[str]:
    """Tell the same to people."""
    for one in foreign_documents(situation):
        yield style.WARNING(
            f"The store “{one['store']}” belongs to “{one['environment']}”, and the settings describe "
            f"“{conf.load().environment}”: a run is refused (ACC-935)."
        )
