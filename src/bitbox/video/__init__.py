"""Video files: every frame at its true time, and writing."""

from bitbox.video.frames import Frame, FrameReader, frames_at, probe, read_frames
from bitbox.video.opening import VideoInfo
from bitbox.video.picture import Image, Picture
from bitbox.video.writing import write_video

__all__ = [
    "Frame",
    "FrameReader",
    "Image",
    "Picture",
    "VideoInfo",
    "frames_at",
    "probe",
    "read_frames",
    "write_video",
]
