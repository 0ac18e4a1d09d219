"""The models that newer MediaPipe needs: named by the user, or installed in the user's cache.

MediaPipe 0.10.21 brings its models along. Later versions (the only ones for Python 3.13 and later)
do not. Its wheel can still be had from any package index, so `install_models` takes the models
out of it; how the wheel is fetched is the business of `bitbox.measuring.model_wheel`.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
import zipfile
from dataclasses import dataclass
from importlib import util
from pathlib import Path
from typing import Protocol

from bitbox.errors import BackendError, InputError, OutputError
from bitbox.files import reason, replacing
from bitbox.provenance import hash_file
from bitbox.system.extras import unusable

#: The environment variable that names a model file: a bundle, or one for FaceLandmarker.
MODEL_VARIABLE = "BITBOX_FACE_LANDMARKER"
#: The environment variable that names the cache folder.
CACHE_VARIABLE = "BITBOX_CACHE_DIR"

_MODULES = "mediapipe/modules/"
_LICENCE = "mediapipe-0.10.21.dist-info/LICENSE"
#: The licence of all models (Apache 2.0), as it stands beside them.
LICENCE_NAME = "MediaPipe-LICENSE.txt"


@dataclass(frozen=True, slots=True)
class Bundle:
    """Models that are used together, as one file.

    Parameters
    ----------
    name : str
        Short name, part of the file's name.
    what : str
        What it is, for the user.
    members : dict of str to str
        Name in the bundle, and the file in MediaPipe's wheel.
    sha256 : str
        Of the bundle, which has the same bytes wherever it is made.
    """

    name: str
    what: str
    members: dict[str, str]
    sha256: str

    @property
    def path(self) -> Path:
        """Where the bundle is, or will be."""
        return model_folder() / f"{self.name}-{self.sha256[:16]}.task"


FACE = Bundle(
    "face",
    "face detectors and face mesh",
    {
        "face_mesh.tflite": "face_landmark/face_landmark_with_attention.tflite",
        "far_faces.tflite": "face_detection/face_detection_full_range_sparse.tflite",
        "near_faces.tflite": "face_detection/face_detection_short_range.tflite",
    },
    "5722720bfa149fdf724608b7735878af2b22dc4b59f10cc62ea68428be4b6a24",
)
BODY = Bundle(
    "body",
    "models of bodies and hands",
    {
        "people.tflite": "pose_detection/pose_detection.tflite",
        "joints.tflite": "pose_landmark/pose_landmark_full.tflite",
        "hand.tflite": "hand_landmark/hand_landmark_full.tflite",
    },
    "a7f45fbfa540b0d64f606ec30d40a5946b29827098b293dc5bc340454fbfc86f",
)
#: All that can be installed. Another bundle is another row.
BUNDLES = (FACE, BODY)


class Content(Protocol):
    """A folder, on disk or in a zip file, as pathlib.Path and zipfile.Path are."""

    def __truediv__(self, name: str, /) -> Content:
        """Return what has this name in the folder."""

    def read_bytes(self) -> bytes:
        """Return the content of a file."""


def model_folder() -> Path:
    """Return the folder in the user's cache where models are kept."""
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
            expected="the path of a .task file",
        )
    return file


def find_model(path: str | Path | None = None) -> Path:
    """Return the model file of faces: named, or installed earlier.

    Parameters
    ----------
    path : path, optional
        The file. If None, the environment variable ``BITBOX_FACE_LANDMARKER`` may name it; if
        that is not set, the installed one is taken.

    Raises
    ------
    BackendError
        There is none, or the installed one was damaged since.
    """
    named = named_model(path)
    return installed(FACE) if named is None else named


def installed(bundle: Bundle) -> Path:
    """Return the file of an installed bundle.

    Raises
    ------
    BackendError
        There is none, or it was damaged since.
    """
    if not bundle.path.is_file():
        raise BackendError(
            f"This version of MediaPipe brings no {bundle.what} along, and none are installed.",
            todo="Install them, once: bitbox models install.",
        )
    if hash_file(bundle.path) != bundle.sha256:
        raise BackendError(
            f"The installed models {str(bundle.path)!r} are damaged: their checksum is wrong.",
            todo="Install them anew: bitbox models install.",
        )
    return bundle.path


