"""The Alembic store on a real PostgreSQL."""

from __future__ import annotations

import compileall
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config

from accord.errors import (
    ConfigurationError,
    ConflictingState,
    InconsistentLedger,
    IrreversibleStep,
    LeaseLost,
    LedgerNotUnderstood,
    StaleFence,
    StepFailed,
    StoreRefused,
    StoreUnavailable,
    UnsupportedServer,
)
from accord.events import StepNoted
from accord.seam.types import Direction, Lease, Presence
from accord.seam.undeclared import OWN
from accord.testing import RecordingReporter
from migrator.alembic.store import AlembicStore
from migrator.engine.drift import find_drift
from migrator.engine.executor import renew_step
from migrator.engine.graph import build_graph
from migrator.errors import LedgerOrphan
from tests.conformance.harness_alembic import ENV, LEDGER, AlembicHarness

pytestmark = pytest.mark.integration

LEASE = Lease(scope="test", owner="here", run_id="run-1", fence=1_800_000_000_000_000)
SAMPLE = Path(__file__).parents[3] / "examples" / "streaming" / "royalties"

REVISION = '''"""{title}"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "{name}"
down_revision = {down}
depends_on = {depends}
branch_labels = {labels}


def upgrade() -> None:
    op.create_table("t_{name}", sa.Column("id", sa.Integer, primary_key=True))


def downgrade() -> None:
    op.drop_table("t_{name}")
'''

CONCURRENT = '''"""An index that is built while people write."""

from __future__ import annotations

from alembic import op

revision = "0004_concurrent"
down_revision = "0001_earnings"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index(
            "earning_pair", "earning", ["track", "id"], postgresql_concurrently=True, if_not_exists=True
        )
    op.execute("{then}")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index("earning_pair", postgresql_concurrently=True, if_exists=True)
'''

LEAVING = (
    CONCURRENT.format(then="SELECT 1").rstrip()
    + """
    op.execute("{then}")
"""
)

PER_MIGRATION = ENV.replace(
    "connection=connection)", "connection=connection, transaction_per_migration=True)"
)
EXTERNAL = ENV.replace("engine.connect()", "engine.begin()")
AUTOCOMMIT = ENV.replace("prefix=", 'isolation_level="AUTOCOMMIT", prefix=')
FORGETFUL = ENV.replace("with context.begin_transaction():", "if True:")
SEVERAL = ENV.replace("context.run_migrations()", "context.run_migrations(); context.run_migrations()")
IDLE = "from alembic import context\n"
ELSEWHERE = ENV.replace(
    "configure(connection=connection)", 'configure(connection=connection, version_table="v")'
)


@pytest.fixture
def harness(alembic_harness: AlembicHarness) -> AlembicHarness:
    return alembic_harness


@pytest.fixture
def branches(harness: AlembicHarness) -> AlembicHarness:
    """Write a ← b ← d, a ← c (label side), e merges d and c; x stands alone; y needs x and c."""
    for name in harness.step_names:
        harness.remove(name)
    shape = {
        "a": (None, None, None),
        "b": ("a", None, None),
        "c": ("a", None, "side"),
        "d": ("b", None, None),
        "e": (("d", "c"), None, None),
        "x": (None, None, "apart"),
        "y": ("x", "side", None),
    }
    for name, (down, depends, labels) in shape.items():
        text = REVISION.format(
            title=name, name=name, down=repr(down), depends=repr(depends), labels=repr(labels)
        )
        harness.write_revision(name, text)
    return harness


def apply(harness: AlembicHarness, *names: str, lease: Lease = LEASE) -> AlembicStore:
    store = harness.store()
    steps = {step.key.name: step for step in store.steps()}
    for name in names:
        store.apply(steps[name], lease)
    return store


def applied_names(harness: AlembicHarness) -> set[str]:
    return {key.name for key in harness.store().applied()}


def by_hand(harness: AlembicHarness, verb: Callable[..., object], revision: str) -> None:
    """Do what a person does at a prompt, without the suite."""
    config = Config(str(harness.folder / "alembic.ini"))
    config.set_main_option("sqlalchemy.url", harness.url.replace("postgresql://", "postgresql+psycopg2://"))
    verb(config, revision)


# --- reading ------------------------------------------------------------------------------------


