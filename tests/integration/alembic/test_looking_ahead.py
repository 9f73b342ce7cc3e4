"""What PostgreSQL would say to an Alembic revision, and what the revision itself promises."""

from __future__ import annotations

import pytest

from accord.errors import AccordError
from accord.seam.assertions import AssertionBroken, Moment
from accord.seam.foretelling import Outlook
from accord.seam.types import Direction, Step
from accord.testing import RecordingReporter, make_lease
from migrator.cli.linting import sizes_of
from migrator.engine.asserting import hold_before, verify
from tests.conformance.harness_alembic import AlembicHarness

pytestmark = [pytest.mark.integration, pytest.mark.by_turns(3)]

NEXT = '''"""The next one."""

import sqlalchemy as sa
from alembic import op

revision = "0009_next"
down_revision = "0008_people"
{more}

def upgrade() -> None:
    {act}


def downgrade() -> None:
    pass
'''
PEOPLE = '''"""People."""

import sqlalchemy as sa
from alembic import op

revision = "0008_people"
down_revision = "0001_earnings"


def upgrade() -> None:
    op.create_table("people", sa.Column("id", sa.Integer, primary_key=True), sa.Column("mail", sa.Text),
                    sa.Column("nick", sa.Text))
    op.execute("INSERT INTO people VALUES (1, 'a'), (2, 'a'), (3, NULL)")


def downgrade() -> None:
    op.drop_table("people")
'''
LEASE = make_lease(1_900_000_000_000_000)


@pytest.fixture
def people(alembic_harness: AlembicHarness) -> AlembicHarness:
    """Give a history with rows in a table."""
    alembic_harness.write_revision("0008_people", PEOPLE)
    store = alembic_harness.store()
    for name in ("0001_earnings", "0008_people"):
        store.apply(alembic_harness.step(name), LEASE)
    return alembic_harness


def pending(harness: AlembicHarness, act: str, more: str = "") -> Step:
    harness.write_revision("0009_next", NEXT.format(act=act, more=more))
    return harness.step("0009_next")


TWICE = "1 of (mail) are there more than once"
CASES = (
    ('op.create_unique_constraint("u", "people", ["mail"])', TWICE),
    ('op.create_index("u", "people", ["mail"], unique=True)', TWICE),
    ('op.create_index("u", "people", ["mail"], unique=True, postgresql_include=["id"])', TWICE),
    ('op.create_index("u", "people", ["mail"], unique=True, postgresql_where="id > 2")', ""),
    ('op.create_index("u", "people", [sa.text("lower(mail)")], unique=True)', "are there more than once"),
    ('op.create_index("u", "people", ["nick"], unique=True)', ""),
    (
        'op.create_index("u", "people", ["nick"], unique=True, postgresql_nulls_not_distinct=True)',
        "1 of (nick) are there more than once",
    ),
    ('op.create_primary_key("p", "people", ["mail"])', TWICE),
    ('op.create_exclude_constraint("e", "people", ("mail", "="), using="btree")', "1 pairs of rows"),
    ('op.create_exclude_constraint("e", "people", ("mail", "="), using="btree", where="id > 2")', ""),
    ('op.create_exclude_constraint("e", "people", ("id", "="), using="gist")', "no operator class"),
    ('op.alter_column("people", "mail", nullable=False)', "1 hold NULL"),
    ('op.alter_column("people", "mail", type_=sa.String(1))', ""),
    (
        'op.alter_column("people", "mail", type_=sa.Integer, postgresql_using="mail::integer")',
        "does not fit INTEGER",
    ),
    ('op.alter_column("people", "mail", type_=sa.Integer, postgresql_using="length(mail)")', ""),
    ('op.create_check_constraint("c", "people", "id < 3")', "1 break the check"),
    ('op.create_check_constraint("c", "people", "id < 4")', ""),
    ('op.execute("ALTER TABLE people ADD CHECK (id < 3) NOT VALID")', ""),
    (
        (
            'op.execute("""ALTER TABLE people ADD CONSTRAINT c CHECK (id < 3) NOT VALID;'
            ' ALTER TABLE people VALIDATE CONSTRAINT c""")'
        ),
        "1 break the check",
    ),
    ('op.create_foreign_key("f", "people", "earning", ["id"], ["id"])', "3 point at rows"),
    ('op.add_column("people", sa.Column("n", sa.Integer, nullable=False))', "takes no NULL"),
    ('op.add_column("people", sa.Column("n", sa.Integer, nullable=True))', ""),
    (
        'op.add_column("people", sa.Column("n", sa.Integer, sa.CheckConstraint("n>0"), server_default="0"))',
        "breaks its check",
    ),
)


@pytest.mark.parametrize(("act", "said"), CASES)
def test_what_is_foretold_is_what_happens(people: AlembicHarness, act: str, said: str) -> None:
    """What is foretold to fail fails, and what is not goes through."""
    step = pending(people, act)

    found = list(people.store().foretell([step], Direction.APPLY))

    refused = [item.text for item in found if item.outlook is Outlook.REFUSED]
    assert [said in text for text in refused] == ([True] if said else [])
    if said:
        with pytest.raises(AccordError):
            people.store().apply(step, LEASE)
    else:
        people.store().apply(step, LEASE)


def test_promise_that_breaks_rolls_the_revision_back(people: AlembicHarness) -> None:
    """The assertion sees what the revision did, in its transaction, which goes back with it."""
    more = 'checks_after = {"nobody twice": "SELECT mail FROM people GROUP BY 1 HAVING count(*) > 1"}'
    step = pending(people, """op.execute("INSERT INTO people VALUES (4, 'b')")""", more)
    store = people.store()

    with pytest.raises(AssertionBroken, match="nobody twice"):
        store.apply(step, LEASE, RecordingReporter())

    assert step.key not in store.applied()
    assert next(store.broken(step, Moment.AFTER)).text == "one row breaks it"


def test_functions_of_a_revision_are_asked_again(people: AlembicHarness) -> None:
    """A function gets SQLAlchemy's connection, and can't write; what it says counts at any time."""
    more = (
        "def few(connection):\n"
        "    return connection.execute(sa.text('SELECT count(*) FROM people')).scalar() < 5\n\n\n"
        "def writes(connection):\n"
        "    connection.execute(sa.text('DELETE FROM people'))\n\n\n"
        "checks_before = [writes]\nchecks_after = [few]\n"
    )
    step = pending(people, """op.execute("INSERT INTO people VALUES (4, 'b')")""", more)
    store = people.store()

    with pytest.raises(AssertionBroken, match="could not be asked"):
        hold_before(store, step)
    outcome = store.apply(step, LEASE)
    held = verify({store.alias: store}, [step])

    assert outcome.verified
    assert (dict(held.asked), held.broken) == ({step.key: 1}, ())


def test_lint_asks_how_large_the_tables_are(people: AlembicHarness) -> None:
    """Of the history's own database, with what is still empty."""
    sizes = sizes_of({"history": people.store()})("history")

    assert sizes is not None
    assert not sizes["people"].is_empty
    assert sizes["people"].bytes > 0
    assert sizes["public.people"] == sizes["people"]
    assert sizes["earning"].is_empty
