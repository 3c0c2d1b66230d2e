from __future__ import annotations

import argparse
import io
import pickle
import struct
import tarfile
import zipfile
from collections import OrderedDict

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from irbench.checkpoints.reading import load_tensor, read_checkpoint  # noqa: E402
from irbench.errors import WeightsError  # noqa: E402


def same(path, expected):
    """Whether a checkpoint holds exactly these tensors."""
    found = read_checkpoint(path).tensors
    assert found.keys() == expected.keys()
    for name, one in expected.items():
        tensor = load_tensor(found[name])
        assert tensor.dtype == one.dtype, name
        assert torch.equal(tensor, one), name


def wrapped(network):
    """Ways in which repositories keep a state dict."""
    state = network.state_dict()
    optimizer = torch.optim.Adam(network.parameters())
    sum(p.float().sum() for p in network.parameters()).backward()
    optimizer.step()
    state = network.state_dict()
    more = {
        "epoch": 3,
        "best": np.float64(0.75),
        "args": argparse.Namespace(lr=0.1),
        "optimizer": optimizer.state_dict(),
        "history": [1.0, {"a": np.zeros(3)}],
        "device": torch.device("cpu"),
        "names": {"a", "b"},
    }
    return {
        "plain": state,
        "state_dict": {"state_dict": state, **more},
        "net": {**more, "net": state},
        "own key": {"my network": state, "epoch": 1},
        "module": network,
        "module inside": {"net": network, **more},
        "beside": OrderedDict([*state.items(), ("step", 7)]),
    }


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(
    "form",
    ["plain", "state_dict", "net", "own key", "module", "module inside", "beside"],
)
def test_every_form_in_both_containers(published, save, form, zipped):
    network = published()
    value = wrapped(network)[form]
    same(save(value, zipped), network.state_dict())


@pytest.mark.parametrize("zipped", [True, False])
def test_views_of_one_storage_and_every_type(save, zipped):
    whole = torch.arange(24.0).view(4, 6)
    state = {
        "whole": whole,
        "transposed": whole.t(),
        "inside": whole[1:3, 2:5],
        "expanded": whole[0, :1].expand(5),
        "empty": torch.empty(0, 3),
        "scalar": torch.tensor(2.5, dtype=torch.bfloat16),
    }
    for dtype in (torch.float64, torch.float16, torch.int64, torch.int32, torch.int16, torch.int8):
        state[str(dtype)] = torch.tensor([[1, 2], [3, 4]], dtype=dtype)
    state["bool"] = torch.tensor([True, False])
    state["byte"] = torch.tensor([0, 255], dtype=torch.uint8)
    same(save(state, zipped), state)


def test_arrays_and_safetensors(published, tmp_path):
    import safetensors.torch

    state = published().state_dict()
    for write in (np.savez, np.savez_compressed):
        write(tmp_path / "net.npz", **{name: one.numpy() for name, one in state.items()})
        same(tmp_path / "net.npz", state)
    safetensors.torch.save_file(state, tmp_path / "net.bin")
    same(tmp_path / "net.bin", state)


def tar_of(tensors):
    """A checkpoint as torch wrote it before 0.1.10; each tensor in a storage of its own."""

    class Pickler(pickle._Pickler):
        def persistent_id(self, value):
            return next((i for i, one in enumerate(tensors.values()) if one is value), None)

    stream = io.BytesIO()
    Pickler(stream, 2).dump(dict(tensors))
    members = {"sys_info": pickle.dumps({"little_endian": True}, 2), "pickle": stream.getvalue()}
    storages = tables = pickle.dumps(len(tensors), 2)
    for key, one in enumerate(tensors.values()):
        storages += pickle.dumps((key, "cpu", torch.FloatStorage), 2)
        storages += struct.pack("<q", one.numel()) + one.contiguous().numpy().tobytes()
        tables += pickle.dumps((key, key, torch.FloatTensor), 2) + struct.pack("<iI", one.ndim, 0)
        tables += struct.pack(f"<{2 * one.ndim + 1}q", *one.shape, *one.contiguous().stride(), 0)
    members["storages"] = storages + pickle.dumps([], 2)
    members["tensors"] = tables
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return archive.getvalue()


