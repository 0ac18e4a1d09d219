"""How units behave on real faces, where nobody knows the truth but something can be told.

Run as ``python validation/real_faces.py deformations.npz``. The file holds deformations of tracked
meshes, (frames, 468, 3) in millimetres as `bitbox.face_backend.units` takes them, no pictures. It
is not part of this repository, since it was measured on people. For each recording NAME:

- ``NAME_raw`` and ``NAME_refined``: the deformation without and with the texture fit;
- recordings ``pair_a`` and ``pair_b`` show the same expressions on two faces at the same time;
- ``au`` is a recording with another tool's action unit intensities: ``au_names``, ``au_values``,
  ``au_success`` (which are another measurement, not truth);
- recordings ``clip_*`` show people who talk and grimace.

Three things are told: whether the pair's units agree at zero lag (and not when one is played
backwards), whether units run with the other tool's action units, and whether units say the same as
single points of the skin (canonical landmarks are such points) where these move clearly.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitbox.face_backend.geometry import rotation_matrix
from bitbox.face_backend.skin import skin_movement
from bitbox.face_backend.units import LOCAL_UNITS, local_units, noise_scale

FloatArray = NDArray[np.float64]
Recordings = Mapping[str, NDArray[np.generic]]
Measure = Callable[[FloatArray], FloatArray]

NAMES = [unit.name for unit in LOCAL_UNITS]
#: A point moves clearly if it does by so many times its noise.
CLEARLY = 3.0

#: Other tools' action units, and the units whose sum they should run with; less those with a minus.
ACTION_UNITS: dict[str, tuple[str, ...]] = {
    "AU01": ("lb_inner_raise", "rb_inner_raise"),
    "AU02": ("lb_outer_raise", "rb_outer_raise"),
    "AU04": ("lb_middle_lower", "rb_middle_lower", "lb_draw_in", "rb_draw_in"),
    "AU05": ("-le_upper_lid_lower", "-re_upper_lid_lower"),
    "AU06": ("le_cheek_raise", "re_cheek_raise"),
    "AU07": ("le_lower_lid_raise", "re_lower_lid_raise"),
    "AU09": ("no_left_wing_raise", "no_right_wing_raise"),
    "AU10": ("ul_raise", "ul_left_raise", "ul_right_raise"),
    "AU12": ("ul_left_corner_raise", "ul_right_corner_raise"),
    "AU15": ("-ul_left_corner_raise", "-ul_right_corner_raise"),
    "AU17": ("ll_chin_raise",),
    "AU20": ("ll_left_corner_out", "ll_right_corner_out"),
    "AU25": ("ul_raise", "ll_lower", "ll_jaw_drop"),
    "AU26": ("ll_jaw_drop",),
    "AU45": ("le_upper_lid_lower", "re_upper_lid_lower"),
}

#: What units and single points of the mesh both say: units with their weights, then points to be
#: averaged, those to be taken off, and the axis (0: to the left, 1: down) with its sign. What rides
#: on the jaw has that to be added again.
Same = tuple[dict[str, float], tuple[int, ...], tuple[int, ...], int, float]
SAME: dict[str, Same] = {
    "left inner brow, height": ({"lb_inner_raise": 1}, (336, 285), (), 1, -1),
    "right inner brow, height": ({"rb_inner_raise": 1}, (107, 55), (), 1, -1),
    "left middle brow, height": ({"lb_middle_lower": -1}, (334, 282), (), 1, -1),
    "right middle brow, height": ({"rb_middle_lower": -1}, (105, 52), (), 1, -1),
    "left outer brow, height": ({"lb_outer_raise": 1}, (300, 293), (), 1, -1),
    "right outer brow, height": ({"rb_outer_raise": 1}, (70, 63), (), 1, -1),
    "left eye, opening": (
        {"le_upper_lid_lower": -1, "le_lower_lid_raise": -1},
        (385, 386, 387),
        (380, 374, 373),
        1,
        -1,
    ),
    "right eye, opening": (
        {"re_upper_lid_lower": -1, "re_lower_lid_raise": -1},
        (158, 159, 160),
        (153, 145, 144),
        1,
        -1,
    ),
    "left corner of the mouth, height": (
        {"ul_left_corner_raise": 1, "ll_jaw_drop": -0.5},
        (291, 308),
        (),
        1,
        -1,
    ),
    "right corner of the mouth, height": (
        {"ul_right_corner_raise": 1, "ll_jaw_drop": -0.5},
        (61, 78),
        (),
        1,
        -1,
    ),
    "mouth, width": (
        {"ll_left_corner_out": 1, "ll_right_corner_out": 1},
        (291, 308),
        (61, 78),
        0,
        1,
    ),
    "upper lip, height": ({"ul_raise": 1}, (0, 11, 12, 13), (), 1, -1),
    "lower lip, height": ({"ll_lower": -1, "ll_jaw_drop": -1}, (14, 15, 16, 17), (), 1, -1),
    "jaw": ({"ll_jaw_drop": 1}, (152, 148, 377), (), 1, 1),
}


def correlation(a: FloatArray, b: FloatArray) -> float:
    """Return Pearson's r over the frames in which both are known."""
    known = np.isfinite(a) & np.isfinite(b)
    return float(np.corrcoef(a[known], b[known])[0, 1])


