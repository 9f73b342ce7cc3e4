"""The sample project with a second kind of people: those who work there."""

from __future__ import annotations

from core import settings as sample
from core.settings import *  # noqa: F403 - it is that project

INSTALLED_APPS = ["tests.projects.crew.staff", *sample.INSTALLED_APPS]