def test_empty_database_has_nothing_applied_and_stays_empty(harness: AlembicHarness) -> None:
    """Reading the ledger of a virgin database creates nothing."""
    assert harness.store().applied() == {}
    assert not harness.has_table("alembic_version")
    assert harness.ledger_entries() == {}


def test_ping_names_server_and_no_password(harness: AlembicHarness) -> None:
    """What a store says of itself holds an address, and no secret."""
    info = harness.store().ping()

    assert info.kind == "PostgreSQL"
    assert info.version.startswith("18")
    assert info.address
    assert "@" not in info.address


def test_nothing_to_do_never_imports_alembic(harness: AlembicHarness) -> None:
    """Reading steps and ledger costs no import of Alembic or SQLAlchemy."""
    apply(harness, *harness.step_names)
    code = (
        "import sys, json, django.conf; django.conf.settings.configure()\n"
        "from tests.conformance.harness_alembic import AlembicHarness\n"
        "store = AlembicHarness.from_json(json.loads(sys.argv[1])).store()\n"
        "assert len(store.steps()) == len(store.applied()) == 3\n"
        "assert not {'alembic', 'sqlalchemy', 'mako'} & set(sys.modules), sorted(sys.modules)\n"
    )
    import json

    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(harness.to_json())],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def test_upgrade_by_hand_is_seen(harness: AlembicHarness) -> None:
    """Alembic's table is the truth, whoever moved its heads."""
    by_hand(harness, command.upgrade, "0002_amounts")

    applied = harness.store().applied()

    assert {key.name for key in applied} == {"0001_earnings", "0002_amounts"}
    assert all(entry.checksum is None for entry in applied.values())


def test_downgrade_by_hand_is_seen(harness: AlembicHarness) -> None:
    """An entry of ours whose revision was taken back by hand doesn't count, and a new apply renews it."""
    apply(harness, "0001_earnings", "0002_amounts")
    by_hand(harness, command.downgrade, "0001_earnings")
    assert applied_names(harness) == {"0001_earnings"}

    outcome = harness.store().apply(harness.step("0002_amounts"), replace(LEASE, run_id="run-2"))

    assert not outcome.already
    assert harness.ledger_entries()["0002_amounts"]["run_id"] == "run-2"


def test_head_of_ours_without_file_is_drift(harness: AlembicHarness) -> None:
    """Our entries remember what lies below it; the engine stops, and names what strikes the entry."""
    apply(harness, *harness.step_names)
    harness.remove("0003_final")

    store = harness.store()
    steps, applied = store.steps(), store.applied()
    [found] = find_drift(build_graph(steps, applied), steps, applied)

    assert {key.name for key in applied} == set(harness.step_names)
    assert isinstance(found.error, LedgerOrphan)
    assert not found.tolerable
    assert "migrate_all --forget" in (found.error.hint or "")


def test_head_without_file_stops(harness: AlembicHarness) -> None:
    """An older release than the database is stopped, as Alembic stops it, and nothing is taken as pending."""
    by_hand(harness, command.upgrade, "0003_final")
    file = harness.revisions / "0003_final.py"
    text = file.read_text()
    harness.remove("0003_final")

    with pytest.raises(LedgerOrphan, match="alembic_version of “alembic” holds 0003_final") as caught:
        harness.store().applied()

    assert "stamp --purge REVISION" in caught.value.hint
    file.write_text(text)
    assert applied_names(harness) == set(harness.step_names)


def test_head_without_file_is_accepted_by_a_stamp(harness: AlembicHarness) -> None:
    """What the hint says works: who took the newest revision back by hand says where the database stands."""
    apply(harness, *harness.step_names)
    harness.remove("0003_final")

    config = Config(str(harness.folder / "alembic.ini"))
    config.set_main_option("sqlalchemy.url", harness.url.replace("postgresql://", "postgresql+psycopg2://"))
    command.stamp(config, "0002_amounts", purge=True)

    assert applied_names(harness) == {"0001_earnings", "0002_amounts"}


def test_entry_in_a_state_of_a_newer_version_stops(harness: AlembicHarness) -> None:
    """A word that this version doesn't know is neither applied nor not applied."""
    apply(harness, "0001_earnings")
    harness.rows(f"ALTER TABLE {LEDGER} DROP CONSTRAINT accord_ledger_alembic_state_check")
    harness.rows(f"UPDATE {LEDGER} SET state = 'pondering'")

    for question in (harness.store().applied, harness.store().recorded):
        with pytest.raises(LedgerNotUnderstood, match="0001_earnings that it is “pondering”"):
            question()


