"""Starting 3DI's programs in a container or a local folder, never through a shell."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bitbox.errors import BackendError
from bitbox.files import reason
from bitbox.provenance import hash_file

#: What a native installation holds, relative to its folder.
PROGRAMS = (
    "video_detect_face",
    "video_detect_landmarks",
    "video_learn_identity",
    "video_from_saved_identity",
)
SCRIPTS = (
    "scripts/save_identity_and_shape.py",
    "scripts/total_variance_rec.py",
    "scripts/total_variance_rec_pose.py",
    "scripts/produce_canonicalized_3Dlandmarks.py",
    "scripts/compute_local_exp_coefficients.py",
)
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@-]*")
_PATIENCE = 60  # seconds for a container program to say whether it has an image


class Launcher(Protocol):
    """A way to start 3DI's programs."""

    def identity(self) -> dict[str, str]:
        """Return what tells this installation from another."""

    def inside(self, path: Path, video: Path, work: Path) -> str:
        """Return the name under which the programs see the video or a file of the work folder."""

    def command(self, words: Sequence[str], video: Path, work: Path) -> list[str]:
        """Return the full command line for a program and its arguments."""

    @property
    def folder(self) -> Path | None:
        """The folder in which the command is started; None: anywhere."""


@dataclass(frozen=True)
class NativeLauncher:
    """3DI compiled on this machine.

    Parameters
    ----------
    folder : Path
        The folder with its programs, ``scripts``, ``configs`` and ``models``.
    python : str
        The Python interpreter for its scripts.
    """

    folder: Path
    python: str

    @classmethod
    def check(cls, folder: Path) -> NativeLauncher:
        """Return the launcher if the installation is complete.

        Raises
        ------
        BackendError
            Naming every program that is missing or cannot be run.
        """
        folder = folder.resolve()
        missing = [name for name in (*PROGRAMS, *SCRIPTS) if not (folder / name).is_file()]
        if missing:
            raise BackendError(
                f"The folder {str(folder)!r} lacks parts of 3DI: {', '.join(missing)}.",
                todo="Compile 3DI as its authors describe, and give the folder of its programs.",
            )
        locked = [name for name in PROGRAMS if not os.access(folder / name, os.X_OK)]
        if locked:
            raise BackendError(
                f"These programs of 3DI may not be run: {', '.join(locked)}.",
                todo="Make them executable (chmod +x).",
            )
        python = shutil.which("python") or shutil.which("python3")
        if python is None:
            raise BackendError(
                "3DI's scripts need a Python interpreter, and there is none on the PATH.",
                todo="Activate the environment that 3DI was installed in.",
            )
        return cls(folder, python)

    def identity(self) -> dict[str, str]:
        """Return the hashes of the programs and scripts."""
        return {name: hash_file(self.folder / name) for name in (*PROGRAMS, *SCRIPTS)}

    def inside(self, path: Path, video: Path, work: Path) -> str:  # noqa: ARG002
        """Return the absolute path, which cannot be taken for an option."""
        return str(path.resolve())

    def command(self, words: Sequence[str], video: Path, work: Path) -> list[str]:  # noqa: ARG002
        """Return the program's own command line."""
        program, *rest = words
        if program == "python":
            return [self.python, *rest]
        return [str(self.folder / program), *rest]


@dataclass(frozen=True)
class ContainerLauncher:
    """3DI in a container image.

    Parameters
    ----------
    program : str
        Path of docker, podman, apptainer or singularity.
    kind : str
        Which of them it is.
    image : str
        Name of the image, or path of the image file.
    digest : str
        What tells this image from another of the same name.
    folder_inside : str or None
        The folder of 3DI's programs in the image; None: the image's working folder.
    """

    program: str
    kind: str
    image: str
    digest: str
    folder_inside: str | None = None

    folder = None

    def identity(self) -> dict[str, str]:
        """Return the image's digest."""
        return {"image": self.digest, "folder": self.folder_inside or ""}

    def inside(self, path: Path, video: Path, work: Path) -> str:  # noqa: ARG002
        """Return the path in the container; the video gets a plain name there."""
        return f"/input/video{video.suffix}" if path == video else f"/output/{path.name}"

    def command(self, words: Sequence[str], video: Path, work: Path) -> list[str]:
        """Return the container program's command line, with graphics card and folders."""
        program, *rest = words
        inner = [program if program == "python" else f"./{program}", *rest]
        video_inside = self.inside(video, video, work)
        if self.kind in ("apptainer", "singularity"):
            mounts = [
                _csv("type=bind", f"source={video.resolve()}", f"destination={video_inside}", "ro"),
                _csv("type=bind", f"source={work.resolve()}", "destination=/output"),
            ]
            start = [self.program, "exec", "--nv"]
            place = ["--pwd", self.folder_inside or "/"]
        else:
            mounts = [
                _csv(
                    "type=bind", f"source={video.resolve()}", f"target={video_inside}", "readonly"
                ),
                _csv("type=bind", f"source={work.resolve()}", "target=/output"),
            ]
            gpu = "--gpus=all" if self.kind == "docker" else "--device=nvidia.com/gpu=all"
            start = [self.program, "run", "--rm", "--network=none", gpu, *self._user()]
            place = ["--workdir", self.folder_inside] if self.folder_inside else []
        bound = [word for mount in mounts for word in ("--mount", mount)]
        return [*start, *bound, *place, self.image, *inner]

    def _user(self) -> list[str]:
        """Make the files belong to the user, not to the container's root."""
        if os.name != "posix":
            return []
        if self.kind == "podman":
            return ["--userns=keep-id"]
        return [f"--user={os.getuid()}:{os.getgid()}"]


