"""Keeping secrets out of messages: what a driver says passes through here before it is shown."""

from __future__ import annotations

import re

from accord.errors import ConfigurationError

HIDDEN = "(address hidden)"
"""Stands for an address that can be read in several ways, one of which shows a part of a password."""

# Up to the last @ of the line: where nobody encoded a password, it may hold anything, spaces too.
_CREDENTIALS = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://).*@", re.IGNORECASE)
_AUTHORITY = re.compile(r"(?P<scheme>[^:/?#@]*://)(?P<authority>[^/?#]*)(?P<rest>.*)", re.DOTALL)
_HOST = re.compile(r"(\[[0-9a-f:.%]+\]|[^\s:@\[\]]*)(:[0-9]{1,5})?", re.IGNORECASE)
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
        url: Address of a server, possibly with credentials and several hosts; or the path of a socket.

    Returns:
        `host:port`, several of them separated by commas, or the path of a socket. :data:`HIDDEN`, behind
        the scheme, for a URL that can be read in several ways.
    """
    parts = _AUTHORITY.fullmatch(url)
    if parts is None:
        return HIDDEN if "@" in url else url
    hosts = parts["authority"].rpartition("@")[2]
    # A slash in a password that nobody encoded ends the authority in its middle; a second @ may be one, too.
    plain = url.count("@") == parts["authority"].count("@") <= 1
    if not plain or not all(_HOST.fullmatch(host) for host in hosts.split(",")):
        return f"{parts['scheme']}{HIDDEN}"
    return hosts or parts["rest"].partition("?")[0]


def refuse_ambiguous(url: str, name: str) -> None:
    """
    Raise when a URL can be read in several ways.

    A driver might take a part of the password for a host, and show it.

    Args:
        url: Address of a server.
        name: What it is, for the message: a setting, or the URL of a store.

    Raises:
        ConfigurationError: It can be. Nothing of it is told.
    """
    if address(url).endswith(HIDDEN):
        raise ConfigurationError(
            f"{name} can be read in several ways: it holds a special character that is not %-encoded.",
            hint="Write @ in user, password and options as %40, / as %2F, : as %3A, ? as %3F, # as %23, "
            "% as %25; ports are numbers.",
        )


def first_line(error: BaseException) -> str:
    """
    Return a driver's error as one line without credentials, and without a full stop at its end.

    Args:
        error: Any exception.

    Returns:
        Its first non-empty line, or the name of its class.
    """
    lines = (line.strip().rstrip(".") for line in str(error).splitlines())
    return redact(next((line for line in lines if line), type(error).__name__))
