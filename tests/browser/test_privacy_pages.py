"""The data map and the consents of a person, seen in a browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from gdpr.drill.backups import MongoBackup
from tests.fix_browser import Site, take_picture
from tests.fix_project import Project
from tests.fix_requests import Erasing

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

CONSENTS = """
web = dict(method=ConsentMethod.CHECKBOX, channel="web")
who = consent.someone("streaming.Listener", 3)
monthly = "We would like to write to you once a month about new records and concerts near you. You can "
monthly += "take your consent back at any time, with one click in each mail."
weekly = monthly.replace("once a month", "every week").replace("near you", "near you and of our partners")
old = consent.publish_notice("newsletter", "2026-01", "en", monthly)
new = consent.publish_notice("newsletter", "2026-02", "en", weekly, consents_stay=True)
consent.refuse(who, old, **web)
consent.give(who, old, **web)
consent.give(who, new, **web)
charts = consent.publish_notice("charts", "2026-01", "en", "May we count what you listen to?")
consent.give(who, charts, **web)
consent.withdraw(who, "charts", **web)
say(keys(3).alternates["email"])
"""


def test_data_map_says_how_much_is_classified(
    erasing: Erasing, serve: Callable[[Project], Site], page: Page
) -> None:
    """The page is in the list of apps; it tells places, what is wrong, and the same as JSON."""
    site = serve(erasing.project)
    site.add_user("officer", superuser=False, permissions=("view_datamap",))

    site.sign_in(page, "officer")
    page.goto(f"{site.url}/admin/")
    page.get_by_role("link", name="Data map").first.click()
    take_picture(page, "datamap")
    part, of, whole, word = page.locator("#coverage-text").inner_text().split()
    assert (part, of, word) == (whole, "of", "classified")
    expect(page.get_by_role("row", name="streaming.Listener").get_by_text("anonymise")).to_have_count(1)
    page.locator("details summary").last.click()
    take_picture(page, "datamap-open")
    page.get_by_role("link", name="As JSON").click()
    assert "accord.datamap/1" in page.content()


@pytest.mark.by_turns(3)
def test_restore_is_shown_and_its_replay_begun(
    erasing: Erasing, serve: Callable[[Project], Site], page: Page, tmp_path: Path
) -> None:
    """Calm, then a store that was restored, by its name and with how many people; then begun by a button."""
    assert erasing.erase("--request", erasing.reference("approved(2)")).returncode == 0
    name = urlsplit(erasing.project.mongodb_url).path.strip("/")
    backup = MongoBackup(erasing.project.mongodb_url, name, tmp_path / "mongodb.bson")
    backup.make()
    assert erasing.erase("--request", erasing.reference("approved(3)")).returncode == 0
    site = serve(erasing.project)
    site.add_user("operator", superuser=False, permissions=("execute_erasurerequest",))

    site.sign_in(page, "operator")
    page.goto(f"{site.url}/admin/gdpr/registermark/")
    take_picture(page, "restores-calm")
    expect(page.get_by_role("button", name="Begin the replay")).to_have_count(0)
    backup.restore()
    page.reload()
    take_picture(page, "restores")
    expect(page.get_by_text("1 person is to be erased again.")).to_have_count(1)
    page.get_by_role("button", name="Begin the replay").click()
    take_picture(page, "restores-begun")
    expect(page.get_by_role("row", name="mongodb").get_by_text("replay begun")).to_have_count(1)
    expect(page.get_by_role("button", name="Begin the replay")).to_have_count(0)


def test_demand_is_put_on_record(erasing: Erasing, serve: Callable[[Project], Site], page: Page) -> None:
    """From the list to the page of the request, by a form that chooses no ground beforehand."""
    site = serve(erasing.project)
    site.add_user("clerk", superuser=False, permissions=("view_erasurerequest", "add_erasurerequest"))
    site.sign_in(page, "clerk")
    page.goto(f"{site.url}/admin/gdpr/erasurerequest/")
    page.get_by_role("link", name="File a demand…").click()
    take_picture(page, "file-a-demand")
    page.get_by_label("Key of the person").fill("5")
    page.get_by_role("button", name="Put it on record").click()
    expect(page.locator(".errorlist")).to_have_count(2)
    page.get_by_label("Why the person may demand it").select_option("17(1)(a)")
    page.get_by_label("How it was made sure who asks").select_option("not_yet")
    page.get_by_role("button", name="Put it on record").click()
    assert "The demand is on record" in page.locator(".messagelist").inner_text()
    take_picture(page, "demand-on-record")


def test_timeline_of_a_person_is_found_by_a_form(
    erasing: Erasing, serve: Callable[[Project], Site], page: Page
) -> None:
    """What was agreed to, by purpose, with the words of each version and what changed in them."""
    site = serve(erasing.project)
    site.add_user("officer", superuser=False, permissions=("view_consentevent", "view_consentnotice"))
    site.sign_in(page, "officer")
    page.goto(f"{site.url}/admin/gdpr/consentevent/")
    assert "Nobody has been asked yet" in page.locator(".accord-empty").inner_text()
    take_picture(page, "consents-empty")
    email = erasing.call(CONSENTS)

    page.reload()
    take_picture(page, "consents")
    page.get_by_role("link", name="Consents of a person…").click()
    page.get_by_label("Key of the person").fill(email)
    take_picture(page, "consents-find")
    page.keyboard.press("Enter")
    page.wait_for_selector(".accord-timeline")
    assert email not in page.url
    assert email not in page.content()
    headings = [" ".join(text.split()) for text in page.locator("h2").all_inner_texts()]
    assert headings == ["charts may not be used now", "newsletter may be used now"]
    take_picture(page, "consents-timeline")

    page.get_by_role("link", name="2026-02 (en)").click()
    assert "every week" in page.locator(".notice-changes ins").first.inner_text()
    take_picture(page, "notice")


def test_pages_speak_the_language_that_the_browser_asks_for(
    erasing: Erasing, serve: Callable[[Project], Site], chromium: Browser
) -> None:
    """French and German from the heading to the reason under a button."""
    site = serve(erasing.project)
    site.add_user("officer", permissions=("add_erasurerequest",))
    erasing.call("say(planned(1).reference)")
    for language, heading, button in (
        ("fr", "Demandes d'effacement", "Approuver…"),
        ("de", "Löschanträge", "Genehmigen…"),
    ):
        context = chromium.new_context(viewport={"width": 1280, "height": 900}, locale=language)
        page = context.new_page()
        site.sign_in(page, "officer")
        page.goto(f"{site.url}/admin/gdpr/erasurerequest/")
        assert page.locator("h1").last.inner_text() == heading
        page.locator("#result_list tbody th a").first.click()
        expect(page.get_by_role("link", name=button)).to_be_visible()
        take_picture(page, f"erasure-{language}")
        context.close()
