"""Film rendered people and measure them: ``python -m validation.humans FOLDER --split NAME``.

For each person of a split: one action at a time, all at once with the head still, and all at once
with the head turning, and the head turning alone. Lens, light and quality of the pictures differ
from person to person and from film to film, each the same in every run.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from validation.humans.films import QUALITIES, Quality, Truth, film
from validation.humans.measure import beside, track
from validation.humans.people import PEOPLE, SPLITS, Person, of
from validation.humans.performance import Performance, all_at_once, head_alone, one_at_a_time
from validation.humans.render import AS_SKIN, LIGHTS, Camera, Hardness, Light

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


def make(person: Person, name: str, folder: Path, hardness: Hardness, part: int = 0) -> None:
    """Film somebody, measure the film, and write both beside the truth; not if it was done."""
    camera, light, quality = conditions_of(person, name, part)
    stem = folder / person.split / f"{person.name}_{name}{part or ''}"
    stem.parent.mkdir(parents=True, exist_ok=True)
    if stem.with_suffix(".npz").exists():
        return
    begun = time.perf_counter()
    video = stem.with_suffix(".mp4")
    performance = performance_of(person, name, part)
    truth = film(person, performance, camera, light, quality, video, hardness)
    filmed = time.perf_counter()
    tracked = track(video)
    arrays = beside(truth, tracked)
    facts = {
        "person": person.name,
        "split": person.split,
        "performance": name,
        "quality": quality.name,
        "light": light.name,
        "fps": 10.0,
        "version": VERSION,
    }
    np.save(stem.parent / f"{stem.name}_textures.npy", tracked.textures)
    np.savez(stem.with_suffix(".npz"), **arrays, **{k: np.array(v) for k, v in facts.items()})
    found = 100 * float((tracked.refined.confidence > 0).mean())
    print(
        f"{stem.name}: {len(truth.time)} frames, lens {camera.vertical_fov:g}, {light.name},"
        f" {quality.name}; face in {found:.1f} %; filmed in {filmed - begun:.0f} s,"
        f" measured in {time.perf_counter() - filmed:.0f} s",
        flush=True,
    )


def again(path: Path) -> None:
    """Measure a film once more, with the tracker as it is now."""
    with np.load(path) as kept:
        old = dict(kept)
    truth = Truth(
        **{name: old[name] for name in ("time", "drives", "pose", "neutral", "basis")},
        **{name: old[name] for name in ("triangles", "vertices")},
        size=(int(old["size"][0]), int(old["size"][1])),
        vertical_fov=float(old["vertical_fov"]),
    )
    np.savez(path, **(old | beside(truth, track(path.with_suffix(".mp4")))))


def main() -> None:
    """Film and measure splits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where films and measurements are kept")
    parser.add_argument("--split", choices=SPLITS, required=True, nargs="+")
    parser.add_argument("--people", nargs="*", help="only these")
    parser.add_argument("--films", nargs="*", default=PERFORMANCES, choices=PERFORMANCES)
    parser.add_argument("--parts", type=int, default=1, help="films of each kind")
    parser.add_argument(
        "--again", action="store_true", help="measure the films that there are anew"
    )
    given = parser.parse_args()
    people = [person for split in given.split for person in of(split)]
    if given.again:
        for split in given.split:
            for path in sorted((given.folder / split).glob("*.npz")):
                again(path)
    for part in range(given.parts):
        for name in given.films:
            for person in people:
                if not given.people or person.name in given.people:
                    make(person, name, given.folder, AS_SKIN, part)


if __name__ == "__main__":
    main()
