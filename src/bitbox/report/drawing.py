"""A figure as plain data: what Plotly draws in the page, without Plotly's objects in between.

Plotly's own objects check every property, which takes most of the time that a report takes, and
loading them as much again. So the report is made of these, and who asks for a figure gets Plotly's
object, made of one.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bitbox.system.extras import need

if TYPE_CHECKING:
    import plotly.graph_objects as go

Trace = dict[str, Any]


def trace(kind: str, **properties: Any) -> Trace:
    """Return a trace, such as a ``'scatter'``; a property that is None is left out."""
    return {
        "type": kind,
        **{name: value for name, value in properties.items() if value is not None},
    }


class Drawing:
    """Traces and a layout, with as much of the manners of Plotly's figures as is needed.

    Parameters
    ----------
    layout : mapping
        The layout's properties.
    """

    def __init__(self, layout: Mapping[str, Any]) -> None:
        self.data: list[Trace] = []
        self.layout: dict[str, Any] = dict(layout)

    def add_trace(self, new: Trace) -> None:
        """Add a trace in front of the others."""
        self.data.append(new)

    def add_traces(self, new: Sequence[Trace]) -> None:
        """Add traces, each in front of those before."""
        self.data.extend(new)

    def update_layout(self, **changes: Any) -> Drawing:
        """Change properties of the layout, within mappings, too; None takes one away."""
        _update(self.layout, changes)
        return self

    def to_plotly(self) -> go.Figure:
        """Return it as Plotly's figure.

        Raises
        ------
        BackendError
            If Plotly isn't installed.
        """
        need("Drawing figures", "plotly.graph_objects")
        import plotly.graph_objects as go

        # an empty template: Plotly's own would add 7 kB of colours to every figure
        return go.Figure(self.data, {**self.layout, "template": go.layout.Template()})

    def to_json(self) -> str:
        """Return it as the script in the page reads it."""
        return json.dumps({"data": self.data, "layout": _given(self.layout)}, default=_encoded)


def _update(old: dict[str, Any], changes: Mapping[str, Any]) -> None:
    for name, value in changes.items():
        if value is None:
            old.pop(name, None)
        elif isinstance(value, Mapping) and isinstance(old.get(name), Mapping):
            old[name] = dict(old[name])
            _update(old[name], value)
        else:
            old[name] = value


def _given(layout: Mapping[str, Any]) -> dict[str, Any]:
    """Return a layout without what is None, as Plotly leaves it out."""
    return {
        name: _given(value) if isinstance(value, Mapping) else value
        for name, value in layout.items()
        if value is not None
    }


def _encoded(value: object) -> object:
    """Return numbers of NumPy as Plotly reads them in the page."""
    if isinstance(value, np.generic):
        return value.item()
    if not isinstance(value, np.ndarray):
        raise TypeError(f"{type(value)} has no place in a figure")
    if value.dtype.kind != "f":
        return value.tolist()
    little = value.astype(value.dtype.newbyteorder("<"), copy=False)
    coded = {
        "dtype": f"f{value.dtype.itemsize}",
        "bdata": base64.b64encode(little.tobytes()).decode("ascii"),
    }
    if value.ndim > 1:
        coded["shape"] = ", ".join(map(str, value.shape))
    return coded
