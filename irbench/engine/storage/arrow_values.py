"""Values between Arrow and NumPy without pandas.

Where pyarrow turns an object into a scalar, or an array into NumPy's, it imports pandas if it is
there, which takes a third of a second and 40 MB.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def arrow_scalar(value: str | float) -> pa.Scalar:
    """A text or a float64 as a scalar, for comparisons.

    Examples
    --------
    >>> arrow_scalar("test").as_py(), arrow_scalar(0.3).as_py()
    ('test', 0.3)
    """
    if isinstance(value, str):
        text = value.encode()
        ends = pa.py_buffer(np.array([0, len(text)], dtype=np.int32))
        return pa.StringArray.from_buffers(1, ends, pa.py_buffer(text))[0]
    return pa.Array.from_buffers(pa.float64(), 1, [None, pa.py_buffer(np.array([float(value)]))])[0]


def array_values(column: pa.Array | pa.ChunkedArray) -> NDArray[Any]:
    """The ``(n,)`` numbers or truth values of a column; NaN where a floating one is null.

    Examples
    --------
    >>> array_values(pa.array([1.5, None])).tolist(), array_values(pa.array([True, False])).tolist()
    ([1.5, nan], [True, False])
    """
    import pyarrow.compute as pc

    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if array.null_count and pa.types.is_float64(array.type):
        array = pc.fill_null(array, arrow_scalar(np.nan))
    if pa.types.is_boolean(array.type):
        return np.from_dlpack(pc.cast(array, pa.uint8())).astype(bool)
    return np.from_dlpack(array) if not array.null_count else array.to_numpy(zero_copy_only=False)
