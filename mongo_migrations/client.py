"""
The client: how the driver is opened, what it is told, and its errors in the suite's words.

The driver is loaded when a server is first asked something, never before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from accord import mongo_causes
from accord.connecting import Trouble
from accord.errors import (
    AccordError,
    ConfigurationError,
    StoreError,
    StoreRefused,
    StoreUnavailable,
    UnsupportedServer,
)
from accord.secrets.redact import redact
from mongo_migrations.errors import ReplicaSetRequired

if TYPE_CHECKING:
    from pymongo import MongoClient
    from pymongo.errors import OperationFailure, PyMongoError

Document = dict[str, Any]

OLDEST = (6, 0)
_ILLEGAL_OPERATION = 20
_HOW_TO_REPLICATE = (
    "Start mongod with --replSet rs0, run rs.initiate() once in mongosh, and add ?replicaSet=rs0 to the URL; "
    "one node is enough. `python manage.py embedded start mongodb` does it for development."
)
# What the server quotes in a message may come from a document, so it may be personal data.
_QUOTATIONS = (
    (re.compile(r"dup key:.*", re.DOTALL), "dup key: {…}"),
    (re.compile(r"Tree:.*?(?=planner returned|$)", re.DOTALL), ""),
    (re.compile(r"\{.*\}", re.DOTALL), "{…}"),
)
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
# From the first to the last quotation mark: a value may hold some itself.
_QUOTATION = re.compile(r"['\"].*['\"]", re.DOTALL)
# CannotCreateIndex, InvalidOptions, InvalidIndexSpecificationOption, OperationNotSupportedInTransaction and
# an unknown field: the server read the command, and no document.
_OF_A_COMMAND = frozenset({67, 72, 197, 263, 40415})
_OF_A_SPECIFICATION = "failed to add collation information to index spec"


@dataclass(frozen=True)
class Place:
    """
    Where something happened, for messages.

    Attributes:
        alias: The store.
        address: Host and port without credentials.
    """

    alias: str
    address: str

    @property
    def setting(self) -> str:
        """Name what of the project's settings describes it."""
        return f"the URL of the store “{self.alias}”"

    def __str__(self) -> str:
        return f"MongoDB “{self.alias}” at {self.address}"


def open_client(url: str, timeout: float, place: Place, **options: Any) -> MongoClient[Document]:
    """
    Make a client. Nothing is sent yet.

    Args:
        url: As `mongodb://` or `mongodb+srv://`.
        timeout: Seconds until a server that does not answer counts as unavailable.
        place: For messages.
        **options: Further options of the driver.

    Raises:
        ConfigurationError: The URL can't be used.
    """
    from pymongo import MongoClient
    from pymongo.errors import InvalidURI, PyMongoError

    milliseconds = int(timeout * 1000)
    try:
        return MongoClient(
            url,
            appname="accord",
            serverSelectionTimeoutMS=milliseconds,
            connectTimeoutMS=milliseconds,
            # Dates beyond the year 9999 exist in real collections and must survive a batch.
            datetime_conversion="DATETIME_AUTO",
            **options,
        )
    except (InvalidURI, PyMongoError, ValueError, TypeError, KeyError) as exc:
        raise ConfigurationError(
            f"The URL of {place} can't be used: {redact(str(exc)).splitlines()[0]}",
            hint="Write it as mongodb://user:password@host:27017/database?replicaSet=rs0.",
        ) from exc


def check_server(
    hello: Mapping[str, Any], version: Sequence[int], place: Place, *, replica_set_required: bool
) -> None:
    """
    Refuse a server that the suite does not work with.

    Args:
        hello: Answer to `hello`.
        version: Numbers of the server's version.
        place: For messages.
        replica_set_required: Whether one that stands alone is refused, too.

    Raises:
        UnsupportedServer: It is too old.
        ReplicaSetRequired: It stands alone.
    """
    if tuple(version[:2]) < OLDEST:
        raise UnsupportedServer(
            f"{place} is version {'.'.join(map(str, version[:3]))}; the oldest that works is 6.0.",
            hint="Upgrade the server, one major version at a time.",
        )
    if hello.get("isreplicaset"):
        raise _not_initiated(place)
    if replica_set_required and not has_transactions(hello):
        raise replica_set_missing(place)


def has_transactions(hello: Mapping[str, Any]) -> bool:
    """Return whether a server belongs to a replica set or a sharded cluster."""
    return "setName" in hello or hello.get("msg") == "isdbgrid"


def replica_set_missing(place: Place) -> ReplicaSetRequired:
    """Make the error for a server without transactions."""
    return ReplicaSetRequired(
        f"{place} stands alone; transactions, which keep data and ledger together, need a replica set.",
        hint=_HOW_TO_REPLICATE,
    )


@contextmanager
def translated(
    place: Place, client: Callable[[], MongoClient[Document] | None] = lambda: None
) -> Iterator[None]:
    """
    Turn what the driver raises into errors of the suite.

    Args:
        place: For messages.
        client: Gives the client, which is asked what it saw when no server could be used.

    Raises:
        StoreUnavailable: The server can't be reached.
        StoreRefused: It rejects our credentials or our rights.
        StoreError: It answers with another error.
    """
    try:
        yield
    except AccordError:
        raise
    except Exception as exc:
        error = _translation(exc, place, client())
        if error is None:
            raise
        raise error from exc


