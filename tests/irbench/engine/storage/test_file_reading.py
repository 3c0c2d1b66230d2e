"""A file that is damaged is named; another error is no reason to remove a file."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from irbench.engine.storage.file_checks import check_columns, check_numbers, file_reader
from irbench.engine.storage.journal import decode_lines
from irbench.engine.storage.parquet_files import read_ground_truth, read_timings
from irbench.errors import RunKeyError


def raising(error):
    @file_reader
    def read(path):
        raise error

    return read


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("no room"),
        pa.ArrowMemoryError("malloc of size 64 failed"),
        AttributeError("'NoneType' object has no attribute 'splits'"),
        TypeError("read() takes 1 argument"),
        AssertionError(),
        RecursionError(),
        RuntimeError("a thread cannot be started"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_fault_of_the_program_or_want_of_memory_is_raised_as_it_is(error):
    with pytest.raises(type(error)) as caught:
        raising(error)(Path("a.parquet"))
    assert caught.value is error


@pytest.mark.parametrize(
    "error",
    [ValueError("x"), KeyError("split"), OverflowError(), pa.ArrowInvalid("y"), OSError("z")],
)
def test_a_damaged_file_is_named(error):
    with pytest.raises(RunKeyError, match=r"a\.parquet cannot be read .*damaged.*Remove every"):
        raising(error)(Path("a.parquet"))


def test_an_error_of_the_system_does_not_advise_to_remove_the_file():
    with pytest.raises(RunKeyError, match="Permission denied") as caught:
        raising(PermissionError(13, "Permission denied"))(Path("a.parquet"))
    assert "emove" not in str(caught.value)


def test_columns_of_another_type_or_with_nulls_are_value_errors():
    schema = pa.schema([("a", pa.string()), ("b", pa.list_(pa.int32()))])
    good = pa.table({"a": ["x"], "b": [[1]]}, schema=schema)
    check_columns(good, schema, ("a", "b"))
    check_numbers(good, ["b"])
    with pytest.raises(ValueError, match="a must be string, got int64"):
        check_columns(pa.table({"a": [1]}), schema, ())
    with pytest.raises(ValueError, match="b is missing"):
        check_columns(good.select(["a"]), schema, ("a", "b"))
    with pytest.raises(ValueError, match="a must not have nulls"):
        check_columns(pa.table({"a": [None]}, pa.schema([("a", pa.string())])), schema, ("a",))
    with pytest.raises(ValueError, match="lists of the column b"):
        check_numbers(pa.table({"b": [[1, None]]}), ["b"])


@pytest.mark.parametrize("read", [read_ground_truth, lambda path: read_timings(path, "test")])
def test_a_table_of_other_columns_is_refused(tmp_path, read):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"split": [1, 2]}), path)
    with pytest.raises(RunKeyError, match="is missing"):
        file_reader(lambda path: read(path))(path)


@pytest.mark.parametrize(
    "line",
    [
        b"[]",
        b'{"ms": 3, "extents": [], "found": {}}',
        b'{"ms": null, "extents": 3, "found": {}}',
        b'{"ms": null, "extents": [], "found": {"offsets": 3}}',
        b'{"ms": null, "extents": [], "found": [], "map": 3}',
        b'{"ms": [1, 2], "extents": [], "found": {}}',
    ],
)
def test_fields_of_a_line_of_another_type_are_value_errors(line):
    with pytest.raises(ValueError, match="must be"):
        decode_lines([line])
