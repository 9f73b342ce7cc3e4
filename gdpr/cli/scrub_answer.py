"""What `gdpr_erase --scrub` answers: what each store did about the space of what was deleted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from accord.errors import ExitCode
from gdpr.cli import answers
from gdpr.cli.erase_answers import ErasureAnswer
from gdpr.erasure.scrubbing import Acts
from gdpr.models import ErasureRequest
from gdpr.stores.scrubs import Refusal


@dataclass(frozen=True)
class ScrubAnswer(ErasureAnswer):
    """
    What was done.

    Args:
        request: Whose erasure touched these places.
        acts: What each store did.
    """

    request: ErasureRequest
    acts: Acts

    def code(self) -> ExitCode:
        refused = any(one.refusal is not Refusal.NONE for each in self.acts.values() for one in each)
        return ExitCode.PARTIAL if refused else ExitCode.DONE

    def document(self) -> Mapping[str, Any]:
        return {
            "schema": "accord.erasure.scrub/1",
            "request": self.request.reference,
            "exit_code": int(self.code()),
            "acts": [
                {"store": store, "act": one.act, "target": one.target, "refusal": one.refusal}
                for store, each in self.acts.items()
                for one in each
            ],
        }

    def lines(self) -> Iterator[str]:
        rows = [
            (store, one.act, one.target or "(server)", one.refusal or "done")
            for store, each in self.acts.items()
            for one in each
        ]
        if rows:
            yield from answers.table(("store", "act", "where", "outcome"), rows)
        yield "What a store still keeps, and until when: docs/explanation/what-stays.md."
