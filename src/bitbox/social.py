"""The documented way in: how people move together.

What is behind these names lives in `bitbox.analysis`.
"""

from bitbox.analysis.imitation import coordination, imitation
from bitbox.analysis.lags import lag_surface
from bitbox.analysis.quality import imitation_quality
from bitbox.analysis.suggest import multiverse, suggest
from bitbox.analysis.trials import imitation_trials

__all__ = [
    "coordination",
    "imitation",
    "imitation_quality",
    "imitation_trials",
    "lag_surface",
    "multiverse",
    "suggest",
]
