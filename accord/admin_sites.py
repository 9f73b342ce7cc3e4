"""The suite's pages on admin sites of a project's own."""

from __future__ import annotations

from importlib import import_module

from django.apps import apps
from django.contrib import admin
from django.contrib.admin import AdminSite

_APPS = ("accord", "migrator", "gdpr")


def register_on(site: AdminSite) -> None:
    """
    Register the suite's models on an admin site, with the pages that they have on Django's default one.

    Only needed for a site that isn't the `default_site` of the project's admin app. May be called again.

    Args:
        site: The site.
    """
    for label in filter(apps.is_installed, _APPS):
        import_module(f"{label}.admin")
    for model, pages in list(admin.site._registry.items()):  # noqa: SLF001 - Django tells it nowhere else
        if model._meta.app_label in _APPS and not site.is_registered(model):
            site.register(model, type(pages))
