"""The two ways to a recipient: a post to its webhook, and a mail. Neither waits for longer than it should."""

from __future__ import annotations

import hashlib
import hmac
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from smtplib import SMTPException
from threading import Thread
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

from django.core.mail import EmailMessage
from django.db import connections
from django.template.loader import render_to_string
from django.utils.translation import get_language, gettext_lazy, override

from accord import conf
from gdpr.datamap.recipients import Recipient
from gdpr.notices.messages import Message
from gdpr.states import NoticeKind, NoticeTrouble

ANSWER_SECONDS = 10.0
"""How long a recipient may be silent."""
WHOLE_SECONDS = 20.0
"""How long one notice may take, however slowly the recipient answers."""
_SUBJECTS = {
    NoticeKind.ERASURE: gettext_lazy("Erasure of personal data: please erase them as well"),
    NoticeKind.RECTIFICATION: gettext_lazy("Correction of personal data: please correct them as well"),
    NoticeKind.RESTRICTION: gettext_lazy(
        "Restriction of processing: please keep these data and don't use them"
    ),
    NoticeKind.LIFTING: gettext_lazy("A restriction of processing has ended"),
}
_TAKEN = range(200, 300)
_OF_ONE = (None, NoticeTrouble.KEY_LOST, NoticeTrouble.NO_KEY)
_NOT_THIS_ONE = frozenset(range(400, 500)) - {401, 403, 408, 429}
"""Answers after which others may fare better: the recipient is there, and didn't take this notice."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """
    What became of an attempt.

    Attributes:
        trouble: Why the recipient wasn't told; None where it was.
        answer: Status of its answer, where it gave one over HTTP.
        is_final: Whether no other attempt would fare better: a person has to act.
    """

    trouble: NoticeTrouble | None = None
    answer: int | None = None
    is_final: bool = False

    @property
    def is_of_all(self) -> bool:
        """Return whether no other notice would fare better with this recipient now."""
        of_one = self.trouble in _OF_ONE or self.answer in _NOT_THIS_ONE
        return not of_one


def send(recipient: Recipient, message: Message) -> Outcome:
    """Tell a recipient, once."""
    if recipient.mail:
        return _within(lambda: _mailed(recipient, message))
    secret = conf.named_secret(recipient.secret) if recipient.secret else b""
    if recipient.secret and not secret:
        return Outcome(trouble=NoticeTrouble.NO_SECRET)
    return _within(lambda: _posted(recipient.webhook, message.body, _headers(message, secret)))


def _within(act: Callable[[], Outcome]) -> Outcome:
    """Wait for an attempt no longer than it may take: a timeout of sockets starts anew with every byte."""
    done: list[Outcome] = []

    def attempt() -> None:
        try:
            done.append(act())
        finally:
            connections.close_all()  # of this thread: a project's mail may go by way of a table

    thread = Thread(target=attempt, daemon=True, name="accord-notice")
    thread.start()
    thread.join(WHOLE_SECONDS)
    if thread.is_alive():
        return Outcome(trouble=NoticeTrouble.TIMEOUT)
    return done[0] if done else Outcome(trouble=NoticeTrouble.UNREACHABLE)


# --- a post --------------------------------------------------------------------------------------


class _NoRedirect(HTTPRedirectHandler):
    """Personal data go where the data map says, and nowhere else."""

    def redirect_request(self, *_args: object, **_named: object) -> None:
        return None


def _opener(address: str) -> OpenerDirector:
    """Make a client that checks certificates; by the proxy of the environment, but not to this machine."""
    proxies = [] if urlsplit(address).scheme == "https" else [ProxyHandler({})]
    return build_opener(_NoRedirect(), *proxies)


def _headers(message: Message, secret: bytes) -> Mapping[str, str]:
    named = {
        "Content-Type": "application/json",
        "Idempotency-Key": message.reference,
        "User-Agent": "accord",
    }
    if secret:
        code = hmac.new(secret, message.body, hashlib.sha256).hexdigest()
        named["Accord-Signature"] = f"sha256={code}"
    return named


def _posted(address: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
    request = Request(address, data=body, headers=dict(headers), method="POST")  # noqa: S310 - checked where it is declared
    try:
        with _opener(address).open(request, timeout=ANSWER_SECONDS) as answer:
            status = int(answer.status)
    except HTTPError as exc:
        with exc:
            status = exc.code
    except (OSError, HTTPException) as exc:
        return Outcome(trouble=_trouble(exc))
    return Outcome(trouble=None if status in _TAKEN else NoticeTrouble.REFUSED, answer=status)


def _trouble(exc: Exception) -> NoticeTrouble:
    cause = exc.reason if isinstance(exc, URLError) else exc
    if isinstance(cause, TimeoutError):
        return NoticeTrouble.TIMEOUT
    return NoticeTrouble.UNTRUSTED if isinstance(cause, ssl.SSLError) else NoticeTrouble.UNREACHABLE


# --- a mail --------------------------------------------------------------------------------------


def _mailed(recipient: Recipient, message: Message) -> Outcome:
    try:
        mail(recipient, message).send()
    except (SMTPException, OSError):
        return Outcome(trouble=NoticeTrouble.MAIL)
    return Outcome()


def _in_words(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a document whose values can be joined: a key may be a number."""
    person = document["person"]
    return {**document, "person": {**person, "values": [str(value) for value in person["values"]]}}


def mail(recipient: Recipient, message: Message) -> EmailMessage:
    """Write a notice as a mail, with the signed document beside it."""
    document = message.document
    with override(recipient.language or get_language()):
        subject = str(_SUBJECTS[NoticeKind(document["kind"])])
        body = render_to_string(f"gdpr/notices/{document['kind']}.txt", {"notice": _in_words(document)})
    written = EmailMessage(subject=subject, body=body, to=[recipient.mail])
    domain = written.from_email.rpartition("@")[2].strip("> ")
    # The same at every attempt, so that whoever gets two sees that they are one.
    written.extra_headers = {"Message-ID": f"<{message.reference}@{domain}>"}
    written.attach("notice.json", message.body.decode(), "application/json")
    return written
