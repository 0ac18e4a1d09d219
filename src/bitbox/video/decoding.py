"""The raw frames of an open video, past what cannot be decoded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


class Decoding:
    """Decoded frames, one after the other, and how often one was skipped.

    Nothing here holds who reads: a reader that is dropped early closes its file at once.

    Attributes
    ----------
    damaged : int
        Packets that could not be decoded so far.
    """

    def __init__(self) -> None:
        self.damaged = 0

    def frames(self, container: Any, stream: Any) -> Iterator[Any]:
        """Yield decoded frames; count packets that cannot be decoded and go on behind them."""
        import av

        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
            except (av.FFmpegError, OSError):  # the file ends in the middle of a packet
                self.damaged += 1
                yield from self._held(stream)
                return
            try:
                yield from packet.decode()
            except av.FFmpegError:
                self.damaged += 1

    def _held(self, stream: Any) -> Iterator[Any]:
        """Yield the frames that the decoder still holds."""
        import av

        try:
            yield from stream.codec_context.decode(None)
        except av.FFmpegError:
            self.damaged += 1
