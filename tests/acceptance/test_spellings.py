"""`migrate_all APP NAME`, as the hands know it from `migrate`: it works, or is refused with what to type."""

from __future__ import annotations

import re

import pytest

from tests.fix_workshop import Workshop

pytestmark = pytest.mark.acceptance
NAMES = "SELECT name FROM django_migrations WHERE app = 'workshop' ORDER BY name"


@pytest.fixture
def three(workshop: Workshop) -> Workshop:
    """Give an app with three migrations, none of them applied."""
    workshop.django("0001_first", "One")
    workshop.django("0002_second", "Two", needs="0001_first")
    workshop.django("0003_third", "Three", needs="0002_second")
    return workshop


def applied(workshop: Workshop) -> list[str]:
    return [name[:4] for (name,) in workshop.rows(NAMES)]


def hinted(workshop: Workshop, *typed: str) -> list[str]:
    """Type something that is refused, and read the way that the refusal names."""
    done = workshop.run("migrate_all", *typed, "--noinput")
    assert done.returncode == 2, done.stdout + done.stderr
    found = re.search(r"migrate_all (--revert [\w ]+)", done.stderr)
    assert found, done.stderr
    return ["migrate_all", *found[1].split(), "--noinput"]


def test_forward_back_and_zero(three: Workshop) -> None:
    """A number, a beginning and a whole name are one step; going back is typed as the refusal says."""
    for name, there in [("0001", 1), ("0002_sec", 2), ("0003_third", 3), ("0003", 3)]:
        three.answer("migrate_all", "workshop", name, "--noinput")
        assert len(applied(three)) == there

    three.answer("migrate_all", "--to", "default:workshop.0001_first", "--noinput")
    three.answer(*hinted(three, "workshop", "0001"))
    assert applied(three) == ["0001"]

    three.answer(*hinted(three, "--to", "default:workshop.zero"))
    assert applied(three) == []


def test_zero_of_one_app_leaves_the_others(three: Workshop) -> None:
    """`--to default:app.zero` is `--revert app --store default`; of another store it undoes nothing here."""
    three.answer("migrate_all", "--noinput")
    others = "SELECT app, name FROM django_migrations WHERE app <> 'workshop' ORDER BY 1, 2"
    everything = three.rows(others)

    elsewhere = three.run("migrate_all", "--revert", "--to", "mongodb:workshop.zero", "--noinput")
    assert len(applied(three)) == 3, elsewhere.stderr
    three.answer("migrate_all", "--revert", "--to", "default:workshop.zero", "--noinput", "--even-with-data")

    assert applied(three) == []
    assert three.rows(others) == everything


def test_nothing_is_said_where_nothing_is_to_be_said(three: Workshop) -> None:
    """`-v 0` is silent about what succeeds, and tells what doesn't; an error is coloured once."""
    done = three.run("migrate_all", "--noinput", "-v", "0")
    failed = three.run("migrate_all", "nosuch", "-v", "0", "--force-color")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert failed.returncode == 2
    assert failed.stderr.count("\x1b[31;1m") == failed.stderr.count("\x1b[0m") == 1


@pytest.mark.parametrize(("name", "code"), [("0009", "ACC-103"), ("000", "ACC-104")])
def test_name_of_none_or_of_several_is_refused(three: Workshop, name: str, code: str) -> None:
    """With the names that there are; nothing is applied."""
    done = three.run("migrate_all", "workshop", name, "--noinput")

    assert (done.returncode, f"[{code}]" in done.stderr) == (2, True), done.stderr
    assert applied(three) == []


def test_one_store_may_be_named_without_a_list(three: Workshop) -> None:
    """`call_command(..., store="default")`, as `database=` of Django's commands; it isn't read as letters."""
    call = "from django.core.management import call_command; call_command('showmigrations_all', {})"
    one = three.run("shell", "-v", "0", "-c", call.format("store='default'"))
    many = three.run("shell", "-v", "0", "-c", call.format("store=['default']"))

    assert (one.returncode, one.stdout) == (0, many.stdout), one.stderr
    assert "0003_third" in one.stdout
    assert "mongodb" not in one.stdout
