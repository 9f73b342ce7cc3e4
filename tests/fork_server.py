"""
A Python that has loaded the libraries, and becomes the program that a test asks for.

Most of what a short command costs is loading Django and the drivers. This process loads them once, and
forks for each command: what runs is a process of its own, with the arguments, the environment, the
`sys.path` and the files that it would have had as a new one. The packages of this checkout are not
loaded here, so that each command loads them under its own settings.

It is started by `tests/forks.py`, which alone talks to it.
"""

from __future__ import annotations

import builtins
import contextlib
import ctypes.util
import functools
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import sys
import time
import types
from typing import Any

LIBRARIES = (
    *(
        "django.core.management",
        "django.core.handlers.wsgi",
        "django.db.models",
        "django.db.migrations.loader",
    ),
    *("django.db.backends.postgresql.base", "django.forms", "django.template.backends.django", "django.urls"),
    *("alembic.command", "bson.json_util", "cryptography.x509", "drf_spectacular.types", "elasticsearch"),
    *("environ", "psycopg2.extras", "pymongo", "pymongo.uri_parser", "rich.console", "rich.live"),
    *("rich.progress", "rich.table", "sqlalchemy.dialects.postgresql", "urllib3"),
)
LONGEST_QUESTION = 2**20


def serve(listening: socket.socket) -> dict[str, Any]:
    """
    Fork for each question.

    Returns:
        In a forked process only: what its program is to be.
    """
    while True:
        text, files, _flags, _address = socket.recv_fds(listening, LONGEST_QUESTION, 3)
        if not text:
            sys.exit()
        question: dict[str, Any] = json.loads(text)
        if os.fork() == 0:
            listening.close()
            watch(question, *files)
            return question
        for file in files:
            os.close(file)


def watch(question: dict[str, Any], out: int, err: int, answer: int) -> None:
    """Fork once more, and only come back in the new process: this one says how that one ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid == 0:
        take_files(out, err, answer)
        take_environment(question)
        return
    os.close(out)
    os.close(err)
    os.write(answer, b"%d\n" % pid)
    _, status = os.waitpid(pid, 0)
    os.write(answer, b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def take_files(out: int, err: int, answer: int) -> None:
    """Stand where a new process would: nothing to read, two files to write, and nothing else open."""
    os.close(answer)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for file, number in ((nothing, 0), (out, 1), (err, 2)):
        os.dup2(file, number)
        os.close(file)


def take_environment(question: dict[str, Any]) -> None:
    """Take over variables, folder and `sys.path`."""
    os.environ.clear()
    os.environ.update(question["environment"])
    os.chdir(question["folder"])
    time.tzset()
    sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
    named = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:] = [*(os.path.abspath(part) for part in named if part), *BASE_PATH]  # noqa: PTH100 - as site.py


def become(question: dict[str, Any]) -> None:
    """Run the program as `python ARGUMENTS` would."""
    kind, *rest = question["arguments"]
    if kind == "-m":
        sys.path.insert(0, question["folder"])
        sys.argv = rest
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif kind == "-c":
        sys.path.insert(0, "")
        sys.argv = ["-c", *rest[1:]]
        main = types.ModuleType("__main__")
        main.__dict__["__builtins__"] = builtins
        sys.modules["__main__"] = main
        exec(compile(rest[0], "<string>", "exec"), main.__dict__)  # noqa: S102 - it is what -c means
    else:
        sys.path.insert(0, os.path.dirname(os.path.abspath(kind)))  # noqa: PTH100, PTH120 - as Python does
        sys.argv = [kind, *rest]
        runpy.run_path(kind, run_name="__main__")


def look_for_gdal() -> None:
    """
    Learn once that the machine has no GDAL.

    Whoever opens a MongoDB by Django looks for it three times, under twelve names, each by ldconfig, gcc and
    ld: about a second of every command.
    """
    from django.core.exceptions import ImproperlyConfigured

    ctypes.util.find_library = functools.cache(ctypes.util.find_library)
    with contextlib.suppress(ImproperlyConfigured):
        importlib.import_module("django.contrib.gis.gdal.libgdal")


# The first entry is the folder of this script; `forks.py` leaves PYTHONPATH out.
BASE_PATH = sys.path[1:]

if __name__ == "__main__":
    for library in LIBRARIES:
        importlib.import_module(library)
    look_for_gdal()
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    become(serve(socket.socket(fileno=int(sys.argv[1]))))