def server_answer(error: Exception) -> Exception:
    """
    Return what the server answered, where the driver made an error of the network of it.

    `with_transaction` does so when its time is over, whatever it was that it repeated.
    """
    from pymongo.errors import ConnectionFailure, OperationFailure

    cause = error.__cause__
    if isinstance(error, ConnectionFailure) and isinstance(cause, OperationFailure):
        return error if isinstance(cause, ConnectionFailure) else cause
    return error


def plain_message(error: PyMongoError, own: str = "") -> str:
    """
    Describe what a server complained about, without anything that could come from a document.

    Args:
        error: Any error of the driver; its own text may quote whole documents.
        own: What the project's revisions say: words that stand there are no document's secret.
    """
    details = getattr(error, "details", None) or {}
    first = (details.get("writeErrors") or [details])[0]
    text = first.get("errmsg") or _first_words(error)
    text = _masked(text, own, whole=first.get("code") in _OF_A_COMMAND)
    named = [str(part) for part in (first.get("codeName"), first.get("code")) if part]
    text = " ".join(text.split()).rstrip(".")
    return redact(f"{text} (code {' '.join(named)})" if named else text)


def _masked(text: str, own: str, *, whole: bool) -> str:
    """Take out what may come from a document; nothing but keys does where a command itself was refused."""
    key, *others = _QUOTATIONS
    text = key[0].sub(key[1], text)
    if whole or text.startswith(_OF_A_SPECIFICATION):
        return text
    for quotation, stand_in in others:
        text = quotation.sub(stand_in, text)
    is_own = all(_says(own, quoted[1:-1]) for quoted in _QUOTED.findall(text))
    return text if is_own else _QUOTATION.sub("“…”", text)


def _says(own: str, word: str) -> bool:
    """Return whether a text has a word of its own like this; a number may stand there by chance."""
    if not word.strip() or word.replace(".", "").isdigit():
        return False
    edges = "(?<!\\w)" if word[0].isalnum() else "", "(?!\\w)" if word[-1].isalnum() else ""
    return re.search(f"{edges[0]}{re.escape(word)}{edges[1]}", own) is not None


def _first_words(error: PyMongoError) -> str:
    return str(error).partition(", full error")[0].partition(", Timeout:")[0]


def _translation(exc: Exception, place: Place, client: MongoClient[Document] | None) -> AccordError | None:
    from pymongo.errors import ConfigurationError as DriverConfigurationError
    from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

    exc = server_answer(exc)
    if isinstance(exc, ConnectionFailure):
        return _unreachable(exc, place, client)
    if isinstance(exc, OperationFailure):
        return _refused(exc, place)
    if isinstance(exc, DriverConfigurationError):
        if "wire version" in str(exc):
            return UnsupportedServer(
                f"{place} is too old for the driver.", hint="Upgrade it to 6.0 or newer."
            )
        return ConfigurationError(f"{place}: {plain_message(exc)}.", hint="Correct the URL of the store.")
    if isinstance(exc, PyMongoError):
        return StoreError(f"{place}: {plain_message(exc)}.", hint="See the server's log.")
    return None


def _unreachable(exc: PyMongoError, place: Place, client: MongoClient[Document] | None) -> AccordError:
    from pymongo.errors import OperationFailure

    servers = client.topology_description.server_descriptions().values() if client else ()
    for server in servers:
        # The driver gives up on a server that rejects a password, and then tells of no server at all.
        if isinstance(server.error, OperationFailure) and (known := mongo_causes.trouble_of(server.error)):
            return _told(known, place, plain_message(server.error))
    if {server.server_type_name for server in servers} == {"RSGhost"}:
        return _not_initiated(place)
    trouble = mongo_causes.trouble_of(exc) or mongo_causes.AWAY
    return _told(trouble, place, _first_words(exc).strip().rstrip("."))


def _not_initiated(place: Place) -> ReplicaSetRequired:
    return ReplicaSetRequired(
        f"{place} was started for a replica set that nobody initiated yet.",
        hint="Run rs.initiate() once in mongosh, connected to that server.",
    )


def _refused(exc: OperationFailure, place: Place) -> AccordError:
    if trouble := mongo_causes.trouble_of(exc):
        return _told(trouble, place, plain_message(exc))
    if limit := mongo_causes.limit_of(exc):
        return StoreError(f"{place} {limit.says} ({plain_message(exc)}).", hint=limit.hint)
    if exc.code == _ILLEGAL_OPERATION and "replica set" in str(exc):
        return replica_set_missing(place)
    return StoreError(f"{place}: {plain_message(exc)}.", hint="See the server's log for the whole answer.")


def _told(trouble: Trouble, place: Place, words: str) -> StoreUnavailable:
    message, hint = f"{place} {trouble.says}: {words}.", trouble.hint.format(where=place.setting)
    return StoreRefused(message, hint=hint) if trouble.refused else StoreUnavailable(message, hint=hint)
