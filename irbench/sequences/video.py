"""Video files that OpenCV decodes, frame by frame and at their own depth."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from irbench.errors import ImageError
from irbench.sequences.frame_source import Frame, FrameSource

VIDEO_SUFFIXES = (".avi", ".mp4", ".mkv", ".mov", ".m4v", ".mpg", ".mpeg", ".ts", ".webm")

_GREY_8, _GREY_16 = b"Y800", b"Y1\x00\x10"
_MAY_MISS = 1
"""Frames that a sound file may lack: some containers state a duration, not a number."""


class VideoSource(FrameSource):
    """A video; colour becomes luma, grey of 8 and 16 bit is returned as it is stored."""

    @cached_property
    def _facts(self) -> tuple[int, float, bytes]:
        """Frames claimed, frames a second, and the pixel format's code."""
        import cv2

        if not self.path.is_file():
            raise ImageError(f"there is no video {self.path}.")
        video = cv2.VideoCapture(str(self.path), cv2.CAP_FFMPEG)
        try:
            if not video.isOpened():
                raise ImageError(
                    f"cannot open the video {self.path}: damaged, truncated or of a kind that "
                    "OpenCV does not decode. Write its frames as images, such as by `ffmpeg -i "
                    f"{self.path.name} frames/%06d.png`."
                )
            n_frames = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
            rate = float(video.get(cv2.CAP_PROP_FPS))
            code = int(video.get(cv2.CAP_PROP_CODEC_PIXEL_FORMAT)) & 0xFFFFFFFF
        finally:
            video.release()
        pixel_format = code.to_bytes(4, "little")
        # In FFmpeg's codes of deep formats the last byte is the number of bits.
        if pixel_format != _GREY_16 and 8 < pixel_format[3] <= 16:
            raise ImageError(
                f"{self.path} stores {pixel_format[3]} bit in a layout that OpenCV cuts to 8; "
                "write its frames as 16-bit TIFF, such as by `ffmpeg -i "
                f"{self.path.name} -pix_fmt gray16le frames/%06d.tif`."
            )
        return n_frames, rate, pixel_format

    @property
    def frame_rate(self) -> float | None:  # type: ignore[override]
        """Frames a second as the file says; None where it does not."""
        try:
            rate = self._facts[1]
        except ImageError:
            return None
        return rate if np.isfinite(rate) and rate > 0 else None

    @property
    def n_frames(self) -> int:
        """See :attr:`FrameSource.n_frames`."""
        try:
            return max(self._facts[0], 1)
        except ImageError:
            return 1

    def frames(self, step: int = 1) -> Iterator[Frame]:
        """See :meth:`FrameSource.frames`."""
        import cv2

        try:
            claimed, _, pixel_format = self._facts
        except ImageError as error:
            yield Frame(self.path, None, None, str(error))
            return
        video = self._open(pixel_format in (_GREY_8, _GREY_16))
        index = 0
        try:
            while video.grab():
                if index % step == 0:
                    good, pixels = video.retrieve()
                    if not good:
                        break
                    yield Frame(self.path, index, _grey(pixels))
                index += 1
        except cv2.error as error:
            yield Frame(self.path, index, None, f"{self.path}#{index}: {error.err}.")
            return
        finally:
            video.release()
        if index < claimed - _MAY_MISS or index == 0:
            yield Frame(
                self.path,
                index,
                None,
                f"{self.path} ends after {index} of {claimed} frames: it is truncated or damaged. "
                "What was read counts; copy the file again for the rest.",
            )

    def _open(self, unconverted: bool) -> Any:
        import cv2

        if not unconverted:
            return cv2.VideoCapture(str(self.path), cv2.CAP_FFMPEG)
        # OpenCV warns that other formats than these two are untested unconverted.
        level = cv2.utils.logging.getLogLevel()
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
        try:
            options = [cv2.CAP_PROP_CONVERT_RGB, 0]
            return cv2.VideoCapture(str(self.path), cv2.CAP_FFMPEG, options)
        finally:
            cv2.utils.logging.setLogLevel(level)


def _grey(pixels: Any) -> Any:
    from irbench.images import to_grey

    return np.ascontiguousarray(to_grey(np.asarray(pixels)))
