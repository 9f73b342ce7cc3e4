"""The admin site, under the suite's own name."""

from __future__ import annotations

from django.contrib.admin import AdminSite
from django.utils.translation import gettext_lazy


class AccordAdminSite(AdminSite):
    """Django's admin, titled."""

    site_title = gettext_lazy("Accord")
    site_header = gettext_lazy("Accord")
    index_title = gettext_lazy("Every store of this project")
    # The project answers with pages nowhere else: “View site” would lead to nothing.
    site_url = None
