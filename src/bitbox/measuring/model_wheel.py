"""Getting MediaPipe's last wheel that holds models, through the user's own package index.

No address is known here: pip, or uv where there is no pip, asks the index, mirror or folder that
it is set up for, and both check the wheel's SHA-256. Nothing of the wheel is run or imported.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from importlib import util
from pathlib import Path

from bitbox.errors import BackendError

#: One wheel serves all platforms, since its models are the same in all.
REQUIREMENT = "mediapipe==0.10.21"
WHEEL_SHA256 = "956eb1ebc275c629e61b085b2cab89c3a5b9e93bad1bb107348d98dafb5a4bb5"
_PYTHON, _ABI, _PLATFORM = "3.12", "cp312", "manylinux_2_28_x86_64"
#: What fetches that wheel on another computer.
BY_HAND = (
    f"pip download --no-deps --only-binary :all: --python-version {_PYTHON} "
    f"--platform {_PLATFORM} {REQUIREMENT}"
)


def fetch(folder: Path) -> Path | zipfile.Path:
    """Fetch the wheel.

    Parameters
    ----------
    folder : Path
        An empty folder, for the wheel or what is in it.

    Returns
    -------
    Path or zipfile.Path
        The content of the wheel.

    Raises
    ------
    BackendError
        There is neither pip nor uv, or the wheel cannot be had.
    """
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{REQUIREMENT} --hash=sha256:{WHEEL_SHA256}\n", encoding="utf-8")
    target = folder / "wheel"
    uv = shutil.which("uv")
    common = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", str(wanted)]
    if util.find_spec("pip") is not None:
        _run(
            [
                *(sys.executable, "-m", "pip", "download", "--disable-pip-version-check"),
                *("--no-input", "--quiet", *common, "--dest", str(target)),
                *("--python-version", _PYTHON, "--implementation", "cp", "--abi", _ABI),
                *("--platform", _PLATFORM),
            ]
        )
        return zipfile.Path(next(target.glob("*.whl")))
    if uv is not None:
        _run(
            [
                *(uv, "pip", "install", "--quiet", *common, "--target", str(target)),
                *("--python", sys.executable, "--python-version", _PYTHON),
                *("--python-platform", f"x86_64-{_PLATFORM.removesuffix('_x86_64')}"),
            ]
        )
        return target
    raise BackendError(
        "Neither pip nor uv was found, and one of them is needed to get MediaPipe's wheel.",
        todo=f"Get it on a computer with pip ({BY_HAND}), and name the file: "
        "bitbox models install --wheel FILE.",
    )


def _run(command: list[str]) -> None:
    """Run pip or uv.

    Raises
    ------
    BackendError
        It failed.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode == 0:
        return
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")] or lines
    program = "pip" if "-m" in command else "uv"
    raise BackendError(
        f"{program} could not get the wheel of {REQUIREMENT}.",
        got=errors[-1] if errors else f"exit code {done.returncode}",
        todo=f"Check the network and that {program} can install packages here. Or get the wheel on "
        f"another computer ({BY_HAND}), and name the file: bitbox models install --wheel FILE.",
    )
