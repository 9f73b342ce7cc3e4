"""Django apps that the project configures itself."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class CoreConfig(AppConfig):
    """The project itself: it has commands, and no models."""

    name = "core"


class AccordAdminConfig(AdminConfig):
    """Django's admin with our site as the default one."""

    default_site = "core.admin_site.AccordAdminSite"