def test_origin_of_a_newer_version_stops(harness: AlembicHarness) -> None:
    """How a revision came to be applied is a word of this version, or it can't be told what undoing means."""
    apply(harness, "0001_earnings")
    harness.rows(f"ALTER TABLE {LEDGER} DROP CONSTRAINT IF EXISTS accord_ledger_alembic_how_check")
    harness.rows(f"UPDATE {LEDGER} SET how = 'dreamt'")

    for question in (harness.store().applied, harness.store().recorded):
        with pytest.raises(LedgerNotUnderstood, match="0001_earnings that it is “dreamt”"):
            question()


def test_unreachable_server_is_said_so(harness: AlembicHarness) -> None:
    """A server that doesn't answer is unavailable, for each question."""
    harness.options["URL"] = "postgres://someone:secret-word@127.0.0.1:1/nothing"

    for question in (harness.store().ping, harness.store().applied):
        with pytest.raises(StoreUnavailable, match="can't be reached") as caught:
            question()
        assert "secret-word" not in str(caught.value)


def test_unknown_user_is_refused(harness: AlembicHarness) -> None:
    """Credentials that the server rejects are told apart from a server that is away."""
    rest = harness.url.partition("@")[2]
    harness.options["URL"] = f"postgresql://nobody:wrong-word@{rest}"

    with pytest.raises(StoreRefused) as caught:
        harness.store().ping()
    assert "wrong-word" not in str(caught.value)


# --- writing ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "env", [ENV, PER_MIGRATION, EXTERNAL, AUTOCOMMIT], ids=["one", "each", "outer", "auto"]
)
def test_history_goes_up_and_down_under_every_way_to_connect(harness: AlembicHarness, env: str) -> None:
    """Applied steps have effect, head and ledger entry; reverted ones have none of them."""
    (harness.folder / "env.py").write_text(env)
    virgin = harness.observe()

    store = apply(harness, "0001_earnings", "0002_amounts")
    assert harness.heads() == {"0002_amounts"}
    assert {entry["state"] for entry in harness.ledger_entries().values()} == {"applied"}
    assert harness.rows("SELECT sum(amount) AS total FROM earning")[0]["total"] == 300 * 301 // 2

    for name in ("0002_amounts", "0001_earnings"):
        assert not store.revert(harness.step(name), LEASE).already
    assert harness.heads() == set()
    assert harness.ledger_entries() == {}
    assert harness.observe() == virgin


def test_second_apply_and_second_revert_do_nothing(harness: AlembicHarness) -> None:
    """Steps are idempotent in both directions."""
    store = apply(harness, "0001_earnings", "0002_amounts")
    before = harness.observe()
    assert store.apply(harness.step("0002_amounts"), LEASE).already
    assert harness.observe() == before

    store.revert(harness.step("0002_amounts"), LEASE)
    assert store.revert(harness.step("0002_amounts"), LEASE).already


def test_ledger_entry_tells_content_run_and_fence(harness: AlembicHarness) -> None:
    """An applied step carries what was recorded with it."""
    store = apply(harness, "0001_earnings")
    step = harness.step("0001_earnings")

    entry = store.applied()[step.key]

    assert (entry.checksum, entry.fingerprint) == (step.source.checksum, step.source.fingerprint)
    assert (entry.run_id, entry.fence) == (LEASE.run_id, LEASE.fence)
    assert entry.applied_at is not None


@pytest.mark.parametrize("verb", ["apply", "revert", "record", "forget"])
def test_stale_fence_changes_nothing(harness: AlembicHarness, verb: str) -> None:
    """A holder that was overtaken is refused by the store, whatever it wants."""
    apply(harness, "0001_earnings")
    name = "0001_earnings" if verb in ("revert", "forget") else "0002_amounts"
    before = (harness.observe(), harness.heads(), harness.ledger_entries())

    with pytest.raises(StaleFence):
        getattr(harness.store(), verb)(harness.step(name), replace(LEASE, fence=LEASE.fence - 1))

    assert (harness.observe(), harness.heads(), harness.ledger_entries()) == before