def find_launcher(runtime: str | Path, folder_inside: str | None = None) -> Launcher:
    """Return the launcher for a container image, an image file or a folder.

    Parameters
    ----------
    runtime : str or Path
        Name of an image that docker or podman has, a ``.sif`` file, or a folder.
    folder_inside : str, optional
        The folder of 3DI's programs in the image.

    Raises
    ------
    BackendError
        It is not there, or what it needs is missing.
    """
    path = Path(runtime).expanduser()
    holds_3di = any((path / name).exists() for name in PROGRAMS)
    if isinstance(runtime, Path) or holds_3di or _looks_like_path(runtime):
        if path.is_dir():
            return NativeLauncher.check(path)
        if path.is_file():
            return _image_file(path, folder_inside)
        raise BackendError(
            f"There is no folder or container file {str(runtime)!r}.",
            todo="Check the path.",
        )
    if _IMAGE.fullmatch(runtime) is None:
        raise BackendError(
            f"{runtime!r} is neither a folder nor the name of a container image.",
            expected="a name like 'bitbox:latest'",
        )
    return _image_by_name(runtime, folder_inside)


def _looks_like_path(text: str) -> bool:
    return text.startswith((".", "/", "~", "\\")) or text.endswith((".sif", ".simg"))


def _image_file(path: Path, folder_inside: str | None) -> ContainerLauncher:
    for kind in ("apptainer", "singularity"):
        program = shutil.which(kind)
        if program is None:
            continue
        if folder_inside is None:
            raise BackendError(
                f"Where 3DI lies inside {path.name} is not known.",
                todo="Give the folder of its programs as folder_inside, for instance "
                "FaceProcessor3DI(runtime, folder_inside='/opt/3DI/build').",
            )
        image = str(path.resolve())
        return ContainerLauncher(program, kind, image, hash_file(path), folder_inside)
    raise BackendError(
        f"{path.name} is a container file, and neither apptainer nor singularity is installed.",
        todo="Install one of them.",
    )


def _image_by_name(image: str, folder_inside: str | None) -> ContainerLauncher:
    reasons = []
    for kind in ("docker", "podman"):
        program = shutil.which(kind)
        if program is None:
            continue
        digest, why = _ask_for_image(program, image)
        if digest:
            return ContainerLauncher(program, kind, image, digest, folder_inside)
        reasons.append(f"{kind} {why}")
    if not reasons:
        raise BackendError(
            "No container program (docker or podman) is installed.",
            todo="Install docker, and get the image from those who make it.",
        )
    raise BackendError(
        f"{'; '.join(reasons)}.", todo=f"Get the image {image!r} from those who make it."
    )


def _ask_for_image(program: str, image: str) -> tuple[str, str]:
    """Return the image's digest, or "" and why there is none."""
    words = [program, "image", "inspect", "--format", "{{.Id}}", image]
    try:
        answer = subprocess.run(  # noqa: S603 - a list of words, no shell
            words, capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return "", f"does not answer within {_PATIENCE} seconds"
    except OSError as error:
        return "", f"cannot be started ({reason(error)})"
    if answer.returncode == 0 and answer.stdout.strip():
        return answer.stdout.strip(), ""
    said = (answer.stderr.strip().splitlines() or ["no reason given"])[-1]
    if "no such" in said.lower():
        return "", f"has no image {image!r}"
    return "", f"cannot tell whether it has the image {image!r} ({said.rstrip('.')})"


def _csv(*fields: str) -> str:
    """Join the fields of a --mount, which is one line of CSV: paths may hold commas and quotes."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(fields)
    return line.getvalue()
