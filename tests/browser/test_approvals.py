"""Plans that wait for another person, seen in a browser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.fix_browser import PASSWORD, Site, take_picture
from tests.fix_project import Project

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_plan_is_approved_by_another_person_only(
    project: Project, serve: Callable[[Project], Site], page: Page
) -> None:
    """Who asked finds the buttons greyed, with the reason; another person approves, with a reason."""
    project.manage("migrate_all", "--store", "default", "--to", "default:streaming.0004")
    for app in ("auth", "sessions", "admin", "auditlog"):
        project.manage("migrate_all", app)
    site = serve(project)
    asker = site.add_user("asker", permissions=("add_planapproval", "approve_planapproval"))
    site.add_user("approver", superuser=False, permissions=("approve_planapproval",))
    acting = replace(project, extra={**project.extra, "ACCORD_PASSWORD": PASSWORD})
    asked = acting.answer("migration_approval", "request", "--as", asker, "--reason", "Release 7")
    reference = asked["reference"]

    site.sign_in(page, "asker")
    page.goto(f"{site.url}/admin/migrator/planapproval/")
    page.locator("#result_list tbody th a").first.click()
    expect(page.locator("a.button")).to_have_count(0)
    assert "another person" in page.locator(".accord-hindrance").inner_text()
    take_picture(page, "plan-own")
    expect(page.locator(".accord-decide")).to_be_visible()

    page.context.clear_cookies()
    site.sign_in(page, "approver")
    page.goto(f"{site.url}/admin/migrator/planapproval/")
    take_picture(page, "plans")
    page.locator("#result_list tbody th a").first.click()
    take_picture(page, "plan")
    page.locator(".plan-store summary").first.click()
    take_picture(page, "plan-step")
    assert any("CREATE TABLE" in text for text in page.locator(".plan-store pre").all_text_contents())
    page.get_by_text("Approve…").click()
    take_picture(page, "plan-approve")
    page.get_by_role("button", name="Approve this plan").click()
    assert "required" in page.locator(".errorlist").inner_text()
    page.fill("#id_reason", "Looked at every statement.")
    page.get_by_role("button", name="Approve this plan").click()

    assert page.locator(".accord-facts .outcome").inner_text() == "approved"
    take_picture(page, "plan-approved")
    shown = project.answer("migration_approval", "show", reference)
    assert (shown["state"], shown["decision_reason"]) == ("approved", "Looked at every statement.")
