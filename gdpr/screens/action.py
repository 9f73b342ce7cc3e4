"""What a decision about an erasure request is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from accord.acting import Account
from accord.admin_parts import OfferedDecision
from accord.errors import AccordError
from accord.wording import worded
from gdpr.erasure import actors
from gdpr.models import ErasureRequest

Answer = Mapping[str, Any]


def _nothing_asked(sent: Any, _request: ErasureRequest) -> forms.Form:
    return forms.Form(sent)


def _unhindered(_request: ErasureRequest, _person: Account) -> str:
    return ""


@dataclass(frozen=True, kw_only=True)
class DecisionAct:
    """
    One kind of decision.

    Attributes:
        decision: What stands on the button and on the confirm page.
        permissions: Of which the person needs one.
        offered: Tells whether a request as it stands knows this decision.
        take: Has it done, with what was answered; returns what is to be said instead of `said`, if anything.
        said: What the person reads once it is done.
        form: Returns what is asked, for what was sent or for nothing.
        hindered: Describes what speaks against it, besides a missing permission, or raises that as an
            :class:`~accord.errors.AccordError`; empty when nothing does.
        query: Returns what the address of its page carries along.
    """

    decision: OfferedDecision
    permissions: tuple[str, ...]
    offered: Callable[[ErasureRequest], bool]
    take: Callable[[ErasureRequest, Account, Answer], str | None]
    said: Any = ""
    form: Callable[[Any, ErasureRequest], forms.Form] = _nothing_asked
    hindered: Callable[[ErasureRequest, Account], str] = _unhindered
    query: Callable[[ErasureRequest], str] = lambda _request: ""

    def described(self, request: ErasureRequest, person: Account) -> OfferedDecision:
        """Describe the decision as it stands for a person."""
        if not self.offered(request):
            return replace(self.decision, hindrance=_("Its state doesn't allow that."))
        return replace(self.decision, hindrance=self._hindrance(request, person), query=self.query(request))

    def _hindrance(self, request: ErasureRequest, person: Account) -> str:
        try:
            actors.require(person, *self.permissions, about=request)
            return self.hindered(request, person)
        except AccordError as exc:
            return worded(exc.message)
