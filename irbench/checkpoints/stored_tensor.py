"""Tensors of a checkpoint as views of its storages, made only when they are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from irbench.errors import WeightsError

if TYPE_CHECKING:
    from torch import Tensor

ELEMENTS = {
    "FloatStorage": ("float32", 4),
    "DoubleStorage": ("float64", 8),
    "HalfStorage": ("float16", 2),
    "BFloat16Storage": ("bfloat16", 2),
    "LongStorage": ("int64", 8),
    "IntStorage": ("int32", 4),
    "ShortStorage": ("int16", 2),
    "CharStorage": ("int8", 1),
    "ByteStorage": ("uint8", 1),
    "BoolStorage": ("bool", 1),
}
"""Name of a storage class of torch to the type of its elements and their bytes."""


@dataclass(frozen=True)
class StorageType:
    """What a storage class of torch says.

    Attributes
    ----------
    dtype : str
        As an attribute of ``torch``.
    n_bytes : int
        Of an element.
    """

    dtype: str
    n_bytes: int


@dataclass(eq=False)
class Storage:
    """Elements in a row; the bytes may follow later in the file than what refers to them.

    Attributes
    ----------
    kind : StorageType
    n_elements : int
    content : bytes-like
        Little endian.
    """

    kind: StorageType
    n_elements: int
    content: bytes | memoryview | None = None

    def part(self, offset: Any, n_elements: Any) -> Storage:
        """A storage within this one, which may be filled later.

        Raises
        ------
        WeightsError
            If it reaches beyond this one.
        """
        numbers = type(offset) is int and type(n_elements) is int
        if not numbers or min(offset, n_elements) < 0 or offset + n_elements > self.n_elements:
            raise WeightsError("a part of a storage reaches beyond it: the file is damaged.")
        return _Part(self.kind, n_elements, whole=self, offset=offset)

    def values(self) -> bytes | memoryview:
        """Its bytes.

        Raises
        ------
        WeightsError
            If the file ended before them.
        """
        if self.content is None:
            raise WeightsError("the file ends before its tensors: it is truncated; get it again.")
        return self.content

    def fill(self, content: bytes | memoryview) -> None:
        """Give it its bytes.

        Raises
        ------
        WeightsError
            If they are fewer, or more, than the elements need.
        """
        expected = self.n_elements * self.kind.n_bytes
        if len(content) != expected:
            raise WeightsError(
                f"a storage of {self.n_elements} {self.kind.dtype} needs {expected} bytes, the "
                f"file holds {len(content)}: it is truncated or damaged; get it again."
            )
        self.content = content


@dataclass(eq=False)
class _Part(Storage):
    """A storage that lies in another one."""

    whole: Storage | None = None
    offset: int = 0

    def values(self) -> bytes | memoryview:
        assert self.whole is not None
        n_bytes = self.kind.n_bytes
        first = self.offset * n_bytes
        return self.whole.values()[first : first + self.n_elements * n_bytes]


class StoredTensor:
    """A view of a storage.

    Parameters
    ----------
    storage : Storage
    offset : int
        Of the first element, in elements.
    shape, strides : sequence of int
        Strides in elements.

    Raises
    ------
    WeightsError
        If the numbers are none, or reach beyond the storage.
    """

    def __init__(self, storage: Any, offset: Any, shape: Any, strides: Any) -> None:
        shape, strides = tuple(shape), tuple(strides)
        numbers = (offset, *shape, *strides)
        plain = all(type(one) is int and one >= 0 for one in numbers)
        if not isinstance(storage, Storage) or not plain or len(shape) != len(strides):
            raise WeightsError(
                "a tensor in the file is described by no storage, shape and strides."
            )
        steps = ((n - 1) * step for n, step in zip(shape, strides, strict=True))
        if 0 not in shape and offset + sum(steps) >= storage.n_elements:
            raise WeightsError(
                f"a tensor of shape {shape} in the file reaches beyond its storage of "
                f"{storage.n_elements} elements: the file is damaged; get it again."
            )
        self.storage, self.offset = storage, offset
        self.shape: tuple[int, ...] = shape
        self.strides: tuple[int, ...] = strides

    def __setstate__(self, state: Any) -> None:
        """What a parameter keeps beside its values says nothing here."""

    def load(self) -> Tensor:
        """The values, in a tensor of their own.

        Raises
        ------
        WeightsError
            If the file ends before them.
        """
        import torch

        dtype: torch.dtype = getattr(torch, self.storage.kind.dtype)
        if 0 in self.shape:
            return torch.empty(self.shape, dtype=dtype)
        flat = torch.frombuffer(bytearray(self.storage.values()), dtype=dtype)
        return flat.as_strided(self.shape, self.strides, self.offset).clone()
