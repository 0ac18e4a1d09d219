"""What to say where a library of an extra is missing, or does not start on this system."""

from __future__ import annotations

import importlib
import re

from bitbox.errors import BackendError

#: Module, name in words, and the extra that installs it.
_LIBRARIES = {
    "av": ("PyAV", "video"),
    "cv2": ("OpenCV", "video"),
    "mediapipe": ("MediaPipe", "video"),
    "skimage": ("scikit-image", "video"),
    "PIL": ("Pillow", "report"),
    "plotly": ("Plotly", "report"),
    "jinja2": ("Jinja", "report"),
    "markupsafe": ("MarkupSafe", "report"),
    "distributed": ("Dask", "study"),
    "openpyxl": ("openpyxl", "study"),
    "dask_jobqueue": ("dask-jobqueue", "slurm"),
}
#: Libraries of the system, and the packages of Debian and Ubuntu that bring them.
_PACKAGES = {
    "libGL": "libgl1",
    "libgthread-2.0": "libglib2.0-0",
    "libglib-2.0": "libglib2.0-0",
    "libEGL": "libegl1",
    "libGLESv2": "libgles2",
    "libSM": "libsm6",
    "libICE": "libice6",
    "libXext": "libxext6",
    "libXrender": "libxrender1",
    "libX11": "libx11-6",
    "libxcb": "libxcb1",
    "libgomp": "libgomp1",
}
_SHARED = re.compile(r"(?P<name>lib[\w.+-]+?)\.(?:so|dylib)\b[\w.]*: cannot open shared object")


def need(purpose: str, *modules: str) -> None:
    """Import modules of an extra, so that what is missing is told in words.

    Parameters
    ----------
    purpose : str
        What they are needed for, at the start of a sentence: ``"Reading video"``.
    *modules : str
        Their names.

    Raises
    ------
    BackendError
        One is not installed, or does not start.
    """
    for module in modules:
        try:
            importlib.import_module(module)
        except (ImportError, OSError) as error:
            raise unusable(error, purpose, module) from error


def unusable(
    error: ImportError | OSError, purpose: str = "This", module: str | None = None
) -> BackendError:
    """Return the error that says in words why a library cannot be imported.

    Parameters
    ----------
    error : ImportError or OSError
        What importing it raised.
    purpose : str
        What it is needed for.
    module : str, optional
        What was imported; None: the module that `error` names.
    """
    missing = (getattr(error, "name", None) or "").split(".")[0]
    top = (module or missing).split(".")[0]
    name, extra = _LIBRARIES.get(top, (top or "a library", "all"))
    shared = _SHARED.search(str(error))
    if shared is not None:
        package = _PACKAGES.get(shared["name"])
        return BackendError(
            f"{purpose} needs {name}, which does not start: the system's library "
            f"{shared['name']} is missing.",
            todo=f"On Debian or Ubuntu: apt-get install {package}."
            if package
            else f"Install the package of your system that brings {shared['name']}.",
        )
    if isinstance(error, ModuleNotFoundError) and missing in (top, ""):
        return BackendError(
            f"{purpose} needs {name}, which is not installed.",
            todo=f"Install openbitbox with its {extra} extra: pip install 'openbitbox[{extra}]'.",
        )
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    return BackendError(
        f"{purpose} needs {name}, which does not start ({reason}).",
        todo=f"Install it anew: pip install --force-reinstall 'openbitbox[{extra}]'.",
    )
