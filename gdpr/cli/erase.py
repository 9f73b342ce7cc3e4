"""What `gdpr_erase` does: find out whom or what it is about, and take it as far as it can go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from accord import clock
from accord.acting import Account
from accord.denied import Denied
from accord.errors import AccordError, NotConfirmed
from gdpr.cli import whom
from gdpr.cli.conversation import Conversation
from gdpr.cli.erase_answers import Counted, Decided, ErasureAnswer, HowFar, Remaining
from gdpr.cli.erase_options import EraseOptions
from gdpr.cli.scrub_answer import ScrubAnswer
from gdpr.datamap.map import load_data_map
from gdpr.datamap.subjects import SubjectKeys
from gdpr.erasure import (
    actors,
    approvals,
    deadlines,
    encryption,
    named_again,
    newer,
    on_record,
    planning,
    requests,
    saga,
    scrubbing,
    state_changes,
    transitions,
    verification,
)
from gdpr.errors import UnknownSubject
from gdpr.models import ErasureRequest
from gdpr.states import Channel, IdentityMethod, RequestState
from gdpr.stores.base import opened_stores


@dataclass(frozen=True)
class Erase:
    """
    One call of the command.

    Args:
        asked: Its options.
        talk: Where questions are asked.
        stop: Asked between two steps.
    """

    asked: EraseOptions
    conversation: Conversation
    stop: Callable[[], bool]

    def carry_out(self) -> ErasureAnswer:
        """
        Do what is asked for.

        Raises:
            AccordError: It can't be done; nothing was changed.
        """
        if not (self.asked.dry_run or self.asked.verify_only):
            with opened_stores() as stores:
                stores.own.require_all(stores)
        if self.asked.request:
            return self._on_request(state_changes.find(self.asked.request))
        try:
            keys = whom.resolve(self.asked.subject, self.asked.by, self.asked.choose, self.asked.kind)
        except UnknownSubject as unknown:
            return self._on_person_without_a_row(unknown)
        return self._on_person(keys)

    # --- a person ----------------------------------------------------------------------------

    def _on_person(self, keys: SubjectKeys) -> ErasureAnswer:
        if self.asked.dry_run:
            return Counted(planning.preview(keys))
        if self.asked.verify_only:
            return Remaining(verification.read(keys))
        return self._on_request(requests.open_request(keys) or _still_erased(keys) or self._file(keys))

    def _file(self, keys: SubjectKeys) -> ErasureRequest:
        person, received = self._person, self.asked.received
        self.conversation.confirm("File a request to erase this person?")
        return requests.file_request(
            keys,
            by=person,
            channel=Channel.COMMAND,
            ground=self.asked.ground,
            identity=self.asked.identity or IdentityMethod.STAFF,
            received_at=deadlines.received_on(received, clock.now()) if received else None,
        )

    def _on_person_without_a_row(self, unknown: UnknownSubject) -> ErasureAnswer:
        """Answer about a person who has no row any more: erased already is no error."""
        subject = load_data_map().kind(self.asked.kind)
        keys = on_record.without_a_row(subject, self.asked.subject, by=self.asked.by)
        request = None if keys is None else requests.last_request(keys.kind, keys.primary)
        if keys is None or request is None:
            raise unknown
        return Remaining(verification.read(keys)) if self.asked.verify_only else self._on_request(request)

    # --- a request ---------------------------------------------------------------------------

    def _on_request(self, request: ErasureRequest) -> ErasureAnswer:
        if self.asked.dry_run:
            known = {request.pk: encryption.keys_of(request)}
            return Counted(planning.preview(planning.renewed(known)[request.pk]))
        if self.asked.verify_only:
            return Remaining(verification.read(encryption.keys_of(request)))
        if self.asked.scrub:
            return ScrubAnswer(request, scrubbing.scrub_one(request, by=self._person))
        if self.asked.keys:
            named_again.name_again(request, self.asked.keys, by=self._person)
        if self.asked.request and (self.asked.decides or self.asked.identity):
            self._decide(request)
            if self.asked.decides:
                return Decided(_read_again(request), moved=True)
        before = _done(request)
        fault = self._carry_on(_read_again(request))
        return HowFar(_read_again(request), moved=_done(request) > before, fault=fault)

    def _decide(self, request: ErasureRequest) -> None:
        person, reason = self._person, self.asked.reason
        if self.asked.approve:
            self.conversation.show_plan(request)
            self.conversation.confirm(f"Approve this plan of request {request.reference[:8]}?")
            approvals.approve(request, by=person, digest=request.plan_digest, reason=reason)
        elif self.asked.revoke:
            approvals.revoke(request, by=person, reason=reason)
        elif self.asked.reject:
            requests.reject(request, self.asked.reject, by=person, reason=reason)
        elif self.asked.cancel:
            requests.cancel(request, by=person)
        elif self.asked.confirm:
            saga.confirm_manual(request, self.asked.confirm, by=person)
        elif entry := self.asked.same_person or self.asked.another_person:
            newer.tell(request, entry, same_person=bool(self.asked.same_person), by=person)
        elif self.asked.identity:
            requests.check_identity(request, self.asked.identity, by=person)

    def _refuse_bystanders(self, request: ErasureRequest) -> None:
        """Ask who acts, and for their permission, where something is about to be done; looking is free."""
        if request.state == RequestState.RECEIVED:
            actors.require(self._person, actors.FILE, about=request)
        retries = self.asked.resume and request.state in transitions.RESTING
        if retries or state_changes.is_going_on(request):
            actors.require(self._person, actors.EXECUTE, about=request)

    def _carry_on(self, request: ErasureRequest) -> AccordError | None:
        """Plan what is not planned, carry out what is approved, and return what stopped it."""
        self._refuse_bystanders(request)
        try:
            if request.state == RequestState.RECEIVED:
                planning.plan(request, by=self._person)
            if request.state == RequestState.APPROVED:
                self.conversation.show_plan(request)
                self.conversation.confirm("Erase now? This can't be undone.")
            if self.asked.resume and request.state in transitions.RESTING:
                saga.retry(request, by=self._person)
            if state_changes.is_going_on(_read_again(request)):
                saga.work(request, by=self._person, stop=self.stop)
        except (NotConfirmed, Denied):
            raise
        except AccordError as exc:
            return exc
        return None

    @cached_property
    def _person(self) -> Account:
        """Find the account that acts; a password is asked for once."""
        return self.asked.who.account(deciding=self.asked.judges)


def _read_again(request: ErasureRequest) -> ErasureRequest:
    return ErasureRequest.objects.get(pk=request.pk)


def _done(request: ErasureRequest) -> int:
    return saga.progress([request.pk])[request.pk]["done"]


def _still_erased(keys: SubjectKeys) -> ErasureRequest | None:
    """
    Return the request that erased a person of whom nothing has come back since.

    A row may stand for the person still, because invoices refer to it.
    """
    request = requests.last_request(keys.kind, keys.primary)
    if request is None or request.state not in transitions.COMPLETE:
        return None
    if request.closed_at is None:
        return request
    return None if verification.read(keys).residue else request
