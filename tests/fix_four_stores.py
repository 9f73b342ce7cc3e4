"""A fixture of a small project with all four kinds of stores, each with rows and a step that is pending."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.request import Request, urlopen

import pytest
from pymongo import MongoClient

from tests.conformance.harness_alembic import ENV, INI
from tests.fix_postgres import execute
from tests.fix_workshop import Workshop

STORES = ("default", "alembic", "mongodb", "search")
"""In the order in which a test speaks of them."""

_TWICE = "SELECT mail FROM {} GROUP BY 1 HAVING count(*) > 1"
_FIRST = {
    "migrations/0001_first.py": f"""
        class Migration(migrations.Migration):
            checks_before = ["SELECT 1 WHERE to_regclass('workshop_person') IS NOT NULL"]
            checks_after = {{"no two": "{_TWICE.format("workshop_person")}"}}
            operations = [migrations.CreateModel("Person", [
                ("id", models.BigAutoField(primary_key=True)), ("mail", models.CharField(max_length=40)),
            ])]
        """,
    "history/versions/0001_first.py": f'''
        """First."""
        import sqlalchemy as sa
        from alembic import op
        revision, down_revision = "0001_first", None
        checks_before = ["SELECT 1 WHERE to_regclass('member') IS NOT NULL"]
        checks_after = {{"no two": "{_TWICE.format("member")}"}}
        def upgrade():
            op.create_table("member", sa.Column("id", sa.Integer, primary_key=True),
                            sa.Column("mail", sa.Text))
        def downgrade():
            op.drop_table("member")
        ''',
    "mongo_migrations/0001_first.py": """
        def absent(database):
            return "people" not in database.list_collection_names()
        def no_two(database):
            "no two"
            return len(database["people"].distinct("mail")) == database["people"].count_documents({})
        class Migration(base.Migration):
            checks_before = [absent]
            checks_after = [no_two]
            operations = [base.CreateCollection("people")]
        """,
    "search_migrations/0001_first.py": """
        def absent(context):
            return not context.client.indices.exists(index=context.index("people"))
        def no_two(context):
            "no two"
            return context.client.count(index=context.index("people"))["count"] < 2
        class Migration(base.Migration):
            checks_before = [absent]
            checks_after = [no_two]
            operations = [base.CreateIndex("people", {"properties": {"mail": {"type": "keyword"}}})]
        """,
}
_NEXT = {
    "migrations/0002_next.py": """
        class Migration(migrations.Migration):
            dependencies = [("workshop", "0001_first")]
            operations = [
                migrations.AlterField("Person", "mail", models.CharField(max_length=40, unique=True)),
            ]
        """,
    "history/versions/0002_next.py": '''
        """Next."""
        from alembic import op
        revision, down_revision = "0002_next", "0001_first"
        def upgrade():
            op.create_unique_constraint("member_mail", "member", ["mail"])
        def downgrade():
            op.drop_constraint("member_mail", "member")
        ''',
    "mongo_migrations/0002_next.py": """
        class Migration(base.Migration):
            dependencies = [("workshop", "0001_first")]
            operations = [base.CreateIndex("people", [("mail", 1)], unique=True)]
        """,
    "search_migrations/0002_next.py": """
        class Migration(base.Migration):
            dependencies = [("workshop", "0001_first")]
            operations = [base.PutMapping("people", {"properties": {"mail": {"type": "long"}}})]
        """,
}


@dataclass(frozen=True, kw_only=True)
class FourStores(Workshop):
    """The project; its first steps are applied, and what they made holds two of one address."""

    prefix: str

    def fill(self) -> None:
        """Put rows and documents into each store: two of one address in the first, one more in each."""
        for table, more in (("workshop_person", 0), ("member", 1)):
            values = ", ".join(f"({number}, 'a@b.c')" for number in range(2 + more))
            execute(self.variables["DATABASE_URL"], f"INSERT INTO {table} (id, mail) VALUES {values}")
        with MongoClient[dict[str, Any]](self.variables["MONGODB_URL"]) as client:
            client.get_default_database()["people"].insert_many([{"mail": "a@b.c"} for _ in range(4)])
        for _ in range(5):
            self.ask("POST", "people/_doc?refresh=true", {"mail": "a@b.c"})

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Ask its search server about something with the prefix."""
        url = f"{self.variables['ELASTICSEARCH_URL']}/{self.prefix}{path}"
        content = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        with urlopen(Request(url, content, headers, method=method), timeout=30) as answer:  # noqa: S310 - http
            return json.load(answer)


@pytest.fixture
def four_stores(workshop: Workshop, opensearch_url: str) -> Iterator[FourStores]:
    """Give the project with its first steps applied, rows in each store, and its next steps pending."""
    prefix = f"four-{uuid.uuid4().hex[:8]}-"
    more = {
        "ELASTICSEARCH_URL": opensearch_url,
        "ELASTICSEARCH_PREFIX": prefix,
        "WORKSHOP_ALEMBIC": str(workshop.folder / "workshop" / "history" / "alembic.ini"),
    }
    made = FourStores(folder=workshop.folder, variables={**workshop.variables, **more}, prefix=prefix)
    history = made.folder / "workshop" / "history"
    (history / "versions").mkdir(parents=True)
    (history / "alembic.ini").write_text(INI)
    (history / "env.py").write_text(ENV)
    for name, text in _FIRST.items():
        made.write(name, text)
    done = made.run("migrate_all", "--noinput")
    assert done.returncode == 0, done.stdout + done.stderr
    made.fill()
    for name, text in _NEXT.items():
        made.write(name, text)
    yield made
    for index in made.ask("GET", "*?expand_wildcards=all"):
        made.ask("DELETE", index.removeprefix(prefix))
