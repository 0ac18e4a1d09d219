"""Work in jobs: some windows at a time, over threads, in order, in bounded memory."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation.layout import laid_out
from bitbox.correlation.plan import MIN_WINDOW, WindowPlan
from bitbox.errors import ParameterError, SchemaError

if TYPE_CHECKING:
    from bitbox.correlation.exact import Geometry
    from bitbox.correlation.workspace import Workspace

FloatArray = NDArray[np.float64]
SingleArray = NDArray[np.float32]
A = TypeVar("A")
T = TypeVar("T")

#: Products that a job of some windows should take: about two milliseconds' work, so that threads
#: share evenly and an interruption is noticed at once.
_JOB = 1.2e8


@dataclass(frozen=True, eq=False)
class Task:
    """Two sets of signals and what to do with them.

    x and y are as they were given; what the kernels need is laid out piece by piece, so that memory
    does not grow with the recording. `rows` and `columns` are the signals of x and of y that are
    correlated.
    """

    x: NDArray[Any]
    y: NDArray[Any]
    plan: WindowPlan
    geometry: Geometry
    order: NDArray[np.int64]
    rows: slice
    columns: slice

    @classmethod
    def prepare(
        cls, x: FloatArray, y: FloatArray, plan: WindowPlan, *, polarity: bool, min_valid: float
    ) -> Task:
        """Check the arguments."""
        from bitbox.correlation import exact

        first, second = _checked(x, "x", plan), _checked(y, "y", plan)
        if first.shape[2] != second.shape[2]:
            raise SchemaError(
                "Signals with different numbers of coordinates cannot be correlated.",
                expected=f"{first.shape[2]} coordinates in y, as in x",
                got=str(second.shape[2]),
            )
        terms = plan.window * first.shape[2]
        geometry = exact.Geometry(
            plan.window,
            plan.max_lag,
            frames_needed(plan, min_valid),
            plan.mode == "coordination",
            bool(polarity),
            register_file(),
            float32_limit(terms) if plan.mode == "imitation" else slide_limit(plan, terms),
        )
        signals = slice(0, first.shape[1]), slice(0, second.shape[1])
        return cls(first, second, plan, geometry, tie_order(plan), *signals)

    @property
    def n1(self) -> int:
        """The number of x's signals."""
        return int(self.rows.stop - self.rows.start)

    @property
    def n2(self) -> int:
        """The number of y's signals."""
        return int(self.columns.stop - self.columns.start)

    @property
    def windows_per_job(self) -> int:
        """How many windows make a job; the same for any number of threads."""
        pairs = self.n1 * self.n2
        cost = pairs * self.order.size * self.plan.window * self.x.shape[2]
        most = max(1, int(8e6 / pairs))
        # Blocks of many signals are enough to share, and their sums take long to add up.
        work = 3 * _JOB if pairs < self.x.shape[1] * self.y.shape[1] else _JOB
        size = min(max(1 if self.geometry.coordination else 4, work / cost), most, 4096)
        even = -(-self.plan.n_windows // math.ceil(self.plan.n_windows / size))
        return even + even % 2  # those that overlap are done two at a time

    @property
    def padded(self) -> tuple[int, int]:
        """The numbers of signals in whole tiles."""
        from bitbox.correlation import tiles

        return whole(self.n1, tiles.ROWS), whole(self.n2, tiles.COLUMNS)

    def laid_out(self, begin: int, end: int) -> tuple[FloatArray, FloatArray]:
        """Return some frames of x and y laid out for the kernels, padded to whole tiles."""
        from bitbox.correlation import tiles

        return (
            laid_out(self.x[:, self.rows], (begin, end), "x", tiles.ROWS),
            laid_out(self.y[:, self.columns], (begin, end), "y", tiles.COLUMNS),
        )


def each_window(
    tasks: Iterable[Task],
    use: Callable[[int, int, SingleArray, SingleArray], T],
    threads: int | None,
) -> Iterator[tuple[int, T]]:
    """Yield (windows done, what ``use(number of the task, first window, r, lag)`` made), in order.

    It is called in the threads, for some windows at a time. r and lag (frames), (windows, n1 or
    more, n2 or more), float32, are overwritten afterwards. The tasks have windows
    and lags of the same sizes, and the same numbers of coordinates.
    """

    def work(room: Workspace, task: Task, where: tuple[int, int]) -> tuple[int, T]:
        number, first = where
        r, lag = room.windows(task, first)
        return len(r), use(number, first, r, lag)

    done = 0
    for count, made in _each_job(tasks, work, threads):
        done += count
        yield done, made


def sums(tasks: Iterable[Task], threads: int | None) -> Iterator[tuple[int, int, FloatArray]]:
    """Yield (windows done, number of the task, sums over some of its windows), in order.

    The sums are (5, n1 or more, n2 or more): count, and of r, its magnitude, its square, and lags.
    They are overwritten after the next ones were asked for.
    """
    spare: list[FloatArray] = []

    def work(room: Workspace, task: Task, where: tuple[int, int]) -> tuple[int, int, FloatArray]:
        part = _one_of(spare, (5, *task.padded))
        return room.add(task, where[1], part), where[0], part

    done = 0
    for count, number, part in _each_job(tasks, work, threads):
        done += count
        yield done, number, part
        spare.append(part)


def _one_of(spare: list[FloatArray], shape: tuple[int, ...]) -> FloatArray:
    """Return an array of a shape, a spare one if there is one; threads may ask at once."""
    try:
        part = spare.pop()
    except IndexError:
        return np.empty(shape)
    return part if part.shape == shape else np.empty(shape)


def _each_job(
    tasks: Iterable[Task],
    work: Callable[[Workspace, Task, tuple[int, int]], T],
    threads: int | None,
) -> Iterator[T]:
    """Yield what is made of every job, in order; each thread has a workspace."""

    def job(which: tuple[int, Task, int]) -> T:
        number, task, first = which
        return work(_workspace(task), task, (number, first))

    jobs = (
        (number, task, first)
        for number, task in enumerate(tasks)
        for first in range(0, task.plan.n_windows, task.windows_per_job)
    )
    yield from in_order(job, jobs, threads)


_ROOMS = threading.local()


def _workspace(task: Task) -> Workspace:
    """Return this thread's workspace for such tasks; the last one is kept.

    The system takes as long to give new memory as a tenth of a small call with gaps.
    """
    from bitbox.correlation.workspace import Workspace

    signals = task.n1, task.n2, task.x.shape[1:], task.y.shape[1:]
    sizes = task.plan.step, task.windows_per_job
    key = task.geometry, task.order.tobytes(), sizes, signals
    if getattr(_ROOMS, "key", None) != key:
        _ROOMS.key = _ROOMS.room = None  # gives back the memory of the last one
        _ROOMS.key, _ROOMS.room = key, Workspace(task)
    room: Workspace = _ROOMS.room
    return room


def in_order(job: Callable[[A], T], arguments: Iterable[A], threads: int | None) -> Iterator[T]:
    """Yield the results of a job for each argument, in order, a few at a time.

    The calling thread does its share. Only as many results wait as there are threads to fill,
    whatever the number of jobs; an interruption stops the work after the jobs at hand.
    """
    count = thread_count(threads)
    if count == 1:
        yield from map(job, arguments)
        return
    waiting: list[tuple[Future[T], A]] = []
    pool = _pool(count - 1)
    try:
        for argument in arguments:
            waiting.append((pool.submit(job, argument), argument))
            if len(waiting) > 2 * count:
                yield _first(waiting, job)
        while waiting:
            yield _first(waiting, job)
    finally:
        for future, _ in waiting:
            future.cancel()
        wait(future for future, _ in waiting)


def _first(waiting: list[tuple[Future[T], A]], job: Callable[[A], T]) -> T:
    """Return the first result; until it is there, do jobs that no thread has begun, in order."""
    for k, (future, argument) in enumerate(waiting):
        if waiting[0][0].done():
            break
        if future.cancel():
            mine: Future[T] = Future()
            try:
                mine.set_result(job(argument))
            except Exception as error:  # noqa: BLE001 - raised when its turn comes
                mine.set_exception(error)
            waiting[k] = mine, argument
    return waiting.pop(0)[0].result()


@cache
def _pool(count: int) -> ThreadPoolExecutor:
    """Return threads that are kept: starting them takes as long as a small job."""
    return ThreadPoolExecutor(count, thread_name_prefix="bitbox-correlation")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # threads do not survive a fork


def thread_count(threads: int | None) -> int:
    """Return how many threads to use: as many as this process may run on if None."""
    if threads is None:
        if hasattr(os, "sched_getaffinity"):
            return len(os.sched_getaffinity(0))
        return os.cpu_count() or 1
    if threads < 1:
        raise ParameterError(
            "The number of threads makes no sense.", expected="1 or more", got=repr(threads)
        )
    return int(threads)


def register_file() -> tuple[int, ...]:
    """Return which register file the tiles are to be written for.

    The environment variable BITBOX_REGISTERS ('wide' or 'narrow') overrides what the processor
    says; wide code runs anywhere, only slower.
    """
    from bitbox.correlation import tiles

    asked = os.environ.get("BITBOX_REGISTERS", "")
    if asked not in {"", "wide", "narrow"}:
        raise ParameterError(
            "The environment variable BITBOX_REGISTERS makes no sense.",
            expected="'wide' or 'narrow'",
            got=repr(asked),
        )
    wide = _has_wide_registers() if asked == "" else asked == "wide"
    return tiles.WIDE if wide else tiles.NARROW


@cache
def _has_wide_registers() -> bool:
    """Return whether this processor has AVX-512; asking takes a third of a millisecond."""
    from llvmlite import binding

    return bool(binding.get_host_cpu_features().get("avx512f", False))


def float32_limit(terms: int) -> float:
    """Return the squared offset up to which float32 sums of so many terms are good to 2e-6.

    docs/engine.md derives it: with sums of short sums the rounding error of r has a variance of
    about ``(unit / 2)^2 (rho^2 (BLOCK / 3 / blocks + blocks / 3 + 2) + 7)``, where rho squared is
    1 + the squared offset; nine standard deviations must fit. Below 0 there is no such offset.
    """
    from bitbox.correlation.tiles import BLOCK

    blocks = max(1.0, terms / BLOCK)
    allowed = (2e-6 / (9 * 2.0**-24 / 2)) ** 2 - 7
    return allowed / (BLOCK / 3 / blocks + blocks / 3 + 2) - 1


def slide_limit(plan: WindowPlan, terms: int) -> float:
    """Return how uneven two signals may move, together, for float32 to slide well.

    docs/engine.md derives it. A sum that slides keeps the rounding errors of all its steps, and
    where values repeat, these errors all have the same sign.
    """
    steps = 4 * plan.max_lag * terms / plan.window
    return 2e-6 / (2.0**-24 * max(8.0, steps / 5))


def frames_needed(plan: WindowPlan, min_valid: float) -> int:
    """Return how many frames of a window must be valid, at least three."""
    if not 0 <= min_valid <= 1:
        raise ParameterError(
            "The share of valid frames makes no sense.",
            expected="a number from 0 to 1",
            got=repr(min_valid),
        )
    return max(MIN_WINDOW, math.ceil(min_valid * plan.window - 1e-9))


def tie_order(plan: WindowPlan) -> NDArray[np.int64]:
    """Return the lags in the order in which a tie prefers them: nearest zero, then negative."""
    return np.array(sorted(plan.lags.tolist(), key=lambda lag: (abs(lag), lag)), dtype=np.int64)


def whole(count: int, multiple: int) -> int:
    """Return a count rounded up to a multiple."""
    return -(-count // multiple) * multiple


def _checked(data: FloatArray, name: str, plan: WindowPlan) -> NDArray[Any]:
    """Return (frames, signals, coordinates), or raise."""
    array = np.asarray(data)
    if array.dtype.kind not in "fiu":
        array = array.astype(np.float64)
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or 0 in array.shape[1:]:
        raise SchemaError(
            f"The array {name} has a shape that cannot be correlated.",
            expected="(frames, signals, coordinates)",
            got=str(np.shape(data)),
        )
    if array.shape[0] != plan.n_frames:
        raise SchemaError(
            f"The array {name} does not fit the window plan.",
            expected=f"{plan.n_frames} frames",
            got=str(array.shape[0]),
        )
    return array
