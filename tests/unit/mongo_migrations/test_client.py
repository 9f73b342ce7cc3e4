"""What the client decides without a server."""

from __future__ import annotations

from typing import Any

import pytest
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    DuplicateKeyError,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
)

from accord.errors import ConfigurationError, StoreError, StoreUnavailable, UnsupportedServer
from mongo_migrations.client import Place, check_server, open_client, plain_message, translated
from mongo_migrations.errors import ReplicaSetRequired

PLACE = Place("mongodb", "db.example.org:27017")
MEMBER = {"setName": "rs0"}


@pytest.mark.parametrize("version", [[4, 4, 29, 0], [5, 0, 31, 0]])
def test_old_server_is_refused(version: list[int]) -> None:
    """The message names the version and the oldest that works."""
    with pytest.raises(UnsupportedServer, match=r"is version \d\.\d\.\d+; the oldest that works is 6\.0"):
        check_server(MEMBER, version, PLACE, replica_set_required=True)


@pytest.mark.parametrize("hello", [MEMBER, {"msg": "isdbgrid"}])
def test_replica_set_and_sharded_cluster_are_accepted(hello: dict[str, Any]) -> None:
    """Both have transactions; without what says so, the same server is refused."""
    check_server(hello, [8, 0, 4, 0], PLACE, replica_set_required=True)

    with pytest.raises(ReplicaSetRequired):
        check_server({}, [8, 0, 4, 0], PLACE, replica_set_required=True)


def test_server_that_stands_alone_is_accepted_only_when_asked() -> None:
    """By default a server without transactions is refused."""
    check_server({}, [7, 0, 1, 0], PLACE, replica_set_required=False)

    with pytest.raises(ReplicaSetRequired):
        check_server({}, [7, 0, 1, 0], PLACE, replica_set_required=True)


@pytest.mark.parametrize(
    "url", ["mongodb://", "http://127.0.0.1/x", "mongodb://a:b:c@h/x", "mongodb://h:port/x"]
)
def test_unusable_url_is_a_configuration_error_without_its_password(url: str) -> None:
    """A wrong URL is told when the store is used, and no secret with it."""
    with pytest.raises(ConfigurationError) as caught:
        open_client(url, 1, PLACE)

    assert "b:c" not in caught.value.message


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (
            DuplicateKeyError(
                "unused",
                11000,
                {
                    "code": 11000,
                    "errmsg": "E11000 duplicate key error collection: m.people index: email_1 "
                    'dup key: { email: "ada@x" }',
                },
            ),
            "collection: m.people index: email_1",
        ),
        (
            BulkWriteError(
                {
                    "writeErrors": [
                        {"code": 11000, "errmsg": 'E11000 dup key: { email: "ada@x" }', "op": {"q": "ada@x"}}
                    ]
                }
            ),
            "E11000",
        ),
        (
            OperationFailure(
                "unused",
                2,
                {
                    "code": 2,
                    "codeName": "BadValue",
                    "errmsg": "error processing query: ns=m.x Tree: email $eq ada@x",
                },
            ),
            "BadValue 2",
        ),
        (
            OperationFailure(
                "unused",
                241,
                {
                    "code": 241,
                    "codeName": "ConversionFailure",
                    "errmsg": "Failed to parse number 'ada@x' in $convert",
                },
            ),
            "in $convert (code ConversionFailure 241)",
        ),
    ],
)
def test_message_of_a_server_loses_what_it_quotes(error: Any, kept: str) -> None:
    """Kind and place stay, the document does not."""
    message = plain_message(error)

    assert kept in message
    assert "ada@x" not in message


REVISION = """
update = mongo.UpdateInBatches("people", {"$set": {"tags.$[x]": 1}}, batch_size=5)
rules = {"$jsonSchema": {"$ref": "person"}}
"""


SAID = [
    (2, "No array filter found for identifier 'x' in path 'tags.$[x]'", "identifier 'x' in path 'tags.$[x]'"),
    (9, "$jsonSchema keyword '$ref' is not currently supported", "keyword '$ref' is not"),
    (72, "Command create does not support this transaction's { at: 'x' }", "transaction's { at: 'x' }"),
    (67, "Error in specification { a: 'b' } :: caused by :: Unknown index plugin 'b'", "plugin 'b'"),
    (
        2,
        "The field 'tags' must be an array in document { tags: 'ada' }",
        "The field 'tags' must be an array in",
    ),
    (241, "Failed to parse number 'ada' in $convert", "number “…” in $convert"),
    (241, "Failed to parse number 'O'Brien of 'people'' in $convert", "number “…” in $convert"),
    (241, "Failed to parse number '5' in $convert", "number “…” in $convert"),
    (11000, "E11000 duplicate key index: people dup key: { people: 'x' }", "dup key: {…}"),
]


@pytest.mark.parametrize(("code", "said", "told"), SAID)
def test_words_of_the_revision_are_told_and_those_of_documents_are_not(
    code: int, said: str, told: str
) -> None:
    """What the server quotes stands in the file, or is masked up to its last quotation mark."""
    message = plain_message(OperationFailure("unused", code, {"code": code, "errmsg": said}), REVISION)

    assert told in message
    assert "ada" not in message
    assert "Brien" not in message


@pytest.mark.parametrize(
    ("error", "cause", "told"),
    [
        # What the driver's with_transaction makes of an answer when its two minutes are over.
        (NetworkTimeout("WriteConflict"), OperationFailure("WriteConflict", 112), StoreError),
        (NetworkTimeout("timed out"), TimeoutError("timed out"), StoreUnavailable),
        (AutoReconnect("connection closed"), None, StoreUnavailable),
        (NetworkTimeout("not primary"), NotPrimaryError("not primary"), StoreUnavailable),
    ],
)
def test_answer_of_a_server_is_no_failure_of_the_network(
    error: Exception, cause: Exception | None, told: type[Exception]
) -> None:
    """Only where the network failed is somebody sent to look at it."""
    with pytest.raises(StoreError) as caught, translated(PLACE):
        raise error from cause

    assert type(caught.value) is told
