"""Keeping secrets out of messages: what a driver says passes through here before it is shown."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_CREDENTIALS = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://)[^/\s:@]*(:[^/\s@]*)?@", re.IGNORECASE)
_ASSIGNED = re.compile(
    r"(?P<name>password|passwd|pwd|secret|token|api_?key)(?P<sign>\s*[=:]\s*)\S+", re.IGNORECASE
)


def redact(text: str) -> str:
    """
    Remove credentials from a text.

    Args:
        text: Anything a driver or a setting may hold.

    Returns:
        The text with user and password of URLs, and values assigned to names
        such as `password=`, replaced by `***`.
    """
    text = _CREDENTIALS.sub(r"\g<scheme>***@", text)
    return _ASSIGNED.sub(r"\g<name>\g<sign>***", text)


def address(url: str) -> str:
    """
    Return host and port of a URL: the part that may stand in a message.

    Args:
        url: Address of a server, possibly with credentials and several hosts.

    Returns:
        `host:port`, several of them separated by commas, or the path for a socket.
    """
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2] or parts.path


def first_line(error: BaseException) -> str:
    """
    Return a driver's error as one line without credentials.

    Args:
        error: Any exception.

    Returns:
        Its first non-empty line, or the name of its class.
    """
    lines = (line.strip() for line in str(error).splitlines())
    return redact(next((line for line in lines if line), type(error).__name__))
