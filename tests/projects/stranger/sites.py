"""An admin site of the project's own, in another namespace of addresses."""

from __future__ import annotations

from django.contrib.admin import AdminSite

from accord.admin_sites import register_on


class Backoffice(AdminSite):
    """Where staff works."""

    site_header = "Back office"


backoffice = Backoffice(name="backoffice")
register_on(backoffice)
