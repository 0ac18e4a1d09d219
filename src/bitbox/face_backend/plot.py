"""Pictures of what was tracked: frames, signals over time, and a video with the overlay."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bitbox.errors import OutputError, ParameterError
from bitbox.files import replacing
from bitbox.progress import Progress
from bitbox.system.extras import need

if TYPE_CHECKING:
    from bitbox.signals import Signals

Image = NDArray[np.uint8]
FloatArray = NDArray[np.float64]

#: Colours of the rectangle, the landmarks and the head's axes (safe for colour-blind readers).
RECTANGLE = (230, 159, 0)
LANDMARK = (86, 180, 233)
AXES = {"x": (213, 94, 0), "y": (0, 158, 115), "z": (0, 114, 178)}
_AXIS_LENGTH = 60.0  # millimetres
_MOST_LINES = 40


def draw_face(
    image: Image,
    rectangle: FloatArray | None = None,
    landmarks: FloatArray | None = None,
    pose: FloatArray | None = None,
    *,
    vertical_fov: float = 63.0,
) -> Image:
    """Return a copy of an image with a tracked face drawn on it.

    Parameters
    ----------
    image : ndarray of uint8, shape (height, width, 3)
        RGB.
    rectangle : ndarray, shape (4,), optional
        x, y, w, h in pixels.
    landmarks : ndarray, shape (2 n,), optional
        x0, y0, x1, y1, ... in pixels.
    pose : ndarray, shape (6,), optional
        Tx, Ty, Tz in millimetres and Rx, Ry, Rz in radians, as the built-in runtime gives them.
        The head's x axis (vermilion) points to its left, y (green) down, z (blue) to the back.
    vertical_fov : float
        The field of view that the pose was measured with, in degrees.

    Notes
    -----
    What is missing (NaN) is not drawn.
    """
    from PIL import Image as Pictures
    from PIL import ImageDraw

    picture = Pictures.fromarray(image)
    pencil = ImageDraw.Draw(picture)
    thick = max(1, round(max(image.shape[:2]) / 400))
    if rectangle is not None and np.isfinite(rectangle).all():
        x, y, w, h = rectangle
        pencil.rectangle([x, y, x + w, y + h], outline=RECTANGLE, width=thick)
    if landmarks is not None:
        for x, y in landmarks.reshape(-1, 2):
            if np.isfinite(x) and np.isfinite(y):
                pencil.ellipse([x - thick, y - thick, x + thick, y + thick], fill=LANDMARK)
    if pose is not None and np.isfinite(pose).all():
        height, width = image.shape[:2]
        start, ends = _project_axes(pose, width, height, vertical_fov)
        for colour, end in zip(AXES.values(), ends, strict=True):
            pencil.line([*start, *end], fill=colour, width=2 * thick)
    return np.asarray(picture)


def _project_axes(
    pose: FloatArray, width: int, height: int, vertical_fov: float
) -> tuple[FloatArray, FloatArray]:
    """Return where the head's origin (2,) and the ends of its axes (3, 2) are seen, in pixels."""
    from bitbox.face_backend.geometry import rotation_matrix

    focal = height / 2 / math.tan(math.radians(vertical_fov) / 2)
    points = np.vstack([np.zeros(3), _AXIS_LENGTH * np.eye(3)])
    seen = points @ rotation_matrix(pose[3:]).T + pose[:3]
    pixels = focal * seen[:, :2] / seen[:, 2:] + [width / 2, height / 2]
    return pixels[0], pixels[1:]


def sheet_of(
    path: Path,
    drawn: Sequence[Signals],
    count: int,
    target: Path | None,
    progress: Progress | None,
) -> Any:
    """Return a sheet of `count` frames with their times, saved to `target` if there is one."""
    numbers = evenly(drawn[0].n_frames, count)
    images = list(drawn_frames(path, *drawn, frames=numbers, progress=progress))
    sheet = contact_sheet(images, [f"{drawn[0].time[i]:.2f} s" for i in numbers])
    if target is not None:
        save_picture(sheet, target)
    return sheet


def figure_of(signals: Signals, names: Sequence[str] | None, target: Path | None) -> Any:
    """Return a figure of signals over time, saved to `target` if there is one."""
    figure = plot_signals(signals, names)
    if target is not None:
        save_figure(figure, target)
    return figure


def overlay_video(
    path: Path, drawn: Sequence[Signals], target: Path | None, progress: Progress | None
) -> Path:
    """Write a copy of a video with the tracked face drawn on it, at the same times."""
    from bitbox.video import write_video

    if target is None or target.suffix.lower() not in (".mp4", ".mov", ".mkv"):
        raise ParameterError(
            "A video needs a name to be written to.",
            expected="a path that ends in .mp4",
            got=repr(target and target.name),
        )
    if target.resolve() == path.resolve():
        raise ParameterError(
            f"The overlay would be written over the recording {path.name!r} itself.",
            todo="Choose another name.",
        )
    time = drawn[0].time
    rate = drawn[0].rate if len(time) > 1 else 30.0
    images = drawn_frames(path, *drawn, progress=progress)
    return write_video(target, images, rate, times=time)


