"""Signals: named time series on one clock, validated once and trusted ever after."""

from bitbox.signals.signals import Signals
from bitbox.signals.vectors import ROTATION, TRANSLATION, Components

__all__ = ["ROTATION", "TRANSLATION", "Components", "Signals"]
