"""Findings: what a careful colleague would point out about the data or the analysis."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal, get_args

Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One observation about the data, with advice.

    Parameters
    ----------
    code : str
        Short stable name, such as ``"several-faces"``.
    severity : {"info", "warning", "error"}
        ``info`` is worth knowing, ``warning`` may mislead, ``error`` makes the result unusable.
    message : str
        What was seen, in a sentence with numbers.
    todo : str
        What to do about it, in a sentence.

    Examples
    --------
    >>> from bitbox.findings import Finding
    >>> print(Finding('few-windows', 'warning', 'There are 9 windows.', 'Record longer.'))
    warning: There are 9 windows. Record longer.
    """

    code: str
    severity: Severity
    message: str
    todo: str

    def to_dict(self) -> dict[str, str]:
        """Return the finding as a plain dictionary of strings.

        Examples
        --------
        >>> from bitbox.findings import Finding
        >>> finding = Finding('few-windows', 'warning', 'There are 9 windows.', 'Record longer.')
        >>> finding.to_dict()['code']
        'few-windows'
        """
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.severity}: {self.message} {self.todo}".rstrip()


def recorded(content: object) -> tuple[Finding, ...]:
    """Return the findings among what a record of them holds, which a file of others may be."""
    found = []
    for item in content if isinstance(content, list) else ():
        try:
            finding = Finding(**item)
        except TypeError:
            continue
        texts = (finding.code, finding.message, finding.todo)
        if finding.severity in get_args(Severity) and all(isinstance(t, str) for t in texts):
            found.append(finding)
    return tuple(found)
