"""Where a result comes from: versions, machine, hashes of the inputs."""

from __future__ import annotations

import functools
import hashlib
import platform
from importlib import metadata
from pathlib import Path

from bitbox import __version__

_PACKAGES = (
    "numpy",
    "scipy",
    "numba",
    "pandas",
    "xarray",
    "pyarrow",
    "mediapipe",
    "av",
    "plotly",
)


def versions() -> dict[str, str]:
    """Return the versions of bitbox, Python and the installed libraries that shape a result."""
    return {"bitbox": __version__, "python": platform.python_version(), **dict(_installed())}


@functools.cache
def _installed() -> tuple[tuple[str, str], ...]:
    """Look the libraries up once: that reads a file each, and every result has its versions."""
    found = []
    for name in _PACKAGES:
        try:
            found.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            continue
    return tuple(found)


def environment() -> dict[str, object]:
    """Return versions and a description of the machine, without anything that names its user."""
    return {
        "versions": versions(),
        "machine": platform.machine(),
        "system": platform.system(),
    }


def hash_file(path: str | Path) -> str:
    """Return the SHA-256 of a file's content as 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
