#!/usr/bin/env bash
# Packages: opencv-python-headless==5.0.0.93 av==18.1.0 numpy==2.4.6
# Behaviour: OpenCV's VideoCapture returns a lossless 16-bit grey video (FFV1, gray16le) as 8-bit blue-green-red, without a word: 3,072 grey
#   levels become 13. With CAP_PROP_CONVERT_RGB set to 0 it returns all 16 bits, as PyAV does.
# Why a good guess misses it: For images there is IMREAD_UNCHANGED; that a property named after a colour conversion decides about the depth
#   is not to be guessed. The frame has the right size, looks right when stretched, and a dim target, 30 counts over its surroundings, is
#   gone.
# Seen: type, grey levels of 3072, equal: OpenCV ('uint8', 13, False), OpenCV with CONVERT_RGB 0 ('uint16', 3072, True); PyAV equal: True
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "opencv-python-headless==5.0.0.93" "av==18.1.0" "numpy==2.4.6"
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import sys

import av
import cv2
import numpy as np

counts = (8000 + np.arange(48 * 64)).astype(np.uint16).reshape(48, 64)
with av.open("frames.mkv", "w") as video:
    stream = video.add_stream("ffv1", rate=25)
    stream.width, stream.height, stream.pix_fmt = 64, 48, "gray16le"
    for packet in stream.encode(av.VideoFrame.from_ndarray(counts, format="gray16le")):
        video.mux(packet)
    for packet in stream.encode():
        video.mux(packet)


def levels(convert):
    capture = cv2.VideoCapture("frames.mkv")
    if not convert:
        capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)
    found, frame = capture.read()
    assert found
    return str(frame.dtype), len(np.unique(frame)), np.array_equal(frame, counts)


with av.open("frames.mkv") as video:
    exact = np.array_equal(next(video.decode(video=0)).to_ndarray(), counts)
plain, raw = levels(True), levels(False)
print(f"type, grey levels of 3072, equal: OpenCV {plain}, OpenCV with CONVERT_RGB 0 {raw}; PyAV equal: {exact}")
sys.exit(plain != ("uint8", 13, False) or raw != ("uint16", 3072, True) or not exact)
PYTHON
