"""What `migration_approval` does: one method an act."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from django.core.management.base import OutputWrapper
from django.core.management.color import Style

from accord import conf
from accord.acting import Account
from accord.audit.events import ObjectKind
from accord.cli.answer import Answer
from accord.clock import SystemClock
from accord.denied import Denial
from accord.errors import UsageError
from accord.identity import store_ids
from accord.seam.registry import opened
from accord.seam.types import Direction
from accord.secrets import signing
from migrator.cli import render_approvals
from migrator.cli.approval_options import ApprovalOptions
from migrator.cli.progress import progress
from migrator.engine.accepting import drift_work
from migrator.engine.api import Migrations
from migrator.engine.bootstrap import prepare
from migrator.engine.environments import Environments
from migrator.engine.gate import Gate
from migrator.errors import AttestationUnusable, NotEntitled
from migrator.governance import attestation_files, people
from migrator.governance.acceptances import end_of
from migrator.governance.approvals import Approvals
from migrator.governance.requests import OPEN
from migrator.models import Attestation, PlanApproval


@dataclass(frozen=True, kw_only=True)
class Approving:
    """
    One call of the command.

    Attributes:
        asked: Its options.
        migrations: The migrations of the project.
        gate: What asks for approvals and attestations.
        stderr: Standard error, where it is told what goes on.
        style: Colours of the answer.
    """

    asked: ApprovalOptions
    migrations: Migrations
    gate: Gate
    stderr: OutputWrapper
    style: Style

    def carry_out(self) -> Answer:
        """
        Do what is asked for.

        Raises:
            AccordError: It can't be done; nothing was decided.
        """
        acts: Mapping[str, Callable[[], Answer]] = {
            "request": self._request,
            "approve": self._approve,
            "reject": self._reject,
            "revoke": self._revoke,
            "review": self._review,
            "list": self._list,
            "show": self._show,
            "attest": self._attest,
            "key": self._key,
            "import": self._import,
        }
        return acts[self.asked.act]()

    # --- approvals --------------------------------------------------------------------------------

    def _request(self) -> Answer:
        if self.asked.drift:
            return self._request_drift()
        if self.asked.environment:
            return self._request_environment()
        self._prepare()
        person = self._person()
        situation = self.migrations.situation(self.asked.wanted)
        plan = self.migrations.plan(self.asked.wanted, situation)
        work = self.gate.work(self.asked.wanted, plan, situation)
        approval = self.gate.approvals.request(work, person, self.asked.reason)
        return self._about(approval, render_approvals.asked_lines(approval))

    def _request_drift(self) -> Answer:
        gate, asked = self.gate, self.asked
        self.migrations.refuse_other(asked.wanted.environment)
        if not gate.approvals.exist():
            self._prepare()
        work = drift_work(self.migrations.situation(), asked.steps, end_of(asked.until, SystemClock()))
        alone = not gate.policy.approval
        approval = gate.approvals.request(work, self._person(deciding=alone), asked.reason)
        return self._about(approval, render_approvals.asked_lines(approval, counts_alone=alone))

    def _request_environment(self) -> Answer:
        asked = self.asked
        self.migrations.refuse_other(asked.wanted.environment)
        self._approvals()
        # Loaded here: it opens the stores, which no other act needs twice.
        with opened() as stores:
            work = Environments(stores, conf.load(), SystemClock()).work(asked.wanted.target.stores)
        approval = self.gate.approvals.request(work, self._person(), asked.reason)
        return self._about(approval, render_approvals.asked_lines(approval))

    def _prepare(self) -> None:
        """Make the tables that requests and accounts are kept in, where they aren't there yet."""
        with progress(self.asked.verbosity) as report:
            done = prepare(self.migrations, self.gate, conf.load(), report)
        if done and self.asked.verbosity:
            self.stderr.write(
                f"Applied {done} steps that need no approval: the tables of approvals and accounts.",
                lambda text: text,
            )

    def _approve(self) -> Answer:
        # Loaded here: it opens the stores, which no other act needs twice.
        from migrator.review import approve

        asked = self.asked
        return self._decided(
            approve(
                self._approvals(), asked.reference, self._person(deciding=True), asked.reason, seen=asked.seen
            )
        )

    def _reject(self) -> Answer:
        return self._decided(
            self._approvals().reject(self.asked.reference, self._person(deciding=True), self.asked.reason)
        )

    def _revoke(self) -> Answer:
        asked, approvals = self.asked, self._approvals()
        approval = approvals.revoke(asked.reference, self._person(deciding=True), asked.reason)
        return self._about(approval, render_approvals.revoked_lines(approval, approvals))

    def _review(self) -> Answer:
        person = self._person(deciding=True)
        row = self.gate.breaks.review(self.asked.reference, person, self.asked.reason)
        return Answer(
            document=render_approvals.break_document(row), lines=[f"Run {row.short} is reviewed. Runs go on."]
        )

    def _decided(self, approval: PlanApproval) -> Answer:
        return self._about(approval, render_approvals.decided_lines(approval, self.gate.approvals))

    def _list(self) -> Answer:
        approvals, state = self.gate.approvals, self.asked.state
        found = list(approvals.all()) if approvals.exist() else []
        found = [one for one in found if not state or approvals.state_of(one).value == state]
        unreviewed = self.gate.breaks.open()
        return Answer(
            document=render_approvals.listing_document(found, approvals, unreviewed),
            lines=render_approvals.listing_lines(found, approvals, self.style, unreviewed),
        )

    def _show(self) -> Answer:
        approvals = self._approvals()
        approval = approvals.find(self.asked.reference)
        shown = render_approvals.approval_document(approval, approvals)
        lines = [*render_approvals.approval_lines(approval, approvals, self.style)]
        if approvals.state_of(approval) in OPEN:
            # Loaded here: it opens the stores, which no other act needs twice.
            from migrator.review import review

            found = review(approval)
            shown |= {"findings": list(found.findings), "losses": list(found.losses)}
            lines += render_approvals.review_lines(found.findings, found.losses, self.style)
        return Answer(document=shown, lines=lines)

    def _about(self, approval: PlanApproval, lines: Iterable[str]) -> Answer:
        return Answer(document=render_approvals.approval_document(approval, self.gate.approvals), lines=lines)

    def _approvals(self) -> Approvals:
        if not self.gate.approvals.exist():
            raise UsageError(
                "There are no approvals here: their tables don't exist yet.",
                hint="manage.py migration_approval request makes them, and asks for the first one.",
            )
        return self.gate.approvals

    # --- attestations -----------------------------------------------------------------------------

    def _attest(self) -> Answer:
        self._approvals()
        person = self._person() if self.asked.who.is_given else None
        if person is not None:
            people.require(person, people.ATTEST, kind=ObjectKind.ATTESTATION)
        attestation = self._attested(person)
        if self.asked.output is None:
            text = attestation_files.dump(attestation.document)
            return Answer(document=attestation.document, lines=[text])
        _save(attestation, self.asked.output)
        return Answer(
            document=attestation.document,
            lines=render_approvals.attested_lines(attestation, self.asked.output, signing.public_key()),
        )

    def _attested(self, person: Account | None) -> Attestation:
        situation = self.migrations.situation()
        situation.refuse_drift()
        standing = Gate.standing(situation)
        if not standing:
            raise UsageError(
                "There is nothing to attest: nothing was applied here.",
                hint="Run migrate_all here first; is this the environment that goes first?",
            )
        stores = store_ids(situation.identities)
        return self.gate.attestations.write(standing, Direction.APPLY, "", stores, person)

    def _key(self) -> Answer:
        document = {"schema": "accord.key/1", "id": signing.key_id(), "public_key": signing.public_key()}
        return Answer(document=document, lines=[document["public_key"]])

    def _import(self) -> Answer:
        self._prepare()
        person, file = self._person(), self.asked.file
        try:
            text = file.read_text()
        except (OSError, UnicodeDecodeError) as exc:
            raise AttestationUnusable(f"{file} can't be read.", hint="Check path and rights.") from exc
        own = store_ids(self.migrations.situation().identities)
        attestation = self.gate.attestations.accept(text, person, str(file), own)
        return Answer(document=attestation.document, lines=render_approvals.accepted_lines(attestation))

    def _person(self, *, deciding: bool = False) -> Account:
        """Find the account that acts. Its name stays out of the message: it may be a person's."""
        try:
            return self.asked.who.account(deciding=deciding)
        except UsageError as exc:
            raise NotEntitled(
                "No account has the user name that --as gives.",
                hint="Correct the name, or make the account: manage.py createsuperuser.",
            ).told(Denial(kind=ObjectKind.ACCOUNT.value)) from exc


def _save(attestation: Attestation, path: Path) -> None:
    try:
        attestation_files.save(attestation.document, path)
    except OSError as exc:
        raise UsageError(
            f"{path} can't be written: {exc.strerror}.",
            hint="Name a file that this user may write with --output.",
        ) from exc
