"""Body signals from video."""

from bitbox.body_backend.processor import BodyProcessor

__all__ = ["BodyProcessor"]
