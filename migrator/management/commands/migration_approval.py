"""Ask for, give and refuse approvals of plans; write and bring attestations."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from accord import conf
from accord.acting import Account, acting
from accord.command import AnsweringCommand
from accord.errors import ExitCode, UsageError
from accord.seam.registry import opened
from accord.seam.types import Direction
from accord.secrets import signing
from accord.words import counted
from migrator.cli import render_approvals, render_json
from migrator.cli.options import add_format, add_plan_arguments, request_from
from migrator.cli.progress import progress
from migrator.engine.api import Migrations
from migrator.engine.bootstrap import prepare
from migrator.engine.gate import Gate
from migrator.errors import AttestationUnusable, NotEntitled
from migrator.governance import attestation_files, people
from migrator.models import ApprovalState, PlanApproval


class Command(AnsweringCommand):
    """`manage.py migration_approval`."""

    help = (
        "Asks another person to approve a plan, decides about such requests, and carries attestations "
        "from the environment that goes first to the one that follows."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the acts, with the flags of each."""
        acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
        self._add_request(acts)
        for act, words in (("approve", "Say yes to"), ("reject", "Say no to, or take back the yes to,")):
            decision = self._add(acts, act, f"{words} another person's request.")
            self._add_reference(decision)
            _add_person(decision, required=True)
            _add_reason(decision)
        listing = self._add(acts, "list", "List the requests of this environment, newest first.")
        listing.add_argument(
            "--state", choices=ApprovalState.values, default="", help="Only those in this state."
        )
        self._add_reference(self._add(acts, "show", "Show a request with its steps."))
        attest = self._add(acts, "attest", "Sign what the ledgers say was applied here.")
        attest.add_argument("--output", type=Path, default=None, metavar="FILE", help="Write it there.")
        _add_person(attest, required=False)
        bring = self._add(acts, "import", "Check and keep an attestation of another environment.")
        bring.add_argument("file", type=Path, metavar="FILE", help="What attest wrote there.")
        _add_person(bring, required=True)

    @staticmethod
    def _add(acts: Any, act: str, words: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = acts.add_parser(act, help=words, description=words)
        add_format(parser)
        return parser

    def _add_request(self, acts: Any) -> None:
        request = self._add(
            acts, "request", "Ask for the approval of what migrate_all would do with the same flags."
        )
        add_plan_arguments(request)
        _add_person(request, required=True)
        _add_reason(request)

    @staticmethod
    def _add_reference(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("reference", metavar="REFERENCE", help="The request; its beginning is enough.")

    def answer(self, options: dict[str, Any]) -> ExitCode:
        """Do what is asked for."""
        self._settings = conf.load()
        acts: dict[str, Callable[[dict[str, Any]], None]] = {
            "request": self._request,
            "approve": self._decide,
            "reject": self._decide,
            "list": self._list,
            "show": self._show,
            "attest": self._attest,
            "import": self._import,
        }
        with opened() as stores:
            self._migrations = Migrations(stores)
            self._gate = self._migrations.gate()
            acts[options["act"]](options)
        return ExitCode.DONE

    # --- approvals --------------------------------------------------------------------------------

    def _request(self, options: dict[str, Any]) -> None:
        wanted = request_from(options)
        self._prepare(options)
        person = _acting(options["person"])
        situation = self._migrations.situation(wanted)
        plan = self._migrations.plan(wanted, situation)
        work = self._gate.work(wanted, plan, situation)
        approval = self._gate.approvals.request(work, person, options["reason"])
        self._say(approval, render_approvals.asked_lines(approval), options)

    def _prepare(self, options: dict[str, Any]) -> None:
        """Make the tables that requests and accounts are kept in, where they aren't there yet."""
        with progress(options["verbosity"]) as report:
            done = prepare(self._migrations, self._gate, self._settings, report)
        if done and options["verbosity"]:
            self.stderr.write(
                f"Applied {done} steps that nobody has to approve: the tables of approvals and accounts.",
                lambda text: text,
            )

    def _decide(self, options: dict[str, Any]) -> None:
        approvals = self._there()
        person = _acting(options["person"])
        act = approvals.approve if options["act"] == "approve" else approvals.reject
        approval = act(options["reference"], person, options["reason"])
        self._say(approval, render_approvals.decided_lines(approval), options)

    def _list(self, options: dict[str, Any]) -> None:
        approvals = self._gate.approvals
        found = list(approvals.all()) if approvals.exist() else []
        if options["state"]:
            found = [one for one in found if approvals.state_of(one).value == options["state"]]
        if options["format"] == "json":
            self.stdout.write(render_json.dump(render_approvals.listing_document(found, approvals)))
        else:
            self._write(render_approvals.listing_lines(found, approvals, self.style))

    def _show(self, options: dict[str, Any]) -> None:
        approvals = self._there()
        approval = approvals.find(options["reference"])
        self._say(approval, render_approvals.approval_lines(approval, approvals, self.style), options)

    def _there(self) -> Any:
        if not self._gate.approvals.exist():
            raise UsageError(
                "There are no approvals here: their tables don't exist yet.",
                hint="manage.py migration_approval request makes them, and asks for the first one.",
            )
        return self._gate.approvals

    # --- attestations -----------------------------------------------------------------------------

    def _attest(self, options: dict[str, Any]) -> None:
        self._there()
        person = _acting(options["person"]) if options["person"] else None
        if person is not None:
            people.require(person, people.ATTEST)
        situation = self._migrations.situation()
        situation.refuse_drift()
        standing = Gate.standing(situation)
        if not standing:
            raise UsageError(
                "There is nothing to attest: nothing was applied here.",
                hint="Run migrate_all here first; is this the environment that goes first?",
            )
        attestation = self._gate.attestations.write(standing, Direction.APPLY, "", person)
        if options["output"] is None:
            self.stdout.write(attestation_files.dump(attestation.document), ending="")
            return
        try:
            attestation_files.save(attestation.document, options["output"])
        except OSError as exc:
            raise UsageError(
                f"{options['output']} can't be written: {exc.strerror}.",
                hint="Name a file that this user may write with --output.",
            ) from exc
        if options["format"] == "json":
            self.stdout.write(attestation_files.dump(attestation.document), ending="")
            return
        self.stdout.write(f"{counted(len(standing), 'step')} attested in {options['output']}.")
        self.stdout.write(f"Who relies on it needs this public key in TRUSTED_KEYS: {signing.public_key()}")

    def _import(self, options: dict[str, Any]) -> None:
        self._there()
        person = _acting(options["person"])
        try:
            text = options["file"].read_text()
        except (OSError, UnicodeDecodeError) as exc:
            raise AttestationUnusable(
                f"{options['file']} can't be read.", hint="Check path and rights."
            ) from exc
        attestation = self._gate.attestations.accept(text, person, str(options["file"]))
        if options["format"] == "json":
            self.stdout.write(attestation_files.dump(attestation.document), ending="")
        else:
            self._write(render_approvals.accepted_lines(attestation))

    # --- writing ----------------------------------------------------------------------------------

    def _say(self, approval: PlanApproval, lines: Iterable[str], options: dict[str, Any]) -> None:
        if options["format"] == "json":
            document = render_approvals.approval_document(approval, self._gate.approvals)
            self.stdout.write(render_json.dump(document))
        else:
            self._write(lines)

    def _write(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.stdout.write(line)


def _add_person(parser: argparse.ArgumentParser, *, required: bool) -> None:
    parser.add_argument(
        "--as",
        dest="person",
        required=required,
        default="",
        metavar="USERNAME",
        help="The account that acts.",
    )


def _add_reason(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reason", required=True, metavar="TEXT", help="Why, in a sentence.")


def _acting(username: str) -> Account:
    """Find the account that acts. Its name stays out of the message: it may be a person's."""
    try:
        return acting(username, interactive=True)
    except UsageError as exc:
        raise NotEntitled(
            "No account has the user name that --as gives.",
            hint="Correct the name, or make the account: manage.py createsuperuser.",
        ) from exc
