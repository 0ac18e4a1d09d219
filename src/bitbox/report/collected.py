"""The figures of a page, collected as JSON that its script draws from."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bitbox.report.drawing import Drawing
from bitbox.report.page import safe_json
from bitbox.report.theme import untitled

Values = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A figure's place in the page."""

    id: str
    title: str
    height: int
    narrowest: int | None = None
    broadest: int | None = None


class Figures:
    """Collects the figures of a page as JSON that is safe within a script element."""

    def __init__(self, collected: dict[str, str] | None = None, prefix: str = "") -> None:
        self._json: dict[str, str] = {} if collected is None else collected
        self._prefix = prefix

    def within(self, prefix: str) -> Figures:
        """Return a collection for the same page, whose figures have names of their own."""
        return Figures(self._json, prefix)

    def add(self, name: str, drawing: Drawing) -> Drawn:
        """Take a figure; its title becomes text of the page, where it can wrap and be read."""
        title = untitled(drawing)
        widths = drawing.layout.get("meta", {}).get("width", [None, None])
        self._json[self._prefix + name] = drawing.to_json()
        return Drawn(self._prefix + name, title, int(drawing.layout["height"]), *widths)

    def add_like(self, name: str, title: str, first: Drawn, values: Sequence[Values]) -> Drawn:
        """Take a figure that differs from an earlier one in values only; the page completes it."""
        traces = [{key: _encoded(array) for key, array in trace.items()} for trace in values]
        name = self._prefix + name
        self._json[name] = json.dumps({"like": first.id, "data": traces})
        return replace(first, id=name, title=title)

    def __str__(self) -> str:
        return (
            "{"
            + ",".join(f"{safe_json(json.dumps(k))}:{safe_json(v)}" for k, v in self._json.items())
            + "}"
        )


def _encoded(array: NDArray[np.float32]) -> dict[str, str]:
    """Return numbers as Plotly reads them in the page."""
    little = array.astype("<f4", copy=False)
    return {"dtype": "f4", "bdata": base64.b64encode(little.tobytes()).decode("ascii")}
