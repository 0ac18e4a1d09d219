"""Write the pictures of docs/pose.md and docs/units.md, and the table of local units.

Run as ``python validation/unit_pictures.py`` with the ``video`` extra installed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from bitbox.face_backend.units import LOCAL_UNITS
from bitbox.synthetic.performance import perform
from bitbox.synthetic.video import FaceTruth, Person, Scene, render_frames, stage

Image = NDArray[np.uint8]

DOCS = Path(__file__).parents[1] / "docs"
SCENE = Scene(size=(720, 540), eye_distance=100.0)
BEGIN, END = "<!-- local units: begin -->", "<!-- local units: end -->"
#: Middle (x, y) and half width, in pupil distances from between the eyes, of what is shown.
VIEWS = {
    "left brow": (0.45, -0.1, 0.75),
    "right brow": (-0.45, -0.1, 0.75),
    "left eye": (0.45, 0.15, 0.75),
    "right eye": (-0.45, 0.15, 0.75),
    "nose": (0.0, 0.4, 0.75),
    "upper lip": (0.0, 0.95, 0.75),
    "lower lip": (0.0, 1.15, 0.85),
}


def scene_with(movements: dict[str, float], head: dict[str, float]) -> tuple[FaceTruth, Image]:
    """Return one frame of a face that holds an expression and a pose."""
    truth = stage(Person(perform([0.0], movements, head)), SCENE)
    return truth, next(iter(render_frames(truth)))


def cropped(truth: FaceTruth, image: Image, view: tuple[float, float, float]) -> Pillow.Image:
    """Return a square view of a part of the face at rest."""
    mesh = truth.mesh()[0]
    eyes = mesh[[33, 133, 263, 362], :2].mean(axis=0)
    assert SCENE.eye_distance is not None  # noqa: S101 - a constant of this script
    x, y, half = (value * SCENE.eye_distance for value in view)
    box = (eyes[0] + x - half, eyes[1] + y - half, eyes[0] + x + half, eyes[1] + y + half)
    return Pillow.fromarray(image).crop(tuple(round(v) for v in box)).resize((128, 128))


def unit_pictures() -> None:
    """Write one picture a region: each unit at rest and moved, side by side."""
    still_truth, still = scene_with({}, {})
    for region, view in VIEWS.items():
        units = [unit for unit in LOCAL_UNITS if unit.region == region]
        sheet = Pillow.new("RGB", (272 * len(units) - 16, 148), "white")
        draw = ImageDraw.Draw(sheet)
        for column, unit in enumerate(units):
            _, moved = scene_with({unit.name: 1.0}, {})
            sheet.paste(cropped(still_truth, still, view), (272 * column, 20))
            sheet.paste(cropped(still_truth, moved, view), (272 * column + 128, 20))
            draw.text((272 * column, 4), unit.name, fill="black", font=ImageFont.load_default(12))
        path = DOCS / "images" / f"units-{region.replace(' ', '-')}.jpg"
        sheet.save(path, quality=80)


def pose_picture() -> None:
    """Write the picture of the three angles, each at +15 degrees."""
    # the renderer's yaw is positive to the subject's left, ours to the right
    poses = {
        "at rest": {},
        "Rx = +15° (pitch)": {"pitch": 15.0},
        "Ry = +15° (yaw)": {"yaw": -15.0},
        "Rz = +15° (roll)": {"roll": 15.0},
    }
    sheet = Pillow.new("RGB", (4 * 240, 264), "white")
    draw = ImageDraw.Draw(sheet)
    for column, (label, head) in enumerate(poses.items()):
        _, image = scene_with({}, head)
        face = Pillow.fromarray(image).crop((150, 30, 570, 450)).resize((232, 232))
        sheet.paste(face, (240 * column, 24))
        draw.text((240 * column, 4), label, fill="black", font=ImageFont.load_default(14))
    origin = (10, 34)  # on the light wall
    for end, name in (((50, 34), "x"), ((10, 74), "y")):
        draw.line([origin, end], fill="red", width=3)
        draw.text((end[0] + 3, end[1] - 8), name, fill="red", font=ImageFont.load_default(14))
    draw.text((14, 40), "z: away", fill="red", font=ImageFont.load_default(12))
    sheet.save(DOCS / "images" / "pose.jpg", quality=85)


def unit_table() -> str:
    """Return the table of local units as Markdown."""
    lines = []
    for region in VIEWS:
        title = region.capitalize()
        picture = f"images/units-{region.replace(' ', '-')}.jpg"
        lines += [f"### {title}", "", f"![{title}: each unit at rest and moved]({picture})", ""]
        lines += ["| unit | when it is positive | action unit |", "|---|---|---|"]
        lines += [
            f"| `{unit.name}` | {unit.sentence} | {unit.action_unit or '–'} |"
            for unit in LOCAL_UNITS
            if unit.region == region
        ]
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    """Write all pictures, and the table into docs/units.md."""
    (DOCS / "images").mkdir(exist_ok=True)
    unit_pictures()
    pose_picture()
    page = DOCS / "units.md"
    text = page.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    page.write_text(f"{before}{BEGIN}\n\n{unit_table()}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
