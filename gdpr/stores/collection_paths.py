"""How MongoDB would find a person's documents: by an index, or by reading a whole collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pymongo.collation import Collation
from pymongo.database import Database

from gdpr.stores.base import IndexUse
from gdpr.stores.filters import Filter


def explain(
    database: Database[dict[str, Any]],
    collection: str,
    condition: Filter,
    collation: Collation | None = None,
) -> IndexUse:
    """Ask MongoDB how it would find the documents of a filter, as it compares them."""
    command = {"find": collection, "filter": condition}
    if collation is not None:
        command["collation"] = collation.document
    answer = database.command("explain", command, verbosity="queryPlanner")
    stages = list(_stages(answer["queryPlanner"]["winningPlan"]))
    scans = [stage for stage in stages if stage.get("stage") == "COLLSCAN"]
    paths = [
        f"{stage['stage']} {stage.get('indexName', '')}".strip() for stage in stages if "indexName" in stage
    ]
    # A search for nothing is answered without looking anywhere.
    looked = bool(paths) or any(stage.get("stage") in ("EOF", "IDHACK") for stage in stages)
    detail = ", ".join(paths) or ", ".join(str(stage.get("stage")) for stage in stages)
    return IndexUse(uses_index=looked and not scans, detail=detail)


def _stages(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "queryPlan" in plan:
        yield from _stages(plan["queryPlan"])
        return
    yield plan
    for name in ("inputStage", "outerStage", "innerStage"):
        if name in plan:
            yield from _stages(plan[name])
    for child in plan.get("inputStages", ()):
        yield from _stages(child)
