"""
Attestations: an environment's signed word that it ran some steps, as they are, and succeeded.

A document of the form `accord.attestation/1`, signed with Ed25519. It travels as a file from staging to
production, and its signature is checked whenever it counts, so that it does not matter where it was kept
meanwhile.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import connections, transaction

from accord import conf
from accord.acting import Account, actor
from accord.audit import trail
from accord.audit.events import Counter, EventKind, EventOutcome, ObjectKind
from accord.clock import Clock
from accord.errors import AccordError, ForeignSignature, ForgedSignature, SignatureError
from accord.seam import checksum as checksums
from accord.seam.types import AppliedStep, Direction, Step
from accord.secrets import signing
from migrator.errors import AttestationUnusable, NotAttested
from migrator.governance import people
from migrator.governance.attestation_files import SCHEMA, payload, read, save
from migrator.governance.work import PlannedWork
from migrator.models import Attestation

_NAMED = 10
_PAGE = 10


@dataclass(frozen=True, kw_only=True)
class Attested:
    """
    What is attested of a step.

    Attributes:
        key: The step, as text.
        checksum: Of the file as it was run.
    """

    key: str
    checksum: str


class Attestations:
    """
    The attestations that an installation has written or accepted.

    Args:
        settings: Settings of the suite.
        clock: Time.
    """

    def __init__(self, settings: conf.AccordSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._using = settings.coordinator

    # --- writing ----------------------------------------------------------------------------------

    def write(
        self,
        steps: Sequence[Attested],
        direction: Direction,
        run_id: str,
        stores: Mapping[str, str],
        person: Account | None = None,
    ) -> Attestation:
        """
        Sign and keep that steps were run here and succeeded. What was said already is not said twice.

        Args:
            steps: The steps.
            direction: Which way they went.
            run_id: The last run that did some of them.
            stores: Ids of the stores that they were run on, by alias.
            person: Who wants it; None where a run does so by itself.
        """
        content = self._content(self._settings.environment, direction.value, steps, stores)
        found = Attestation.objects.using(self._using).filter(content=content).first()
        if found is not None and self._holds(found):
            return found
        document = self._signed(steps, direction, run_id, stores)
        return self._keep(document, "self", actor(person), EventKind.ATTESTATION_WRITTEN)

    def export(self, attestation: Attestation, folder: Path) -> Path:
        """
        Write an attestation into a folder, whole or not at all.

        Returns:
            The file.
        """
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{attestation.environment}-{attestation.run_id or attestation.reference[:8]}.json"
        save(attestation.document, folder / name)
        return folder / name

    def _signed(
        self, steps: Sequence[Attested], direction: Direction, run_id: str, stores: Mapping[str, str]
    ) -> dict[str, Any]:
        document: dict[str, Any] = {
            "schema": SCHEMA,
            "project": self._settings.project,
            "environment": self._settings.environment,
            "direction": direction.value,
            "outcome": "succeeded",
            "run": run_id,
            "at": self._clock.now().isoformat(),
            "steps": [{"key": step.key, "checksum": step.checksum} for step in steps],
            "stores": dict(stores),
            "key": signing.key_id(),
        }
        return {**document, "signature": signing.sign(payload(document), purpose=SCHEMA)}

    def _keep(
        self, document: Mapping[str, Any], signer: str, actor: trail.Actor, event: EventKind
    ) -> Attestation:
        steps = [Attested(**entry) for entry in document["steps"]]
        stores = document.get("stores", {})
        content = self._content(document["environment"], document["direction"], steps, stores)
        with transaction.atomic(using=self._using):
            attestation, _new = Attestation.objects.using(self._using).update_or_create(
                content=content,
                defaults={
                    "environment": document["environment"],
                    "run_id": document["run"],
                    "document": dict(document),
                    "signer": signer,
                    "made_at": datetime.fromisoformat(document["at"]),
                },
            )
            self._record(event, EventOutcome.DONE, actor, attestation.reference, content, len(steps))
        return attestation

    @staticmethod
    def _content(
        environment: str, direction: str, steps: Sequence[Attested], stores: Mapping[str, str]
    ) -> str:
        listed = sorted([step.key, step.checksum] for step in steps)
        said: dict[str, object] = {"environment": environment, "direction": direction, "steps": listed}
        # What an earlier version wrote names no stores, and keeps its digest.
        return checksums.digest({**said, "stores": dict(stores)} if stores else said)

    # --- accepting --------------------------------------------------------------------------------

    def accept(self, text: str, person: Account, place: str, own: Mapping[str, str]) -> Attestation:
        """
        Check an attestation that came from elsewhere, and keep it.

        Args:
            text: The document.
            person: Who brings it.
            place: Where it came from, for messages.
            own: Ids of the stores of this installation, by alias.

        Raises:
            ForgedSignature: The signature does not belong to it.
            ForeignSignature: A key signed that is not trusted here, or doesn't speak for that environment.
            AttestationUnusable: It can't be read, is of another project or outcome, or was run on our stores.
            NotEntitled: The account may not bring attestations.
        """
        people.require(person, people.ATTEST, kind=ObjectKind.ATTESTATION)
        acts = actor(person)
        try:
            document = read(text, place)
            signer = self.check(document, place, own)
        except AccordError:
            with transaction.atomic(using=self._using):
                self._record(EventKind.ATTESTATION_REFUSED, EventOutcome.REFUSED, acts, "", "", 0)
            raise
        return self._keep(document, signer, acts, EventKind.ATTESTATION_ACCEPTED)

    def check(self, document: Mapping[str, Any], place: str, own: Mapping[str, str]) -> str:
        """
        Check signature, project, outcome and stores of a document.

        Returns:
            Who signed: `self`, or the name of a trusted key.

        Raises:
            ForgedSignature, ForeignSignature, AttestationUnusable: As for :meth:`accept`.
        """
        unsigned = {name: value for name, value in document.items() if name != "signature"}
        try:
            signer = signing.verify(payload(unsigned), document["signature"], purpose=SCHEMA)
        except (ForgedSignature, ForeignSignature) as exc:
            raise type(exc)(
                f"The attestation {place} is not to be relied on. {exc.message}", hint=exc.hint
            ) from exc
        if not signing.speaks_for(signer, document["environment"]):
            raise ForeignSignature(
                f"The attestation {place} tells of “{document['environment']}” and is signed by “{signer}”, "
                "which doesn't speak for it.",
                hint="Take the one that was signed there. A key that may speak for an environment of another "
                "name says so: ACCORD['TRUSTED_KEYS'][NAME] = {'key': ..., 'environments': [...]}.",
            )
        if document["project"] != self._settings.project or document["outcome"] != "succeeded":
            raise AttestationUnusable(
                f"The attestation {place} is of the project “{document['project']}” with the outcome "
                f"“{document['outcome']}”.",
                hint="Take the one that a successful run of this project wrote.",
            )
        self._refuse_own_stores(document, place, own)
        return signer

    def _refuse_own_stores(self, document: Mapping[str, Any], place: str, own: Mapping[str, str]) -> None:
        """Refuse what was run on our own stores, and told as another environment's."""
        theirs = document.get("stores", {}).values()
        ours = sorted(alias for alias, store_id in own.items() if store_id in theirs)
        if ours and document["environment"] != self._settings.environment:
            raise AttestationUnusable(
                f"The attestation {place} tells of “{document['environment']}”, and was run on stores of "
                f"this installation: {', '.join(ours)}.",
                hint="Run the same files on stores of that environment. A copy is one of them after "
                "accord_environment change --reason TEXT",
            )

    # --- enforcing --------------------------------------------------------------------------------

    def require(self, work: PlannedWork, environment: str, own: Mapping[str, str]) -> None:
        """
        Make sure that every step has been run, as it is, in the environment that goes first.

        Args:
            work: What would run.
            environment: The one that goes first.
            own: Ids of the stores of this installation, by alias.

        Raises:
            NotAttested: Some haven't.
            ForgedSignature, ForeignSignature: They seem to have been, by a word that can't be believed.
        """
        believed: dict[str, set[str]] = {}
        doubted: list[AccordError] = []
        missing = list(work.steps)
        for document in self._documents(environment, work.direction):
            named = _named(missing, document)
            if named and self._is_believed(document, doubted, own):
                for key, checksum in named:
                    believed.setdefault(key, set()).add(checksum)
                missing = [step for step in missing if not _is_attested(step, believed)]
            if not missing:
                return
        if doubted:
            raise doubted[0]
        names = ", ".join(_what_differs(step, believed) for step in missing[:_NAMED])
        raise NotAttested(
            f"{len(missing)} of {len(work.steps)} steps are not attested by “{environment}”: {names}.",
            hint=f"Run the same files in {environment}, and bring its word: migration_approval attest "
            "--output FILE there, migration_approval import FILE here.",
        )

    def _documents(self, environment: str, direction: Direction) -> Iterator[Mapping[str, Any]]:
        """Read what an environment attested, newest first, page by page; nothing is believed yet."""
        with connections[self._using].cursor() as cursor:
            cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [Attestation._meta.db_table])
            there = bool((cursor.fetchone() or [False])[0])
        if not there:
            return
        kept = Attestation.objects.using(self._using).filter(
            document__environment=environment, document__direction=direction.value
        )
        for start in itertools.count(0, _PAGE):
            page = list(kept.values_list("document", flat=True)[start : start + _PAGE])
            yield from page
            if len(page) < _PAGE:
                return

    def _is_believed(
        self, document: Mapping[str, Any], doubted: list[AccordError], own: Mapping[str, str]
    ) -> bool:
        try:
            self.check(document, f"of run {document['run'] or 'unknown'}", own)
        except (SignatureError, AttestationUnusable) as exc:
            doubted.append(exc)
            return False
        return True

    def _holds(self, attestation: Attestation) -> bool:
        try:
            return bool(self.check(attestation.document, "that was kept", {}))
        except AccordError:
            return False

    def _record(
        self,
        event: EventKind,
        outcome: EventOutcome,
        actor: trail.Actor,
        reference: str,
        digest: str,
        steps: int,
    ) -> None:
        trail.record(
            event,
            actor=actor,
            object_kind=ObjectKind.ATTESTATION,
            outcome=outcome,
            object_ref=reference,
            counters={Counter.STEPS.value: steps},
            plan_digest=digest,
            using=self._using,
        )


def standing(applied: Sequence[AppliedStep]) -> Sequence[Attested]:
    """Return what a ledger says that the suite applied, as it can be attested."""
    ours = [entry for entry in applied if entry.checksum is not None]
    return [Attested(key=str(entry.key), checksum=str(entry.checksum)) for entry in ours]


def _named(steps: Iterable[Step], document: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    """Return key and checksum of those of the steps that a document names, with whatever content."""
    keys = {str(step.key) for step in steps}
    return [(entry["key"], entry["checksum"]) for entry in document["steps"] if entry["key"] in keys]


def _is_attested(step: Step, believed: Mapping[str, set[str]]) -> bool:
    return any(checksums.same_content(one, step.source.text) for one in believed.get(str(step.key), ()))


def _what_differs(step: Step, believed: Mapping[str, set[str]]) -> str:
    return f"{step.key} ({'with other content' if str(step.key) in believed else 'never run there'})"
