"""The page that describes the API, seen in a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.fix_api import Served
from tests.fix_browser import Site, take_picture
from tests.fix_project import Project

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_page_of_the_api_asks_no_other_host_and_sends_requests(
    served: Served, serve: Callable[[Project], Site], page: Page
) -> None:
    """Whoever is signed in to the admin reads it, and tries an operation with their session."""
    site = serve(served.project)
    site.sign_in(page, site.add_user("reader"))
    hosts: set[str] = set()
    faults: list[str] = []
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.on("pageerror", lambda error: faults.append(str(error)))

    page.goto(f"{site.url}/api/v1/docs/")
    page.wait_for_selector(".opblock")
    operations = page.locator(".opblock").count()
    take_picture(page, "api")
    page.locator("#operations-consents-consent_notices_create .opblock-summary-control").click()
    page.get_by_role("button", name="Try it out").click()
    page.locator(".body-param__text").fill(
        '{"purpose": "page", "version": "1", "language": "en", "text": "Words."}'
    )
    page.get_by_role("button", name="Execute").click()
    page.wait_for_selector(".live-responses-table .response-col_status")
    take_picture(page, "api-tried")

    assert operations > 30
    assert "201" in page.locator(".live-responses-table tbody").inner_text()
    assert {host for host in hosts if host} == {urlsplit(site.url).netloc}
    assert faults == []
