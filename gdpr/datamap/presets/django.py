"""Django's own copies of personal data: accounts, sessions, tokens, admin log; and auditlog's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from django.apps import apps
from django.contrib.auth import get_user_model

from gdpr.datamap.actions import Delete, Nothing, Unset
from gdpr.datamap.entries import Entry
from gdpr.datamap.locators import Generic, Key, Rows, Sessions

USERS = "django-users"
OF_DJANGO: Mapping[str, str] = {
    "auth.Permission": "Names of permissions.",
    "auth.Group": "Names of groups of staff.",
    "auth.Group_permissions": "Which group may do what.",
    "contenttypes.ContentType": "Names of models.",
    "sites.Site": "Names of sites.",
    "table:django_migrations": "Names of applied migrations.",
}


def framework(store: str = "default") -> list[Entry]:
    """
    Classify the tables of Django that hold nothing of anybody.

    Args:
        store: Alias of the database.
    """
    return [
        Entry(id=_id(target), store=store, target=target, action=Nothing(reason), export=False)
        for target, reason in OF_DJANGO.items()
        if target.startswith("table:") or _has(target)
    ]


def accounts(locator: Key, store: str = "default", of: str = "") -> list[Entry]:
    """
    Erase a person's account with everything that belongs to it: groups, rights, tokens, sessions.

    What the account did in the admin goes as well; what was done to others stays in their own log.

    Args:
        locator: How a person's account is found among the users.
        store: Alias of the database.
        of: Which kind of person, where a project has several. The ids of the entries then end with it.
    """
    parts = _of_accounts(locator, store)
    return [_named_after(of, one) for one in parts] if of else parts


def _named_after(kind: str, entry: Entry) -> Entry:
    """Give an entry of accounts to one kind of person: another kind has the same entries for its own."""
    locator = entry.locator
    if isinstance(locator, Rows | Sessions):
        return replace(
            entry, id=f"{entry.id}-{kind}", locator=replace(locator, entry=f"{locator.entry}-{kind}")
        )
    return replace(entry, id=f"{entry.id}-{kind}", of=kind)


def _of_accounts(locator: Key, store: str) -> list[Entry]:
    user = get_user_model()
    parts = [
        Entry(
            id=USERS,
            store=store,
            target=user._meta.label,
            locator=locator,
            action=Delete(),
            fields=tuple(name for name in _USER_FIELDS if _has_field(name)),
            category="identity",
            purpose="Signing in.",
            retention="As long as the account exists.",
        )
    ]
    parts += [_of_user(through, store) for through in _through_models()]
    if apps.is_installed("django.contrib.sessions"):
        parts.append(_sessions(store))
    if apps.is_installed("rest_framework.authtoken"):
        parts.append(_of_user("authtoken.Token", store, field="user", purpose="Access by programs."))
    if apps.is_installed("accord"):
        parts.append(tokens(USERS, store))
    if apps.is_installed("django.contrib.admin"):
        parts.append(_of_user("admin.LogEntry", store, field="user", purpose="History of the admin."))
    if apps.is_installed("auditlog"):
        parts.append(_actor(store))
    if apps.is_installed("accord"):
        parts.append(references(USERS, user._meta.label_lower, store))
    return parts


def logs(of: Mapping[str, str], store: str = "default") -> list[Entry]:
    """
    Erase what the admin's log and auditlog have copied out of a person's rows: names, old values.

    Args:
        of: Id of each entry whose rows are logged, to the label of its model.
        store: Alias of the database.
    """
    parts = []
    if apps.is_installed("django.contrib.admin"):
        parts.append(
            Entry(
                id="admin-log-of-rows",
                store=store,
                target="admin.LogEntry",
                locator=Generic(of=of),
                action=Delete(),
                fields=("object_repr", "change_message"),
                category="history",
                purpose="History of changes in the admin.",
                source="staff, in the admin",
                derived_from=tuple(of),
            )
        )
    if apps.is_installed("auditlog"):
        parts.append(
            Entry(
                id="auditlog-of-rows",
                store=store,
                target="auditlog.LogEntry",
                locator=Generic(of=of, object_id="object_pk"),
                action=Delete(),
                fields=("object_repr", "changes", "changes_text", "serialized_data", "additional_data"),
                category="history",
                purpose="History of changes.",
                source="recorded with each change",
                derived_from=tuple(of),
            )
        )
    return parts


def references(entry: str, kind: str, store: str = "default") -> Entry:
    """
    Erase the link between a person and the random references of the audit trail.

    Args:
        entry: Id of the entry that finds the person's row.
        kind: What :func:`accord.audit.trail.reference_for` is given as kind for such rows.
        store: Alias of the database.
    """
    return Entry(
        id=f"audit-reference-of-{entry}",
        store=store,
        target="accord.ActorReference",
        locator=Rows(entry, "key", str, where={"kind": kind}),
        action=Delete(),
        fields=("key",),
        category="history",
        purpose="The link from the audit trail to a person; without it the trail names nobody.",
        source="recorded with each act",
        export=False,
    )


def tokens(entry: str, store: str = "default") -> Entry:
    """
    Erase what is kept of the tokens by which programs act as a person's account.

    Args:
        entry: Id of the entry that finds the account.
        store: Alias of the database.
    """
    return Entry(
        id=f"access-tokens-of-{entry}",
        store=store,
        target="accord.AccessToken",
        locator=Rows(entry, "account", str),
        action=Delete(),
        fields=("label",),
        category="identity",
        purpose="Access by programs.",
        retention="Until it expires.",
        export=False,
    )


_USER_FIELDS = ("username", "first_name", "last_name", "email", "password", "last_login", "date_joined")


_ACTS = (
    *("id", "content_type", "object_pk", "object_id", "object_repr", "serialized_data", "action"),
    *("changes_text", "changes", "cid", "timestamp", "additional_data"),
)
"""Columns of auditlog that say what was done; another version may have fewer."""


def _present(label: str, names: Sequence[str]) -> tuple[str, ...]:
    """Return those of some names that a model has as fields."""
    known = {field.name for field in apps.get_model(label)._meta.concrete_fields}
    return tuple(name for name in names if name in known)


def _sessions(store: str) -> Entry:
    return Entry(
        id="django-sessions",
        store=store,
        target="sessions.Session",
        locator=Sessions(entry=USERS),
        action=Delete(),
        fields=("session_data",),
        category="activity",
        purpose="Staying signed in.",
        retention="Until the session expires.",
        # Signed text with a key that signs in: nothing that an answer to the person should carry.
        export=False,
    )


def _actor(store: str) -> Entry:
    return Entry(
        id="auditlog-of-user",
        store=store,
        target="auditlog.LogEntry",
        locator=Rows(USERS, "actor", int),
        action=Unset(("actor", "actor_email", "remote_addr", "remote_port")),
        fields=("actor", "actor_email", "remote_addr"),
        category="history",
        purpose="Who changed what.",
        source="recorded with each change",
        keeps={"What happened to which row, without who did it.": _present("auditlog.LogEntry", _ACTS)},
    )


def _of_user(target: str, store: str, *, field: str = "", purpose: str = "What the account may do.") -> Entry:
    name = field or get_user_model()._meta.model_name or "user"
    return Entry(
        id=f"{_id(target)}-of-user",
        store=store,
        target=target,
        locator=Rows(USERS, name, int),
        action=Delete(),
        category="identity",
        purpose=purpose,
        export=target == "admin.LogEntry",
    )


def _through_models() -> list[str]:
    """Name the tables between users and groups or permissions."""
    fields = get_user_model()._meta.local_many_to_many
    return [str(field.remote_field.through._meta.label) for field in fields]  # type: ignore[union-attr]  # made by Django


def _id(target: str) -> str:
    return target.removeprefix("table:").replace(".", "-").replace("_", "-").lower()


def _has(label: str) -> bool:
    try:
        apps.get_model(label)
    except LookupError:
        return False
    return True


def _has_field(name: str) -> bool:
    return any(field.name == name for field in get_user_model()._meta.concrete_fields)
