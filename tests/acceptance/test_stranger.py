"""A site that somebody made with `startproject`, and what it may lack."""

from __future__ import annotations

import json
import re
import shlex
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fix_stranger import Visit

pytestmark = pytest.mark.acceptance

DRIVERS = ["pymongo", "bson", "elasticsearch", "elastic_transport", "urllib3", "alembic", "sqlalchemy"]
OPTIONAL = [
    *DRIVERS,
    "django_mongodb_backend",
    "rest_framework",
    "drf_spectacular",
    "celery",
    "auditlog",
    "pyrage",
]
ADMIN = "django.contrib.admin"


@pytest.mark.parametrize(
    "without",
    [[], [ADMIN], [ADMIN, "gdpr"], [ADMIN, "mongo_migrations", "searchindex"]],
    ids=lambda without: "+".join(without) or "nothing",
)
def test_a_page_is_rendered_whatever_is_left_out(visit: Visit, without: list[str]) -> None:
    """Checks and any template work without the admin, without drivers, and nothing loads the admin then."""
    visited = visit("check", "/", without=without, missing=OPTIONAL)

    assert [came.code for came in visited.came] == [0, 200], visited.came
    assert "no issues" in visited.came[0].said
    assert (ADMIN in visited.loaded) == (ADMIN not in without)


@pytest.mark.parametrize(
    ("without", "expected"),
    [
        ("accord", "accord.E005"),
        ("django.contrib.auth", "accord.E005"),
        ("migrator", "accord.W001"),
    ],
)
def test_what_belongs_together_is_told_by_the_checks(visit: Visit, without: str, expected: str) -> None:
    """The app that is missing is named, not what breaks because of it."""
    visited = visit("check", without=[without, ADMIN])

    assert f"({expected})" in visited.came[0].said
    assert f"Add “{without}” to INSTALLED_APPS" in visited.came[0].said


def test_a_command_without_the_kernels_app_names_that_app(visit: Visit) -> None:
    """Not the file that raises while it is imported."""
    [came] = visit("migrate_all --plan", without=["accord"]).came

    assert came.code == 2
    assert "without “accord”" in came.said


@pytest.mark.parametrize(
    ("backend", "extra"),
    [
        ("mongo_migrations.store.MongoStore", "mongodb"),
        ("searchindex.store.SearchStore", "search"),
        ("migrator.alembic.store.AlembicStore", "alembic"),
    ],
)
def test_a_store_without_its_driver_names_the_extra(visit: Visit, backend: str, extra: str) -> None:
    """Where it is configured (a check), and where it is opened (a command)."""
    settings = {"ACCORD": {"STORES": {"other": {"BACKEND": backend}}}}
    checked, opened = visit(
        "check", "migrate_all --plan --store other", missing=DRIVERS, settings=settings
    ).came

    assert "(accord.E003) The store “other” needs" in checked.said
    assert opened.code == 2
    assert all(f"pip install 'django-accord[{extra}]'" in came.said for came in (checked, opened))


@pytest.mark.parametrize("gdpr", [[], ["gdpr"]], ids=["with gdpr", "without"])
def test_a_site_of_postgresql_alone_runs_without_any_optional_package(
    visit: Visit, new_database: Callable[[], str], gdpr: list[str]
) -> None:
    """No admin, no driver of another store, no REST framework: everything is applied, healthy and watched."""
    applied, again, health, home = visit(
        *("migrate_all --noinput", "migrate_all --check", "health_check", "/"),
        database_url=new_database(),
        without=[ADMIN, "mongo_migrations", "searchindex", *gdpr],
        missing=OPTIONAL,
    ).came

    assert (applied.code, again.code, health.code, home.code) == (0, 0, 0, 200), (applied, again, health)


MONGODB = ["pymongo", "bson", "django_mongodb_backend"]
SEARCH = ["elasticsearch", "elastic_transport"]


