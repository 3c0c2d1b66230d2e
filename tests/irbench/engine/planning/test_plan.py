from __future__ import annotations

import pytest

from irbench.engine.planning.choices import default_methods
from irbench.engine.planning.plan import plan_methods
from irbench.errors import UnknownNameError, UsageError
from irbench.plugins.code_version import code_version
from irbench.plugins.registry import catalogue, load_plugin, method_class


def names(group, n_pixels):
    return [cls.info.name for cls in default_methods(group, n_pixels)]


def test_a_fast_variant_stands_in_for_large_images():
    assert "ipi" in names("all", 256 * 256)
    assert "ipi-fast" not in names("all", 256 * 256)
    assert "ipi-fast" in names("classical", 512 * 512)
    assert "ipi" not in names("classical", 512 * 512)
    # By name any method runs at any size.
    planned = plan_methods(["classical", "ipi"], typical_pixels=512 * 512)
    assert {"ipi", "ipi-fast"} <= {plan.name for plan in planned}


def test_group_names_follow_table_one():
    groups = [cls.info.group for cls in default_methods("all")]
    assert groups == sorted(groups, key=groups.index)
    assert groups[0] == "Background Suppression"
    assert {"fkrw", "newtophat", "mpcm", "tllcm", "gswlcm", "ipi", "ript", "pstnn"} <= set(
        names("classical", None)
    )


FURTHER = """
from irbench import MethodInfo, ScoreMapDetector

class Further(ScoreMapDetector):
    info = MethodInfo(
        name="further-row", title="F", group="HVS-based Methods", year=2026, reference="none",
        default=False, extended=True, max_pixels=100,
    )

    def compute(self, image):
        return image
"""


def test_extended_is_all_and_what_says_that_it_belongs(tmp_path, monkeypatch):
    monkeypatch.setattr(catalogue("methods"), "classes", dict(catalogue("methods").classes))
    before = {group: names(group, None) for group in ("all", "classical", "deep")}
    file = tmp_path / "further.py"
    file.write_text(FURTHER)
    load_plugin(file)
    assert {group: names(group, None) for group in before} == before
    extended = names("extended", None)
    assert "further-row" in extended
    assert set(before["all"]) < set(extended)
    # What runs by name only stays out.
    classes = catalogue("methods").classes
    assert all(classes[name].info.default or classes[name].info.extended for name in extended)
    assert "further-row" not in names("extended", 101)
    assert "further-row" in [plan.name for plan in plan_methods(["extended"], typical_pixels=100)]


def test_each_method_is_planned_once():
    assert [p.name for p in plan_methods(["tophat", "mpcm", "tophat"])] == ["tophat", "mpcm"]


def test_parameters_reach_the_plan():
    (plan,) = plan_methods(["ipi"], {"ipi": {"patch": "40"}})
    assert plan.params["patch"] == 40
    assert plan.spec.make().params == plan.params


def test_what_is_not_run_takes_no_parameters():
    with pytest.raises(UsageError, match="mpcm is not among the methods run"):
        plan_methods(["tophat"], {"mpcm": {"scales": "3"}})
    with pytest.raises(UnknownNameError, match="Did you mean classical"):
        plan_methods(["clasical"])


METHOD = """
from irbench import MethodInfo, ScoreMapDetector

class Versioned(ScoreMapDetector):
    '''{doc}'''
    info = MethodInfo(name="{name}", title="V", group="V", year=2026, reference="none")

    def compute(self, image):
        return image * {factor}  # {comment}
"""


def test_the_version_of_the_code_is_that_of_what_it_does(tmp_path):
    def version(name, **words):
        words = {"doc": "A", "factor": 2, "comment": "x", **words}
        file = tmp_path / f"{name}.py"
        file.write_text(METHOD.format(name=name, **words))
        load_plugin(file)
        # The name is part of the code, so all variants must share it on disk.
        file.write_text(METHOD.format(name="v", **words))
        return code_version(method_class(name))

    plain = version("version-a")
    assert version("version-b", doc="Another docstring", comment="another comment") == plain
    assert version("version-c", factor=3) != plain


def test_shared_code_is_part_of_the_version(monkeypatch, tmp_path):
    before = code_version(method_class("mpcm"))
    import irbench.plugins.code_version as module

    real = module._content

    def with_changed_cells(path, stamp):
        return b"changed" if path.name == "_cells.py" else real(path, stamp)

    monkeypatch.setattr(module, "_content", with_changed_cells)
    assert code_version(method_class("mpcm")) != before
    assert code_version(method_class("tophat")) == code_version(method_class("tophat"))