def test_fence_of_a_failed_step_stays_seen(harness: AlembicHarness) -> None:
    """A step that fails under a later fence shuts the door for earlier ones all the same."""
    harness.spoil()
    with pytest.raises(ConflictingState):
        apply(harness, "0001_earnings", lease=replace(LEASE, fence=LEASE.fence + 5))
    harness.rows("DROP TABLE earning")

    with pytest.raises(StaleFence):
        apply(harness, "0001_earnings")


def test_existing_table_conflicts_and_is_left_alone(harness: AlembicHarness) -> None:
    """A table that is in the way is named, and nothing is recorded."""
    harness.spoil()
    before = harness.observe()

    with pytest.raises(ConflictingState, match="earning"):
        apply(harness, "0001_earnings")

    assert harness.observe() == before
    assert harness.heads() == set()


def test_lost_lease_rolls_the_step_back(harness: AlembicHarness) -> None:
    """A lease that goes away while a revision runs takes the revision with it."""
    asked: list[int] = []

    def guard() -> None:
        asked.append(1)
        if len(asked) > 2:
            raise LeaseLost("Taken over.")

    with pytest.raises(LeaseLost):
        apply(harness, "0001_earnings", lease=replace(LEASE, guard=guard))

    assert harness.heads() == set()
    assert not harness.has_table("earning")


def test_irreversible_step_is_refused_before_anything_is_touched(harness: AlembicHarness) -> None:
    """The reason that the revision gives reaches the person."""
    store = apply(harness, *harness.step_names)

    with pytest.raises(IrreversibleStep, match="names of the tracks are gone"):
        store.revert(harness.step("0003_final"), LEASE)

    assert harness.heads() == {"0003_final"}


def test_failing_revision_says_what_and_keeps_values_to_itself(harness: AlembicHarness) -> None:
    """PostgreSQL quotes offending values in its messages; they don't travel."""
    apply(harness, "0001_earnings")
    text = (harness.revisions / "0002_amounts.py").read_text()
    harness.write_revision("0002_amounts", text.replace("amount + id", "CAST('ada@example.org' AS integer)"))

    with pytest.raises(StepFailed) as caught:
        apply(harness, "0002_amounts")

    assert "22P02" in caught.value.message
    assert "ada@" not in caught.value.message
    assert applied_names(harness) == {"0001_earnings"}


# --- heads and branches ----------------------------------------------------------------------------


def test_every_order_of_branches_gives_alembics_own_heads(branches: AlembicHarness) -> None:
    """One revision at a time, in any order that dependencies allow, heads are as Alembic would have them."""
    apply(branches, "a", "c", "b")
    assert branches.heads() == {"b", "c"}
    apply(branches, "x", "d")
    assert branches.heads() == {"c", "d", "x"}
    apply(branches, "y")
    assert applied_names(branches) == {"a", "b", "c", "d", "x", "y"}
    apply(branches, "e")
    assert branches.heads() == {"e", "y"}

    by_hand(branches, command.upgrade, "heads")
    assert branches.heads() == {"e", "y"}


@pytest.mark.parametrize("order", list(permutations("ey")), ids="".join)
def test_branches_come_down_one_by_one(branches: AlembicHarness, order: tuple[str, ...]) -> None:
    """Reverting never takes another branch along, and ends with an empty table."""
    store = apply(branches, "a", "b", "c", "d", "e", "x", "y")
    steps = {step.key.name: step for step in store.steps()}
    left = set("abcdexy")
    for name in (*order, "d", "c", "b", "x", "a"):
        store.revert(steps[name], LEASE)
        left.remove(name)
        assert applied_names(branches) == left
        assert {
            row["tablename"]
            for row in branches.rows("SELECT tablename FROM pg_tables WHERE tablename ~ '^t_'")
        } == {f"t_{each}" for each in left}
    assert branches.heads() == set()


def test_revision_does_not_run_before_those_it_needs(branches: AlembicHarness) -> None:
    """An order that dependencies forbid is refused in both directions."""
    with pytest.raises(InconsistentLedger, match="needs d, c"):
        apply(branches, "e")

    store = apply(branches, "a", "b")
    with pytest.raises(InconsistentLedger, match="while b is applied"):
        store.revert(branches.step("a"), LEASE)


