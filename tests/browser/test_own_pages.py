"""People's own pages and the exports of the admin, seen in a browser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.fix_browser import PASSWORD, Site, take_picture
from tests.fix_project import Project
from tests.fix_requests import Erasing

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.by_turns(3)]

SIGNED_IN = """
from django.apps import apps
from django.test import Client
person = apps.get_model("streaming.Listener").objects.get(pk=7)
own = Client()
own.force_login(get_user_model().objects.create_user(person.email, password={password!r}))
say([own.cookies["sessionid"].value, person.email])
"""


def test_person_asks_to_be_erased_and_takes_it_back(
    erasing: Erasing, serve: Callable[[Project], Site], page: Page
) -> None:
    """Plain pages that the policy of the site lets through: what is kept, a demand, and the way back."""
    session, email = erasing.call(SIGNED_IN.format(password=PASSWORD))
    turned_on = {"DJANGO_SETTINGS_MODULE": "tests.settings_own_pages"}
    site = serve(replace(erasing.project, extra={**erasing.project.extra, **turned_on}))
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": site.url}])

    page.goto(f"{site.url}/my-data/")
    page.get_by_text("See what is kept about you").click()
    page.fill("#id_password", PASSWORD)
    page.get_by_role("button", name="Show it").click()
    assert email in page.inner_text("body")
    page.goto(f"{site.url}/my-data/erase/")
    take_picture(page, "own-erase")
    page.select_option("#id_ground", "17(1)(a)")
    page.check("#id_sure")
    page.fill("#id_password", PASSWORD)
    page.get_by_role("button", name="Ask for erasure").click()

    assert "nothing happens before" in page.inner_text("table")
    take_picture(page, "own-status")
    page.get_by_role("button", name="Take it back").click()
    assert "cancelled" in page.inner_text("table")
    expect(page.get_by_role("button", name="Take it back")).to_have_count(0)


def test_export_is_made_in_the_admin(erasing: Erasing, serve: Callable[[Project], Site], page: Page) -> None:
    """A password for the file, its page, and a download that is no page."""
    site = serve(erasing.project)
    site.add_user("officer")
    site.sign_in(page, "officer")
    page.goto(f"{site.url}/admin/gdpr/keptexport/")
    page.get_by_role("link", name="Export a person's data…").click()
    page.fill("#id_key", "7")
    page.select_option("#id_form", "html")
    page.fill("#id_password", "twelve or more")
    page.fill("#id_again", "twelve or more")
    take_picture(page, "export-make")
    page.get_by_role("button", name="Make the export").click()

    take_picture(page, "export")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename.endswith(".html.age")
