"""Processes that serve until they are told to stop: they end with the test run, however that ends."""

from __future__ import annotations

import ctypes
import signal

_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG


def die_with_parent() -> None:
    """
    Ask the kernel to kill this process when the one that started it is gone, even by SIGKILL.

    Is called between fork and exec (`preexec_fn`): one system call, and no lock that another
    thread could hold at this moment. The kernel looks at the thread that started the process,
    so only a thread that lives as long as the run may start one.
    """
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
