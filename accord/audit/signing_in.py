"""Failed sign-ins in the trail: somebody tried to be an account, at a page of the site or over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest

from accord.denied import Denial
from accord.errors import NotAllowed


def install() -> None:
    """Listen to what Django tells of sign-ins; whoever is signed in already proves themselves elsewhere."""
    user_login_failed.connect(_note, dispatch_uid=__name__)


def _note(credentials: Mapping[str, Any], request: HttpRequest | None = None, **_signal: Any) -> None:
    # Commands, and pages that ask for one's own password again, put their refusals on record themselves.
    if request is None or getattr(getattr(request, "user", None), "is_authenticated", False):
        return
    # Loaded here: this module is there in every process, and nearly none of them refuses anybody.
    from accord.audit import denials

    refused = NotAllowed("Nobody was signed in.", hint="Try again with the right password.")
    denials.note(refused, Denial(account=_tried(credentials)))


def _tried(credentials: Mapping[str, Any]) -> Any:
    """Return the account that somebody tried to be; a name that nobody has is written down nowhere."""
    model = get_user_model()
    name = credentials.get(model.USERNAME_FIELD) or credentials.get("username")
    return model._default_manager.filter(**{model.USERNAME_FIELD: name}).first() if name else None
