from __future__ import annotations

import subprocess
import sys

import pytest

from irbench.atomic import replacing, write_json
from irbench.engine.storage.directory import RunDirectory
from irbench.errors import RunKeyError, RunLockedError, UsageError
from irbench.messages.key_differences import check_key, differences


def test_a_lock_keeps_a_second_process_out(tmp_path):
    code = (
        "import sys; from irbench.engine.storage.directory import RunDirectory\n"
        "with RunDirectory(sys.argv[1]).locked(): print('in')"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "run")]
    with RunDirectory(tmp_path / "run").locked():
        done = subprocess.run(command, capture_output=True, text=True)
        assert RunLockedError.__name__ in done.stderr
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout.strip() == "in"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema": 0}', '{"schema": 99}'])
def test_a_run_file_of_another_kind_is_refused(tmp_path, content):
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(RunKeyError, match="use another --out"):
        RunDirectory(tmp_path).read()


def test_differences_name_the_leaves():
    before = {"protocol": {"name": "table1", "iou": 0.5}, "limit": None}
    now = {"protocol": {"name": "table1", "iou": 0.3}, "limit": 3}
    assert differences(before, now) == ["limit: None -> 3", "protocol.iou: 0.5 -> 0.3"]
    assert differences(before, before) == []


def test_digests_are_said_in_words():
    one, other = "0" * 16, "abcdef0123456789"
    before = {"code": one, "manifests": {"test": one * 4}, "weights_sha256": None}
    now = {"code": other, "manifests": {"test": other * 4}, "weights_sha256": other}
    assert differences(before, now) == [
        "code: the code of the method, or of what it uses, has changed",
        "manifests.test: its images, masks or list are others",
        "weights_sha256: None -> abcdef0123456789",
    ]


def test_keys_compare_as_what_they_become_on_disk(tmp_path):
    check_key(tmp_path, {"scales": [3, 5]}, {"scales": (3, 5)})
    with pytest.raises(RunKeyError, match="scales"):
        check_key(tmp_path, {"scales": [3, 5]}, {"scales": (3, 7)})


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "file.json"
    write_json(path, {"a": 1})
    before = path.read_bytes()

    def fail_half_way():
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["run\udcff", "run\x1b[2J"])
def test_a_name_that_arrow_or_a_terminal_cannot_take(tmp_path, name):
    with pytest.raises(UsageError, match=r"a run directory cannot be called .*which cannot be"):
        RunDirectory(tmp_path / name)
