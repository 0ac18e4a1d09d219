"""The scorecard by its own name; `bitbox.social` has the same, and more."""

from bitbox.analysis.headline import Headline
from bitbox.analysis.quality import imitation_quality
from bitbox.analysis.result import ImitationQuality

__all__ = ["Headline", "ImitationQuality", "imitation_quality"]
