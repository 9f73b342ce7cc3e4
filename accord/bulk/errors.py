"""What files of exports and imports are refused for."""

from __future__ import annotations

from accord.errors import AccordError, ExitCode


class BulkFileError(AccordError):
    """A file of an export can't be read or written, or is not what its manifest says."""

    code = "ACC-620"
    exit_code = ExitCode.USAGE


class TooManyDeadLetters(AccordError):
    """An import stopped: the store refused more rows than the call allows. What is done is recorded."""

    code = "ACC-621"


class ImportUnderWay(AccordError):
    """Another process carries out the same import."""

    code = "ACC-622"
    exit_code = ExitCode.LEASE_HELD
    http_status = 409


class CopyRefused(AccordError):
    """A copy from store to store stopped at a row: it makes no document, or the target refuses it."""

    code = "ACC-623"