@pytest.mark.parametrize(
    ("app", "backend", "missing"),
    [
        ("mongo_migrations", "mongo_migrations.store.MongoStore", SEARCH),
        ("searchindex", "searchindex.store.SearchStore", MONGODB),
    ],
)
def test_a_site_with_one_more_store_needs_nothing_of_the_other(
    visit: Visit,
    new_database: Callable[[], str],
    request: pytest.FixtureRequest,
    app: str,
    backend: str,
    missing: list[str],
) -> None:
    """MongoDB without an engine of search, and the other way round; neither the admin nor gdpr."""
    url = request.getfixturevalue("opensearch_url" if app == "searchindex" else "mongo_url")
    prefix = {"PREFIX": f"stranger-{uuid.uuid4().hex[:8]}-"} if app == "searchindex" else {}
    other = ({"mongo_migrations", "searchindex"} - {app}).pop()
    came = visit(
        *("check", "migrate_all --noinput", "migrate_all --check", "health_check --only store migrations"),
        database_url=new_database(),
        without=[ADMIN, "gdpr", other],
        missing=[*missing, "rest_framework", "drf_spectacular", "alembic", "sqlalchemy"],
        settings={"ACCORD": {"STORES": {"more": {"BACKEND": backend, "URL": url, **prefix}}}},
    ).came

    assert [each.code for each in came] == [0, 0, 0, 0], came
    assert "store.more" in came[-1].said


def test_an_engine_that_derives_from_postgresqls_is_postgresql(
    visit: Visit, new_database: Callable[[], str]
) -> None:
    """As coordinator and as a store: what Django's backend says it is counts, not where its class stands."""
    came = visit(
        *("check", "migrate_all --noinput", "migrate_all --check", "health_check"),
        database_url=new_database(),
        without=[ADMIN, "mongo_migrations", "searchindex"],
        databases={"default": {"ENGINE": "tests.projects.stranger.backend"}},
    ).came

    assert [each.code for each in came] == [0, 0, 0, 0], came
    assert "PostgreSQL" in came[-1].said


def test_the_api_as_its_page_says_describes_itself(visit: Visit, new_database: Callable[[], str]) -> None:
    """Apps and addresses, and no setting of the REST framework; the site's own view is not described."""
    apps = ["rest_framework", "drf_spectacular", "drf_spectacular_sidecar"]
    _, schema, page, runs = visit(
        *("migrate_all --noinput", "/api/v1/schema/", "/api/v1/docs/", "/api/v1/runs/"),
        database_url=new_database(),
        apps=apps,
    ).came

    assert (schema.code, page.code, runs.code) == (200, 200, 200), schema.said[:2000]
    # The generator warns of names that it chose itself.
    described = json.loads(schema.said[schema.said.index("{\n") :])
    assert {path.split("/")[1] for path in described["paths"]} == {"api"}
    assert "409" in described["paths"]["/api/v1/erasure-requests/"]["post"]["responses"]


def test_the_api_without_its_packages_names_the_extra(visit: Visit) -> None:
    """A site that includes the addresses is told what to install."""
    [came] = visit("shell -v 0 -c 'import gdpr.api.urls'", missing=OPTIONAL).came

    assert "extra “api”" in came.said


# --- USE_TZ = False ------------------------------------------------------------------------------------

OURS = ["accord", "migrator", "gdpr", "mongo_migrations", "searchindex"]
MEMBERS = "tests.projects.stranger.members"
TWICE = """
from datetime import UTC, datetime
from migrator.models import Run
moments = [datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1)]
for number, moment in enumerate(moments):
    Run(id=f"r{number}", kind="apply", environment="e", digest="d", fence=1, owner="o", planned=0,
        outcome="succeeded", started_at=moment).save(force_insert=True)
found = list(Run.objects.filter(id__in=["r0", "r1"], started_at__in=moments).order_by("id"))
print([run.started_at for run in found] == moments, found[0].started_at.isoformat())
"""


