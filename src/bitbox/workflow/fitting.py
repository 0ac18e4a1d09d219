"""Two recordings made to fit: flipped pictures turned back, and the stretch that is compared."""

from __future__ import annotations

from dataclasses import replace

from bitbox.errors import BitboxError, InputError, ParameterError
from bitbox.workflow.recordings import Recording
from bitbox.workflow.settings import Settings

Both = tuple[Recording, Recording]


def fitted(people: Both, settings: Settings, offset: float) -> Both:
    """Return both recordings with sides as they are in truth, and cut to what is compared.

    Where the stretch of only one is named, the other is cut to the same time.

    Parameters
    ----------
    people : (Recording, Recording)
        Participant and model.
    settings : Settings
        What is chosen.
    offset : float
        Seconds added to the participant's clock.

    Raises
    ------
    ParameterError
        A stretch ends before it begins.
    InputError
        There is nothing in it.
    SchemaError
        A recording is said to be flipped, and it is not known which of its signals are left.
    """
    turned = (
        _turned(people[0], settings.participant_flipped),
        _turned(people[1], settings.model_flipped),
    )
    own = [(settings.start, settings.end), (settings.model_start, settings.model_end)]
    for role, span in zip(("participant", "model"), own, strict=True):
        _check_span(span, role)
    named = [any(moment is not None for moment in span) for span in own]
    if named[0] and not named[1]:
        own[1] = _moved(own[0], offset)
    elif named[1] and not named[0]:
        own[0] = _moved(own[1], -offset)
    return (
        _cut(turned[0], own[0], implied=not named[0]),
        _cut(turned[1], own[1], implied=not named[1]),
    )


Span = tuple[float | None, float | None]


def _check_span(span: Span, role: str) -> None:
    start, end = span
    if start is not None and end is not None and not start < end:
        prefix = "" if role == "participant" else "model_"
        raise ParameterError(
            f"The {role}'s stretch ends before it begins.",
            expected=f"`{prefix}start` below `{prefix}end`",
            got=f"{start:g} to {end:g} s",
        )


def _moved(span: Span, seconds: float) -> Span:
    start, end = (None if moment is None else moment + seconds for moment in span)
    return start, end


def _turned(recording: Recording, flipped: bool) -> Recording:
    if not flipped:
        return recording
    try:
        return replace(recording, signals=recording.signals.mirrored(), flipped=True)
    except BitboxError as error:
        error.role = recording.role
        raise


def _cut(recording: Recording, span: Span, *, implied: bool) -> Recording:
    """Return what lies in a stretch; `implied` where it is that of the other recording."""
    if span == (None, None):
        return recording
    landmarks = recording.landmarks
    try:
        return replace(
            recording,
            signals=recording.signals.between(*span),
            landmarks=None if landmarks is None else landmarks.between(*span),
        )
    except InputError as error:
        names = "`start` and `end`" if recording.role == "participant" else "`model_start`"
        raise InputError(
            f"{recording.path.name} has no frames in the stretch that is compared.",
            expected=error.expected,
            got=error.got + (", where the other's stretch is on its clock" if implied else "")
            if error.got
            else None,
            todo="Check when the two recordings started (offset=...), or name the stretch of both "
            f"({names} for this one)."
            if implied
            else "Check the times; they count from the start of the file.",
        ) from error
