"""Errors of the embedded servers (7xx)."""

from __future__ import annotations

from accord.errors import AccordError, ExitCode


class EmbeddedError(AccordError):
    """An embedded development server could not be fetched, started or stopped."""

    code = "ACC-700"
    exit_code = ExitCode.STORE_UNAVAILABLE
    http_status = 503


class EmbeddedStartFailed(EmbeddedError):
    """An embedded server did not start; the last lines of its log are in the message."""

    code = "ACC-701"


class EmbeddedFetchFailed(EmbeddedError):
    """The files of an embedded server could not be fetched or failed their checksum."""

    code = "ACC-702"


class EmbeddedNotInstalled(EmbeddedError):
    """The packages of an embedded server are not installed."""

    code = "ACC-703"


class EmbeddedDataUnusable(EmbeddedError):
    """The data folder of an embedded server can't be used (owner, rights, space, content)."""

    code = "ACC-704"
