"""A permission for each action: a view names what each of its actions needs, and nothing else is allowed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accord import conf, proof_policy
from accord.errors import NotAllowed
from accord.meanings import permissions

SIGNED_IN = ""
"""Stands for: any account that is signed in."""


class PerAction(BasePermission):
    """
    Lets an account do an action when it has one of the permissions that the view names for it.

    A view has `needs`: its actions (or HTTP methods in small letters, where it has no actions) to
    one permission, or to several of which one is enough. An action that isn't in there is refused.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        """
        Check the permission for the action.

        Raises:
            NotAllowed: The account lacks it.
        """
        person = request.user
        if not (person and person.is_authenticated and person.is_active):
            return False
        action = action_of(request, view)
        _refuse_programs(request, action in getattr(view, "decides", ()))
        _refuse_sessions(request, action in getattr(view, "proves", ()))
        return action is None or self._may(person, wanted(getattr(view, "needs", {}), action))

    @staticmethod
    def _may(person: Any, names: tuple[str, ...]) -> bool:
        if SIGNED_IN in names or any(person.has_perm(name) for name in names):
            return True
        raise NotAllowed(
            f"This account lacks the permission {permissions(names) or 'for this'}.",
            hint="An administrator gives it in the admin, to the account or to one of its groups.",
        )


def _refuse_programs(request: Request, decides: bool) -> None:  # noqa: FBT001 - one word of one call
    if decides and getattr(request.auth, "service", False):
        raise NotAllowed(
            "This token is of a program alone; it files and carries out, and decides nothing.",
            hint="A person decides, with a token of their own or in the admin.",
        )


def _refuse_sessions(request: Request, asks: bool) -> None:  # noqa: FBT001 - one word of one call
    settings = conf.load()
    by_session = isinstance(request.successful_authenticator, SessionAuthentication)
    if asks and by_session and proof_policy.load(settings).asks(settings.environment):
        raise NotAllowed(
            "A session proves nobody here: a screen may have been left open.",
            hint="Send a token of your own: POST token/ gives one for the password.",
        )


def wanted(needs: Mapping[str, str | tuple[str, ...]], action: str) -> tuple[str, ...]:
    """Return the permissions of which one is enough for an action; none where no account may do it."""
    named = needs.get(action, ())
    return (named,) if isinstance(named, str) else named


def action_of(request: Request, view: Any) -> str | None:
    """Return the action asked for; None for a method the view doesn't take, which is answered as such."""
    if request.method == "OPTIONS":
        return None
    if hasattr(view, "action_map"):
        return view.action or None
    method = "get" if request.method == "HEAD" else str(request.method).lower()
    return method if hasattr(view, method) else None