def test_the_oldest_container_as_torch_reads_it(tmp_path):
    tensors = {"a.weight": torch.randn(3, 2, 5), "a.bias": torch.randn(3), "s": torch.randn(())}
    path = tmp_path / "net.pth"
    path.write_bytes(tar_of(tensors))
    # That the file built here is one.
    theirs = torch.load(path, weights_only=False)
    assert all(torch.equal(theirs[name], one) for name, one in tensors.items())
    same(path, tensors)


def test_parts_of_a_storage_as_the_former_container_had_them(tmp_path):
    """The sixth field of a storage's id, which torch no longer writes."""
    whole = torch.arange(10.0)

    class Pickler(pickle._Pickler):
        def persistent_id(self, value):
            if value == "part":
                return ("storage", torch.FloatStorage, "0", "cpu", 10, ("1", 4, 3))
            return None

    class Rebuilt:
        def __reduce__(self):
            return torch._utils._rebuild_tensor_v2, ("part", 1, (2,), (1,), False, OrderedDict())

    stream = io.BytesIO()
    for one in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
        pickle.dump(one, stream, 2)
    Pickler(stream, 2).dump({"x": Rebuilt()})
    pickle.dump(["0"], stream, 2)
    stream.write(struct.pack("<q", 10) + whole.numpy().tobytes())
    path = tmp_path / "net.pth"
    path.write_bytes(stream.getvalue())
    same(path, {"x": torch.tensor([5.0, 6.0])})


class Executes:
    """What an attacker writes; leaves a mark where it is run."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def attacks(mark):
    import builtins
    import os
    import subprocess

    return {
        "system": Executes(os.system, f"touch {mark}"),
        "open": Executes(builtins.open, str(mark), "w"),
        "eval": Executes(eval, f"open({str(mark)!r}, 'w')"),
        "popen": Executes(subprocess.Popen, ["touch", str(mark)]),
        "getattr": Executes(getattr, Executes(__import__, "os"), "abort"),
        "load": Executes(torch.load, str(mark)),
        "module": Executes(torch.nn.Conv2d, 3, 3, 3),
    }


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(
    ("attack", "name"),
    [
        ("system", "system"), ("open", "open"), ("eval", "eval"), ("popen", "Popen"),
        ("getattr", "__import__"), ("load", "load"), ("module", "Conv2d"),
    ],
)  # fmt: skip
def test_what_would_execute_is_refused_by_name_and_not_executed(
    tmp_path, save, published, zipped, attack, name
):
    mark = tmp_path / "executed"
    state = OrderedDict(published().state_dict())
    state["extra"] = attacks(mark)[attack]
    path = save(state, zipped)
    with pytest.raises(WeightsError, match=rf"would execute .*{name}") as refused:
        read_checkpoint(path)
    assert str(path) in str(refused.value)
    assert not mark.exists()


def in_sequence(program):
    """A pickle's opcodes where the former container has its object."""
    head = [pickle.dumps(one, 2) for one in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})]
    return b"".join(head) + program + pickle.dumps([], 2)


