"""What the attacks need: how often, two runs to mix up, and disks that are full."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

#: ``make attack`` multiplies how often everything is tried.
ROUNDS = int(os.environ.get("BITBOX_ATTACK_ROUNDS", "1"))


def signals_of(folder: Path, seed: int, duration: float = 30) -> tuple[Path, Path]:
    """Write two files of signals."""
    from bitbox.synthetic.signals import imitated_pair

    folder.mkdir(parents=True, exist_ok=True)
    participant, model, _ = imitated_pair(duration=duration, seed=seed)
    return (
        participant.to_parquet(folder / f"participant{seed}.parquet"),
        model.to_parquet(folder / f"model{seed}.parquet"),
    )


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """Mount a disk of a few kilobytes or megabytes; skip the test where that is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = shutil.which("mount")
    if sys.platform != "linux" or mount is None:
        pytest.skip("small disks are made with Linux' mount")
    done = subprocess.run(
        [mount, "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextlib.contextmanager
def read_only(disk: Path) -> Iterator[None]:
    """Make a small disk one that cannot be written to, for a while."""

    def remount(how: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)

    remount("ro")
    try:
        yield
    finally:
        remount("rw")


@contextlib.contextmanager
def filled(disk: Path, left: int) -> Iterator[None]:
    """Leave so many bytes of a small disk free, for a while."""
    large = disk / "large"
    room = shutil.disk_usage(disk).free - left
    assert room > 0
    with large.open("wb") as file:
        file.write(bytes(room))
    try:
        yield
    finally:
        large.unlink()


def command(*arguments: object) -> list[str]:
    """Return the arguments of a process that runs the command."""
    return [sys.executable, "-m", "bitbox", *map(str, arguments)]


def left_over(folder: Path) -> list[str]:
    """Return what lies in a folder under hidden names."""
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))
