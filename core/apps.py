"""Django apps that the project configures itself."""

from __future__ import annotations

from django.contrib.admin.apps import AdminConfig


class AccordAdminConfig(AdminConfig):
    """Django's admin with our site as the default one."""

    default_site = "core.admin_site.AccordAdminSite"
