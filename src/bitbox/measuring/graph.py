"""A model of MediaPipe's as a graph that one thread runs, and what comes out of it.

MediaPipe's own Python interface runs its twenty steps on as many threads as there are cores, hands
over from one to the other, and turns each point into an object. Beside a second video that costs
more time than it saves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitbox.measuring.undrawn import without_drawing

_GRAPH = """
input_stream: "image"
executor {{ type: "ApplicationThreadExecutor" }}
{streams}
node {{
  calculator: "{calculator}"
  input_stream: "IMAGE:image"
  {wires}
}}
"""
_STEP = 33333  # microseconds from one image to the next, which nothing depends on


class Graph:
    """One of MediaPipe's parts, ready to run.

    Parameters
    ----------
    calculator : str
        Its name.
    outputs : mapping
        Tags of the outputs that are wanted, each with the name by which `run` gives it.
    inside : sequence of str
        Names of streams within the part that are wanted, too.
    side : mapping
        Settings: tags, each with a number or a truth value.
    roi : bool
        Whether it wants to be told where in the image to look: everywhere.
    unlimited : str, optional
        Name of the step inside that holds back what is not sure enough: here it holds back nothing.

    Raises
    ------
    ImportError
        MediaPipe is not installed, or is another version.
    RuntimeError, ValueError
        MediaPipe does not start.
    """

    def __init__(
        self,
        calculator: str,
        outputs: Mapping[str, str],
        *,
        inside: Sequence[str] = (),
        side: Mapping[str, bool | int] | None = None,
        roi: bool = True,
        unlimited: str | None = None,
    ) -> None:
        from google.protobuf import text_format  # type: ignore[import-untyped]

        with without_drawing():
            from mediapipe.framework import calculator_pb2
        from mediapipe.framework.formats import rect_pb2
        from mediapipe.python import packet_creator
        from mediapipe.python._framework_bindings import calculator_graph, image_frame

        settings = dict(side or {})
        streams = ['input_stream: "roi"'] * roi
        streams += [f'input_side_packet: "{tag.lower()}"' for tag in settings]
        wires = ['input_stream: "ROI:roi"'] * roi
        wires += [f'input_side_packet: "{tag}:{tag.lower()}"' for tag in settings]
        wires += [f'output_stream: "{tag}:{name}"' for tag, name in outputs.items()]
        text = _GRAPH.format(
            calculator=calculator, streams="\n".join(streams), wires="\n  ".join(wires)
        )
        plain = text_format.Parse(text, calculator_pb2.CalculatorGraphConfig())
        self._graph = calculator_graph.CalculatorGraph(graph_config=_expanded(plain, unlimited))
        self._out: dict[str, Any] = {}
        for name in (*outputs.values(), *inside):
            self._graph.observe_output_stream(name, self._out.__setitem__, True)
        self._graph.start_run(
            {
                tag.lower(): packet_creator.create_bool(value)
                if isinstance(value, bool)
                else packet_creator.create_int(value)
                for tag, value in settings.items()
            }
        )
        everything = rect_pb2.NormalizedRect(x_center=0.5, y_center=0.5, width=1, height=1)
        self._everything = packet_creator.create_proto(everything) if roi else None
        self._packet = partial(
            packet_creator.create_image_frame, image_format=image_frame.ImageFormat.SRGB
        )
        self._time = 0

    def run(self, image: NDArray[np.uint8]) -> dict[str, Any]:
        """Return the packets that come out for an RGB image, by name; those that are empty, too."""
        self._time += _STEP
        self._graph.add_packet_to_input_stream("image", self._packet(image).at(self._time))
        if self._everything is not None:
            self._graph.add_packet_to_input_stream("roi", self._everything.at(self._time))
        self._graph.wait_until_idle()
        return self._out

    def close(self) -> None:
        """End the run."""
        self._graph.close()


def serialized(packet: Any) -> bytes:
    """Return the message in a packet as MediaPipe sends it, without making objects of it first."""
    from mediapipe.python._framework_bindings import _packet_getter

    return bytes(_packet_getter._get_serialized_proto(packet))


def _expanded(config: Any, unlimited: str | None) -> Any:
    """Return a graph with all its steps, one of which lets everything through."""
    from mediapipe.calculators.util import thresholding_calculator_pb2
    from mediapipe.framework import calculator_pb2
    from mediapipe.python._framework_bindings import resource_util, validated_graph_config

    resource_util.set_resource_dir(_resources())
    expanded = validated_graph_config.ValidatedGraphConfig()
    expanded.initialize(graph_config=config)
    whole = calculator_pb2.CalculatorGraphConfig()
    whole.ParseFromString(expanded.binary_config)
    extension = thresholding_calculator_pb2.ThresholdingCalculatorOptions.ext
    for node in whole.node:
        if node.name == unlimited:
            node.options.Extensions[extension].threshold = -1.0
    return whole


def _resources() -> str:
    """Return the folder in which MediaPipe looks for its models."""
    from importlib import util
    from pathlib import Path

    found = util.find_spec("mediapipe")
    if found is None or not found.submodule_search_locations:
        raise ImportError("MediaPipe is not installed")
    return str(Path(found.submodule_search_locations[0]).parent)
