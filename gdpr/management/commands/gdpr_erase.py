"""Erase one person from every store: file, plan, have approved, carry out, prove."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from accord.command import AnsweringCommand
from accord.errors import AccordError, ExitCode, NotConfirmed, UsageError
from gdpr.datamap import load_data_map
from gdpr.errors import UnknownSubject
from gdpr.keys import key_type, parsed
from gdpr.management import answers
from gdpr.management.people import acting
from gdpr.models import ErasureRequest
from gdpr.services import (
    approvals,
    erasure,
    moving,
    planning,
    receipts,
    requests,
    sealing,
    transitions,
    verification,
)
from gdpr.states import Channel, Ground, IdentityMethod, RejectionGround, RequestState
from gdpr.subjects import SubjectKeys

_DECISIONS = ("approve", "reject", "cancel", "confirm")


class Command(AnsweringCommand):
    """`manage.py gdpr_erase`."""

    help = (
        "Erases a person from every store. The first call files a request and shows what would happen; "
        "another person approves it (--request REFERENCE --approve); the next call carries it out, reads "
        "every store again and writes a signed receipt. Safe to start twice and to start again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the flags."""
        _add_whom(parser)
        _add_decisions(parser)
        parser.add_argument(
            "--dry-run", action="store_true", help="Count what would be erased; record nothing."
        )
        parser.add_argument(
            "--resume", action="store_true", help="Try now what waits for a store or for a person."
        )
        parser.add_argument(
            "--verify-only", action="store_true", help="Ask every store what it still holds; change nothing."
        )
        parser.add_argument(
            "--receipt", default="", metavar="FILE", help="Write the receipt: a page for .html, else JSON."
        )
        parser.add_argument(
            "--noinput", "--no-input", action="store_false", dest="interactive", help="Never ask a question."
        )
        parser.add_argument(
            "--format", choices=("text", "json"), default="text", help="How to answer (default: text)."
        )

    def answer(self, options: dict[str, Any]) -> ExitCode:
        """Find out whom or what it is about, and take it as far as it can go."""
        _refuse_contradictions(options)
        if options["request"]:
            return self._on_request(moving.find(options["request"]), options)
        try:
            keys = load_data_map().resolve(options["subject"], options["by"])
        except UnknownSubject as unknown:
            return self._on_somebody_gone(unknown, options)
        return self._on_person(keys, options)

    # --- a person ----------------------------------------------------------------------------

    def _on_person(self, keys: SubjectKeys, options: dict[str, Any]) -> ExitCode:
        if options["dry_run"]:
            return self._dry_run(planning.preview(keys), options)
        if options["verify_only"]:
            return self._report(verification.read(_with_collected(keys)), options)
        request = requests.open_request(keys) or _still_erased(keys) or self._file(keys, options)
        return self._on_request(request, options)

    def _file(self, keys: SubjectKeys, options: dict[str, Any]) -> ErasureRequest:
        person = acting(options["as_user"], interactive=options["interactive"])
        self._confirm("File a request to erase this person?", options)
        return requests.file_request(
            keys,
            by=person,
            channel=Channel.COMMAND,
            ground=Ground(options["ground"]),
            identity=IdentityMethod(options["identity"] or IdentityMethod.STAFF),
        )

    def _on_somebody_gone(self, unknown: UnknownSubject, options: dict[str, Any]) -> ExitCode:
        """Answer about a person who has no row any more: erased already is no error."""
        keys = _keys_of_somebody_gone(options)
        request = None if keys is None else requests.last_request(keys.kind, keys.primary)
        if keys is None or request is None:
            raise unknown
        if options["verify_only"]:
            return self._report(verification.read(_with_collected(keys)), options)
        return self._on_request(request, options)

    # --- a request ---------------------------------------------------------------------------

    def _on_request(self, request: ErasureRequest, options: dict[str, Any]) -> ExitCode:
        if options["dry_run"]:
            return self._dry_run(planning.preview(sealing.keys_of(request)), options)
        if options["verify_only"]:
            keys = _with_collected(sealing.keys_of(request))
            return self._report(verification.read(keys), options)
        if any(options[name] for name in (*_DECISIONS, "identity")) and not options["subject"]:
            request = self._decide(request, options)
            if any(options[name] for name in _DECISIONS):
                self._finish(request, options, moved=True)
                return ExitCode.DONE
        before = erasure.progress(request)["done"]
        request, fault = self._carry_on(request, options)
        moved = erasure.progress(request)["done"] > before
        return self._finish(request, options, moved=moved, fault=fault)

    def _decide(self, request: ErasureRequest, options: dict[str, Any]) -> ErasureRequest:
        person = acting(options["as_user"], interactive=options["interactive"])
        reason = options["reason"]
        if options["approve"]:
            self._show_plan(request, options)
            self._confirm(f"Approve this plan of request {request.reference[:8]}?", options)
            approvals.approve(request, by=person, digest=request.plan_digest, reason=reason)
        elif options["reject"]:
            requests.reject(request, RejectionGround(options["reject"]), by=person, reason=reason)
        elif options["cancel"]:
            requests.cancel(request, by=person)
        elif options["confirm"]:
            erasure.confirm_manual(request, options["confirm"], by=person)
        elif options["identity"]:
            requests.check_identity(request, IdentityMethod(options["identity"]), by=person)
        return ErasureRequest.objects.get(pk=request.pk)

    def _carry_on(
        self, request: ErasureRequest, options: dict[str, Any]
    ) -> tuple[ErasureRequest, AccordError | None]:
        """Plan what is not planned, carry out what is approved, and give what stopped it."""
        fault: AccordError | None = None
        try:
            if request.state == RequestState.RECEIVED:
                planning.plan(request, by=None)
            if request.state == RequestState.APPROVED:
                self._show_plan(request, options)
                self._confirm("Erase now? This can't be undone.", options)
            if options["resume"]:
                erasure.retry(request)
            if erasure.is_going_on(ErasureRequest.objects.get(pk=request.pk)):
                erasure.work(request)
        except NotConfirmed:
            raise
        except AccordError as exc:
            fault = exc
        return ErasureRequest.objects.get(pk=request.pk), fault

    # --- answers -----------------------------------------------------------------------------

    def _finish(
        self,
        request: ErasureRequest,
        options: dict[str, Any],
        *,
        moved: bool,
        fault: AccordError | None = None,
    ) -> ExitCode:
        code = answers.exit_code(request, moved=moved) if fault is None else fault.exit_code
        if options["format"] == "json":
            self.stdout.write(
                json.dumps(answers.request_document(request, code), indent=2, ensure_ascii=False)
            )
        else:
            self._write_lines(request, options)
        if fault is not None and options["format"] == "text":
            self.say_error(fault, options)
        if options["receipt"]:
            self._write_receipt(request, Path(options["receipt"]))
        return code

    def _write_lines(self, request: ErasureRequest, options: dict[str, Any]) -> None:
        if request.steps.exists():
            self.stdout.write(answers.joined(answers.step_lines(request)))
        elif request.plan_digest:
            self._show_plan(request, options, again=False)
        self.stdout.write(answers.joined(answers.request_lines(request)))
        receipt = receipts.latest(request)
        if receipt is not None and request.state in transitions.COMPLETE:
            self.stdout.write(f"Receipt {receipt.reference}, signed. Nothing that had to go is left.")

    def _show_plan(self, request: ErasureRequest, options: dict[str, Any], *, again: bool = True) -> None:
        """Show the plan that counts: as the answer, or as talk before a question."""
        if options["format"] == "json" or (again and not options["interactive"]):
            return
        stream = self.stderr if again else self.stdout
        lines = answers.joined(answers.plan_lines(planning.current(request).document))
        stream.write(lines, lambda text: text)

    def _dry_run(self, document: planning.Document, options: dict[str, Any]) -> ExitCode:
        if options["format"] == "json":
            self.stdout.write(json.dumps(document, indent=2, ensure_ascii=False))
        else:
            self.stdout.write(answers.joined(answers.plan_lines(document)))
            self.stdout.write("Dry run: nothing was recorded or changed.")
        return ExitCode.DONE

    def _report(self, verdict: verification.Verdict, options: dict[str, Any]) -> ExitCode:
        code = ExitCode.PARTIAL if verdict.residue else ExitCode.DONE
        if options["format"] == "json":
            self.stdout.write(json.dumps(_verdict_document(verdict, code), indent=2, ensure_ascii=False))
            return code
        rows = [(one.store, one.entry, f"{one.residue:,}", f"{one.kept:,}") for one in verdict.readings]
        self.stdout.write(answers.joined(answers.table(("store", "entry", "left", "kept"), rows)))
        self.stdout.write(f"{verdict.residue:,} left that should go, {verdict.kept:,} kept by law.")
        return code

    def _write_receipt(self, request: ErasureRequest, path: Path) -> None:
        receipt = receipts.latest(request)
        if receipt is None or request.state not in transitions.COMPLETE:
            self.stderr.write("No receipt was written: the erasure is not complete.")
            return
        if path.suffix.lower() in (".html", ".htm"):
            text = receipts.render_html(receipt)
        else:
            text = json.dumps(receipts.signed_document(receipt), indent=2, ensure_ascii=False) + "\n"
        _write_whole(path, text)

    def _confirm(self, question: str, options: dict[str, Any]) -> None:
        """
        Ask a person, where one may be asked.

        Raises:
            NotConfirmed: The answer was not yes, or nobody is there to answer.
        """
        if not options["interactive"]:
            return
        if not sys.stdin.isatty():
            raise NotConfirmed("Nobody is there to confirm.", hint="Add --noinput if you mean it.")
        self.stderr.write(f"{question} [y/N] ", lambda text: text, ending="")
        self.stderr.flush()
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise NotConfirmed("Not confirmed; nothing was changed.")


