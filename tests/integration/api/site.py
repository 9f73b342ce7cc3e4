"""Serve the sample project on a free port, for a client that asks more often than any account may."""

from __future__ import annotations

import sys
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.test import override_settings


class Threaded(ThreadingMixIn, WSGIServer):
    """A thread for each request, as servers do it."""

    daemon_threads = True


class Quiet(WSGIRequestHandler):
    """Logs nothing: what was asked would fill the pipe that nobody reads."""

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    django.setup()
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    rates = {"accord_read": None, "accord_write": None, "accord_sign_in": None, "accord_sign_in_name": None}
    with override_settings(REST_FRAMEWORK=settings.REST_FRAMEWORK | {"DEFAULT_THROTTLE_RATES": rates}):
        server = make_server("127.0.0.1", 0, get_wsgi_application(), Threaded, Quiet)
        sys.stdout.write(f"{server.server_port}\n")
        sys.stdout.flush()
        server.serve_forever()
