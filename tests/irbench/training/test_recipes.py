from __future__ import annotations

from pathlib import Path

import pytest

from irbench.errors import UnknownNameError, UsageError
from irbench.plugins.registry import method_class
from irbench.training.recipes import find_recipe, shipped_recipes
from irbench.training.settings import TrainingSettings, read_recipe


def test_every_shipped_recipe_is_valid_and_says_something():
    shipped = shipped_recipes(method_class("le-irstd"))
    assert {"paper", "scratch-320", "transfer-320", "finish-512"} <= set(shipped)
    for path in shipped.values():
        assert path.read_text().startswith("# "), "a recipe says what it is for"
        assert read_recipe(path) != TrainingSettings()


@pytest.mark.parametrize(
    "name",
    [
        "alcnet",
        "dnanet",
        "mshnet",
        "rdian",
        "rpcanet",
        "agpcnet",
        "sctransnet",
        "uiunet",
        "l2sknet",
    ],
)
def test_the_recipe_of_a_segmentation_network_is_one_it_can_be_trained_by(name):
    pytest.importorskip("torch")
    from irbench.training.tasks import check_recipe

    cls = method_class(name)
    defaults = TrainingSettings().changed(cls.training_defaults)
    settings = read_recipe(shipped_recipes(cls)[name], defaults)
    assert settings.masks is not None
    check_recipe(cls(), settings)
    with pytest.raises(UsageError, match="network of boxes, and the recipe is for one of masks"):
        check_recipe(method_class("le-irstd")(), settings)


def test_the_papers_recipe_is_the_papers():
    settings = read_recipe(shipped_recipes(method_class("le-irstd"))["paper"])
    assert (settings.image_size, settings.epochs, settings.batch) == (640, 300, 16)
    assert settings.close_mosaic == 0
    assert settings.augmentation.mosaic == 1.0


def test_a_file_of_the_same_name_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cls = method_class("le-irstd")
    shipped = find_recipe(cls, Path("finish-512"))
    assert shipped.suffix == ".toml"
    Path("finish-512").write_text("epochs = 2\n")
    assert find_recipe(cls, Path("finish-512")) == Path("finish-512")


def test_unknown_names_are_told_from_missing_files(tmp_path):
    cls = method_class("le-irstd")
    with pytest.raises(UnknownNameError, match=r"unknown recipe 'finish'.*finish-512"):
        find_recipe(cls, Path("finish"))
    missing = tmp_path / "mine.toml"
    assert find_recipe(cls, missing) == missing