def _add_whom(parser: CommandParser) -> None:
    parser.add_argument("subject", nargs="?", default="", help="A key of the person: id, e-mail address, ...")
    parser.add_argument(
        "--by", default="", metavar="KEY", help="Which key it is; every one is tried unless given."
    )
    parser.add_argument(
        "--request", default="", metavar="REFERENCE", help="A request; its first digits are enough."
    )
    parser.add_argument(
        "--as",
        default="",
        dest="as_user",
        metavar="USERNAME",
        help="Account that acts, with its password; whoever is signed in to this machine unless given.",
    )
    parser.add_argument(
        "--ground",
        choices=Ground.values,
        default=Ground.NO_LONGER_NECESSARY.value,
        help="Why the person may demand it (Art. 17(1)).",
    )
    parser.add_argument(
        "--identity", choices=IdentityMethod.values, default="", help="How it was made sure who asks."
    )


def _add_decisions(parser: CommandParser) -> None:
    decisions = parser.add_mutually_exclusive_group()
    decisions.add_argument(
        "--approve",
        action="store_true",
        help="Approve the plan, as another person than the one who filed it.",
    )
    decisions.add_argument(
        "--reject", choices=RejectionGround.values, default="", help="Refuse the request on a legal ground."
    )
    decisions.add_argument("--cancel", action="store_true", help="Take the request back before it has begun.")
    decisions.add_argument(
        "--confirm",
        default="",
        metavar="ENTRY",
        help="Note that a manual entry's instructions were followed.",
    )
    parser.add_argument("--reason", default="", help="Why it is approved or refused; kept encrypted.")


