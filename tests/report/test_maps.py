"""Maps: each signal where it is on the face or the body, coloured where it is imitated."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bitbox.body_backend.angles import ANGLE_NAMES
from bitbox.face_backend.unit_table import LOCAL_UNITS
from bitbox.report.maps import latency_map, quality_map
from bitbox.report.places import sketch

UNITS = [unit.name for unit in LOCAL_UNITS]


def card(names: list[str], imitated: int, late: float = 0.4) -> pd.DataFrame:
    n = len(names)
    p = np.where(np.arange(n) < imitated, 0.01, 0.6)
    return pd.DataFrame(
        {
            "shape": np.linspace(0.9, 0.5, n),
            "p": p,
            "p_fwer": p,
            "specific_p_fwer": p,
            "latency": np.where(p < 0.05, late, np.nan),
        },
        index=names,
    )


def test_every_unit_and_every_angle_has_a_place_of_its_own() -> None:
    for names, what in ((UNITS, "face"), (list(ANGLE_NAMES), "body")):
        found = sketch(names)
        assert found is not None
        assert found.what == what
        assert set(found.places) == set(names)
        places = np.array(list(found.places.values()))
        apart = np.linalg.norm(places[:, None] - places, axis=2)[np.triu_indices(len(places), 1)]
        assert apart.min() > 1e-3


def test_left_is_on_the_right_as_in_a_picture_and_up_is_up() -> None:
    face, body = sketch(UNITS), sketch(list(ANGLE_NAMES))
    assert face is not None
    assert body is not None
    assert face.places["lb_outer_raise"][0] > 0 > face.places["rb_outer_raise"][0]
    assert face.places["lb_outer_raise"][1] > face.places["ll_jaw_drop"][1]
    assert body.places["left_knee_flexion"][0] > 0 > body.places["right_knee_flexion"][0]
    assert body.places["neck_turn"][1] > body.places["left_knee_flexion"][1]


def test_what_is_not_imitated_is_hollow() -> None:
    drawing = quality_map(card(UNITS, imitated=10))
    assert drawing is not None
    hollow, filled = drawing.data[1:]
    assert (hollow["name"], filled["name"]) == ("not beyond chance", "imitated")
    assert (len(hollow["x"]), len(filled["x"])) == (22, 10)
    assert list(filled["marker"]["color"]) == list(np.linspace(0.9, 0.5, 32)[:10])
    nobody = quality_map(card(UNITS, imitated=0))
    assert nobody is not None
    assert [trace["name"] for trace in nobody.data[1:]] == ["not beyond chance"]


def test_what_is_only_in_time_is_small_and_says_so() -> None:
    table = card(UNITS, imitated=10)
    table.loc[UNITS[3:10], "specific_p_fwer"] = 0.5
    for drawing in (quality_map(table), latency_map(table)):
        assert drawing is not None
        names = {trace["name"]: trace for trace in drawing.data[1:]}
        assert list(names) == ["not beyond chance", "only in time", "imitated"]
        assert len(names["only in time"]["x"]) == 7
        assert names["only in time"]["marker"]["size"] < names["imitated"]["marker"]["size"]
        scales = [names[k]["marker"]["cmin"] for k in ("only in time", "imitated")]
        assert scales[0] == scales[1]


def test_latency_is_shown_where_it_is_known() -> None:
    drawing = latency_map(card(list(ANGLE_NAMES), imitated=4))
    assert drawing is not None
    assert list(drawing.data[-1]["marker"]["color"]) == [0.4] * 4
    assert latency_map(card(list(ANGLE_NAMES), imitated=0)) is None
    assert latency_map(card(UNITS, imitated=4).drop(columns="latency")) is None


def test_signals_without_places_have_no_map() -> None:
    names = ["<b>a</b>", "b", "c", "d"]
    assert quality_map(card(names, imitated=2)) is None
    assert quality_map(card(UNITS[:2], imitated=2)) is None
    assert quality_map(card(UNITS[:1], imitated=0).drop(columns="shape")) is None
