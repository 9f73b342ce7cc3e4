"""Which database a model belongs to."""

from __future__ import annotations

from django.apps import apps

from core.routers import DocumentsRouter


def test_documents_migrate_in_mongodb_only() -> None:
    """The app of documents never makes a table."""
    router = DocumentsRouter()

    assert router.allow_migrate("documents", "streaming_documents") is True
    assert router.allow_migrate("default", "streaming_documents") is False


def test_nothing_else_migrates_in_mongodb() -> None:
    """Relational apps never make a collection, and other aliases are left to other routers."""
    router = DocumentsRouter()

    assert router.allow_migrate("documents", "auth") is False
    assert router.allow_migrate("default", "auth") is None


def test_relational_models_are_left_to_the_default() -> None:
    """The router has an opinion about documents only."""
    user = apps.get_model("auth", "User")

    assert DocumentsRouter().db_for_read(user) is None
    assert DocumentsRouter().db_for_write(user) is None
