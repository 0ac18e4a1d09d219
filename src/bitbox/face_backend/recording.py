"""What is measured of a face, and what a runtime has to offer to the face processor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Protocol

from bitbox.measuring.recording import Recording

if TYPE_CHECKING:
    from bitbox.signals import Signals

#: The outputs, in the order in which `run_all` returns them.
Output = Literal[
    "rectangle", "landmark", "expression-global", "pose", "landmark-can", "expression-local"
]
OUTPUTS: tuple[Output, ...] = (
    "rectangle",
    "landmark",
    "expression-global",
    "pose",
    "landmark-can",
    "expression-local",
)
#: The outputs that `normalize` changes.
NORMALIZED: tuple[Output, ...] = ("expression-global", "expression-local")


class Runtime(Protocol):
    """What measures faces: the built-in one, or 3DI."""

    @property
    def backend(self) -> str:
        """The name that every Signals records."""

    def settings(self, output: Output, normalize: bool) -> dict[str, object]:
        """Return every setting and version that shapes an output: what its key is made of."""

    def compute(
        self, recording: Recording, outputs: Sequence[Output], normalize: bool
    ) -> dict[Output, Signals]:
        """Measure outputs of a recording."""