def _refuse_contradictions(options: dict[str, Any]) -> None:
    """
    Refuse what doesn't fit together.

    Raises:
        UsageError: Neither or both of a person and a request are named, or a decision lacks a request.
    """
    if bool(options["subject"]) == bool(options["request"]):
        raise UsageError(
            "Name a person or a request, and not both.",
            hint="gdpr_erase SUBJECT, or gdpr_erase --request REFERENCE",
        )
    decided = [name for name in _DECISIONS if options[name]]
    if decided and not options["request"]:
        raise UsageError(
            f"--{decided[0]} is about a request.", hint=f"gdpr_erase --request REFERENCE --{decided[0]}"
        )


def _keys_of_somebody_gone(options: dict[str, Any]) -> SubjectKeys | None:
    """Read the text as a primary key, which is all that a person who is gone can be asked about by."""
    subject = load_data_map().subject
    if subject is None or options["by"] not in ("", subject.key):
        return None
    try:
        primary = parsed(options["subject"], key_type(subject.type), subject.key)
    except UsageError:
        return None
    return SubjectKeys(kind=subject.model, primary=primary, alternates={subject.key: primary})


def _still_erased(keys: SubjectKeys) -> ErasureRequest | None:
    """
    Give the request that erased a person of whom nothing has come back since.

    A row may stand for the person still, because invoices refer to it.
    """
    request = requests.last_request(keys.kind, keys.primary)
    if request is None or request.state not in transitions.COMPLETE:
        return None
    if request.closed_at is None:
        return request
    return None if verification.read(_with_collected(keys)).residue else request


def _with_collected(keys: SubjectKeys) -> SubjectKeys:
    return planning.collect(keys, load_data_map())


def _verdict_document(verdict: verification.Verdict, code: ExitCode) -> dict[str, Any]:
    return {
        "schema": "accord.erasure.verification/1",
        "exit_code": int(code),
        "at": verdict.at.isoformat(),
        "residue": verdict.residue,
        "kept": verdict.kept,
        "servers": verdict.servers,
        "entries": [
            {"entry": one.entry, "store": one.store, "residue": one.residue, "kept": one.kept}
            for one in verdict.readings
        ],
    }


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
