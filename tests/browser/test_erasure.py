"""An erasure that waits for a second person, seen in a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.fix_browser import Site, take_picture
from tests.fix_project import Project
from tests.fix_requests import Erasing

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

FILED_BY_ASKER = """
filer = get_user_model().objects.get(username="asker")
request = planned(1)
whom = (request.subject_kind, request.subject_tag)
holds.place_hold(*whom, HoldReason.LEGAL_CLAIMS, by=filer, entry="consents")
say(request.reference)
"""


def test_erasure_is_approved_by_another_person_only(
    erasing: Erasing, serve: Callable[[Project], Site], page: Page
) -> None:
    """Who filed finds the buttons greyed, with the reason; another person approves, with a reason."""
    site = serve(erasing.project)
    site.add_user("asker")
    site.add_user("second", superuser=False, permissions=("approve_erasurerequest",))
    reference = erasing.call(FILED_BY_ASKER)

    site.sign_in(page, "asker")
    page.goto(f"{site.url}/admin/gdpr/erasurerequest/")
    take_picture(page, "erasures")
    page.locator("#result_list tbody th a").first.click()
    take_picture(page, "erasure-own")
    assert page.get_by_role("link", name="Approve…").count() == 0
    assert "another person" in page.locator(".erasure-hindrance").first.inner_text()

    page.context.clear_cookies()
    site.sign_in(page, "second")
    page.goto(f"{site.url}/admin/gdpr/erasurerequest/")
    page.locator("#result_list tbody th a").first.click()
    take_picture(page, "erasure")
    page.get_by_role("link", name="Approve…").click()
    page.get_by_text("Approve this plan").click()
    assert "required" in page.locator(".errorlist").first.inner_text()
    page.fill("#id_reason", "Looked at every line.")
    take_picture(page, "erasure-approve")
    page.get_by_text("Approve this plan").click()

    assert page.locator(".erasure-facts .outcome").first.inner_text() == "approved"
    assert erasing.state(reference) == "approved"
    take_picture(page, "erasure-approved")
