"""
Tokens, by which programs act as an account: shown once, kept as a digest, expiring, gone with the password.

A token is 32 random bytes behind a name that says what it is, so that scanners of repositories and
logs find one that leaked. The table has its SHA-256 only: 256 random bits need no slow hash, and
nothing in the database or in the admin signs anybody in. It is bound to the account's password by
the value that Django binds sessions to: whoever changes the password ends both.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from dataclasses import dataclass, field
from datetime import timedelta

from django.contrib.auth import get_user_model
from django.contrib.auth.models import PermissionsMixin
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from accord import clock, conf
from accord.acting import Account, actor
from accord.audit import trail
from accord.audit.events import EventKind, ObjectKind
from accord.denied import Denial
from accord.errors import NotAllowed, UsageError
from accord.meanings import permission
from accord.models import AccessToken
from accord.wording import say

SCHEME = "accord"
ADD = "accord.add_accesstoken"
VIEW = "accord.view_accesstoken"
DELETE = "accord.delete_accesstoken"
_BYTES = 32
_DAY = 86_400


@dataclass(frozen=True, kw_only=True)
class Issued:
    """
    A token that was made a moment ago.

    Attributes:
        text: What signs in; it is nowhere else, and can't be told again.
        kept: What is known of it from now on.
    """

    text: str = field(repr=False)
    kept: AccessToken


def issue(
    account: Account, *, by: Account, label: str = "", days: float = 0, service: bool = False
) -> Issued:
    """
    Make a token for an account.

    Args:
        account: Whom it signs in.
        by: Who makes it.
        label: What it is for, in a few words; names no person.
        days: How long it counts; as long as the settings allow unless given.
        service: Whether a program alone has it: it files and carries out, and decides nothing.

    Raises:
        UsageError: It would count for longer than the settings allow, or not at all.
    """
    life, using = _life(days), conf.load().coordinator
    reference = uuid.uuid4().hex
    text = f"{SCHEME}_{reference[:8]}_{secrets.token_urlsafe(_BYTES)}"
    kept = AccessToken(
        reference=reference,
        digest=_digest(text),
        account=str(account.pk),
        fingerprint=_fingerprint(account.get_session_auth_hash()),
        label=label,
        service=service,
        made_at=clock.now(),
        expires_at=clock.now() + life,
    )
    with transaction.atomic(using=using):
        # Nobody asks for those any more, and an account that signs in each hour leaves many.
        of(account).filter(expires_at__lte=Now()).delete()
        kept.save(using=using, force_insert=True)
        _record(kept, EventKind.TOKEN_ISSUED, by)
    return Issued(text=text, kept=kept)


def _life(days: float) -> timedelta:
    most = conf.load().token_days
    wanted = days or most
    if not 0 < wanted <= most:
        raise UsageError(
            say("A token counts for up to {most:g} days here.", most=most),
            hint="Choose fewer days, or set ACCORD['TOKEN_DAYS'].",
        )
    return timedelta(seconds=wanted * _DAY)


def signed_in_by(text: str) -> tuple[Account, AccessToken] | None:
    """
    Find whom a token signs in.

    Args:
        text: The token.

    Returns:
        None for one that is unknown or expired, whose account is gone or not active, or has another
        password by now; which of these it is, no one is told.
    """
    rows = all_of_them().filter(expires_at__gt=Now())
    kept = rows.filter(digest=_digest(text)).first()
    account = None if kept is None else owner(kept)
    if kept is None or account is None or not account.is_active or not has_its_password(account, kept):
        return None
    return account, kept


def owner(kept: AccessToken) -> Account | None:
    """Return the account that a token is of, if it is still there."""
    found: Account | None = get_user_model()._default_manager.filter(pk=kept.account).first()
    return found


def has_its_password(account: Account, kept: AccessToken) -> bool:
    """Return whether an account has the password that it had when a token was made."""
    # Hashes by a SECRET_KEY that was replaced count while it is among the fallbacks, as those of sessions do.
    hashes = (account.get_session_auth_hash(), *account.get_session_auth_fallback_hash())
    return any(hmac.compare_digest(_fingerprint(one), kept.fingerprint) for one in hashes)


def require_issuable(account: Account, person: Account, *, service: bool) -> None:
    """
    Make sure that a person may make a token for an account: their own, or one for a program.

    Raises:
        NotAllowed: It is somebody else's, and would let them be that person or needs a permission.
    """
    if account.pk == person.pk or (service and _may(person, ADD)):
        return
    fact = "A token of another account takes --service and the permission"
    raise _refusal(f"{fact} {permission(ADD)}.", person, account=account)


def require_visible(account: Account, person: Account) -> None:
    """
    Make sure that a person may see which tokens an account has.

    Raises:
        NotAllowed: They are somebody else's, and the permission is missing.
    """
    if account.pk != person.pk and not _may(person, VIEW):
        raise _refusal(f"This account lacks the permission {permission(VIEW)}.", person, account=account)


def require_revocable(kept: AccessToken, person: Account) -> None:
    """
    Make sure that a person may end a token.

    Raises:
        NotAllowed: It is somebody else's, and the permission is missing.
    """
    if kept.account != str(person.pk) and not _may(person, DELETE):
        raise _refusal(f"This account lacks the permission {permission(DELETE)}.", person, ref=kept.reference)


def _may(person: Account, name: str) -> bool:
    return person.is_active and isinstance(person, PermissionsMixin) and person.has_perm(name)


def _refusal(fact: str, person: Account, *, account: Account | None = None, ref: str = "") -> NotAllowed:
    kind = ObjectKind.TOKEN if account is None else ObjectKind.ACCOUNT
    told = Denial(by=person, kind=kind.value, ref=ref, account=account)
    hint = "An administrator gives it in the admin, to the account or to one of its groups."
    return NotAllowed(fact, hint=hint).told(told)


def revoke(kept: AccessToken, *, by: Account) -> None:
    """
    End a token; one that is gone already is left to whoever ended it.

    Raises:
        NotAllowed: It is somebody else's, and the permission is missing.
    """
    require_revocable(kept, by)
    using = conf.load().coordinator
    with transaction.atomic(using=using):
        gone, _ = all_of_them().filter(pk=kept.pk).delete()
        if gone:
            _record(kept, EventKind.TOKEN_REVOKED, by)


def all_of_them() -> QuerySet[AccessToken]:
    """Return every token that is kept."""
    return AccessToken.objects.using(conf.load().coordinator)


def of(account: Account) -> QuerySet[AccessToken]:
    """Return the tokens of an account."""
    return all_of_them().filter(account=str(account.pk))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _fingerprint(session_hash: str) -> str:
    """Hash what sessions are bound to once more: as it stands in sessions, it has no business in a table."""
    return hashlib.sha256(f"accord.token:{session_hash}".encode()).hexdigest()


def _record(kept: AccessToken, event: EventKind, by: Account) -> None:
    trail.record(
        event,
        actor=actor(by),
        object_kind=ObjectKind.TOKEN,
        object_ref=kept.reference,
        using=conf.load().coordinator,
    )
