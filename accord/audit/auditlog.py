"""
django-auditlog, set up so that what it writes holds no personal data.

An app says in its `AppConfig` which models are logged, and which fields with their values:

    audited = {"Listener": (), "Track": ("genre", "duration")}

Every other field is logged by name only: that it changed, not what it held. Names of objects
give way to label and key, addresses and e-mails of those who act are left out. Entries of a
person's rows are removed with them by the data map. Binary fields are left out: they hold what
is sealed, and bytes read twice never compare equal.

`audited_if_possible = True` beside it lets rows be saved while django-auditlog's own table is
still to be made or changed; otherwise that is an error.

`accord.audit.middleware.AuditlogMiddleware` takes the place of django-auditlog's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.core.checks import CheckMessage, Error, register
from django.db import connections, router
from django.db.models import BinaryField, Model
from django.db.models.signals import pre_save

from accord import conf
from accord.errors import ConfigurationError

HIDDEN = "***"
_IF_POSSIBLE: set[type[Model]] = set()
_STOCK_MIDDLEWARE = "auditlog.middleware.AuditlogMiddleware"


def hide(value: str) -> str:
    """Return the same for every value; one half of it would be too much."""
    return "" if value in ("None", "") else HIDDEN


def install() -> None:
    """Register what every installed app declares. Without django-auditlog there is nothing to do."""
    if not apps.is_installed("auditlog"):
        return
    from auditlog import get_logentry_model
    from auditlog.signals import pre_log

    pre_save.connect(_scrub, sender=get_logentry_model(), dispatch_uid="accord.auditlog.scrub")
    pre_log.connect(_same_database, dispatch_uid="accord.auditlog.database")
    pre_log.connect(_can_be_written, dispatch_uid="accord.auditlog.table")
    register(_check_middleware)
    for config in apps.get_app_configs():
        _register_app(config)


def _register_app(config: AppConfig) -> None:
    declared: Mapping[str, Sequence[str]] = getattr(config, "audited", {})
    for name, shown in declared.items():
        _register(config.get_model(name), shown)
        if getattr(config, "audited_if_possible", False):
            _IF_POSSIBLE.add(config.get_model(name))


def _register(model: type[Model], shown: Sequence[str]) -> None:
    """Log a model; a field that is not declared is hidden."""
    from auditlog.registry import auditlog

    fields = (*model._meta.fields, *model._meta.many_to_many)
    known = {field.name for field in fields}
    if unknown := set(shown) - known:
        names = ", ".join(sorted(unknown))
        raise ConfigurationError(
            f"{model._meta.label} has no field {names}.", hint="Correct `audited` in its app's configuration."
        )
    hidden = sorted(known - set(shown) - {model._meta.pk.name})
    # Named one by one, or what refers back to the model would be logged as well, by its name.
    logged = sorted(field.name for field in fields if not isinstance(field, BinaryField))
    auditlog.register(
        model, include_fields=logged, mask_fields=hidden, mask_callable="accord.audit.auditlog.hide"
    )


def _scrub(instance: Any, **_: object) -> None:
    """Remove from an entry whatever isn't in its list of changes."""
    model = instance.content_type.model_class()
    instance.object_repr = f"{model._meta.label if model else instance.content_type} {instance.object_pk}"
    instance.serialized_data = None
    instance.additional_data = None
    instance.actor_email = None
    instance.remote_addr = None
    instance.remote_port = None
    instance.cid = None
    for change in (instance.changes or {}).values():
        if isinstance(change, dict) and "objects" in change:
            change["objects"] = [HIDDEN for _ in change["objects"]]


def _same_database(instance: Model, **_: object) -> bool:
    """Log only what lives in the entries' database: an entry elsewhere would outlive a rollback."""
    from auditlog import get_logentry_model

    return instance._state.db in (None, router.db_for_write(get_logentry_model()))


def _can_be_written(instance: Model, **_: object) -> bool:
    """Return whether the entries' table is as it has to be; asked for models that can do without."""
    if type(instance) not in _IF_POSSIBLE:
        return True
    from auditlog import get_logentry_model

    entries = get_logentry_model()._meta
    connection = connections[router.db_for_write(entries.model)]
    with connection.cursor() as cursor:
        if entries.db_table not in connection.introspection.table_names(cursor):
            return False
        found = connection.introspection.get_table_description(cursor, entries.db_table)
    return {field.column for field in entries.concrete_fields} <= {column.name for column in found}


def _check_middleware(**_: object) -> list[CheckMessage]:
    """Refuse the stock middleware, which adds e-mail and address after everything else."""
    if _STOCK_MIDDLEWARE not in conf.middleware():
        return []
    return [
        Error(
            f"{_STOCK_MIDDLEWARE} stores the e-mail and the address of everybody who acts.",
            hint="Put accord.audit.middleware.AuditlogMiddleware in its place.",
            id="accord.E901",
        )
    ]
