"""Which embedded servers a run of tests starts, by the words of its configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from accord.errors import UsageError
from accord.test_servers import ServersOfARun, parse


def test_a_server_has_the_usual_variable_or_one_of_its_own() -> None:
    """As manage.py of the ready-made project reads them."""
    assert parse(["postgres", "opensearch=FIND_URL"]) == {
        "postgres": "DATABASE_URL",
        "opensearch": "FIND_URL",
    }
    assert parse(["postgres=", "mongodb"]) == {"postgres": "DATABASE_URL", "mongodb": "MONGODB_URL"}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["true"], "no embedded server named 'true'"),
        ([""], "no embedded server named ''"),
        (["postgres", "postgres=OTHER"], "says postgres twice"),
        (["opensearch", "elasticsearch"], "says ELASTICSEARCH_URL twice"),
        (["postgres=URL", "mongodb=URL"], "says URL twice"),
    ],
)
def test_words_that_make_no_sense_are_refused(words: list[str], says: str) -> None:
    """And nothing is started."""
    with pytest.raises(UsageError, match=says):
        parse(words)


def test_a_variable_that_is_set_is_a_server_of_somebodys_own() -> None:
    """It is left as it is; one that is set to nothing is not set."""
    environ = {"DATABASE_URL": "postgres://somebody", "MONGODB_URL": ""}
    servers = ServersOfARun(parse(["postgres", "mongodb"]), environ)

    assert (servers.given, servers.ours) == ({"postgres": "DATABASE_URL"}, {"mongodb": "MONGODB_URL"})
    assert "somebody" not in servers.told()
    assert "DATABASE_URL as it is set" in servers.told()


def test_who_only_lists_tests_has_addresses_and_no_server() -> None:
    """Settings can be read; afterwards the environment is as it was, and the folder is gone."""
    environ = {"MONGODB_URL": ""}
    servers = ServersOfARun(parse(["postgres", "mongodb"]), environ)
    servers.begin(start=False)
    home = Path(environ["ACCORD_HOME"])

    assert environ["DATABASE_URL"].startswith("postgres")
    assert environ["MONGODB_URL"].startswith("mongodb://")
    assert home.is_dir()
    assert not list(home.rglob("*.pid"))
    servers.end()
    assert environ == {"MONGODB_URL": ""}
    assert not home.exists()
