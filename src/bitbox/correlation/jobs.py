"""Work in jobs: some windows at a time, over threads, in order, in bounded memory."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation.plan import MIN_WINDOW, WindowPlan
from bitbox.errors import InputError, ParameterError, SchemaError
from bitbox.progress import Progress

if TYPE_CHECKING:
    from bitbox.correlation.exact import Geometry

FloatArray = NDArray[np.float64]
T = TypeVar("T")

#: What to do with some windows: first of them, correlations, lags.
Use = Callable[[int, NDArray[np.float32], NDArray[np.float32]], T]

#: Products that a job of some windows should take: about a millisecond's work, so that threads
#: share evenly and an interruption is noticed at once.
_JOB = 6e7


@dataclass(frozen=True, eq=False)
class Task:
    """Two sets of signals and what to do with them.

    x and y are as they were given; what the kernels need is laid out piece by piece, so that memory
    does not grow with the recording. A `shift` turns y in a circle, frame t becoming t + shift.
    """

    x: NDArray[Any]
    y: NDArray[Any]
    plan: WindowPlan
    geometry: Geometry
    order: NDArray[np.int64]

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
        return cls(first, second, plan, geometry, tie_order(plan))

    @property
    def n1(self) -> int:
        """The number of x's signals."""
        return int(self.x.shape[1])

    @property
    def n2(self) -> int:
        """The number of y's signals."""
        return int(self.y.shape[1])

    def run(
        self, use: Use[T], threads: int | None, progress: Progress | None, shift: int = 0
    ) -> Iterator[T]:
        """Yield what ``use(first window, r, lag)`` makes of some windows, in order.

        It is called in the threads. r and lag (frames), (windows, n1 or more, n2 or more), float32,
        are overwritten afterwards.
        """
        size, total = self.windows_per_job, self.plan.n_windows
        firsts = range(0, total, size)
        rooms = threading.local()

        def job(first: int) -> T:
            if not hasattr(rooms, "room"):
                rooms.room = self.room(min(size, total))
            stop = min(first + size, total)
            r, lag = (a[: stop - first] for a in rooms.room)
            self.fill(first, r, lag, shift)
            return use(first, r, lag)

        for first, made in zip(firsts, in_order(job, firsts, threads), strict=True):
            yield made
            if progress is not None:
                progress("Correlating", min(first + size, total), total)

    @property
    def windows_per_job(self) -> int:
        """How many windows make a job; the same for any number of threads."""
        pairs = self.n1 * self.n2
        cost = pairs * self.order.size * self.plan.window * self.x.shape[2]
        most = max(1, int(8e6 / pairs))
        return int(min(max(1 if self.geometry.coordination else 4, _JOB / cost), most, 4096))

    @property
    def padded(self) -> tuple[int, int]:
        """The numbers of signals in whole tiles."""
        from bitbox.correlation import tiles

        return whole(self.n1, tiles.ROWS), whole(self.n2, tiles.COLUMNS)

    def room(self, windows: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return room for correlations and lags of some windows, of signals in whole tiles."""
        shape = windows, *self.padded
        return np.empty(shape, dtype=np.float32), np.empty(shape, dtype=np.float32)

    def laid_out(self, begin: int, end: int, shift: int = 0) -> tuple[FloatArray, FloatArray]:
        """Return some frames of x and y laid out for the kernels."""
        from bitbox.correlation import tiles

        return (
            _laid_out(self.x, (begin, end), "x", tiles.ROWS),
            _laid_out(self.y, (begin - shift, end - shift), "y", tiles.COLUMNS),
        )

    def fill(
        self, first: int, r: NDArray[np.float32], lag: NDArray[np.float32], shift: int = 0
    ) -> None:
        """Compute some windows, each part of them in the cheapest way that is accurate."""
        from bitbox.correlation import coordination, kernels, tiles

        plan, both = self.plan, self.geometry.coordination
        starts = plan.starts[first : first + len(r)]
        begin = int(starts[0]) - plan.max_lag
        after = plan.max_lag if plan.two_sided else 0
        x, y = self.laid_out(begin, int(starts[-1]) + plan.window + after, shift)
        columns = y.shape[2] // tiles.COLUMNS
        tiled = (x.shape[2] // tiles.ROWS, columns) if both else (columns,)
        states = np.empty((starts.size, *tiled), dtype=np.uint8)
        hard_x = np.empty((starts.size, x.shape[2]), dtype=np.bool_)
        hard_y = np.empty((starts.size, y.shape[2]), dtype=np.bool_)
        out = r, lag, states, hard_x, hard_y
        starts = starts - begin
        arguments: tuple[Any, ...] = x, y, starts, self.order, self.geometry, out
        if both:
            coordination.coordination(*arguments)
        else:
            prepared = kernels.prepare(x, y, starts, self.order, self.geometry)
            kernels.imitation(x, y, starts, prepared, self.geometry, out)
            if (states == kernels.FAR).any():
                kernels.imitation_far(*arguments)
        some_gaps = (states == kernels.GAPS).any()
        if some_gaps:
            (coordination.coordination_gaps if both else kernels.imitation_gaps)(*arguments)
        if some_gaps or hard_x.any() or hard_y.any():
            kernels.exactly(*arguments)


def in_order(job: Callable[[int], T], arguments: Iterable[int], threads: int | None) -> Iterator[T]:
    """Yield the results of a job for each argument, in order, a few at a time.

    Only as many results wait as there are threads to fill, whatever the number of jobs; an
    interruption stops the work after the jobs at hand.
    """
    count = thread_count(threads)
    if count == 1:
        yield from map(job, arguments)
        return
    waiting: list[Future[T]] = []
    pool = ThreadPoolExecutor(count)
    try:
        for argument in arguments:
            waiting.append(pool.submit(job, argument))
            if len(waiting) > 2 * count:
                yield waiting.pop(0).result()
        while waiting:
            yield waiting.pop(0).result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


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
    from llvmlite import binding

    from bitbox.correlation import tiles

    asked = os.environ.get("BITBOX_REGISTERS", "")
    if asked not in {"", "wide", "narrow"}:
        raise ParameterError(
            "The environment variable BITBOX_REGISTERS makes no sense.",
            expected="'wide' or 'narrow'",
            got=repr(asked),
        )
    wide = binding.get_host_cpu_features().get("avx512f", False)
    return tiles.WIDE if asked == "wide" or (wide and asked != "narrow") else tiles.NARROW


def float32_limit(terms: int) -> float:
    """Return the squared offset up to which float32 sums of so many terms are good to 2e-6.

    docs/engine.md derives it: with sums of short sums the rounding error of r has a standard
    deviation of about ``unit * rho * sqrt(BLOCK / 3 / blocks + blocks / 3 + 2) / 2``, where rho
    squared is 1 + the squared offset; nine of these must fit.
    """
    from bitbox.correlation.tiles import BLOCK

    blocks = max(1.0, terms / BLOCK)
    deviation = 2.0**-24 * math.sqrt(BLOCK / 3 / blocks + blocks / 3 + 2) / 2
    return max(0.0, (2e-6 / (9 * deviation)) ** 2 - 1)


def slide_limit(plan: WindowPlan, terms: int) -> float:
    """Return how uneven two signals may move, together, for float32 to slide well.

    docs/engine.md derives it. A sum that slides keeps the rounding errors of all its steps, and
    where values repeat, these errors all have the same sign.
    """
    steps = 4 * plan.max_lag * terms / plan.window
    return 2e-6 / (2.0**-24 * max(8.0, steps / 8))


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


def _laid_out(array: NDArray[Any], frames: tuple[int, int], name: str, multiple: int) -> FloatArray:
    """Return some frames laid out (frames, coordinates, signals), padded with NaN to whole tiles.

    Frames are those of the recording continued in a circle.
    """
    from bitbox.correlation import windows

    begin, end = frames
    if begin >= 0 and end <= array.shape[0]:
        piece = array[begin:end]
    else:
        piece = array[np.arange(begin, end) % array.shape[0]]
    piece = np.ascontiguousarray(piece, dtype=np.float64)
    out = np.empty((end - begin, array.shape[2], whole(array.shape[1], multiple)))
    # A power of two changes no digit; it keeps squares from overflowing or vanishing. It is
    # applied in two steps because that of the smallest numbers is itself too large.
    largest = windows.largest(piece)
    if np.isinf(largest).any():
        frame, signal, _ = (int(v) for v in np.argwhere(np.isinf(piece))[0])
        raise InputError(
            f"The array {name} holds an infinite value.",
            expected="finite numbers, or NaN where missing",
            got=f"infinity in frame {(frame + begin) % array.shape[0]} of signal {signal}",
        )
    exponent = -np.frexp(largest)[1]
    half = exponent // 2
    windows.lay_out(piece, np.ldexp(1.0, half), np.ldexp(1.0, exponent - half), out)
    return out
