"""Imitation of the same side, or as in a mirror: what is compared, and what there is to say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, get_args

from bitbox.errors import ParameterError
from bitbox.findings import Finding
from bitbox.statistics.senses import Advance

#: Whether sides are compared as they are, as in a mirror, or in both senses.
Mirror = Literal["no", "yes", "either"]
#: What the two senses are called.
SENSES = {False: "anatomical", True: "specular"}


def check_mirror(mirror: str, *, testable: bool) -> None:
    """Refuse a choice that there is not.

    Parameters
    ----------
    mirror : str
        What was chosen.
    testable : bool
        Whether there is a test against chance that can pay for trying both.

    Raises
    ------
    ParameterError
    """
    if mirror not in get_args(Mirror):
        raise ParameterError(
            "Whether sides are compared as in a mirror was not understood.",
            expected="'no', 'yes' or 'either'",
            got=f"mirror={mirror!r}",
        )
    if mirror == "either" and not testable:
        raise ParameterError(
            "To try both senses and keep the better one makes everything look more alike than it "
            "is, and without a test against chance nothing shows by how much.",
            expected="mirror='no' or mirror='yes'",
            got="mirror='either'",
            todo="Use imitation_quality, which counts the choice in p, and tests pairs of the same "
            "name only (matrix_test=False).",
        )


def about_senses(mirror: str, specular: bool, lead: Advance | None) -> Iterator[Finding]:
    """Yield what there is to say about the sense of imitation.

    Parameters
    ----------
    mirror : str
        What was asked for.
    specular : bool
        Whether sides were compared as in a mirror.
    lead : Advance or None
        Of the other sense; None where it cannot be told, or both were tested.
    """
    if mirror == "either":
        yield Finding(
            "sense-chosen",
            "info",
            f"Of the two senses of imitation the {SENSES[specular]} one fits better"
            + (" (as in a mirror)" if specular else " (left with left)")
            + "; p counts that both were tried.",
            "Report that both were tried. A camera that flips its picture turns one into the "
            "other.",
        )
    elif lead is not None and lead.clear:
        yield Finding(
            "other-sense-fits",
            "warning",
            f"Imitation is closer in the other sense, the {SENSES[not specular]} one "
            + ("(left with left)" if specular else "(as in a mirror, left with right)")
            + f": r is higher by {lead.r:.2f} on average, {lead.errors:.0f} standard errors.",
            "Check whether a camera flipped its picture. If people were free to imitate either "
            "way, use mirror='either', which tests both senses and counts the choice in p.",
        )


def about_no_sides() -> Finding:
    """Return what there is to say where mirroring changes nothing."""
    return Finding(
        "no-sides",
        "info",
        "None of these signals has a left and a right, so it makes no difference whether they are "
        "compared as in a mirror.",
        "Nothing; to tell the two senses apart, compare signals that have sides, as those of the "
        "built-in runtime do.",
    )
