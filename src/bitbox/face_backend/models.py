"""The model file that newer MediaPipe needs: named, or fetched once and checked.

MediaPipe 0.10.21 brings its models along. Later versions (the only ones for Python 3.13 and
later) do not: they take a ``face_landmarker.task`` file, which MediaPipe's makers publish.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import secrets
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from bitbox.errors import BackendError, OutputError, ParameterError
from bitbox.files import reason
from bitbox.progress import Progress
from bitbox.provenance import hash_file

#: The environment variable that names a model file.
MODEL_VARIABLE = "BITBOX_FACE_LANDMARKER"
#: The environment variable that names the cache folder.
CACHE_VARIABLE = "BITBOX_CACHE_DIR"
#: Where MediaPipe's makers publish the model.
MODEL_URL = (
    "https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1/"
    "face_landmarker.task"
)
_FETCHED = re.compile(r"face_landmarker-(?P<sum>[0-9a-f]{64})\.task")
_CHUNK = 1 << 16
_PATIENCE = 30.0  # seconds without a byte


def model_folder() -> Path:
    """Return the folder in the user's cache where fetched models are kept."""
    import platformdirs

    named = os.environ.get(CACHE_VARIABLE)
    return (Path(named) if named else Path(platformdirs.user_cache_dir("bitbox"))) / "models"


def named_model(path: str | Path | None = None) -> Path | None:
    """Return the model file that the user names, by argument or environment variable, or None.

    Raises
    ------
    BackendError
        There is no such file.
    """
    named = path or os.environ.get(MODEL_VARIABLE)
    if not named:
        return None
    file = Path(named).expanduser()
    if not file.is_file():
        how = "" if path else f" (named by {MODEL_VARIABLE})"
        raise BackendError(
            f"There is no model file {str(file)!r}{how}.",
            expected="the path of a face_landmarker.task file",
        )
    return file


def find_model(path: str | Path | None = None) -> Path:
    """Return the model file: named, or fetched earlier.

    Parameters
    ----------
    path : path, optional
        The file. If None, the environment variable ``BITBOX_FACE_LANDMARKER`` may name it; if
        that is not set, the one last fetched is taken.

    Raises
    ------
    BackendError
        There is none, or a fetched one was damaged since.
    """
    named = named_model(path)
    if named is not None:
        return named
    fetched = [
        (file.stat().st_mtime, file, match["sum"])
        for file in (model_folder().iterdir() if model_folder().is_dir() else ())
        if (match := _FETCHED.fullmatch(file.name))
    ]
    if not fetched:
        raise BackendError(
            "This version of MediaPipe needs a model file, and there is none.",
            todo="Download face_landmarker.task from MediaPipe's site and name it in the "
            f"environment variable {MODEL_VARIABLE}, or let bitbox fetch it: "
            "bitbox.face_backend.models.fetch_model(sha256=...).",
        )
    _, file, checksum = max(fetched)
    if hash_file(file) != checksum:
        raise BackendError(
            f"The fetched model {str(file)!r} is damaged: its checksum is wrong.",
            todo="Delete it and fetch it again.",
        )
    return file


def fetch_model(sha256: str, *, url: str = MODEL_URL, progress: Progress | None = None) -> Path:
    """Fetch a model file into the user's cache, and keep it only if its checksum is right.

    Parameters
    ----------
    sha256 : str
        The SHA-256 that the file must have, as 64 hexadecimal digits: from a colleague whose
        results you want to repeat, or of a copy that you trust.
    url : str
        Where the file is.
    progress : callable, optional
        Called as ``progress(task, bytes_done, bytes_total_or_None)``.

    Returns
    -------
    Path
        The file in the cache. Nothing is fetched if it is there already.

    Raises
    ------
    ParameterError
        `sha256` is not a checksum, or `url` not a web address.
    BackendError
        The file cannot be fetched, comes incomplete, or has another checksum; nothing is kept.
    """
    checksum = sha256.strip().lower()
    if re.fullmatch(r"[0-9a-f]{64}", checksum) is None:
        raise ParameterError(
            "The checksum of the model was not understood.",
            expected="a SHA-256: 64 hexadecimal digits",
            got=repr(sha256),
        )
    if not url.startswith(("https://", "http://")):
        raise ParameterError(
            "The address of the model is not a web address.",
            expected="https://...",
            got=repr(url),
        )
    target = model_folder() / f"face_landmarker-{checksum}.task"
    if target.is_file() and hash_file(target) == checksum:
        os.utime(target)  # the one last fetched is the one that is used
        return target
    temporary = target.with_name(f".{secrets.token_hex(6)}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        found = _download(url, temporary, progress)
        if found != checksum:
            raise BackendError(
                f"The model from {url} has another checksum than it should have, and is not used.",
                expected=checksum,
                got=found,
                todo="Check the checksum; if it is right, somebody changed the file.",
            )
        os.replace(temporary, target)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(
            f"The model cannot be kept in {str(target.parent)!r} ({reason(error)}).",
            todo=f"Name another folder in {CACHE_VARIABLE}.",
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink()
    return target


def _download(url: str, path: Path, progress: Progress | None) -> str:
    """Save a file and return its SHA-256."""
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for piece in _pieces(url, progress):
            file.write(piece)
            digest.update(piece)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def _pieces(url: str, progress: Progress | None) -> Iterator[bytes]:
    """Yield the content of a web address.

    Raises
    ------
    BackendError
        It cannot be reached, or ends before it is complete.
    """
    done = 0
    try:
        with urllib.request.urlopen(url, timeout=_PATIENCE) as answer:  # noqa: S310 - web only
            length = answer.headers.get("Content-Length")
            total = int(length) if length is not None else None
            while piece := answer.read(_CHUNK):
                done += len(piece)
                if progress is not None:
                    progress("Fetching the face model", done, total)
                yield piece
    except urllib.error.HTTPError as error:
        error.close()
        raise BackendError(f"The model cannot be fetched: {url} answers {error.code}.") from error
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, OSError) as error:
        why = getattr(error, "reason", None) or reason(error)
        raise BackendError(
            f"The model cannot be fetched from {url} ({why}).",
            todo="Check the network, or copy the file from another computer and name it in the "
            f"environment variable {MODEL_VARIABLE}.",
        ) from error
    if total is not None and done < total:
        raise BackendError(
            f"The download of the model was interrupted after {done} of {total} bytes.",
            todo="Try again.",
        )
