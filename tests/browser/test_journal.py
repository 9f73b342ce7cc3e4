"""The journal, seen in a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import psycopg2
import pytest
from playwright.sync_api import expect

from tests.fix_browser import Site, take_picture
from tests.fix_project import Project

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_run_page_shows_every_step_and_can_not_be_edited(
    project: Project, serve: Callable[[Project], Site], page: Page
) -> None:
    """Runs with their outcome; the steps of one with store, duration and error; no button to change it."""
    project.manage("migrate_all", "--to", "default:streaming.0004")
    connection = psycopg2.connect(project.database_url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE streaming_labelpayment (id integer)")
    connection.close()
    assert project.run("migrate_all").returncode == 1
    site = serve(project)
    site.sign_in(page, site.add_user("auditor"))

    page.goto(f"{site.url}/admin/migrator/run/")
    take_picture(page, "runs")
    outcomes = page.locator("#result_list .outcome").all_inner_texts()
    page.locator("#result_list tbody th a").first.click()
    take_picture(page, "run")

    assert outcomes == ["failed", "succeeded"]
    steps = page.locator(".run-steps tbody tr")
    assert steps.count() > 5
    assert "0005_label_payments" in page.locator(".run-steps").inner_text()
    assert "ACC-" in page.locator(".run-steps").inner_text()
    expect(page.locator("input[name=_save]")).to_have_count(0)
    expect(page.locator(".deletelink")).to_have_count(0)


def test_who_may_not_look_sees_nothing(
    project: Project, serve: Callable[[Project], Site], page: Page
) -> None:
    """Staff without the permission is refused."""
    project.manage("migrate_all", "--to", "default:streaming.0001")
    project.manage("migrate_all", "--store", "default")
    site = serve(project)
    site.sign_in(page, site.add_user("visitor", superuser=False))

    answer = page.goto(f"{site.url}/admin/migrator/run/")

    assert answer is not None
    assert answer.status == 403
