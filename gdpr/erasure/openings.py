"""What the data map leaves open, and whether an erasure may be planned and carried out all the same."""

from __future__ import annotations

from collections.abc import Iterable

from accord.wording import Sentence, say
from gdpr.coverage import open_findings
from gdpr.datamap.findings import Fault, MapFinding
from gdpr.datamap.map import load_data_map
from gdpr.documents import OpenFinding, PlanDraft
from gdpr.erasure.policy import ErasurePolicy, OpenFindings
from gdpr.errors import DataMapOpen
from gdpr.stores.base import Stores

Openings = list[OpenFinding] | None
"""What was found; None where nobody looked."""
# How a server reads a table changes with its size: slow, and nothing is missed.
_OF_THE_MOMENT = frozenset({Fault.NO_INDEX.value})


def look(stores: Stores, rules: ErasurePolicy) -> Openings:
    """
    Look for what an erasure would miss, unless the policy says that it doesn't matter.

    Args:
        stores: Where.
        rules: The policy.

    Raises:
        StoreUnavailable: A store can't be asked what it holds.
    """
    if rules.open_findings is OpenFindings.ALLOW:
        return None
    return [_plain(finding) for finding in open_findings(load_data_map(), stores)]


def require_none(found: Openings, rules: ErasurePolicy) -> None:
    """
    Refuse to go on with an incomplete data map, where the policy says so.

    Raises:
        DataMapOpen: There are open findings.
    """
    if found and rules.open_findings is OpenFindings.REFUSE:
        raise DataMapOpen(
            _fact(len(found), found[0]["message"]),
            hint="See all of them with gdpr_datamap check, settle them, and ask again.",
        )


def _fact(count: int, first: str) -> Sentence:
    if count == 1:
        return say("The data map has 1 open finding: {first}", first=first)
    return say("The data map has {count} open findings; the first: {first}", count=count, first=first)


def are_known(found: PlanDraft, approved: PlanDraft) -> bool:
    """Return whether whoever approved a plan has seen everything that is open now."""
    return _named(found) <= _named(approved)


def _named(draft: PlanDraft) -> set[tuple[str, ...]]:
    every: Iterable[OpenFinding] = draft.get("open_findings", ())
    return {
        (one["id"], one["store"], one["target"], one["message"])
        for one in every
        if one["id"] not in _OF_THE_MOMENT
    }


def _plain(finding: MapFinding) -> OpenFinding:
    return {
        "id": finding.fault.value,
        "store": finding.store,
        "target": finding.target,
        "entry": finding.entry,
        "message": finding.message,
    }