@pytest.mark.parametrize(
    ("program", "match"),
    [
        (b"(ios\nabort\n.", "would execute os.abort"),
        (b"(cos\nabort\no.", "would execute"),
        (b"cos\nabort\n)R.", "would execute os.abort"),
        (b"\x80\x02cos\nabort\n)\x81.", "no tensors"),
        # An attribute of a function here, of a class here, of a class of Python's.
        (b"ctorch._utils\n_rebuild_tensor_v2\n(N}X\x01\x00\x00\x00aK\x01stb.", "change a function"),
        (b"ccollections\nOrderedDict\n(N}X\x01\x00\x00\x00aK\x01stb.", "change a function"),
        (b"cbuiltins\nset\n(N}X\x01\x00\x00\x00aK\x01stb.", "change a function"),
        # Two thousand million places in the reader's table.
        (b"\x80\x02}r\xff\xff\xff\x7f.", "more objects than"),
        (b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\x00\x00.", "damaged"),
        (b"\x82\x01.", "damaged"),
        (b"ccopyreg\n_reconstructor\n(K\x01K\x02Nt\x85R.", "damaged|no class"),
        (b"(" * 50000 + b"t" * 49999 + b".", "damaged|no tensors"),
        (b"X\x03\x00\x00\x00abcQ.", "no storage"),
        (b"]\x94h\x00a.", "no tensors"),
        (b"}q\x00X\x01\x00\x00\x00ah\x00s.", "no tensors"),
    ],
    ids=range(15),
)
def test_hostile_opcodes(tmp_path, program, match):
    path = tmp_path / "net.pth"
    path.write_bytes(in_sequence(program))
    with pytest.raises(WeightsError, match=match):
        read_checkpoint(path)


def test_a_module_without_end(tmp_path):
    # A module that is its own child, as opcodes: no pickler is asked to write it.
    program = b"\x80\x02cnet\nNet\n)\x81q\x00}X\x08\x00\x00\x00_modules}X\x01\x00\x00\x00ah\x00ssb."
    path = tmp_path / "net.pth"
    path.write_bytes(in_sequence(program))
    with pytest.raises(WeightsError, match="no end"):
        read_checkpoint(path)


def test_a_plain_pickle_and_other_files(tmp_path, save, published):
    path = tmp_path / "net.pth"
    for content, match in (
        (pickle.dumps({"a": np.zeros(3)}, 2), "no checkpoint of torch"),
        (b"", "neither"),
        (b"\x89PNG\r\n", "neither"),
        (b"\x80", "damaged"),
        (b"PK\x03\x04", "truncated or damaged"),
    ):
        path.write_bytes(content)
        with pytest.raises(WeightsError, match=match):
            read_checkpoint(path)
    with pytest.raises(WeightsError, match="cannot be read"):
        read_checkpoint(tmp_path / "missing.pth")
    with pytest.raises(WeightsError, match=r"no tensors by name.*epoch"):
        read_checkpoint(save({"epoch": 3}))
    both = {"generator": published().state_dict(), "critic": published().state_dict()}
    with pytest.raises(WeightsError, match=r"several networks.*generator, critic"):
        read_checkpoint(save(both))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/data.pkl", b"N.")
        archive.writestr("net/code/__torch__.py", b"")
    with pytest.raises(WeightsError, match="TorchScript"):
        read_checkpoint(path)


def test_compressed_entries_of_a_checkpoint_are_refused(save, published, tmp_path):
    source = zipfile.ZipFile(save(published().state_dict()))
    with zipfile.ZipFile(tmp_path / "bomb.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in source.namelist():
            archive.writestr(name, source.read(name))
    with pytest.raises(WeightsError, match="compressed"):
        read_checkpoint(tmp_path / "bomb.pth")


def test_arrays_that_are_pickles_are_refused(tmp_path):
    mark = tmp_path / "executed"
    array = np.array([attacks(mark)["system"]], dtype=object)
    np.savez(tmp_path / "net.npz", a=array)
    with pytest.raises(WeightsError, match="truncated or damaged"):
        read_checkpoint(tmp_path / "net.npz")
    assert not mark.exists()


@pytest.mark.parametrize("zipped", [True, False])
def test_every_truncation_is_an_error(save, published, zipped, tmp_path):
    content = save(published().state_dict(), zipped).read_bytes()
    path = tmp_path / "cut.pth"
    for end in {*range(0, len(content), max(len(content) // 60, 1)), len(content) - 1}:
        path.write_bytes(content[:end])
        with pytest.raises(WeightsError):
            read_checkpoint(path)


@pytest.mark.parametrize("zipped", [True, False])
def test_no_changed_byte_breaks_the_reader(save, zipped, tmp_path):
    """A damaged file gives tensors, or the one error that says so."""
    content = bytearray(save({"a": torch.arange(6.0), "b": torch.ones(2, 2)}, zipped).read_bytes())
    rng = np.random.default_rng(0)
    path = tmp_path / "changed.pth"
    for at in rng.integers(0, len(content), 300):
        changed = bytearray(content)
        changed[at] ^= 1 << int(rng.integers(8))
        path.write_bytes(changed)
        try:
            for one in read_checkpoint(path).tensors.values():
                load_tensor(one)
        except WeightsError:
            pass
