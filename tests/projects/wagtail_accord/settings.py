"""The Wagtail site with the suite installed, for `migrate_all`."""

from __future__ import annotations

from tests.projects.wagtail_site import settings as site
from tests.projects.wagtail_site.settings import *  # noqa: F403 - it is that project, with two more apps

INSTALLED_APPS = [*site.INSTALLED_APPS, "accord", "migrator"]
ACCORD = {"PROJECT": "wagtail"}