def total(units: FloatArray, weights: Mapping[str, float]) -> FloatArray:
    """Return the weighted sum of some units over time."""
    return np.asarray(sum(weight * units[:, NAMES.index(k)] for k, weight in weights.items()))


def agreement(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return r of each unit between two faces at zero lag."""
    return np.array([correlation(x, y) for x, y in zip(a.T, b.T, strict=True)])


def with_action_units(
    units: FloatArray, names: Iterable[str], values: FloatArray, known: NDArray[np.bool_]
) -> dict[str, float]:
    """Return r of units with another tool's action units, by the action unit's number."""
    found = {}
    for name, value in zip(names, values.T, strict=True):
        wanted = ACTION_UNITS.get(name[:4])
        if wanted is not None and value[known].std() > 0:
            signs = {unit.lstrip("-"): -1.0 if unit[0] == "-" else 1.0 for unit in wanted}
            found[name[:4]] = correlation(total(units, signs)[known], value[known])
    return found


def with_points(units: FloatArray, deformation: FloatArray) -> dict[str, float]:
    """Return r of units with single points of the skin, where these move clearly."""
    found = {}
    for what, (weights, points, others, axis, sign) in SAME.items():
        place = deformation[:, points, axis].mean(axis=1)
        if others:
            place = place - deformation[:, others, axis].mean(axis=1)
        if np.nanstd(place) > CLEARLY * noise_scale(place[:, None])[0]:
            found[what] = correlation(total(units, weights), sign * place)
    return found


def recordings(path: Path) -> dict[str, NDArray[np.generic]]:
    """Return what a file of deformations holds."""
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def today(deformation: FloatArray) -> FloatArray:
    """Return the local units of a deformation, as the product reads them."""
    return local_units(skin_movement(deformation))


def tilted(data: Recordings, degrees: float) -> Recordings:
    """Return recordings whose deformations are nodded by so many degrees."""
    turn = rotation_matrix([np.radians(degrees), 0.0, 0.0]).T
    return {
        name: np.asarray(values, dtype=np.float64) @ turn
        if name.endswith(("_raw", "_refined"))
        else values
        for name, values in data.items()
    }


def deformation(data: Recordings, name: str, form: str) -> FloatArray:
    """Return the deformation of one recording, ``raw`` or ``refined``."""
    return np.asarray(data[f"{name}_{form}"], dtype=np.float64)


def clips(data: Recordings) -> list[str]:
    """Return the names of the clips in a file."""
    return sorted(
        k.removesuffix("_raw") for k in data if k.startswith("clip_") and k[-4:] == "_raw"
    )


def report(data: Recordings, form: str, measure: Measure = today) -> list[str]:
    """Return all that can be told of one form of the deformation, as lines of Markdown."""
    a, b = (measure(deformation(data, name, form)) for name in ("pair_a", "pair_b"))
    now, backwards = agreement(a, b), agreement(a, b[::-1])
    names = [str(name) for name in data["au_names"]]
    success = np.asarray(data["au_success"], dtype=bool)
    values = np.asarray(data["au_values"], dtype=np.float64)
    other = with_action_units(measure(deformation(data, "au", form)), names, values, success)
    both: dict[str, list[float]] = {}
    for name in (*clips(data), "pair_a", "pair_b", "au"):
        moved = deformation(data, name, form)
        for what, r in with_points(measure(moved), skin_movement(moved)).items():
            both.setdefault(what, []).append(r)
    every = [r for rows in both.values() for r in rows]
    return [
        f"## {form}",
        "",
        f"Pair: median r {np.median(now):.2f}, {int((now < 0.5).sum())} of {len(now)} under 0.5;"
        f" backwards {np.median(backwards):.2f} (median of |r| {np.median(abs(backwards)):.2f}).",
        "",
        "| unit | r of the pair |",
        "|---|---|",
        *(f"| `{name}` | {r:.2f} |" for name, r in zip(NAMES, now, strict=True)),
        "",
        f"Another tool's action units: mean r {np.mean(list(other.values())):.2f}.",
        "",
        "| action unit | r |",
        "|---|---|",
        *(f"| {name} | {r:.2f} |" for name, r in other.items()),
        "",
        f"Points of the skin that move clearly: r >= 0.9 in {sum(r >= 0.9 for r in every)} of"
        f" {len(every)}; the sign is another in {sum(r < 0 for r in every)}.",
        "",
        "| what | recordings | least r | median r |",
        "|---|---|---|---|",
        *(
            f"| {what} | {len(rows)} | {min(rows):.2f} | {np.median(rows):.2f} |"
            for what, rows in both.items()
        ),
        "",
    ]


def main() -> None:
    """Print what a file of real deformations says of the units of today."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("file", type=Path, help="deformations of real faces, .npz")
    parser.add_argument(
        "--tilt",
        type=float,
        default=0.0,
        help="by how many degrees the reference face has been nodded since they were measured",
    )
    given = parser.parse_args()
    data = tilted(recordings(given.file), given.tilt)
    for form in ("raw", "refined"):
        print("\n".join(report(data, form)))


if __name__ == "__main__":
    main()
