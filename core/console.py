"""What people read while embedded servers are fetched and started."""

from __future__ import annotations

import sys

from accord.events import Event, FetchProgressed, ServerReady, ServerStarting

MEGABYTE = 1_000_000


def report_to_stderr(event: Event) -> None:
    """
    Say an event in one plain line on standard error.

    On a terminal the progress of a fetch rewrites its line; elsewhere only its end is said.
    """
    if isinstance(event, FetchProgressed):
        _report_fetch(event)
    elif isinstance(event, ServerStarting):
        _say(f"Starting the embedded {event.store} (its URL is unset) ...")
    elif isinstance(event, ServerReady):
        _say(f"Embedded {event.store} is ready after {event.seconds:.1f} s.")


def _report_fetch(event: FetchProgressed) -> None:
    finished = event.total is not None and event.done >= event.total
    if not finished and not sys.stderr.isatty():
        return
    total = f" of {event.total / MEGABYTE:.0f}" if event.total is not None else ""
    text = f"Fetching {event.what} for {event.store}: {event.done / MEGABYTE:.0f}{total} MB"
    sys.stderr.write(f"\r{text}" if sys.stderr.isatty() else text)
    if finished or not sys.stderr.isatty():
        sys.stderr.write("\n")
    sys.stderr.flush()


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