def test_record_moves_heads_as_stamp_does(branches: AlembicHarness) -> None:
    """Recording every step leaves what `alembic stamp heads` leaves, and no table of the revisions."""
    store = branches.store()
    for step in store.steps():
        store.record(step, LEASE)

    assert branches.heads() == {"e", "y"}
    assert set(branches.ledger_entries()) == set("abcdexy")
    assert not branches.has_table("t_a")


def test_forget_takes_one_revision_and_leaves_its_tables(branches: AlembicHarness) -> None:
    """Forgetting moves heads down by one revision, other branches and all data stay."""
    store = apply(branches, "a", "b", "c")
    store.forget(branches.step("b"), LEASE)

    assert branches.heads() == {"c"}
    assert applied_names(branches) == {"a", "c"}
    assert branches.has_table("t_b")


def test_recording_what_somebody_applied_adds_the_checksum(harness: AlembicHarness) -> None:
    """A baseline over a database that Alembic migrated by hand writes entries, and moves no head."""
    by_hand(harness, command.upgrade, "0002_amounts")
    step = harness.step("0001_earnings")

    harness.store().record(step, LEASE)

    assert harness.store().applied()[step.key].checksum == step.source.checksum
    assert harness.heads() == {"0002_amounts"}


# --- env.py ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("env", "error", "words"),
    [
        (IDLE, ConfigurationError, "without calling context.run_migrations"),
        (SEVERAL, ConfigurationError, "several databases"),
        (ELSEWHERE, ConfigurationError, "VERSION_TABLE|keeps its heads"),
        (FORGETFUL, StepFailed, "as it was before"),
        ("raise SystemExit(3)", StepFailed, "SystemExit"),
        ("import a_module_that_is_not_there", StepFailed, "a_module_that_is_not_there"),
        (
            "from alembic import context\ncontext.configure(dialect_name='sqlite')\ncontext.run_migrations()",
            UnsupportedServer,
            "nothing",
        ),
    ],
)
def test_unsuitable_env_is_named_and_changes_nothing(
    harness: AlembicHarness, env: str, error: type[Exception], words: str
) -> None:
    """An env.py that can't serve says so before, or instead of, any effect."""
    (harness.folder / "env.py").write_text(env)

    with pytest.raises(error, match=words):
        apply(harness, "0001_earnings")

    assert not harness.has_table("earning")
    assert harness.heads() == set()


def test_env_that_goes_to_another_database_is_refused(
    harness: AlembicHarness, alembic_database: Callable[[], str]
) -> None:
    """Ledger and effect must be in one place."""
    other = alembic_database().replace("postgresql://", "postgresql+psycopg2://")
    env = ENV.replace("options =", f"options = {{'sqlalchemy.url': {other!r}}} or")
    (harness.folder / "env.py").write_text(env)

    with pytest.raises(ConfigurationError, match="another database"):
        apply(harness, "0001_earnings")


def test_revert_that_left_its_transaction_is_half_done(harness: AlembicHarness) -> None:
    """The ledger says that the revision is half gone; renewing it undoes the rest and applies it whole."""
    apply(harness, "0001_earnings")
    harness.write_revision("0004_concurrent", LEAVING.format(then="SELECT 1/0"))
    apply(harness, "0004_concurrent")
    key = harness.key("0004_concurrent")
    with pytest.raises(StepFailed):
        harness.store().revert(harness.step("0004_concurrent"), LEASE)
    assert harness.store().applied()[key].reverting
    assert not harness.store().applied()[harness.key("0001_earnings")].reverting

    harness.write_revision("0004_concurrent", LEAVING.format(then="SELECT 1"))
    renew_step(harness.store(), harness.step("0004_concurrent"), LEASE, RecordingReporter())

    assert not harness.store().applied()[key].reverting
    assert "earning_pair" in str(harness.observe())


def test_url_may_come_from_the_ini_alone(harness: AlembicHarness) -> None:
    """Without URL every question goes through env.py, a % in the password included."""
    url = harness.url.replace("postgresql://", "postgresql+psycopg2://").replace("%", "%%")
    (harness.folder / "alembic.ini").write_text(
        f"[alembic]\nscript_location = %(here)s\npath_separator = os\nsqlalchemy.url = {url}\n"
    )
    harness.options["URL"] = ""
    store = harness.store()
    assert store.applied() == {}
    assert not harness.has_table("alembic_version")

    apply(harness, "0001_earnings", "0002_amounts")

    assert store.ping().kind == "PostgreSQL"
    assert applied_names(harness) == {"0001_earnings", "0002_amounts"}


