"""The bytes of one file of a tape: a line that says what it is, then one zlib stream of frames.

Each frame stands behind its length and its CRC, and is flushed: what was written of a file can
be read whenever the writing stops. The first frame of a file is whole.
"""

import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from struct import Struct
from typing import Any

from agent.model.frame import Frame
from agent.record.tape.codec import Decoder, Encoder

KIND = b"abuse-agent tape 1\n"

FRAME_BYTES_AT_MOST = 8 * 1024 * 1024

_HEAD = Struct("<II")
_READ_BYTES = 64 * 1024
_DAMAGED = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    zlib.error,
)


class DamageError(Exception):
    """What is read is not what was written."""


def _compressor() -> Any:  # noqa: ANN401 - zlib does not give the type a name
    return zlib.compressobj()


@dataclass(slots=True)
class Packing:
    """Makes the content of one file, frame by frame."""

    _encoder: Encoder = field(default_factory=Encoder)
    _compressor: Any = field(default_factory=_compressor)
    _is_begun: bool = False

    def pack(self, frame: Frame) -> bytes | None:
        """Give what is to be written behind the rest; None for a frame that is too large."""
        content = self._encoder.encode(frame)
        if len(content) > FRAME_BYTES_AT_MOST:
            return None
        head = b"" if self._is_begun else KIND
        self._is_begun = True
        framed = _HEAD.pack(len(content), zlib.crc32(content)) + content
        packed = (self._compressor.compress(framed), self._compressor.flush(zlib.Z_SYNC_FLUSH))
        return b"".join((head, *packed))


def unpacked(read: Callable[[int], bytes]) -> Iterator[Frame]:
    """Give the frames of one file.

    Args:
        read: Gives up to so many bytes of it, none at its end.

    Raises:
        DamageError: What follows can't be read; `args` tells why.
        OSError: Of `read`.
    """
    head = read(len(KIND))
    if head != KIND:
        if KIND.startswith(head):
            return
        raise DamageError("it is no tape")
    decoder = Decoder()
    for content in _contents(read):
        try:
            frame = decoder.decode(content)
        except _DAMAGED as error:
            raise DamageError("it is damaged") from error
        yield frame


def _contents(read: Callable[[int], bytes]) -> Iterator[bytes]:
    """Give each frame's content; what is cut off at the end raises DamageError."""
    buffer = bytearray()
    for more in _inflated(read):
        buffer += more
        while len(buffer) >= _HEAD.size:
            size, crc = _HEAD.unpack_from(buffer)
            if size > FRAME_BYTES_AT_MOST:
                raise DamageError("it is damaged")
            end = _HEAD.size + size
            if len(buffer) < end:
                break
            content = bytes(memoryview(buffer)[_HEAD.size : end])
            if zlib.crc32(content) != crc:
                raise DamageError("it is damaged")
            del buffer[:end]
            yield content
    if buffer:
        raise DamageError(CUT_OFF)


CUT_OFF = "it is cut off"
"""Why a file ends within a frame: it is being written, or the agent was killed."""


def _inflated(read: Callable[[int], bytes]) -> Iterator[bytes]:
    stream = zlib.decompressobj()
    while not stream.eof and (packed := stream.unconsumed_tail or read(_READ_BYTES)):
        ahead = stream.copy()
        try:
            yield stream.decompress(packed, FRAME_BYTES_AT_MOST)
        except zlib.error as error:
            yield from _up_to_the_damage(ahead, packed)
            raise DamageError("it is damaged") from error


def _up_to_the_damage(stream: Any, packed: bytes) -> Iterator[bytes]:  # noqa: ANN401 - zlib's
    """Give what lies ahead of the damaged byte: zlib tells of none of it in one go."""
    with suppress(zlib.error):
        for at in range(len(packed)):
            yield stream.decompress(packed[at : at + 1], FRAME_BYTES_AT_MOST)
