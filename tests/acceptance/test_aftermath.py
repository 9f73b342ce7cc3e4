"""Whoever opens a run that failed in the admin sees what stands where, and the way on and back; and tags."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.fix_postgres import execute, rows_of
from tests.fix_stranger import Visit

pytestmark = [pytest.mark.acceptance, pytest.mark.by_turns(3)]

MEMBERS = "tests.projects.stranger.members"
SHOP = "tests.projects.stranger.shop"
LIST = "/admin/migrator/run/"
WORDS = {
    "en-us": ("What it left", "Go on by:", "Go back by:", "came after this one"),
    "de": ("Was er hinterließ", "Weiter mit:", "Zurück mit:", "kam nach diesem"),
    "fr": ("Ce qu’elle a laissé", "Pour continuer", "Pour revenir", "est venue après"),
}


def text(page: str) -> str:
    """Return what a page says, on one line."""
    return re.sub(r"\s+", " ", page.replace("&#x27;", "’").replace("&#39;", "’").replace("'", "’"))


def test_failed_run_tells_the_way_on_and_back_until_another_came(
    visit: Visit, new_database: Callable[[], str]
) -> None:
    """In three languages, with the commands that the terminal names; then it is of the past."""
    url = new_database()
    visit("migrate_all --noinput", database_url=url)
    execute(url, "CREATE TABLE shop_thing (other integer)")
    said = visit("migrate_all --noinput", database_url=url, apps=[MEMBERS, SHOP]).came[0].said
    [(failed,)] = rows_of(url, "SELECT id FROM migrator_run WHERE outcome = 'failed'")
    page = f"{LIST}{failed}/change/"
    back = f"migrate_all --revert --run {failed}"
    assert back in said
    for language, (title, on, back_by, _) in WORDS.items():
        [shown] = visit(
            page, database_url=url, apps=[MEMBERS, SHOP], settings={"LANGUAGE_CODE": language}
        ).came
        told = text(shown.said)
        assert shown.code == 200
        assert [one for one in (title, on, back_by, "shop.0001_initial", back) if one not in told] == []
        assert "<code>migrate_all</code>" in shown.said

    [lost] = visit(page, database_url=url, apps=[SHOP]).came
    assert "no file declares default:members.0001_initial any more" in text(lost.said)
    assert back not in lost.said

    execute(url, "DROP TABLE shop_thing")
    [mended] = visit("migrate_all --noinput", database_url=url, apps=[MEMBERS, SHOP]).came
    assert mended.code == 0
    for language, (*_, later) in WORDS.items():
        [after] = visit(
            page, database_url=url, apps=[MEMBERS, SHOP], settings={"LANGUAGE_CODE": language}
        ).came
        assert later in text(after.said)
        assert back not in after.said


def test_runs_show_their_tags_and_are_found_by_them(visit: Visit, new_database: Callable[[], str]) -> None:
    """Each in its own row; the filter offers the tags that are there."""
    url = new_database()
    visit("migrate_all --noinput --tag first", database_url=url)
    done = visit(
        "migrate_all --noinput --tag second", "migrate_all --tag third", database_url=url, apps=[MEMBERS]
    )
    assert [came.code for came in done.came] == [0, 0]
    execute(
        url,
        "UPDATE migrator_tag SET run_id = (SELECT run_id FROM migrator_tag WHERE name = 'second')"
        " WHERE name = 'third'",
    )
    both, first, any_tag = visit(
        LIST, f"{LIST}?tag=first", f"{LIST}?tag=+any", database_url=url, settings={"LANGUAGE_CODE": "de"}
    ).came

    assert [came.code for came in (both, first, any_tag)] == [200] * 3
    assert re.findall(r'field-tags">([^<]*)<', both.said) == ["second, third", "first"]
    assert re.findall(r'field-tags">([^<]*)<', first.said) == ["first"]
    assert len(re.findall("field-tags", any_tag.said)) == 2
    assert "irgendeine Markierung" in both.said