def test_a_production_whose_moments_have_no_zone_is_approved_run_watched_and_erased_from(
    visit: Visit, new_database: Callable[[], str], tmp_path: Path
) -> None:
    """Where `USE_TZ` is off, in a zone with summer time."""
    acts = {
        "migration_approval request --as nobody --reason first": 4,
        "createsuperuser --noinput --username ada --email a@example.org": 0,
        "createsuperuser --noinput --username ben --email b@example.org": 0,
        "migration_approval request --as ada --reason release": 0,
        "migration_approval approve REFERENCE --as ben --reason seen": 0,
        "migrate_all --env production --noinput": 0,
        "makemigrations --check --dry-run accord migrator gdpr": 0,
        "gdpr_hold place 1 --reason '17(3)(e)' --as ada": 0,
        "gdpr_hold release REFERENCE --as ben": 0,
        "gdpr_erase eve@example.org --by email --as ada --noinput": 5,
        "gdpr_erase --request REFERENCE --approve --as ben --reason seen --noinput": 0,
        "gdpr_process": 0,
        "/admin/migrator/run/": 200,
        "/admin/migrator/planapproval/": 200,
        "/admin/accord/auditevent/": 200,
        "/admin/accord/auditevent/1/change/": 200,
        "/admin/gdpr/erasurerequest/": 200,
        "/admin/gdpr/erasurerequest/1/change/": 200,
        "/admin/gdpr/legalhold/": 200,
        "audit_verify": 0,
        "health_check": 0,
        f"shell -v 0 -c {shlex.quote(TWICE)}": 0,
    }

    came = visit(
        *acts,
        database_url=new_database(),
        variables={"ACCORD_PASSWORD": "a", "DJANGO_SUPERUSER_PASSWORD": "a"},
        apps=[MEMBERS],
        settings={
            "USE_TZ": False,
            "TIME_ZONE": "Europe/Berlin",
            "ACCORD": {
                "ENVIRONMENT": "production",
                "AUDIT_CHECKPOINTS": str(tmp_path / "heads.jsonl"),
                "ERASURE_REGISTER": str(tmp_path / "register.jsonl"),
                "POLICY": {"proof": {"password_variable": ["production"]}},
            },
        },
    ).came

    said = {act: each for act, each in zip(acts, came, strict=True) if each.code != acts[act]}
    assert not said
    assert came[-1].said.strip() == "True 2026-10-25T02:30:00+02:00"
    assert "CET" in came[3].said or "CEST" in came[3].said


# --- an admin site of the project's own --------------------------------------------------------------------


def test_every_page_works_on_a_site_of_its_own_and_leads_to_no_other(
    visit: Visit, new_database: Callable[[], str]
) -> None:
    """Django's default site stands beside, so that any address that says “admin:” would lead there."""
    acts = {
        "migrate_all --noinput": 0,
        "migration_approval request --revert --to zero --as nobody --reason first": 4,
        "createsuperuser --noinput --username ada --email a@example.org": 0,
        "createsuperuser --noinput --username ben --email b@example.org": 0,
        "migration_approval request --revert --to zero --as ada --reason rehearsal": 0,
        "gdpr_hold place 1 --reason '17(3)(e)' --as ada": 0,
        "gdpr_hold release REFERENCE --as ben": 0,
        "gdpr_erase eve@example.org --by email --as ada --noinput": 5,
        "gdpr_erase --request REFERENCE --approve --as ben --reason seen --noinput": 0,
        "gdpr_process": 0,
    }
    pages = [
        *("/backoffice/", "/backoffice/gdpr/", "/backoffice/gdpr/consentevent/"),
        *("/backoffice/gdpr/consentevent/person/", "/backoffice/gdpr/erasurerequest/"),
        *("/backoffice/gdpr/erasurerequest/1/change/", "/backoffice/gdpr/receipt/"),
        *("/backoffice/gdpr/receipt/1/change/", "/backoffice/gdpr/legalhold/1/change/"),
        *("/backoffice/migrator/planapproval/", "/backoffice/migrator/planapproval/1/change/"),
        *("/backoffice/migrator/planapproval/1/approve/", "/backoffice/migrator/run/"),
        *("/backoffice/accord/auditevent/", "/backoffice/accord/auditevent/1/change/"),
        *("/backoffice/gdpr/datamap/", "/backoffice/migrator/attestation/"),
    ]

    came = visit(
        *acts,
        *pages,
        database_url=new_database(),
        variables={"ACCORD_PASSWORD": "a", "DJANGO_SUPERUSER_PASSWORD": "a"},
        apps=[MEMBERS],
        sites=["admin", "backoffice"],
    ).came

    done, visited = came[: len(acts)], came[len(acts) :]
    assert {act: each.said for act, each in zip(acts, done, strict=True) if each.code != acts[act]} == {}
    assert {page: each.code for page, each in zip(pages, visited, strict=True) if each.code != 200} == {}
    assert [page for page, each in zip(pages, visited, strict=True) if '"/admin/' in each.said] == []
    assert "/backoffice/" in visited[5].said


