"""The values of every window on disk, written as they are computed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation.plan import WindowPlan
from bitbox.errors import OutputError, ParameterError

#: Bytes of a chunk of the file, about.
_CHUNK = 4e6


class WindowFile:
    """A NetCDF file of (window, x, y), under a temporary name until it is complete."""

    def __init__(
        self,
        path: str | Path,
        plan: WindowPlan,
        shape: tuple[int, int],
        names: tuple[Sequence[str], Sequence[str]] | None = None,
    ) -> None:
        if names is not None and (len(names[0]), len(names[1])) != shape:
            raise ParameterError(
                "The names do not fit the signals.",
                expected=f"{shape[0]} and {shape[1]} names",
                got=f"{len(names[0])} and {len(names[1])}",
            )
        self.path = Path(path)
        self.temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}.part")
        self.plan, self.shape, self.names = plan, shape, names
        self.file: Any = None

    def __enter__(self) -> WindowFile:
        import h5netcdf

        with self._explained():
            self.file = h5netcdf.File(self.temporary, "w")
            self._describe()
        return self

    def write(
        self,
        rows: slice,
        columns: slice,
        first: int,
        r: NDArray[np.float32],
        lag: NDArray[np.float32],
    ) -> None:
        """Write the correlations and lags (frames) of some windows and signals."""
        stop = first + r.shape[0]
        with self._explained():
            self.file.variables["r"][first:stop, rows, columns] = r
            seconds = np.where(np.isnan(r), np.float32(np.nan), lag / np.float32(self.plan.fps))
            self.file.variables["lag"][first:stop, rows, columns] = seconds

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            with self._explained():
                self.file.close()
                if kind is None:
                    self.temporary.replace(self.path)
        finally:
            self.temporary.unlink(missing_ok=True)

    def _describe(self) -> None:
        n1, n2 = self.shape
        self.file.dimensions = {"window": self.plan.n_windows, "x": n1, "y": n2}
        deep = int(max(1, min(self.plan.n_windows, _CHUNK / (4 * n1 * n2))))
        for name, text in (
            ("r", "correlation at the chosen lag"),
            ("lag", "chosen lag in seconds, negative where x follows"),
        ):
            variable = self.file.create_variable(
                name, ("window", "x", "y"), np.float32, chunks=(deep, n1, n2), fillvalue=np.nan
            )
            variable.attrs["long_name"] = text
        self.file.create_variable("window", ("window",), np.float64)[:] = self.plan.centres
        self.file.variables["window"].attrs["long_name"] = "middle of the window in seconds"
        if self.names is not None:
            for axis, labels in zip(("x", "y"), self.names, strict=True):
                import h5py  # type: ignore[import-untyped]

                labelled = self.file.create_variable(axis, (axis,), h5py.string_dtype())
                labelled[:] = np.array([str(label) for label in labels], dtype=object)

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutputError(
                f"The values of the windows cannot be written to {self.path}: {error}.",
                todo="Check that the folder exists, may be written to, and has room.",
            ) from error
