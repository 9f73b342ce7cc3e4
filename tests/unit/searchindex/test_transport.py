"""URLs, paths and error texts of the light connection."""

from __future__ import annotations

import pytest

from accord.errors import ConfigurationError
from searchindex.aliases import same_definition
from searchindex.endpoint import parse_url
from searchindex.store import SearchStore
from searchindex.transport import at, explain_error


def test_url_is_taken_apart_and_its_secrets_stay_out_of_sight() -> None:
    """Credentials are decoded, and appear in no representation."""
    endpoint = parse_url("https://us%40er:p%2Fw@search.example:9201/es/", connect_timeout=1)

    assert (endpoint.user, endpoint.password) == ("us@er", "p/w")
    assert (endpoint.address, endpoint.path) == ("search.example:9201", "/es")
    assert endpoint.headers()["Authorization"].startswith("Basic ")
    assert "p/w" not in repr(endpoint)


def test_api_key_goes_before_the_password() -> None:
    """One way in at a time."""
    endpoint = parse_url("http://u:p@[::1]", connect_timeout=1, api_key="k")

    assert endpoint.headers() == {"Authorization": "ApiKey k"}
    assert endpoint.address == "[::1]:9200"


@pytest.mark.parametrize(
    "url", ["", "localhost:9200", "ftp://host", "http://", "http://host:port", "http://u:12345/tail@host"]
)
def test_url_that_is_none_is_refused_without_being_shown(url: str) -> None:
    """It might hold a password."""
    with pytest.raises(ConfigurationError) as failure:
        parse_url(url, connect_timeout=1)

    assert not url or url not in str(failure.value)


@pytest.mark.parametrize("options", [{"URl": "http://h"}, {"URL": 3}, {"URL": "http://h", "PREFIX": None}])
def test_store_refuses_options_that_it_does_not_know(options: dict[str, object]) -> None:
    """A typing mistake never silently means the default."""
    with pytest.raises(ConfigurationError):
        SearchStore("search", options)


def test_paths_are_encoded() -> None:
    """Whatever a name holds can't lead elsewhere."""
    assert at("a/b", "_doc", "x?y") == "/a%2Fb/_doc/x%3Fy"
    assert at("a,b*") == "/a,b*"


def test_error_text_holds_the_innermost_cause() -> None:
    """The outer sentence often says nothing."""
    error = {
        "type": "mapper_parsing_exception",
        "reason": "Failed",
        "caused_by": {"reason": "analyzer [x] is missing."},
    }

    assert explain_error({"error": error}) == ("mapper_parsing_exception", "Failed: analyzer [x] is missing")
    assert explain_error({"error": "no handler"}) == ("", "no handler")
    assert explain_error(None) == ("", "")


def test_routing_of_an_alias_stands_for_two() -> None:
    """The server returns `routing` as its two halves, and leaves out what is false."""
    live = {"index_routing": "1", "search_routing": "1"}

    assert same_definition({"routing": "1", "is_write_index": False}, live)
    assert not same_definition({"routing": "2"}, live)
    assert not same_definition({}, None)
