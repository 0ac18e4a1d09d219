"""What is in the files of a study: their hashes, which are kept until a file changes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from bitbox.files import replacing
from bitbox.provenance import hash_file


class Sources:
    """Hashes of files, remembered by their size and the time of their last change.

    Parameters
    ----------
    path : Path
        Where they are kept from one run to the next.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, list[object]] = {}
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return
        if isinstance(kept, dict):
            self._known = kept

    def sha256(self, path: Path) -> str:
        """Return the hash of a file's content; of a folder, of its files' names, sizes and times.

        Raises
        ------
        OSError
            It cannot be read.
        """
        if path.is_dir():
            listed = sorted(
                (file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in path.iterdir()
            )
            return hashlib.sha256(json.dumps(listed).encode()).hexdigest()
        status = path.stat()
        mark: list[object] = [status.st_size, status.st_mtime_ns]
        name = str(path.resolve())
        kept = self._known.get(name)
        if kept is None or kept[:2] != mark:
            kept = [*mark, hash_file(path)]
            self._known[name] = kept
        return str(kept[2])

    def keep(self) -> None:
        """Write what is known to the disk."""
        with replacing(self._path) as place:
            place.write_text(json.dumps(self._known), encoding="utf-8")
