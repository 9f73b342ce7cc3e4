"""
What others have made for the same job, to compare with in the same run; no part of the project's packages.

A peer is got once, by the package client, with its pinned hash, into a folder of its own.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measuring import ROOT

NAME = "django-pg-zero-downtime-migrations"
ENGINE = "django_zero_downtime_migrations.backends.postgres"
_VERSION = "0.20"
_HASH = "9d71c2137d81ac4f9853ed4b67d1a9b163588bc0314d37bd18d1d52a8e92656b"


def zero_downtime() -> Path | None:
    """
    Return the folder that holds the peer, got now if it isn't there; None where it can't be got.

    It needs Django alone, which it shares with the project: both are measured on the same one.
    """
    folder = ROOT / ".accord" / "peers" / f"{NAME}-{_VERSION}"
    if not folder.exists() and not _installed(folder):
        return None
    return folder


def _installed(folder: Path) -> bool:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as made:
        pins = Path(made) / "pins.txt"
        pins.write_text(f"{NAME}=={_VERSION} --hash=sha256:{_HASH}\n")
        new = Path(made) / "packages"
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
        done = subprocess.run([*command, "--target", str(new), "-r", str(pins)], check=False)
        if done.returncode == 0:
            # At once: a folder that is there is whole.
            new.rename(folder)
    return done.returncode == 0
