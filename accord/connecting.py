"""
Why a PostgreSQL doesn't let us work: each cause its own sentence, so that nobody starts a server that runs.

Told by SQL's code where there is one; a server that refuses a connection sends a text alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from accord.causes import causes_of
from accord.errors import StoreRefused, StoreUnavailable
from accord.secrets.redact import first_line


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """
    A cause.

    Attributes:
        says: What the server does, as the predicate of a sentence.
        hint: The next move; `{where}` is where the project's settings describe the database.
        refused: Whether the server answers and says no; otherwise it is away, or the connection is.
        quotes: Whether the server's own words help, and hold nothing secret.
    """

    says: str
    hint: str
    refused: bool = False
    quotes: bool = True

    def error(
        self, what: str, alias: str, cause: BaseException, more: str = "", where: str = ""
    ) -> StoreUnavailable:
        """
        Return the error that a caller raises.

        Args:
            what: The subject of the sentence: which store, where.
            alias: The database in `DATABASES`.
            cause: The driver's error.
            more: A further sentence.
            where: Where the settings describe it, unless that is `DATABASES`.
        """
        quoted = f": {_plain(cause)}" if self.quotes else ""
        kind = StoreRefused if self.refused else StoreUnavailable
        return kind(
            f"{what} {self.says}{quoted}. {more}".rstrip(),
            hint=self.hint.format(where=where or f"DATABASES['{alias}']"),
        )


AWAY = Trouble(
    says="can't be reached",
    hint="Start the server, or correct HOST and PORT of {where}.",
    quotes=False,
)
CREDENTIALS = Trouble(
    says="rejects our credentials or has no such database",
    hint="Check user, password and database of {where}, and that the user may use it.",
    refused=True,
    quotes=False,
)
RIGHTS = Trouble(
    says="doesn't give us a right that this takes",
    hint="Grant it to the user of {where}: CREATE on the schema, and all on the tables in it.",
    refused=True,
)
NO_SCHEMA = Trouble(
    says="has no schema that tables could go to",
    hint="Create the schema that the search_path of {where} names, or grant USAGE and CREATE on it.",
    refused=True,
)
READ_ONLY = Trouble(
    says="takes no writes",
    hint="It is a replica, or read-only by default: point {where} at the primary.",
    refused=True,
)
POOLER = Trouble(
    says="doesn't take how we connect",
    hint="A pooler stands in front of it: let it pass the parameter (PgBouncer: ignore_startup_parameters), "
    "or take it out of OPTIONS of {where}.",
    refused=True,
)
FULL = Trouble(
    says="has no connection left for us",
    hint="End connections that are idle, or raise the limit of the server or of its pooler.",
)
POOL = Trouble(
    says="gave us no connection in time",
    hint="If the server runs, give the pool in OPTIONS of {where} more room: a run needs two connections "
    "at once, so max_size has to be 2 or more.",
)
STARTING = Trouble(
    says="is starting or stopping", hint="Wait until it answers, then run the same command again."
)
ENDED = Trouble(
    says="ended our connection",
    hint="The server runs, or ran until now: its log says who ended it and why (a person, a restart, a limit "
    "for idle sessions). Run the same command again; it continues where this one was.",
)
IDLE = Trouble(
    says="ended our connection: it was idle for longer than its settings allow",
    hint="Raise idle_in_transaction_session_timeout (or idle_session_timeout) for our user "
    "(ALTER ROLE … SET …), or let the step's Python do less between two statements; then run the same "
    "command again; it continues where this one was.",
)
TRANSACTION_TIME = Trouble(
    says="ended our connection: the transaction took longer than transaction_timeout allows",
    hint="Raise it for our user (ALTER ROLE … SET transaction_timeout), or let the step do less in one "
    "transaction; then run the same command again; it continues where this one was.",
)

_BY_CODE = {
    "28P01": CREDENTIALS,
    "28000": CREDENTIALS,
    "3D000": CREDENTIALS,
    "42501": RIGHTS,
    "3F000": NO_SCHEMA,
    "25006": READ_ONLY,
    "53300": FULL,
    "57P03": STARTING,
    "57P01": ENDED,
    "57P02": ENDED,
    "57P05": IDLE,
    "25P03": IDLE,
    "25P04": TRANSACTION_TIME,
    "08006": ENDED,
    "08003": ENDED,
    "08P01": POOLER,
}
_BY_TEXT = (
    (re.compile(r"unsupported startup parameter"), POOLER),
    (re.compile(r"couldn't get a connection after"), POOL),
    (re.compile(r"permission denied for (?!database)"), RIGHTS),
    (re.compile(r"too many connections|too many clients|no more connections allowed"), FULL),
    (re.compile(r"database system is (starting up|shutting down|in recovery|not yet accepting)"), STARTING),
    (
        re.compile(
            r"authentication failed|no password supplied|no pg_hba\.conf entry|is not permitted to log in"
            r"|permission denied for database|no such (database|user)|(role|database) \".*\" does not exist"
        ),
        CREDENTIALS,
    ),
    (re.compile(r"due to idle-(in-transaction|session) timeout"), IDLE),
    (re.compile(r"due to transaction timeout"), TRANSACTION_TIME),
    (
        re.compile(
            r"closed the connection unexpectedly|terminating connection|connection (is |already )?closed"
            r"|connection is lost|consuming input failed|server conn crashed"
        ),
        ENDED,
    ),
)
_CONNECTION_CLASSES = frozenset({"OperationalError", "InterfaceError", "ConnectionTimeout", "PoolTimeout"})


def trouble_of(error: BaseException) -> Trouble | None:
    """
    Return why the server doesn't let us work.

    Args:
        error: Django's or the driver's error.

    Returns:
        None where the error is about the statement itself.
    """
    code = code_of(error)
    if code is not None:
        return _BY_CODE.get(code) or (AWAY if code.startswith("08") else None)
    if not {type(one).__name__ for one in causes_of(error)} & _CONNECTION_CLASSES:
        return None
    text = str(error)
    return next((trouble for pattern, trouble in _BY_TEXT if pattern.search(text)), AWAY)


def code_of(error: BaseException) -> str | None:
    """Return SQL's code of an error, from whatever driver it came."""
    codes = (getattr(one, "pgcode", None) or getattr(one, "sqlstate", None) for one in causes_of(error))
    return next((code for code in codes if code), None)


def _plain(error: BaseException) -> str:
    """Return the server's own words, without the address that the driver puts before them."""
    return first_line(error).rpartition("FATAL:")[2].strip()