def test_version_table_of_another_name_and_schema(harness: AlembicHarness) -> None:
    """Options that say what env.py says are followed, ledger included."""
    harness.rows("CREATE SCHEMA books")
    env = ENV.replace(
        "connection=connection)", 'connection=connection, version_table="v", version_table_schema="books")'
    )
    (harness.folder / "env.py").write_text(env)
    harness.options |= {"VERSION_TABLE": "v", "VERSION_TABLE_SCHEMA": "books"}

    apply(harness, "0001_earnings")

    assert applied_names(harness) == {"0001_earnings"}
    assert harness.has_table("books.accord_ledger_alembic")
    assert not harness.has_table("public.accord_ledger_alembic")


def test_env_does_not_take_over_the_logging_of_the_process(harness: AlembicHarness) -> None:
    """The `fileConfig` of a usual env.py would silence every logger of the Django project."""
    import logging

    logger = logging.getLogger("a.logger.of.the.project")
    (harness.folder / "env.py").write_text(
        "from logging.config import fileConfig\nfrom alembic import context\n"
        "fileConfig(context.config.config_file_name)\n" + ENV.partition("annotations\n")[2]
    )

    apply(harness, "0001_earnings")

    assert not logger.disabled


# --- outside of transactions ---------------------------------------------------------------------------


def test_revision_that_leaves_its_transaction_leaves_a_trace(harness: AlembicHarness) -> None:
    """When the rest of such a revision fails, the next run says that it was cut off, and can finish it."""
    apply(harness, "0001_earnings")
    harness.write_revision("0004_concurrent", CONCURRENT.format(then="SELECT 1/0"))
    with pytest.raises(StepFailed) as caught:
        apply(harness, "0004_concurrent")
    assert "if_not_exists" in caught.value.hint
    assert harness.ledger_entries()["0004_concurrent"]["state"] == "applying"
    assert applied_names(harness) == {"0001_earnings"}

    harness.write_revision("0004_concurrent", CONCURRENT.format(then="SELECT 1"))
    heard = RecordingReporter()
    harness.store().apply(harness.step("0004_concurrent"), LEASE, heard)

    assert any("cut off" in event.note for event in heard.events if isinstance(event, StepNoted))
    assert applied_names(harness) == {"0001_earnings", "0004_concurrent"}
    assert harness.ledger_entries()["0004_concurrent"]["state"] == "applied"
    harness.store().revert(harness.step("0004_concurrent"), LEASE)
    assert harness.ledger_entries().keys() == {"0001_earnings"}


def test_id_that_alembics_table_does_not_take_is_told(harness: AlembicHarness) -> None:
    """Where its transaction was rolled back, nothing stands; where the column is wider, it is applied."""
    name = "0004_a_name_that_says_more_than_fits_there"
    text = CONCURRENT.format(then="SELECT 1").replace("0004_concurrent", name)
    harness.write_revision(
        name,
        text.replace("with op.get_context().autocommit_block()", "if True").replace(
            "postgresql_concurrently=True, ", ""
        ),
    )
    apply(harness, "0001_earnings")
    with pytest.raises(StepFailed, match=rf"its id has {len(name)} characters, and Alembic's table takes 32"):
        apply(harness, name)
    assert "earning_pair" not in str(harness.rows("SELECT indexname FROM pg_indexes"))

    harness.rows("ALTER TABLE alembic_version ALTER version_num TYPE varchar(64)")
    apply(harness, name)
    assert name in applied_names(harness)


OPERATION = (
    'op.create_index(\n            "earning_pair", "earning", ["track"], unique=True, '
    "postgresql_concurrently=True, if_not_exists=True\n        )"
)
BY_SQL = "op.execute('create unique index concurrently if not exists earning_pair on public.earning (track)')"


