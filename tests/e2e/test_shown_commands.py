"""The commands of the README and of the quick start, each run as shown, on ``synth``.

What a reader's published data, hours and GPU are for is made small: images are generated, three
are tested, a training has one epoch. All other words are those of the pages.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import zipfile

import cv2
import numpy as np
import pytest

import irbench

from .conftest import CommandLine
from .test_docs_commands import ROOT

pytestmark = pytest.mark.slow

PAGES = (ROOT / "README.md", ROOT / "docs" / "quick-start.md")

RUN = ("--limit", 3, "--timing-images", 1, "--jobs", 1)
TRAIN = (
    *("--scheme", "seeds-8", "--epochs", 1, "--imgsz", 64, "--crop", 0, "--batch", 4),
    *("--threads", 1),
)
FEWER = {"profile": ("--images", 2), "paper": ("--table", 2)}
DATA = {"nudt": "synth", "nuaa": "synth256", "irstd1k": "synth"}

# Minutes on the validation images; what it stands for is tested where names are resolved.
GROUPS = {"extended": "tophat,aagd"}

QUEUE = """
[[training]]
method = "yolov8n"
dataset = "synth"
scheme = "seeds-8"
epochs = 1
imgsz = 64
batch = 4
threads = 1
"""


def blocks_of(page, language):
    for fence in re.finditer(r"^```(\w*)\n(.*?)^```", page.read_text(), re.S | re.M):
        if fence[1] == language:
            yield fence[2]


def shown(language):
    return [(page, block) for page in PAGES for block in blocks_of(page, language)]


LINES = list(
    dict.fromkeys(
        " ".join(shlex.split(line, comments=True))
        for _, block in shown("")
        for line in block.splitlines()
        if not line.startswith(("RUN/", " "))
    )
)
COMMANDS = [line for line in LINES if line.startswith("irbench ")]
SCRIPTS = [
    pytest.param(block, id=f"{page.name}: {block.splitlines()[-1]}")
    for page, block in shown("python")
    if "class " not in block  # the example of a method has a test of its own
]

# What installs, and sessions that do; other tests build the package and read the sessions.
NOT_RUN = (r"pip install nox && nox -s (bench|tests)", r"(uv )?pip install .*", r"")


def translated(text):
    """A page's words for data that is there."""
    names = "|".join(DATA)
    text = re.sub(rf"(?<!--weights )\b({names})\b", lambda found: DATA[found[1]], text)
    text = re.sub(r"synth(,synth\d*)+", "synth,synth256", text)
    return text.replace("000331", "test-0000").replace("docs/gpu-queue.toml", "queue.toml")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with what the pages take for granted: a run, pictures, predictions, weights."""
    folder = tmp_path_factory.mktemp("reader")
    command = CommandLine(folder).within
    command("run", "--methods", "tophat,mpcm,le-irstd", "--dataset", "synth", *RUN)
    command("check", "runs/synth", "--write", "synth.json")

    (block,) = (b for _, b in shown("python") if "class Mine" in b)
    (folder / "mine.py").write_text(block)
    (folder / "queue.toml").write_text(QUEUE)
    dataset = irbench.load_dataset("synth")
    cv2.imwrite(str(folder / "frame.png"), dataset[0].image)
    cv2.imwrite(str(folder / "frame14bit.tiff"), dataset[0].image.astype(np.uint16) * 64)
    (folder / "my_masks").mkdir()
    for sample in dataset:
        mask = sample.mask.astype(np.uint8) * 255
        cv2.imwrite(str(folder / "my_masks" / f"{sample.id}.png"), mask)

    weights = folder / "runs" / "train" / "yolov8n-synth"
    weights.mkdir(parents=True)
    for suffix in (".safetensors", ".json"):
        name = f"yolov8n-synth{suffix}"
        shutil.copy(ROOT / "methods" / "deep" / "weights" / name, weights / name)
    return folder


# The archive of a dataset is its authors'; a test below has one in its form.
@pytest.mark.parametrize("line", [line for line in COMMANDS if "data import" not in line])
def test_a_command_works(line, folder, tmp_path, monkeypatch):
    _, command, *words = shlex.split(translated(line))
    if command == "run":
        words = [GROUPS.get(word, word) for word in words] + list(RUN)
    if "--param" in words or command == "evaluate":  # other parameters or images, another run
        words += ["--out", tmp_path / "run"]
    if command == "train" and "--queue" not in words:
        words += [*TRAIN, "--out", tmp_path / "train"]
    words += FEWER.get(command, ())
    monkeypatch.setenv("IRBENCH_DATA", str(tmp_path))
    CommandLine(folder).within(command, *words)


def test_an_archive_is_brought_in(folder, tmp_path, monkeypatch):
    assert any(line == "irbench data import NUDT-SIRST.zip" for line in COMMANDS)
    image = np.full((256, 256), 9, np.uint8)
    with zipfile.ZipFile(folder / "NUDT-SIRST.zip", "w") as archive:
        for kind in ("images", "masks"):
            _, encoded = cv2.imencode(".png", image)
            archive.writestr(f"NUDT-SIRST/{kind}/000001.png", encoded.tobytes())
    monkeypatch.setenv("IRBENCH_DATA", str(tmp_path))
    done = CommandLine(folder).within("data", "import", "NUDT-SIRST.zip", status=1)
    assert (tmp_path / "NUDT-SIRST" / "images" / "000001.png").exists()
    assert "1327" in done.stdout + done.stderr  # so many are missing, and it says so


@pytest.mark.parametrize("block", SCRIPTS)
def test_a_script_works(block, folder):
    script = folder / "script.py"
    script.write_text(translated(block))
    done = subprocess.run(
        [sys.executable, script], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_no_line_is_forgotten():
    others = [line for line in LINES if line not in COMMANDS]
    assert others
    for line in others:
        assert any(re.fullmatch(pattern, line) for pattern in NOT_RUN), line
