"""FLOPs of what runs inside a block: convolutions and products of matrices, all of them.

The counter of torch knows operators. Attention reaches it as one operator without a
formula where torch takes a fused kernel or the fast path of its layers, and then vanishes.
So attention is computed here by its products, which are counted like any other; and what
multiplies matrices and is not counted is named.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

_COUNTED_NAMESPACES = ("aten", "prim", "prims", "profiler")

_PRODUCTS = (
    "addbmm", "cdist", "convolution", "fft_c2c", "fft_c2r", "fft_r2c", "gru", "linalg_", "lstm",
    "multi_head_attention", "rnn_layer", "rnn_tanh", "rnn_relu", "scaled_dot_product", "sparse_mm",
    "transformer_encoder_layer", "trilinear",
)  # fmt: skip
"""Parts of the names of operators in which something is multiplied by a matrix."""

_NO_PRODUCTS = ("upsample", "linalg_vector_norm", "linalg_cross")
"""Parts of the names of those that only sound like one."""


@contextmanager
def attention_by_products() -> Iterator[None]:
    """Have attention computed by its matrix products, without torch's fused shortcuts."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


class FlopCount:
    """The FLOPs of a block of code.

    Attributes
    ----------
    counter : FlopCounterMode
        Of torch, with formulas for products with vectors beside its own.
    """

    def __init__(self) -> None:
        self.counter = FlopCounterMode(display=False, custom_mapping=_VECTOR_PRODUCTS)
        self._watch = _Watch(set(self.counter.flop_registry))

    @property
    def flops(self) -> int:
        """2 for each multiply-accumulate."""
        return int(self.counter.get_total_flops())

    @property
    def uncounted(self) -> tuple[str, ...]:
        """Operators that multiply matrices, or are not torch's own, and have no formula."""
        return tuple(sorted(self._watch.uncounted))

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count what runs inside."""
        # The watch is outside, so that it sees what the counter has taken apart.
        with attention_by_products(), self._watch, self.counter:
            yield


class _Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes operators that should have been counted."""

    def __init__(self, counted: set[Any]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._counted = counted
        self.uncounted: set[str] = set()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        packet = func._overloadpacket
        if packet not in self._counted:
            name = packet.__name__
            foreign = func.namespace not in _COUNTED_NAMESPACES
            product = any(part in name for part in _PRODUCTS)
            if foreign or (product and not any(part in name for part in _NO_PRODUCTS)):
                self.uncounted.add(f"{func.namespace}.{name}")
        return func(*args, **(kwargs or {}))


def _matrix_vector(matrix: Any, vector: Any, *_: Any, out_shape: Any = None, **__: Any) -> int:
    return 2 * int(matrix[0]) * int(matrix[1])


def _added_matrix_vector(added: Any, matrix: Any, *rest: Any, **more: Any) -> int:
    return _matrix_vector(matrix, *rest, **more)


def _dot(a: Any, b: Any, *_: Any, out_shape: Any = None, **__: Any) -> int:
    return 2 * int(a[0])


_aten = torch.ops.aten
_VECTOR_PRODUCTS = {
    _aten.mv: _matrix_vector,
    _aten.addmv: _added_matrix_vector,
    _aten.dot: _dot,
    _aten.vdot: _dot,
}