@pytest.mark.parametrize("by_sql", [False, True])
def test_index_that_was_left_invalid_is_built_anew(harness: AlembicHarness, *, by_sql: bool) -> None:
    """A cut CREATE INDEX CONCURRENTLY leaves a useless index, which IF NOT EXISTS would take as good."""
    apply(harness, "0001_earnings")
    harness.rows("INSERT INTO earning VALUES (1, 'same'), (2, 'same')")
    text = CONCURRENT.format(then="SELECT 1").replace('["track", "id"]', '["track"], unique=True')
    if by_sql:
        text = text.replace(OPERATION, BY_SQL)
        assert "if not exists" in text
    harness.write_revision("0004_concurrent", text)
    with pytest.raises(StepFailed, match="23505"):
        apply(harness, "0004_concurrent")
    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'earning_pair'::regclass"
    assert harness.rows(valid) == [{"indisvalid": False}]

    harness.rows("DELETE FROM earning WHERE id = 2")
    apply(harness, "0004_concurrent")

    assert harness.rows(valid) == [{"indisvalid": True}]


# --- showing and probing ---------------------------------------------------------------------------------


def test_explain_needs_no_server(harness: AlembicHarness) -> None:
    """What would be sent is rendered offline, statement by statement, without a connection."""
    harness.options["URL"] = "postgresql://nobody@127.0.0.1:1/nothing"
    store = harness.store()

    shown = {step.key.name: statements for step, statements in store.explain(store.steps(), Direction.APPLY)}

    assert any("CREATE TABLE earning" in statement.text for statement in shown["0001_earnings"])
    assert any("INSERT INTO earning" in statement.text for statement in shown["0002_amounts"])
    assert not any(statement.opaque for statements in shown.values() for statement in statements)


def test_explain_of_a_revert_shows_the_downgrade(harness: AlembicHarness) -> None:
    """The other direction is rendered from downgrade()."""
    store = harness.store()

    ((_, statements),) = store.explain([harness.step("0001_earnings")], Direction.REVERT)

    assert any("DROP TABLE earning" in statement.text for statement in statements)


def test_explain_says_what_it_can_not_show(harness: AlembicHarness) -> None:
    """A revision that reads the database while it runs is opaque, and the others are not."""
    harness.write_revision(
        "0003_final",
        'from alembic import op\nrevision = "0003_final"\ndown_revision = "0002_amounts"\n'
        'def upgrade():\n    op.get_bind().exec_driver_sql("SELECT 1").fetchall()\n',
    )
    store = harness.store()

    shown = {step.key.name: statements for step, statements in store.explain(store.steps(), Direction.APPLY)}

    assert shown["0003_final"][-1].opaque
    assert not shown["0002_amounts"][-1].opaque


def test_probe_tells_absent_done_partial_and_conflicting(harness: AlembicHarness) -> None:
    """The live catalog is held against what the operations would have made."""
    step = harness.step("0001_earnings")

    def presence() -> Presence:
        ((probe),) = harness.store().probe([step])
        return probe.presence

    assert presence() is Presence.ABSENT
    apply(harness, "0001_earnings")
    assert presence() is Presence.DONE
    harness.rows("DROP INDEX earning_track")
    assert presence() is Presence.PARTIAL
    harness.rows("ALTER TABLE earning ALTER track TYPE integer USING 0")
    assert presence() is Presence.CONFLICTING


def test_probe_judges_by_the_end_of_all_steps(harness: AlembicHarness) -> None:
    """A column that a later step drops again need not be there; data can't be looked up."""
    apply(harness, *harness.step_names)
    store = harness.store()

    probes = {probe.key.name: probe for probe in store.probe(store.steps())}

    assert {probe.presence for probe in probes.values()} == {Presence.DONE}
    assert "2 of its statements" in probes["0002_amounts"].unproved[0]


def test_tables_and_indexes_that_no_revision_declares_are_named(harness: AlembicHarness) -> None:
    """Not Alembic's own table, nor indexes that constraints make; the suite's are left out by the engine."""
    apply(harness, "0001_earnings", "0002_amounts")
    store = harness.store()
    steps = [step for step in store.steps() if step.key.name != "0003_final"]

    def told() -> list[str]:
        return [one.thing for one in store.undeclared(steps) if not one.name.startswith(OWN)]

    assert told() == []
    harness.rows("CREATE TABLE by_hand (id integer UNIQUE)")
    harness.rows("CREATE INDEX hand_made ON earning (amount)")
    harness.rows("ALTER TABLE earning ADD CONSTRAINT by_constraint UNIQUE (id, track)")
    assert told() == ["by_hand", "earning.hand_made"]


