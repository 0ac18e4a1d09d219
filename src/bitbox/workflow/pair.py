"""Both recordings of a pair, measured at the same time."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, TypeVar

from bitbox.errors import BitboxError
from bitbox.measuring.spool import answering
from bitbox.progress import Progress
from bitbox.system.cores import cores
from bitbox.system.elsewhere import NotStartedError, elsewhere
from bitbox.system.memory import give_back
from bitbox.video import probe
from bitbox.workflow.clocks import Clocks
from bitbox.workflow.first_use import load_analysis
from bitbox.workflow.fitting import fitted
from bitbox.workflow.recordings import (
    Recording,
    Role,
    is_measured,
    is_video,
    load_beside,
)
from bitbox.workflow.settings import Settings
from bitbox.workflow.together import require_two_faces, track_both

T = TypeVar("T")

#: Videos of so many seconds are measured in two processes; in less, one costs what it gains.
LONG = 20.0


def load_both(
    participant: Path,
    model: Path,
    cache: Path | None,
    settings: Settings,
    clocks: Clocks,
    progress: Progress | None,
    threads: int | None = None,
) -> tuple[Recording, Recording]:
    """Return both people, on their clocks; parameters as for `analyse_files`."""
    track_both(participant, model, cache, settings, progress)
    busy = 2 if threads is None else max(2, cores() // threads)  # jobs like these two

    def arguments(path: Path, role: Role) -> dict[str, Any]:
        given = {"path": path, "role": role, "choice": settings.signals, "cache": cache}
        return {**given, **settings.loading(role)}

    # found out before anything is begun: what that imports is needed by both
    in_two = threads != 1 and _takes_long((participant, model), cache, settings)
    is_elsewhere = threading.Event()

    def here(told: Progress) -> Recording:
        mine = load_beside(busy, told, **arguments(participant, "participant"))
        if is_elsewhere.is_set():  # and nothing else to do until the other process is done
            load_analysis()
        return mine

    def beside(told: Progress) -> Recording:
        wanted = arguments(model, "model")
        if in_two:
            with contextlib.suppress(NotStartedError), answering() as answer:
                is_elsewhere.set()
                found = elsewhere(load_beside, {"busy": busy, **wanted}, told, answer)
                is_elsewhere.clear()
                return found
        return load_beside(busy, told, **wanted)

    # Tables one after the other: what reading one needs for a moment is several times its size.
    filmed = is_video(participant), is_video(model)
    first, second = _run([here, beside], progress, 2 if any(filmed) else 1)
    if not all(filmed):
        give_back()
    require_two_faces(first, second)
    first, second = fitted((first, second), settings, clocks.offset)
    return clocks.steadied(first), second


def _takes_long(paths: tuple[Path, Path], cache: Path | None, settings: Settings) -> bool:
    """Tell whether two recordings are measured sooner in two processes than in two threads."""
    roles: tuple[Role, Role] = ("participant", "model")
    for path, role in zip(paths, roles, strict=True):
        if not is_video(path):
            return False
        try:
            if (probe(path).duration or 0.0) < LONG:
                return False
            whom = settings.loading(role)
            chosen = {name: whom[name] for name in ("face", "body_fps")}
            if is_measured(path, settings.signals, cache, **chosen):
                return False
        except BitboxError:
            return False  # told where it is measured
    return True


class _StoppedError(Exception):
    """Another job failed, or the user interrupted."""


def _run(
    jobs: Sequence[Callable[[Progress], T]], progress: Progress | None, at_once: int
) -> list[T]:
    """Run jobs in threads; when one fails or Ctrl-C comes, stop the others at their next frame."""
    stop = threading.Event()

    def told(task: str, done: int, total: int | None) -> None:
        if stop.is_set():
            raise _StoppedError
        if progress is not None:
            progress(task, done, total)

    with ThreadPoolExecutor(at_once) as pool:
        futures = [pool.submit(job, told) for job in jobs]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        finally:
            stop.set()
    failures = [f.exception() for f in futures]
    for failure in failures:
        if failure is not None and not isinstance(failure, _StoppedError):
            raise failure
    return [future.result() for future in futures]
