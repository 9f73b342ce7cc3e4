"""How PostgreSQL would find a person's rows: by an index, or by reading a whole table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections, models, transaction
from django.db.models import QuerySet

from gdpr.datamap.entries import Entry
from gdpr.datamap.keys import KeyType, key_type
from gdpr.datamap.locators import External, Generic, Rows, Sessions, Simple, parts
from gdpr.datamap.subjects import Keys, SubjectKeys
from gdpr.stores.base import IndexUse, every_row
from gdpr.stores.conditions import condition


def explain(alias: str, entry: Entry, rows: QuerySet[models.Model]) -> IndexUse:
    """Ask PostgreSQL how it would find the rows of a query; a small table must not hide a missing index."""
    if any(isinstance(part, Sessions) for part in parts(entry.locator)):
        return IndexUse(uses_index=True, detail="primary key, page by page", read_in_full=True)
    return explained(alias, rows)


def explain_locator(alias: str, model: type[models.Model], locator: Simple | Sessions | External) -> IndexUse:
    """Ask how rows would be found by a locator, with keys that no person has."""
    if isinstance(locator, Sessions):
        return IndexUse(uses_index=True, detail="primary key, page by page", read_in_full=True)
    if isinstance(locator, External):
        return IndexUse(uses_index=True, detail="asked by the project's own code")
    rows = every_row(model, alias).filter(condition(alias, model, locator, _nobody(locator)))
    return explained(alias, rows)


def explained(alias: str, rows: QuerySet[models.Model]) -> IndexUse:
    """Ask how the rows of a query would be found, whatever it is for."""
    try:
        sql, values = rows.order_by().values("pk").query.get_compiler(alias).as_sql()
    except EmptyResultSet:
        return IndexUse(uses_index=True, detail="nothing to look for")
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", values)
        plan = cursor.fetchone()[0][0]["Plan"]
        cursor.execute("SET LOCAL enable_seqscan = on")
    nodes = list(_nodes(plan))
    reads = [node for node in nodes if node["Node Type"] == "Seq Scan"]
    paths = [
        f"{node['Node Type']} {node.get('Index Name') or node.get('Relation Name')}"
        for node in nodes
        if node.get("Index Name") or node in reads
    ]
    return IndexUse(uses_index=bool(paths) and not reads, detail=", ".join(paths) or "no access path")


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


def _nobody(locator: Simple) -> Keys:
    """Make keys that fit a locator and belong to no person."""
    kind = key_type(getattr(locator, "type", str))
    value = {
        KeyType.STR: "nobody",
        KeyType.UUID: "00000000-0000-0000-0000-000000000000",
        KeyType.OBJECT_ID: "0" * 24,
    }.get(kind, -1)
    collected: dict[str, tuple[int | str, ...]] = {}
    if isinstance(locator, Rows):
        collected = {locator.entry: (value,)}
    elif isinstance(locator, Generic):
        collected = dict.fromkeys(locator.of, ("-1",))
    by = getattr(locator, "by", "")
    return SubjectKeys(kind="", primary=value, alternates={by: value} if by else {}, collected=collected)