def test_nobody_is_asked_to_classify_the_suites_own_tables(
    visit: Visit, new_database: Callable[[], str]
) -> None:
    """A new project without any privacy.py hears of its accounts, with what refers to them, and sessions."""
    _, checked = visit(
        *("migrate_all --noinput", "gdpr_datamap check"),
        database_url=new_database(),
        without=["mongo_migrations", "searchindex"],
    ).came

    assert checked.code == 6
    assert "sessions.Session" in checked.said
    asked = re.findall(r'Entry for "((?:accord|migrator|gdpr)\.\w+)', checked.said)
    assert sorted(asked) == ["accord.AccessToken", "accord.ActorReference"]


# --- from migrate to migrate_all ---------------------------------------------------------------------------


def test_baseline_in_a_project_that_django_migrated_makes_the_suites_tables(
    visit: Visit, new_database: Callable[[], str]
) -> None:
    """What the README says: add the apps, `--baseline`; gdpr's tables are the suite's own, too."""
    url = new_database()
    [before] = visit("migrate --noinput", database_url=url, without=OURS, apps=[MEMBERS]).came
    *came, listed = visit(
        *("migrate_all --baseline --noinput", "migrate_all --check", "health_check"),
        "showmigrations_all --format json",
        database_url=url,
        apps=[MEMBERS],
    ).came

    assert [each.code for each in (before, *came)] == [0, 0, 0, 0], [each.said[-500:] for each in came]
    assert all(step["applied"] for step in json.loads(listed.said)["steps"])


def test_baseline_of_one_app_makes_the_suites_tables_all_the_same(
    visit: Visit, new_database: Callable[[], str]
) -> None:
    """Whatever runs is written down there; the app's own steps were recorded by Django and stay so."""
    url = new_database()
    visit("migrate --noinput", database_url=url, without=OURS, apps=[MEMBERS])
    planned, done, verified = visit(
        *("migrate_all --baseline members --plan", "migrate_all --baseline members --noinput"),
        "migrate_all --baseline --verify --format json",
        database_url=url,
        apps=[MEMBERS],
    ).came

    assert [planned.code, done.code, verified.code] == [0, 0, 0], [planned.said, done.said, verified.said]
    proofs = {step["key"]: step["proof"] for step in json.loads(verified.said)["steps"]}
    assert {"default:accord.0001_initial", "default:gdpr.0001_initial", "default:members.0001_initial"} <= {
        *proofs
    }
    assert "different" not in proofs.values()
    assert "to be made" in planned.said


def test_fake_in_a_project_that_django_migrated_makes_the_suites_tables(
    visit: Visit, new_database: Callable[[], str]
) -> None:
    """Recording them would leave a site without journal for ever; what isn't there health tells."""
    url = new_database()
    visit("migrate --noinput", database_url=url, without=OURS)
    faked, again, health, asked = visit(
        *("migrate_all --fake members --noinput", "migrate_all --check", "health_check"),
        "migration_approval list",
        database_url=url,
        apps=[MEMBERS],
    ).came

    assert [each.code for each in (faked, again, health, asked)] == [0, 0, 1, 0], faked.said + health.said
    assert "The table members_member is missing." in health.said
    assert "default:members.0001_initial  recorded" in faked.said
    assert re.search(r"default:migrator\.0002_approvals +applied", faked.said)


def test_flags_of_migrate_are_taken_or_refused_with_what_to_use_instead(
    visit: Visit, new_database: Callable[[], str]
) -> None:
    """`--database` is `--store`; the others name the way."""
    *refused, told, one, unknown = visit(
        "migrate_all --fake-initial",
        "migrate_all --prune members",
        "migrate_all --run-syncdb",
        "migrate_all --version",
        "migrate_all --plan --database default",
        "migrate_all --plan --database nowhere",
        database_url=new_database(),
    ).came

    assert [each.code for each in refused] == [2, 2, 2]
    assert ["--baseline" in refused[0].said, *("manage.py migrate" in each.said for each in refused[1:])] == [
        True
    ] * 3
    assert told.said.startswith("Accord ")
    assert (one.code, unknown.code, "ACC-101" in unknown.said) == (0, 2, True)
