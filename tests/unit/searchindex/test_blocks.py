"""What is told of a block on an index."""

from __future__ import annotations

import pytest

from accord.errors import AccordError, StepFailed, StoreUnavailable
from searchindex.blocks import FLOOD, KIND, way_on
from searchindex.reindex.refused import Refused, refusal

BOTH = (
    "index [a] blocked by: [TOO_MANY_REQUESTS/12/index has read-only-allow-delete block, FORBIDDEN/8/write]"
)


@pytest.mark.parametrize(
    ("kind", "status", "reason", "way"),
    [
        (KIND, 429, "", FLOOD),
        (KIND, 403, BOTH, FLOOD),
        (KIND, 403, "index [a] blocked by: [FORBIDDEN/9/index metadata (api)]", "index.blocks"),
        (KIND, 503, "blocked by: [SERVICE_UNAVAILABLE/1/state not recovered]", ""),
        ("es_rejected_execution_exception", 429, "", ""),
    ],
)
def test_way_on_fits_the_block(kind: str, status: int, reason: str, way: str) -> None:
    """A full disk is one thing, a person's block another, and a busy or starting server is waited for."""
    told = way_on(kind, status, reason)

    assert way in told
    assert bool(told) == bool(way)


@pytest.mark.parametrize(
    ("refused", "error", "way"),
    [
        ([(429, KIND)], StepFailed, FLOOD),
        ([(429, "es_rejected_execution_exception")], StoreUnavailable, "time"),
        ([(400, "mapper_parsing_exception")], StepFailed, "mapping"),
    ],
)
def test_document_that_met_a_full_disk_is_no_matter_of_time(
    refused: list[tuple[int, str]], error: type[AccordError], way: str
) -> None:
    """Nor of the mapping."""
    told = refusal("The index refuses a document", [Refused(status, kind) for status, kind in refused])

    assert type(told) is error
    assert way in told.hint
