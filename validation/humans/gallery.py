"""A picture of all people who are rendered: ``python -m validation.humans.gallery``.

Writes ``docs/images/humans.jpg``: each at rest and making two expressions, with name and split.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from validation.humans.body import ACTIONS
from validation.humans.people import PEOPLE, Person
from validation.humans.render import LIGHTS, Camera, Image, Renderer, as_seen

OUT = Path(__file__).parents[2] / "docs" / "images" / "humans.jpg"
SIDE = 200  # pixels of a picture
COLUMNS = 4  # people in a row
SHOWN: tuple[tuple[dict[str, float], tuple[float, float, float]], ...] = (
    ({}, (0.0, 0.0, 0.0)),
    (
        dict.fromkeys(("mouthSmileLeft", "mouthSmileRight"), 0.9)
        | dict.fromkeys(("cheekSquintLeft", "cheekSquintRight"), 0.7),
        (0.05, 0.2, 0.0),
    ),
    (
        dict.fromkeys(("browInnerUp", "browOuterUpLeft", "browOuterUpRight"), 0.9)
        | {"jawOpen": 0.5},
        (0.0, -0.15, 0.05),
    ),
)


def pictures(person: Person) -> Image:
    """Return the pictures of a person, beside each other."""
    light = list(LIGHTS.values())[PEOPLE.index(person) % len(LIGHTS)]
    camera = Camera(40.0, (SIDE, SIDE), 0.2 * SIDE, (0.5, 0.47))
    renderer = Renderer(person, camera, light)
    found = []
    for actions, turns in SHOWN:
        drives = np.array([actions.get(name, 0.0) for name in ACTIONS])
        found.append(as_seen(renderer.picture(drives, np.array(turns), 2.0)))
    return np.hstack(found)


def main() -> None:
    """Write the picture."""
    import cv2

    cells = []
    for person in PEOPLE:
        cell = np.ascontiguousarray(pictures(person)[..., ::-1])
        told = f"{person.name}, {person.age:g}, {person.split}"
        cv2.putText(cell, told, (5, SIDE - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 3)
        cv2.putText(cell, told, (5, SIDE - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (255, 255, 255), 1)
        cells.append(cell)
    cells += [np.full_like(cells[0], 255)] * (-len(cells) % COLUMNS)
    rows = [np.hstack(cells[k : k + COLUMNS]) for k in range(0, len(cells), COLUMNS)]
    cv2.imwrite(str(OUT), np.vstack(rows), [cv2.IMWRITE_JPEG_QUALITY, 82])


if __name__ == "__main__":
    main()
