"""Unpickling that imports nothing and calls nothing of what a pickle names.

A pickle is a program: it names callables and has them called. Here a name never leads to
an import. A few names of torch's own format lead to constructors written here; every other
one becomes a stand-in, a class without behaviour, which takes state and can be made but
not called. So a network that was pickled as a whole is read as the tree of its parameters,
and a pickle that would run something is refused with the name of what it would run.
"""

from __future__ import annotations

import io
import pickle
import pickletools
from collections import OrderedDict
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NoReturn

from irbench.checkpoints.stored_tensor import ELEMENTS, StorageType, StoredTensor
from irbench.errors import WeightsError

_OLD_CLASSES = ("INST", "OBJ")
"""Opcodes that call what they name; torch has never written them."""

_MEMO = ("PUT", "BINPUT", "LONG_BINPUT")

PersistentLoad = Callable[[Any], Any]
"""From the id of something that is stored beside the pickle to that."""


class _StandInType(type):
    """The type of stand-ins: calling one is what would have executed."""

    def __call__(cls, *args: Any, **kwargs: Any) -> NoReturn:
        raise WeightsError(
            f"it would execute {cls.__module__}.{cls.__name__} when it is read: refused, and not "
            "executed. Ask for the state dict alone, as safetensors or .npz."
        )


class StandIn(metaclass=_StandInType):
    """An object of a class that is not imported.

    Attributes
    ----------
    state : object
        What the pickle gives it; None where it gives nothing.
    entries : dict
        Of a class that is a mapping.
    """

    state: Any
    entries: dict[Any, Any]

    def __new__(cls, *args: Any, **kwargs: Any) -> StandIn:
        """Make an empty one, whatever the class would have been given."""
        made = object.__new__(cls)
        made.state, made.entries = None, {}
        return made

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def __setitem__(self, key: Any, value: Any) -> None:
        self.entries[key] = value

    def append(self, value: Any) -> None:
        """Of a class that is a list: nobody asks for its items."""

    def extend(self, values: Any) -> None:
        """See :meth:`append`."""

    add = append


class _Constructor:
    """A callable that a pickle may have called, and cannot change."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[..., Any]) -> None:
        self._make = make

    def __call__(self, *args: Any) -> Any:
        return self._make(*args)

    def __setstate__(self, state: Any) -> NoReturn:
        raise WeightsError("it would change a function: refused.")


class _StateDict(OrderedDict[Any, Any]):
    """An ordered mapping whose attributes a pickle cannot set."""

    def __setstate__(self, state: Any) -> None:
        """What torch keeps beside a state dict says nothing here."""


def read_pickle(
    content: bytes, start: int = 0, persistent_load: PersistentLoad | None = None
) -> tuple[Any, int]:
    """Read one pickle of a file.

    Parameters
    ----------
    content : bytes
    start : int
        Where it begins.
    persistent_load : callable, optional
        For what is stored beside it.

    Returns
    -------
    value : object
        Of plain types, :class:`StoredTensor`, and :class:`StandIn`.
    end : int
        Where the next thing in the file begins.

    Raises
    ------
    WeightsError
        If it is damaged, or would execute something.
    """
    try:
        end = _end_of_pickle(content, start)
        reader = _Unpickler(content[start:end], persistent_load)
        return reader.load(), end
    except WeightsError:
        raise
    # Opcodes on a wrong stack, types that do not fit, numbers without end, depth.
    except Exception as error:
        raise WeightsError(
            f"it is damaged, or no pickle of torch ({type(error).__name__}: {error}); get it again."
        ) from None


def _end_of_pickle(content: bytes, start: int) -> int:
    """Where a pickle ends, after a look at each opcode."""
    stream = io.BytesIO(content)
    stream.seek(start)
    for opcode, argument, _ in pickletools.genops(stream):
        if opcode.name in _OLD_CLASSES:
            name = str(argument or "something").replace(" ", ".")
            raise WeightsError(f"it would execute {name} when it is read: refused, not executed.")
        # The reader keeps a table of that many places.
        if opcode.name in _MEMO and int(argument or 0) > len(content):
            raise WeightsError("it numbers more objects than it has bytes: damaged or hostile.")
    return stream.tell()


class _Unpickler(pickle.Unpickler):
    def __init__(self, content: bytes, persistent_load: PersistentLoad | None) -> None:
        # Text of Python 2 is ASCII in every checkpoint met; Latin-1 never fails on another.
        super().__init__(io.BytesIO(content), encoding="latin1")
        self._persistent_load = persistent_load

    def find_class(self, module: str, name: str) -> Any:
        if name in ELEMENTS and module in ("torch", "torch.cuda"):
            return StorageType(*ELEMENTS[name])
        known = _CONSTRUCTORS.get(f"{module}.{name}")
        return known or _StandInType(name, (StandIn,), {"__module__": module})

    def persistent_load(self, pid: Any) -> Any:
        if self._persistent_load is None:
            raise WeightsError("it refers to something outside itself: no checkpoint of torch.")
        return self._persistent_load(pid)


def _ignored(*_: Any) -> StandIn:
    """What neither executes nor matters: a score of NumPy's, a device."""
    return StandIn.__new__(StandIn)


def _reconstructed(cls: Any, *_: Any) -> StandIn:
    if not (isinstance(cls, _StandInType) and issubclass(cls, StandIn)):
        raise WeightsError("it makes an object of no class: damaged.")
    return StandIn.__new__(cls)


def _first(value: Any, *_: Any) -> Any:
    return value


def _encoded(text: str, *_: Any) -> bytes:
    return text.encode("latin1")


_CONSTRUCTORS: Mapping[str, _Constructor] = MappingProxyType(
    {
        name: _Constructor(make)
        for make, names in (
            (_StateDict, ("collections.OrderedDict",)),
            (lambda *_: _StateDict(), ("collections.defaultdict",)),
            (set, ("builtins.set", "__builtin__.set")),
            (frozenset, ("builtins.frozenset", "__builtin__.frozenset")),
            (tuple, ("torch.Size",)),
            (_encoded, ("_codecs.encode",)),
            (_reconstructed, ("copyreg._reconstructor", "copy_reg._reconstructor")),
            (StoredTensor, ("torch._utils._rebuild_tensor",)),
            (
                lambda storage, offset, shape, strides, *_: StoredTensor(
                    storage, offset, shape, strides
                ),
                ("torch._utils._rebuild_tensor_v2",),
            ),
            (
                _first,
                (
                    "torch._utils._rebuild_parameter",
                    "torch._utils._rebuild_parameter_with_state",
                    "torch.nn.parameter.Parameter",
                    "torch.autograd.variable.Variable",
                ),
            ),
            (
                _ignored,
                (
                    "torch.device",
                    "torch.nn.backends.thnn._get_thnn_function_backend",
                    "numpy.dtype",
                    "numpy.core.multiarray.scalar",
                    "numpy._core.multiarray.scalar",
                    "numpy.core.multiarray._reconstruct",
                    "numpy._core.multiarray._reconstruct",
                ),
            ),
        )
        for name in names
    }
)
"""What a checkpoint may have called, by the name that it has there."""
