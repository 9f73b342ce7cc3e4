"""Work with the sample project's data map in a process of its own: one question a line, one answer a line."""

from __future__ import annotations

import json
import sys
from typing import Any

import django


def ask(question: dict[str, Any]) -> Any:
    """Answer one question; the names are those of the adapters."""
    from gdpr.datamap.map import load_data_map
    from gdpr.datamap.subjects import SubjectKeys
    from gdpr.erasure import planning
    from gdpr.stores.base import opened_stores

    data_map = load_data_map()
    match question["do"]:
        case "resolve":
            keys = data_map.resolve(question["subject"], question.get("by", ""))
            with opened_stores() as stores:
                return planning.collected({0: keys}, data_map.to_collect(), stores)[0].to_json()
        case "entries":
            return [entry.id for entry in data_map.looked_at()]
        case "mutations":
            return {entry.id: sorted(errors_without(entry.id)) for entry in data_map.entries}
    entry = data_map.entry(question["entry"])
    keys = SubjectKeys.from_json(question["keys"])
    with opened_stores() as stores:
        return ask_store(question, entry, keys, stores[entry.store])


def ask_store(question: dict[str, Any], entry: Any, keys: Any, store: Any) -> Any:
    """Answer a question about one store."""
    match question["do"]:
        case "find":
            found = store.find(entry, keys)
            return {"count": found.count, "pending": found.pending, "sample": list(found.sample)}
        case "erase":
            erased = store.erase(entry, keys, question.get("limit", 100))
            return {"matched": erased.matched, "affected": erased.affected, "done": erased.done}
        case "residue":
            return store.residue(entry, keys)
        case "explain":
            used = store.explain(entry, keys)
            return {"index": used.uses_index, "full": used.read_in_full, "detail": used.detail}
        case "fingerprint":
            return store.fingerprint()
        case "python":
            scope: dict[str, Any] = {"entry": entry, "keys": keys, "store": store}
            exec(question["code"], scope)  # noqa: S102 - the test's own words
            return scope.get("answer")
    raise ValueError(question["do"])


def errors_without(dropped: str) -> set[str]:
    """Check the map without one of its entries; only that entry's store is asked."""
    from gdpr.coverage import check, unreviewed
    from gdpr.datamap import lock
    from gdpr.datamap.findings import MapLevel
    from gdpr.datamap.map import DataMap, load_data_map
    from gdpr.stores.base import opened_stores

    data_map = load_data_map()
    rest = DataMap(tuple(entry for entry in data_map.entries if entry.id != dropped), data_map.subject)
    with opened_stores() as stores:
        asked = [stores[data_map.entry(dropped).store]]
        found = [*check(rest, asked), *unreviewed(rest, lock.load(), asked)]
    return {finding.fault.value for finding in found if finding.level is MapLevel.ERROR}


if __name__ == "__main__":
    django.setup()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(ask(json.loads(line)), default=str) + "\n")
        sys.stdout.flush()
