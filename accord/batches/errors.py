"""How a job in batches may end otherwise than done."""

from __future__ import annotations

from accord.errors import AccordError, ExitCode


class BatchesFailed(AccordError):
    """A slice of a job in batches failed again and again. The others are done."""

    code = "ACC-420"


class BatchesUnfinished(AccordError):
    """A release relies on a job in batches that isn't done. Nothing was changed."""

    code = "ACC-422"
    exit_code = ExitCode.BLOCKED


class BatchesStopped(AccordError):
    """A person stopped a job in batches."""

    code = "ACC-421"
    exit_code = ExitCode.PARTIAL
