"""The text files of 3DI and 3DI-lite: numbers without column names, one row a frame."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from bitbox.errors import InputError
from bitbox.files import require_file
from bitbox.readers.clock import need_fps
from bitbox.readers.columns import Layout, file_provenance
from bitbox.readers.dialect import check_bytes
from bitbox.readers.table import FloatArray
from bitbox.signals import Signals

_FILE = re.compile(
    r".+_(?P<name>rects|landmarks|pose|pose_smooth|expression|expression_smooth"
    r"|expression_localized|landmarks_canonicalized)\.(?P<tool>3DI|3DIl)"
)
#: Units in each region of the local expressions, by the number of units.
LOCAL_REGIONS: dict[int, dict[str, int]] = {
    32: {"lb": 4, "rb": 4, "no": 4, "le": 4, "re": 4, "ul": 5, "ll": 7},
    50: {"lb": 5, "rb": 5, "no": 3, "le": 7, "re": 7, "mo": 23},
}
#: Which of the 9 columns of a pose file is what; angles are in radians.
_POSE = {"Tx": 0, "Ty": 1, "Tz": 2, "Rx": 7, "Ry": 6, "Rz": 8}


def read_threedi(path: Path, fps: float | None = None) -> Signals:
    """Read one output file of 3DI (``.3DI``) or 3DI-lite (``.3DIl``).

    Parameters
    ----------
    path : Path
        ``{video}_{output}.3DI`` with the output ``rects``, ``landmarks``, ``pose_smooth``,
        ``expression_smooth``, ``expression_localized`` or ``landmarks_canonicalized`` (or
        unsmoothed ``pose`` or ``expression``).
    fps : float
        Frame rate of the video; the files hold no times.

    Raises
    ------
    InputError
        The name or the content is not of such a file.
    ParameterError
        `fps` is missing.

    Examples
    --------
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from bitbox.readers import read_threedi
    >>> np.savetxt('anna_pose_smooth.3DI', np.ones((4, 9)))
    >>> signals = read_threedi(Path('anna_pose_smooth.3DI'), fps=30)
    >>> signals.kind, signals.n_frames
    ('pose', 4)
    """
    match = _FILE.fullmatch(path.name)
    if match is None:
        raise InputError(
            f"{path.name} does not tell which output of 3DI it is.",
            expected="a name like video_pose_smooth.3DI or video_expression_localized.3DIl",
        )
    values, layout = parse_output(path, match["name"])
    backend = "3DI" if match["tool"] == "3DI" else "3DI-lite"
    return Signals(
        values,
        np.arange(len(values)) / need_fps(path, fps),
        tuple(name for _, name in layout.columns),
        kind=layout.kind,
        schema=layout.schema,
        units=layout.units,
        dimension=layout.dimension,
        backend=backend,
        confidence=np.isfinite(values).any(axis=1).astype(np.float64),
        provenance=file_provenance(path, f"{backend} text file", fps=fps),
    )


def parse_output(path: Path, name: str) -> tuple[FloatArray, Layout]:
    """Return an output's values, with lost frames as NaN, and what its columns are.

    Notes
    -----
    3DI writes a rectangle without width, and landmarks that are all zero, where it found no face.
    """
    values = parse_numbers(path)
    layout = _layout(path, name, values.shape[1])
    if layout.kind == "rectangle":
        values[~((values[:, 2] > 0) & (values[:, 3] > 0))] = np.nan
    elif layout.kind == "landmark":
        values[(values == 0).all(axis=1)] = np.nan
    elif layout.kind == "pose":
        values = values[:, list(_POSE.values())]
    return values, layout


def parse_numbers(path: Path) -> FloatArray:
    """Return the numbers of a text file, shape (rows, columns).

    Raises
    ------
    InputError
        The file is missing, empty or ragged, or holds text or infinities.
    """
    check_bytes(path, require_file(path, "a text file of numbers").st_size)
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except FileNotFoundError as error:
        raise InputError(f"There is no file {str(path)!r}.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name} is not a text file of numbers.", got=str(error)) from error
    rows: list[FloatArray] = []
    for number, line in enumerate(lines, start=1):
        cells = line.replace(",", " ").split()
        if not cells:
            continue
        try:
            rows.append(np.array([float(cell) for cell in cells]))
        except ValueError as error:
            raise InputError(
                f"{path.name} holds text in line {number}.", expected="numbers", got=str(error)
            ) from error
        if len(rows[-1]) != len(rows[0]):
            raise InputError(
                f"{path.name}: line {number} has another number of values than the first line.",
                expected=f"{len(rows[0])} values",
                got=str(len(rows[-1])),
                todo="The file may be cut off; run 3DI again.",
            )
    if not rows:
        raise InputError(f"{path.name} is empty.", todo="Run 3DI again.")
    values = np.array(rows)
    if np.isinf(values).any():
        raise InputError(f"{path.name} holds infinities.", expected="finite numbers or nan")
    return values


def _layout(path: Path, name: str, width: int) -> Layout:
    layouts = _layouts(name)
    if width not in layouts:
        raise InputError(
            f"{path.name} has an unexpected number of columns.",
            expected=" or ".join(map(str, layouts)),
            got=str(width),
        )
    return layouts[width]


def _layouts(name: str) -> dict[int, Layout]:
    """Return what a file of this name may hold, by its number of columns."""
    if name == "rects":
        return {4: Layout("rectangle", "rectangle", "px", _named(["x", "y", "w", "h"]))}
    if name == "landmarks":
        return {102: Layout("landmark", "ibug51", "px", _named(_points("xy")), 2)}
    if name == "landmarks_canonicalized":
        return {153: Layout("landmark-can", "ibug51", "3DI model", _named(_points("xyz")), 3)}
    if name.startswith("pose"):
        return {9: Layout("pose", "3DI-pose", "mm, rad", _named(list(_POSE)))}
    if name == "expression_localized":
        return {
            width: Layout(
                "expression",
                f"3DI-local-{width}",
                "coefficient",
                _named([f"{region}{i}" for region, n in regions.items() for i in range(n)]),
            )
            for width, regions in LOCAL_REGIONS.items()
        }
    names = [f"GE{i}" for i in range(79)]
    return {79: Layout("expression", "3DI-global-79", "coefficient", _named(names))}


def _named(names: list[str]) -> list[tuple[str, str]]:
    return [(name, name) for name in names]


def _points(axes: str) -> list[str]:
    return [f"{axis}{i}" for i in range(51) for axis in axes]
