"""What `gdpr_erase` answers: what would be erased, what is left, or how far a request came."""

from __future__ import annotations

import json
import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accord.errors import AccordError, ExitCode, UsageError
from accord.words import counted
from gdpr.cli import answers
from gdpr.documents import PlanDocument
from gdpr.erasure import planning, receipts, transitions
from gdpr.erasure.verdicts import Verdict
from gdpr.models import ErasureRequest, Receipt


class ErasureAnswer(ABC):
    """An answer, for people and for programs."""

    @abstractmethod
    def code(self) -> ExitCode:
        """Return the exit code."""

    @abstractmethod
    def document(self) -> Mapping[str, Any]:
        """Return the answer for programs."""

    @abstractmethod
    def lines(self) -> Iterator[str]:
        """Return the answer for people."""

    def text(self, *, as_json: bool) -> str:
        """Write the answer."""
        if as_json:
            return json.dumps(self.document(), indent=2, ensure_ascii=False)
        return answers.joined(self.lines())


@dataclass(frozen=True)
class Counted(ErasureAnswer):
    """
    What would be erased.

    Args:
        plan: The draft of a plan (`accord.erasure.plan/1`).
    """

    plan: PlanDocument

    def code(self) -> ExitCode:
        return ExitCode.DONE

    def document(self) -> Mapping[str, Any]:
        return self.plan

    def lines(self) -> Iterator[str]:
        yield from answers.plan_lines(self.plan)
        yield "Dry run: nothing was recorded or changed."


@dataclass(frozen=True)
class Remaining(ErasureAnswer):
    """
    What the stores still hold.

    Args:
        verdict: What was read.
    """

    verdict: Verdict

    def code(self) -> ExitCode:
        return ExitCode.DONE if self.verdict.is_clean else ExitCode.PARTIAL

    def document(self) -> Mapping[str, Any]:
        return {
            "schema": "accord.erasure.verification/1",
            "exit_code": int(self.code()),
            "at": self.verdict.at.isoformat(),
            "residue": self.verdict.residue,
            "newer": self.verdict.newer,
            "kept": self.verdict.kept,
            "servers": self.verdict.servers,
            "entries": [
                {"entry": one.entry, "store": one.store, "residue": one.residue, "kept": one.kept}
                for one in self.verdict.readings
            ],
        }

    def lines(self) -> Iterator[str]:
        rows = [(one.store, one.entry, f"{one.residue:,}", f"{one.kept:,}") for one in self.verdict.readings]
        yield from answers.table(("store", "entry", "left", "kept"), rows)
        yield f"{self.verdict.residue:,} left that should go, {self.verdict.kept:,} kept by law."
        if self.verdict.newer:
            entries = ", ".join(self.verdict.doubtful)
            yield f"{self.verdict.newer:,} came after the erasure; a person has to say whose: {entries}."


class HowFar(ErasureAnswer):
    """
    How far a request came.

    Args:
        request: As it came to rest.
        moved: Whether anything was done.
        fault: What stopped it.
    """

    def __init__(self, request: ErasureRequest, *, moved: bool, fault: AccordError | None = None) -> None:
        self.request = request
        self.moved = moved
        self.fault = fault

    def code(self) -> ExitCode:
        if self.fault is not None:
            return self.fault.exit_code
        return answers.exit_code(self.request, moved=self.moved)

    def document(self) -> Mapping[str, Any]:
        return answers.request_document(self.request, self.code())

    def lines(self) -> Iterator[str]:
        if self.request.steps.exists():
            yield from answers.step_lines(self.request)
        elif self.request.plan_digest:
            yield from answers.plan_lines(planning.current(self.request).document)
        yield from answers.request_lines(self.request)
        receipt = self.receipt()
        if receipt is not None:
            yield f"Receipt {receipt.reference}, signed. {_verdict(receipt)}"

    def receipt(self) -> Receipt | None:
        """Return the receipt of an erasure that is complete."""
        complete = self.request.state in transitions.COMPLETE
        return receipts.latest(self.request) if complete else None

    def write_receipt(self, path: Path) -> bool:
        """
        Write the receipt into a file: as a page for .html, else as JSON.

        Returns:
            False where there is none yet.

        Raises:
            UsageError: The folder can't be written to.
        """
        receipt = self.receipt()
        if receipt is None:
            return False
        if path.suffix.lower() in (".html", ".htm"):
            text = receipts.render_html(receipt)
        else:
            text = json.dumps(receipts.signed_document(receipt), indent=2, ensure_ascii=False) + "\n"
        _write_whole(path, text)
        return True


def _verdict(receipt: Receipt) -> str:
    found = receipt.document.get("open_findings")
    if found:
        number = counted(len(found), "thing")
        return f"Nothing is left where the data map looks; it left {number} open."
    return "Nothing that had to go is left."


class Decided(HowFar):
    """How a request stands after a decision about it, which is all that was asked for."""

    def code(self) -> ExitCode:
        return ExitCode.DONE


def _write_whole(path: Path, text: str) -> None:
    """
    Write a file so that it is there whole or not at all.

    Raises:
        UsageError: The folder can't be written to.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
    except OSError as exc:
        raise UsageError(
            f"The receipt can't be written to {path}: {exc.strerror}.", hint="It stays in the admin."
        ) from exc
