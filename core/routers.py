"""Which models live in which database."""

from __future__ import annotations

from django.db.models import Model

DOCUMENTS_ALIAS = "documents"
DOCUMENTS_APPS = frozenset({"streaming_documents"})


class DocumentsRouter:
    """
    Keep the apps of documents in MongoDB, and everything else out of it.

    Django asks in the order of `DATABASE_ROUTERS`; None leaves the answer to the next one.
    """

    def db_for_read(self, model: type[Model], **hints: object) -> str | None:
        return DOCUMENTS_ALIAS if _is_document(model) else None

    def db_for_write(self, model: type[Model], **hints: object) -> str | None:
        return DOCUMENTS_ALIAS if _is_document(model) else None

    def allow_relation(self, first: Model, second: Model, **hints: object) -> bool | None:
        """No foreign key can cross from one server to the other."""
        if _is_document(type(first)) == _is_document(type(second)):
            return None
        return False

    def allow_migrate(self, alias: str, app_label: str, **hints: object) -> bool | None:
        if app_label in DOCUMENTS_APPS:
            return alias == DOCUMENTS_ALIAS
        return False if alias == DOCUMENTS_ALIAS else None


def _is_document(model: type[Model]) -> bool:
    return model._meta.app_label in DOCUMENTS_APPS
