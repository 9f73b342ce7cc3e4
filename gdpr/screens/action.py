"""What a decision about an erasure request is made of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext as _

from accord.acting import Account
from accord.admin_parts import Decision
from accord.errors import AccordError
from gdpr.erasure import actors
from gdpr.models import ErasureRequest
from gdpr.states import RequestState as S

Answer = Mapping[str, Any]


class Act(ABC):
    """
    One kind of decision.

    Attributes:
        decision: What stands on the button and on the confirm page.
        permissions: Of which the person needs one.
        states: In which it is offered.
        said: What the person reads once it is done.
    """

    decision: ClassVar[Decision]
    permissions: ClassVar[tuple[str, ...]]
    states: ClassVar[frozenset[S]] = frozenset()
    said: ClassVar[Any] = ""

    def offered(self, request: ErasureRequest) -> bool:
        """Return whether a request as it stands knows this decision."""
        return S(request.state) in self.states

    def hindered(self, request: ErasureRequest, person: Account) -> str:
        """
        Describe what speaks against it, besides a missing permission; empty when nothing does.

        Raises:
            AccordError: What speaks against it.
        """
        return ""

    def form(self, sent: Any, request: ErasureRequest) -> forms.Form:
        """Return what is asked, for what was sent or for nothing."""
        return forms.Form(sent)

    @abstractmethod
    def take(self, request: ErasureRequest, person: Account, answer: Answer) -> str | None:
        """
        Have it done.

        Returns:
            What is to be said instead of `said`, if anything.
        """

    def described(self, request: ErasureRequest, person: Account) -> Decision:
        """Describe the decision as it stands for a person."""
        if not self.offered(request):
            return replace(self.decision, hindrance=_("Its state doesn't allow that."))
        return replace(self.decision, hindrance=self._hindrance(request, person))

    def _hindrance(self, request: ErasureRequest, person: Account) -> str:
        try:
            actors.require(person, *self.permissions)
            return self.hindered(request, person)
        except AccordError as exc:
            return exc.message
