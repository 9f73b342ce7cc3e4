"""TLS: whom to trust, and whether an address speaks it: a plain request gets no answer that says so."""

from __future__ import annotations

import socket
import ssl

from accord.errors import ConfigurationError
from accord.secrets import redact


def trusting(ca_certs: str) -> ssl.SSLContext:
    """
    Return the context that a connection trusts certificates by.

    Args:
        ca_certs: File with the certificates to trust instead of the system's; empty for those.

    Raises:
        ConfigurationError: It can't be read.
    """
    try:
        return ssl.create_default_context(cafile=ca_certs or None)
    except OSError as exc:
        raise ConfigurationError(
            f"The certificates in {ca_certs} can't be read ({redact.first_line(exc)}).",
            hint="Set CA_CERTS of the search store to a file in PEM form.",
        ) from exc


def speaks_tls(host: str, port: int, seconds: float) -> bool:
    """
    Return whether an address completes a TLS handshake. Nothing is sent, and nothing trusted.

    Args:
        host: Name or address.
        port: Its port.
        seconds: How long to wait for it, for each of connecting and shaking hands.

    Returns:
        False also where that can't be told: it refuses, is silent, or speaks another protocol.
    """
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with socket.create_connection((host, port), timeout=seconds) as plain, context.wrap_socket(plain):
            return True
    except OSError:
        return False
