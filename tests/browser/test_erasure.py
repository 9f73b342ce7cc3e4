"""An erasure that waits for a second person, seen in a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

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
    assert page.locator(".erasure-tiles a").first.inner_text().split() == ["1", "open"]
    take_picture(page, "erasures")
    page.locator("#result_list tbody th a").first.click()
    take_picture(page, "erasure-own")
    expect(page.get_by_role("link", name="Approve…")).to_have_count(0)
    assert "another person" in page.locator(".accord-hindrance").first.inner_text()

    page.context.clear_cookies()
    site.sign_in(page, "second")
    page.goto(f"{site.url}/admin/gdpr/erasurerequest/")
    page.get_by_role("link", name="wait for my approval").click()
    page.locator("#result_list tbody th a").first.click()
    take_picture(page, "erasure")
    page.get_by_role("link", name="Approve…").click()
    page.get_by_role("button", name="Approve this plan").click()
    assert "required" in page.locator(".errorlist").first.inner_text()
    page.fill("#id_reason", "Looked at every line.")
    take_picture(page, "erasure-approve")
    page.get_by_role("button", name="Approve this plan").click()

    assert page.locator(".accord-facts .outcome").first.inner_text() == "approved"
    assert erasing.state(reference) == "approved"
    take_picture(page, "erasure-approved")


IN_NEED = """
request = begun(2)
request.steps.filter(entry="playlists").update(state=StepState.MANUAL)
say(erasure.work(request).reference)
"""


def test_erasure_that_needs_a_person_is_brought_to_its_end(
    erasing: Erasing, serve: Callable[[Project], Site], page: Page
) -> None:
    """What was done by hand is confirmed, by keyboard alone; once complete, the stores are asked again."""
    site = serve(erasing.project)
    site.add_user("officer")
    reference = erasing.call(IN_NEED)

    site.sign_in(page, "officer")
    page.goto(f"{site.url}/admin/gdpr/erasurerequest/?waiting=stuck")
    page.locator("#result_list tbody th a").first.click()
    take_picture(page, "erasure-stuck")
    page.get_by_role("link", name="Done by hand…").focus()
    page.keyboard.press("Enter")
    page.get_by_label("What is done").focus()
    page.keyboard.press("ArrowDown")
    take_picture(page, "erasure-by-hand")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert "goes on with it" in page.locator(".messagelist").inner_text()

    erasing.project.manage("gdpr_process")
    assert erasing.state(reference) in ("completed", "completed_with_retention")
    page.reload()
    page.get_by_role("link", name="Verify now…").click()
    take_picture(page, "erasure-verify")
    page.get_by_role("button", name="Verify now").click()
    assert "nothing is left that should be gone" in page.locator(".messagelist").inner_text()
    take_picture(page, "erasure-completed")
    page.locator(".accord-facts a").first.click()
    take_picture(page, "receipt")
    assert "signature holds" in page.locator("#content-main").inner_text()
