"""Film rendered people and measure them: ``python -m validation.humans FOLDER --split NAME``.

For each person of a split: one action at a time, all at once with the head still, and all at once
with the head turning, and the head turning alone. Lens, light and quality of the pictures differ
from person to person and from film to film, each the same in every run. Films and truth are kept in
``FOLDER/films``, and truth and measurement together in ``FOLDER/NAME``; what is there is left as it
is.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from validation.humans.films import QUALITIES, Quality, Truth, film
from validation.humans.measure import beside, track
from validation.humans.people import PEOPLE, SPLITS, Person, of
from validation.humans.performance import Performance, all_at_once, head_alone, one_at_a_time
from validation.humans.render import AS_SKIN, LIGHTS, Camera, Light

#: Lenses: vertical field of view, and pixels between the eyes (wide lenses are nearer anyway).
LENSES = {30: 60.0, 63: 56.0, 80: 50.0}
PERFORMANCES = ("single", "still", "turning", "head")
VERSION = 4


def performance_of(person: Person, name: str, part: int = 0) -> Performance:
    """Return what somebody does in a film of that name."""
    seed = 1000 * person.seed + 10 * PERFORMANCES.index(name) + part
    if name == "single":
        return one_at_a_time(seed)
    if name == "head":
        return head_alone(seed)
    return all_at_once(seed, turning=name == "turning")


def conditions_of(person: Person, name: str, part: int = 0) -> tuple[Camera, Light, Quality]:
    """Return how somebody is filmed: another lens, light and quality from film to film."""
    at = PEOPLE.index(person)
    film_number = PERFORMANCES.index(name) + 2 * part
    lens = (30, 63, 80)[(at + film_number) % 3]
    light = list(LIGHTS.values())[(at // 3 + film_number) % 3]
    quality = ("clean", "webcam", "webcam", "clean", "blur")[(2 * at + film_number) % 5]
    random = np.random.default_rng(person.seed + 31 * film_number)
    place = (0.5 + random.uniform(-0.06, 0.06), 0.44 + random.uniform(-0.03, 0.03))
    near = LENSES[lens] * random.uniform(0.92, 1.08)
    return Camera(float(lens), eye_distance=near, place=place), light, QUALITIES[quality]


def film_of(person: Person, name: str, folder: Path, part: int = 0) -> Path:
    """Film somebody if that has not been done, and return the file of the truth."""
    path = folder / "films" / person.split / f"{person.name}_{name}{part or ''}.npz"
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    camera, light, quality = conditions_of(person, name, part)
    performance = performance_of(person, name, part)
    truth = film(person, performance, camera, light, quality, path.with_suffix(".mp4"), AS_SKIN)
    facts = {
        "person": person.name,
        "split": person.split,
        "performance": name,
        "quality": quality.name,
        "light": light.name,
        "fps": 10.0,
        "version": VERSION,
    }
    np.savez(path, **truth.arrays(), **{key: np.array(value) for key, value in facts.items()})
    print(f"{path.stem}: {len(truth.time)} frames, {camera.vertical_fov:g} degrees", flush=True)
    return path


def measure(path: Path, out: Path) -> None:
    """Track the face in a film, and write what is measured together with the truth."""
    with np.load(path) as kept:
        facts = dict(kept)
    truth = Truth(
        **{name: facts[name] for name in ("time", "drives", "pose", "neutral", "basis")},
        **{name: facts[name] for name in ("triangles", "vertices")},
        size=(int(facts["size"][0]), int(facts["size"][1])),
        vertical_fov=float(facts["vertical_fov"]),
    )
    tracked = track(path.with_suffix(".mp4"))
    out.parent.mkdir(parents=True, exist_ok=True)
    np.save(out.with_name(f"{out.stem}_textures.npy"), tracked.textures)
    np.savez(out, **(facts | beside(truth, tracked)))
    found = 100 * float((tracked.refined.confidence > 0).mean())
    print(f"{out.stem}: the face is found in {found:.1f} %", flush=True)


def main() -> None:
    """Film and measure splits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where films and measurements are kept")
    parser.add_argument("--split", choices=SPLITS, required=True, nargs="+")
    parser.add_argument("--people", nargs="*", help="only these")
    parser.add_argument("--films", nargs="*", default=PERFORMANCES, choices=PERFORMANCES)
    parser.add_argument("--parts", nargs="*", type=int, default=[0], help="numbers of the films")
    parser.add_argument("--film-only", action="store_true", help="measure nothing yet")
    parser.add_argument("--again", action="store_true", help="measure anew what was measured")
    given = parser.parse_args()
    people = [person for split in given.split for person in of(split)]
    for part in given.parts:
        for name in given.films:
            for person in people:
                if not given.people or person.name in given.people:
                    path = film_of(person, name, given.folder, part)
                    out = given.folder / person.split / path.name
                    if not given.film_only and (given.again or not out.exists()):
                        measure(path, out)


if __name__ == "__main__":
    main()
