"""What a server answered to the requests of people's own functions."""

from __future__ import annotations

import sys

from searchindex.transport import explain_error


def answered(exc: Exception) -> tuple[str, int] | None:
    """
    Return the server's word for an error, and the status.

    Args:
        exc: What a function raised; None is returned for anything but an error of the client about an answer.
    """
    client = sys.modules.get("elasticsearch")  # it raises nothing where nobody loaded it
    if client is None or not isinstance(exc, client.ApiError):
        return None
    return explain_error(exc.body)[0], int(exc.status_code)