def test_probe_of_data_alone_is_unknown(harness: AlembicHarness) -> None:
    """Nobody can see from outside whether rows were changed."""
    harness.write_revision(
        "0003_final",
        'from alembic import op\nrevision = "0003_final"\ndown_revision = "0002_amounts"\n'
        'def upgrade():\n    op.execute("UPDATE earning SET amount = 0")\n',
    )

    (probe,) = harness.store().probe([harness.step("0003_final")])

    assert probe.presence is Presence.UNKNOWN
    assert probe.unproved


# --- the sample ------------------------------------------------------------------------------------------


def test_sample_history_goes_up_down_and_up_again(harness: AlembicHarness) -> None:
    """The royalties of the sample project are clean both ways, and as `alembic upgrade` makes them."""
    harness.options["CONFIG"] = str(SAMPLE / "alembic.ini")
    store = harness.store()
    steps = store.steps()
    for step in steps:
        store.apply(step, LEASE)
    first = harness.observe()
    for step in reversed(steps):
        store.revert(step, LEASE)
    for step in steps:
        store.apply(step, LEASE)

    assert len(steps) >= 5
    assert harness.observe() == first
    assert harness.heads() == {"0008_drop_percent"}


# --- many at once, and odd places ---------------------------------------------------------------------------


@pytest.mark.by_turns(3)
def test_ten_processes_at_once_do_each_step_once(harness: AlembicHarness) -> None:
    """Rivals wait for each other inside the database; rows are filled once, and none of them fails."""
    rivals = [
        subprocess.Popen([*harness.script("apply"), "0001_earnings"], stderr=subprocess.PIPE, text=True)
        for _ in range(10)
    ]
    ends = [(rival.communicate()[1], rival.returncode) for rival in rivals]
    apply(harness, "0002_amounts", lease=replace(LEASE, fence=6))

    assert [end for end in ends if end[1] != 0] == []
    assert set(harness.ledger_entries()) == {"0001_earnings", "0002_amounts"}
    assert harness.heads() == {"0002_amounts"}


def test_history_without_source_files_is_read_by_alembic(harness: AlembicHarness) -> None:
    """Where there is nothing to parse, Alembic's own reading serves, for steps as for running them."""
    compileall.compile_dir(harness.revisions, legacy=True, quiet=1)
    for name in harness.step_names:
        harness.remove(name)
    ini = harness.folder / "alembic.ini"
    ini.write_text(ini.read_text() + "sourceless = true\n")

    apply(harness, "0001_earnings", "0002_amounts")

    steps = harness.store().steps()
    assert [step.title for step in steps][:2] == ["Earnings of tracks.", "Earnings have amounts."]
    assert applied_names(harness) == {"0001_earnings", "0002_amounts"}


def test_configuration_in_pyproject_serves_too(harness: AlembicHarness) -> None:
    """Alembic 1.16 and later keep their options in [tool.alembic]."""
    (harness.folder / "alembic.ini").unlink()
    (harness.folder / "pyproject.toml").write_text('[tool.alembic]\nscript_location = "%(here)s"\n')
    harness.options["CONFIG"] = str(harness.folder / "pyproject.toml")

    apply(harness, "0001_earnings")

    assert applied_names(harness) == {"0001_earnings"}


def test_somebody_at_a_prompt_waits_for_our_transaction(harness: AlembicHarness) -> None:
    """While a revision runs, nobody else moves a head: an `alembic` by hand waits, or fails whole."""
    apply(harness, "0001_earnings")
    harness.write_revision(
        "0002_amounts",
        'from alembic import op\nrevision = "0002_amounts"\ndown_revision = "0001_earnings"\n'
        "def upgrade():\n    import psycopg2, pytest\n"
        f"    other = psycopg2.connect({harness.url!r})\n"
        "    other.cursor().execute(\"SET lock_timeout = '100ms'\")\n"
        "    with pytest.raises(psycopg2.errors.LockNotAvailable):\n"
        "        other.cursor().execute(\"UPDATE alembic_version SET version_num = 'x'\")\n"
        "    other.close()\n",
    )

    apply(harness, "0002_amounts")

    assert harness.heads() == {"0002_amounts"}