def is_bundle(model: Path, bundle: Bundle = FACE) -> bool:
    """Tell whether a model file is made like a bundle; if not, it is for FaceLandmarker."""
    try:
        with zipfile.ZipFile(model) as task:
            return set(bundle.members) <= set(task.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def is_installed(bundle: Bundle) -> bool:
    """Tell whether a bundle is installed and undamaged."""
    return bundle.path.is_file() and hash_file(bundle.path) == bundle.sha256


def require_mediapipe() -> None:
    """Refuse to speak of models where MediaPipe is not installed; looked up, not imported.

    Raises
    ------
    BackendError
    """
    if util.find_spec("mediapipe") is None:
        raise unusable(ModuleNotFoundError(name="mediapipe"), "Following faces")


def brings_models() -> bool:
    """Tell whether MediaPipe has its own models, or is not installed; looked up, not imported."""
    found = util.find_spec("mediapipe")
    if found is None or not found.submodule_search_locations:
        return True  # the error that it is not installed comes when it is started
    folder = Path(found.submodule_search_locations[0])
    return (folder / "python" / "solution_base.py").is_file()


def install_models(wheel: Path | None = None) -> list[Path]:
    """Make all bundles in the user's cache, with their licence beside them.

    Parameters
    ----------
    wheel : path, optional
        MediaPipe 0.10.21's wheel, of any platform. None: it is fetched from the package index
        that pip or uv is set up for, and removed again.

    Returns
    -------
    list of Path
        The bundles. Nothing is fetched where all are there already.

    Raises
    ------
    InputError
        The wheel cannot be read or is another one.
    BackendError
        The wheel cannot be fetched, or its models have another checksum; nothing is kept.
    OutputError
        The cache cannot be written.
    """
    if wheel is None and all(map(is_installed, BUNDLES)):
        return [bundle.path for bundle in BUNDLES]
    if wheel is not None:
        return _install_from(_opened(wheel))
    from bitbox.measuring.model_wheel import fetch

    with tempfile.TemporaryDirectory(prefix="bitbox-") as folder:
        return _install_from(fetch(Path(folder)))


def bundled(bundle: Bundle, content: Content) -> bytes:
    """Return a bundle made of the files in MediaPipe's wheel: the same bytes wherever it is made.

    Raises
    ------
    KeyError, OSError
        A file is not there.
    """
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as task:
        for name, source in bundle.members.items():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.create_system = 3  # else it tells the system on which it was made
            task.writestr(entry, (content / (_MODULES + source)).read_bytes())
    return made.getvalue()


def _opened(wheel: Path) -> Content:
    try:
        return zipfile.Path(wheel)
    except (OSError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{wheel} cannot be read as a wheel.",
            expected="the file mediapipe-0.10.21-....whl",
            got=reason(error),
        ) from error


def _install_from(content: Content) -> list[Path]:
    """Make all bundles of the content of a wheel, or none."""
    try:
        made = [(bundle, bundled(bundle, content)) for bundle in BUNDLES]
        licence = (content / _LICENCE).read_bytes()
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(
            f"There are no such models in this wheel ({error}).",
            expected="the wheel of MediaPipe 0.10.21",
        ) from error
    for bundle, data in made:
        found = hashlib.sha256(data).hexdigest()
        if found != bundle.sha256:
            raise BackendError(
                f"The {bundle.what} have another checksum than they should have, and are not used.",
                expected=bundle.sha256,
                got=found,
                todo="Somebody changed the wheel: get it from another place.",
            )
    try:
        model_folder().mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"The folder {str(model_folder())!r} cannot be made ({reason(error)}).",
            todo=f"Name another folder in {CACHE_VARIABLE}.",
        ) from error
    with replacing(model_folder() / LICENCE_NAME) as temporary:
        temporary.write_bytes(licence)
    for bundle, data in made:
        with replacing(bundle.path) as temporary:
            temporary.write_bytes(data)
    return [bundle.path for bundle in BUNDLES]
