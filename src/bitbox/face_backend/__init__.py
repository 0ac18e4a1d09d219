"""Face signals from video."""

from bitbox.face_backend.base import FaceProcessor, RuntimeFallbackWarning
from bitbox.face_backend.store import Cache
from bitbox.face_backend.threedi import FaceProcessor3DI

__all__ = ["Cache", "FaceProcessor", "FaceProcessor3DI", "RuntimeFallbackWarning"]
