"""What a report is made of: plain data, every part but the title optional."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bitbox.errors import ParameterError
from bitbox.findings import Finding
from bitbox.signals import Signals

if TYPE_CHECKING:
    import pandas as pd


class MatrixResult(Protocol):
    """What the report needs to know of the result of an imitation or coordination analysis.

    ``mean``, ``std``, ``lag`` and ``n_valid`` are of shape (n1, n2), ``times`` (windows,) are
    the centres of the windows in seconds. Lags are in seconds with the sign that the analysis
    gives them: negative where the participant follows. Objects that also carry ``values`` and
    ``lags`` of shape (windows, n1, n2) get their time courses by window.
    """

    @property
    def mean(self) -> Any: ...  # noqa: D102
    @property
    def std(self) -> Any: ...  # noqa: D102
    @property
    def lag(self) -> Any: ...  # noqa: D102
    @property
    def n_valid(self) -> Any: ...  # noqa: D102
    @property
    def x_names(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def y_names(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def times(self) -> Any: ...  # noqa: D102


@dataclass(frozen=True, eq=False)
class Thumbnail:
    """One frame of a video, with what was found in it.

    Parameters
    ----------
    time : float
        Seconds in the recording.
    image : ndarray of uint8, shape (H, W, 3)
        The frame, upright, RGB.
    landmarks : ndarray, shape (51, 2), optional
        iBUG landmarks in pixels of `image`; None, or NaN, where no face was found. With `bones`,
        the joints of a body, shape (n, 2), NaN where one is not seen.
    bones : tuple of (int, int)
        Pairs of joints between which a line is drawn; empty: the landmarks are of a face.

    Examples
    --------
    >>> import numpy as np
    >>> from bitbox.report import Thumbnail
    >>> Thumbnail(1.5, np.zeros((90, 160, 3), np.uint8)).time
    1.5
    """

    time: float
    image: NDArray[np.uint8]
    landmarks: NDArray[np.float64] | None = None
    bones: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        image = np.asarray(self.image)
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or 0 in image.shape:
            raise ParameterError(
                "A thumbnail cannot be shown.",
                expected="an image of shape (height, width, 3) in uint8",
                got=f"shape {image.shape} in {image.dtype}",
            )
        if self.landmarks is None:
            return
        joints = 1 + max((max(bone) for bone in self.bones), default=50)
        shape = np.asarray(self.landmarks).shape
        if shape != (51, 2) if not self.bones else len(shape) != 2 or shape[0] < joints:
            raise ParameterError(
                "The landmarks of a thumbnail cannot be drawn.",
                expected=f"shape ({joints}, 2)",
                got=f"shape {shape}",
            )


@dataclass(frozen=True, slots=True)
class Picture:
    """An image for the page: a data URI, and what to draw over it.

    ``width`` and ``height`` are pixels of the image; ``paths`` are SVG paths and ``points``
    coordinates in these pixels, both empty where no face was found.
    """

    uri: str
    width: int
    height: int
    time: float
    found: bool
    paths: tuple[str, ...]
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, eq=False)
class Person:
    """One of the two people, and how well they were seen.

    Parameters
    ----------
    label : str
        What the report calls the person: ``"Participant"``.
    file : str, optional
        Name of the recording.
    facts : mapping
        Whatever is known of the recording, in the order to be shown: frame rate, size,
        duration, back end. Values are shown as they are; give units in the text.
    signals : Signals, optional
        What was measured, on the recording's own clock; shows when the person was tracked.
    coverage : float, optional
        Share of frames in which the person was measured, 0 to 1; computed from `signals` if
        None.
    frames : sequence of Thumbnail or Picture
        A few frames with the landmarks found in them.

    Examples
    --------
    >>> from bitbox.report import Person
    >>> Person('Participant', file='anna.mp4', facts={'Age': '31 years'}).label
    'Participant'
    """

    label: str
    file: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    signals: Signals | None = None
    coverage: float | None = None
    frames: Sequence[Thumbnail | Picture] = ()


@dataclass(frozen=True, eq=False)
class LagSurface:
    """The correlation of one pair of signals in every window and at every lag.

    Parameters
    ----------
    name : str
        What the pair is called.
    r : ndarray, shape (windows, lags)
        Correlations; NaN is undefined.
    times : ndarray, shape (windows,)
        Centres of the windows in seconds.
    lags : ndarray, shape (lags,)
        Seconds, with the sign of the analysis: negative where the participant follows.
    polarity : bool
        Whether the strongest correlation of a window is the largest absolute one, or the largest.
    every : int
        Of how many windows these show one.

    Examples
    --------
    >>> import numpy as np
    >>> from bitbox.report import LagSurface
    >>> surface = LagSurface('smile', np.zeros((5, 3)), np.arange(5.0), np.array([-0.2, -0.1, 0.0]))
    >>> surface.r.shape
    (5, 3)
    """

    name: str
    r: NDArray[np.float64]
    times: NDArray[np.float64]
    lags: NDArray[np.float64]
    polarity: bool = True
    every: int = 1


class ProfileResult(Protocol):
    """What the report needs to know of how movements match by latency."""

    @property
    def latency(self) -> Any: ...  # noqa: D102
    @property
    def z(self) -> Any: ...  # noqa: D102
    @property
    def p(self) -> float: ...  # noqa: D102
    @property
    def peak(self) -> float: ...  # noqa: D102


class TrialsResult(Protocol):
    """What the report needs to know of a test in trials."""

    @property
    def headline(self) -> str: ...  # noqa: D102
    @property
    def scorecard(self) -> pd.DataFrame: ...  # noqa: D102
    @property
    def trials(self) -> pd.DataFrame: ...  # noqa: D102


@dataclass(frozen=True, eq=False)
class ReportContent:
    """Everything a report can show. A part that isn't given is left out.

    Parameters
    ----------
    title : str
        The title.
    participant, model : Person, optional
        Who imitates, and who is imitated.
    headline : str, optional
        The result in one sentence.
    scorecard : DataFrame, optional
        One row a signal, its name as index. Known columns are listed in
        :data:`bitbox.report.words.COLUMNS`; others are shown by their own name.
    form : str, optional
        How far apart the two are in form, in one sentence.
    findings : sequence of Finding
        What a careful colleague would point out.
    aligned : (Signals, Signals), optional
        Participant and model on one clock, with the same times.
    matrix : MatrixResult, optional
        Every participant signal against every model signal.
    windows : DataFrame, optional
        What every window of the matched signals holds, one row each: ``signal``; ``time``, its
        centre in seconds; ``r``; and, if known, ``latency`` in seconds, positive where the
        participant follows. Drawn beneath the time courses; None: what `matrix` holds.
    surfaces : sequence of LagSurface
        Pairs to be shown lag by lag.
    profile : ProfileResult, optional
        How movements match their own counterparts at latencies, allowed ones or not.
    allowed : (float, float), optional
        The latencies that were allowed, in seconds.
    trials : TrialsResult, optional
        What :func:`bitbox.social.imitation_trials` returned.
    descriptions : mapping
        A sentence for the name of each signal.
    parameters, provenance : mapping
        How the analysis was made, and from what; may be nested.
    methods : str, optional
        Text for a methods section; blank lines separate paragraphs.
    data_dictionary : DataFrame, optional
        What the files and columns of the results mean; shown as it is.
    family : str, optional
        What the signals are called, where there are several families.
    more : sequence of ReportContent
        The other families of signals of the same two people: each with a headline, scorecard,
        courses and so on of its own.
    alpha : float
        Level at or below which the scorecard's corrected p-values count as beyond chance.

    Raises
    ------
    ParameterError
        If the aligned signals have different times.

    Examples
    --------
    >>> from bitbox.social import imitation_quality
    >>> from bitbox.synthetic.signals import imitated_pair
    >>> participant, model, truth = imitated_pair(3, imitated=2, duration=60, seed=1)
    >>> quality = imitation_quality(participant, model, n_surrogates=99, seed=1)
    >>> from bitbox.report import ReportContent, write_report
    >>> content = ReportContent('Anna', headline=str(quality.headline), scorecard=quality.scorecard)
    >>> write_report(content, 'report.html').name
    'report.html'
    """

    title: str
    participant: Person | None = None
    model: Person | None = None
    headline: str | None = None
    scorecard: pd.DataFrame | None = None
    form: str | None = None
    findings: Sequence[Finding] = ()
    aligned: tuple[Signals, Signals] | None = None
    matrix: MatrixResult | None = None
    windows: pd.DataFrame | None = None
    surfaces: Sequence[LagSurface] = ()
    profile: ProfileResult | None = None
    allowed: tuple[float, float] | None = None
    trials: TrialsResult | None = None
    descriptions: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    methods: str | None = None
    data_dictionary: pd.DataFrame | None = None
    family: str | None = None
    more: Sequence[ReportContent] = ()
    alpha: float = 0.05

    def __post_init__(self) -> None:
        if self.aligned is not None and not np.array_equal(
            self.aligned[0].time, self.aligned[1].time
        ):
            raise ParameterError(
                "The aligned signals of participant and model don't share one clock.",
                expected="the same times in both",
                todo="Align them first.",
            )

    @property
    def people(self) -> list[Person]:
        """The people that are known, the participant first."""
        return [person for person in (self.participant, self.model) if person is not None]

    @property
    def labels(self) -> tuple[str, str]:
        """What participant and model are called."""
        return (
            self.participant.label if self.participant else "Participant",
            self.model.label if self.model else "Model",
        )