def drawn_frames(
    path: Path,
    rectangle: Signals,
    landmark: Signals,
    pose: Signals,
    *,
    frames: Sequence[int] | None = None,
    progress: Progress | None = None,
) -> Iterator[Image]:
    """Yield frames of a video with the tracked face drawn on them.

    Parameters
    ----------
    path : Path
        The video.
    rectangle, landmark, pose : Signals
        What was tracked in it, one row a frame. The axes of the head are drawn only for poses of
        the built-in runtime, whose signs are known.
    frames : sequence of int, optional
        Numbers of the frames; None: all.
    progress : callable, optional
        Called as ``progress(task, frames_done, frames_total)``.
    """
    from bitbox.video import read_frames

    wanted = None if frames is None else set(frames)
    fov = float(pose.provenance.get("settings", {}).get("vertical_fov", 63.0))
    axes = pose.schema == "pose6"
    last = rectangle.n_frames if wanted is None else max(wanted) + 1
    with read_frames(path) as reader:
        for frame in reader:
            if frame.index >= last:
                return
            if progress is not None:
                progress(f"Drawing {path.name}", frame.index + 1, last)
            if wanted is None or frame.index in wanted:
                yield draw_face(
                    frame.image,
                    rectangle.values[frame.index],
                    landmark.values[frame.index],
                    pose.values[frame.index] if axes else None,
                    vertical_fov=fov,
                )


def contact_sheet(images: Sequence[Image], labels: Sequence[str], *, width: int = 1200) -> Any:
    """Return images side by side, three a row, each under its label, as a Pillow image."""
    from PIL import Image as Pictures
    from PIL import ImageDraw

    across = min(3, len(images))
    cell = width // across
    tall = round(cell * images[0].shape[0] / images[0].shape[1])
    caption = 18
    rows = -(-len(images) // across)
    sheet = Pictures.new("RGB", (cell * across, rows * (tall + caption)), "white")
    pencil = ImageDraw.Draw(sheet)
    for i, (image, label) in enumerate(zip(images, labels, strict=True)):
        x, y = i % across * cell, i // across * (tall + caption)
        pencil.text((x + 4, y + 3), label, fill="black")
        sheet.paste(Pictures.fromarray(image).resize((cell, tall)), (x, y + caption))
    return sheet


def save_picture(picture: Any, path: Path) -> None:
    """Save a Pillow image under a name that tells its kind (.png, .jpg)."""
    from PIL import Image as Pictures

    if path.suffix.lower() not in Pictures.registered_extensions():
        raise ParameterError(
            f"What kind of picture {path.name!r} should be is not known.",
            expected="a name that ends in .png or .jpg",
        )
    with replacing(path) as temporary:
        picture.save(temporary)


def plot_signals(signals: Signals, names: Sequence[str] | None = None) -> Any:
    """Return a Plotly figure of signals over time, one line above the other.

    Parameters
    ----------
    signals : Signals
        Up to 40 signals are shown at once.
    names : sequence of str, optional
        Which of them; None: all.

    Raises
    ------
    ParameterError
        There is no such signal, or there are too many.
    BackendError
        Plotly is not installed.

    Notes
    -----
    Each line is drawn to its own scale, so that small movements are seen beside large ones; the
    true value is shown where the mouse points. Missing frames leave gaps.
    """
    need("Drawing signals", "plotly.graph_objects")
    import plotly.graph_objects as go

    chosen = signals if names is None else signals.select(names)
    if len(chosen.names) > _MOST_LINES:
        raise ParameterError(
            f"{len(chosen.names)} signals are too many for one figure.",
            expected=f"at most {_MOST_LINES}",
            todo=f"Name those to show, for instance names={list(chosen.names[:2])}.",
        )
    figure = go.Figure()
    heights = [float(-i) for i in range(len(chosen.names))]
    for name, column, height in zip(chosen.names, chosen.values.T, heights, strict=True):
        figure.add_scatter(
            x=chosen.time,
            y=height + 0.9 * _spread(column),
            customdata=column,
            mode="lines",
            name=_escape(name),
            line={"width": 1},
            hovertemplate=f"%{{x:.2f}} s: %{{customdata:.3g}} {_escape(chosen.units)}",
        )
    figure.update_layout(
        template="plotly_white",
        height=120 + 28 * len(heights),
        showlegend=False,
        xaxis_title="time (s)",
        yaxis={"tickvals": heights, "ticktext": [_escape(name) for name in chosen.names]},
        title=_escape(f"{chosen.kind} ({chosen.schema}), {chosen.backend}"),
    )
    return figure


def _spread(column: FloatArray) -> FloatArray:
    """Return a signal on the scale -0.5 to 0.5 of its range, its median at 0 if it is still."""
    if not np.isfinite(column).any():
        return column
    low, high = np.nanmin(column), np.nanmax(column)
    if high == low:
        return column - low
    return np.asarray((column - (low + high) / 2) / (high - low))


def _escape(text: str) -> str:
    """Keep names from outside from being taken for Plotly's HTML."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def save_figure(figure: Any, path: Path) -> None:
    """Save a Plotly figure as one HTML file that opens offline."""
    if path.suffix.lower() not in (".html", ".htm"):
        raise ParameterError(
            "A figure of signals is saved as a web page.",
            expected="a name that ends in .html",
            got=repr(path.name),
        )
    with replacing(path) as temporary:
        temporary.write_text(figure.to_html(include_plotlyjs=True), encoding="utf-8")


def evenly(n_frames: int, count: int) -> list[int]:
    """Return `count` frame numbers spread evenly over a recording, the ends included."""
    if count < 1:
        raise ParameterError("At least one frame must be shown.", got=f"frames={count}")
    return sorted(set(np.linspace(0, n_frames - 1, min(count, n_frames)).round().astype(int)))


def check_writable(path: Path) -> None:
    """Refuse early what would be refused after a long computation."""
    if not path.parent.is_dir():
        raise OutputError(
            f"There is no folder {str(path.parent)!r} to write {path.name} to.",
            todo="Make it first.",
        )
