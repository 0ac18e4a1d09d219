"""Face signals from video."""

from bitbox.face_backend.processor import FaceProcessor, RuntimeFallbackWarning
from bitbox.face_backend.processor_3di import FaceProcessor3DI
from bitbox.measuring.store import Cache

__all__ = ["Cache", "FaceProcessor", "FaceProcessor3DI", "RuntimeFallbackWarning"]
