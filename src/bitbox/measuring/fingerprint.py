"""Which code measured something: part of the key of every stored result."""

from __future__ import annotations

import hashlib
from collections.abc import Container
from pathlib import Path

#: Folders whose code has a part in whatever is measured: pictures, who is measured, and how.
_DECIDING = ("video", "people", "measuring")
#: Code in them that has none.
_NOT_MEASURING = (
    *("writing.py", "store.py", "store_entry.py", "retention.py", "processor.py"),
    *("models.py", "model_wheel.py"),
)


def hash_of_code(folder: Path, left_out: Container[str] = ()) -> str:
    """Return a hash of the code and data that turn a video into signals.

    Stored results are found again only by the very code that made them; a version number would
    have to be remembered by whoever changes a definition.

    Parameters
    ----------
    folder : Path
        Of the code of a back end, with its data.
    left_out : container of str
        Names of its files that have no part in what is measured.
    """
    files = [
        path
        for path in (*folder.glob("*.py"), *folder.glob("data/**/*"))
        if path.name not in left_out
    ]
    for name in _DECIDING:
        shared = (folder.parent / name).glob("*.py")
        files += [path for path in shared if path.name not in _NOT_MEASURING]
    digest = hashlib.sha256()
    for path in sorted(files):
        if path.is_file():
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
