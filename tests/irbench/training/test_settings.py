"""Recipes: what they hold, from where they come, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from irbench.errors import UnknownNameError, UsageError
from irbench.training.augmentation_settings import Augmentation
from irbench.training.mask_settings import MaskSettings
from irbench.training.settings import TrainingSettings, read_recipe


def test_settings_are_known_without_torch():
    code = "import sys, irbench.training.settings; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    "settings",
    [
        TrainingSettings(),
        TrainingSettings(crop=256, image_size=64, masks=MaskSettings(loss="sls", blur=1.0)),
        TrainingSettings(epochs=7, box_prior_cells=None, augmentation=Augmentation.none()),
        TrainingSettings(box_loss="nwd", deterministic=True, augmentation=Augmentation(scale=2.0)),
    ],
)
def test_they_survive_json(settings):
    assert TrainingSettings().changed(json.loads(json.dumps(settings.as_dict()))) == settings


def test_a_recipe_names_what_it_changes(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text(
        'epochs = 12\nlearning_rate = 1\nbox_prior_cells = "none"\n[augmentation]\nmosaic = 0\n'
    )
    settings = read_recipe(path)
    assert settings == TrainingSettings(
        epochs=12, learning_rate=1.0, box_prior_cells=None, augmentation=Augmentation(mosaic=0.0)
    )
    assert type(settings.learning_rate) is float


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("epoch = 3", "unknown training setting 'epoch'. Did you mean epochs"),
        ("[augmentation]\nflip = 1", "unknown augmentation 'flip'. Did you mean flip"),
        ("augmentation = 3", "must be a table"),
        ("epochs = 3.0", "epochs must be of type int, got 3.0"),
        ('epochs = "3"', "epochs must be of type int, got '3'"),
        ("epochs = true", "epochs must be of type int, got True"),
        ("deterministic = 1", "deterministic must be of type bool"),
        ('box_prior_cells = "few"', "box_prior_cells must be of type float or none"),
        ("epochs = ", "is not TOML"),
        ("epochs = 0", "epochs must be greater than 0"),
        ("learning_rate = nan", "learning_rate must be greater than 0, got nan"),
        ("learning_rate = inf", "learning_rate must be greater than 0, got inf"),
        ("clip_norm = 0", "clip_norm must be greater than 0"),
        ("seed = -1", "seed must be at least 0"),
        ("momentum = 1.5", r"momentum must be in \[0, 1\]"),
        ("image_size = 64\ncrop = 96", "crop must be at most image_size, 64 px, got 96"),
        ("crop = -32", "crop must be at least 0"),
        ("validate_every = 0", "validate_every must be greater than 0"),
        ("batch = 16\naccumulate = 3", "batch must be a multiple of accumulate, got 16 and 3"),
        ('box_loss = "cio"', "unknown box_loss 'cio'. Did you mean ciou"),
        ('optimizer = "adamw"', "unknown optimizer 'adamw'"),
        ('schedule = "step"', "unknown schedule 'step'. Did you mean steps"),
        ('[masks]\nloss = "iou"', "unknown masks.loss 'iou'"),
        ("[masks]\non_target = 2", r"masks.on_target must be in \[0, 1\]"),
        ("[masks]\nblur = nan", r"masks.blur must be in \[0, 8\]"),
        ("[masks]\nlos = 1", "unknown setting of masks 'los'. Did you mean loss"),
        ("masks = 3", "setting of masks must be a table"),
        ("[augmentation]\nmosaic = 2", r"augmentation mosaic must be in \[0, 1\]"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path, content, said):
    path = tmp_path / "recipe.toml"
    path.write_text(content)
    with pytest.raises(UsageError, match=said):
        read_recipe(path)


def test_a_recipe_changes_the_defaults_of_a_method(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text('epochs = 12\n[masks]\nloss = "sls"\n')
    base = TrainingSettings().changed({"batch": 8, "masks": {"blur": 1.0}})
    expected = TrainingSettings(epochs=12, batch=8, masks=MaskSettings(loss="sls", blur=1.0))
    assert read_recipe(path, base) == expected


def test_a_recipe_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match=r"cannot read the recipe .*none.toml: No such file"):
        read_recipe(tmp_path / "none.toml")


def test_an_unknown_name_is_an_error_of_names():
    with pytest.raises(UnknownNameError):
        TrainingSettings().changed({"epochz": 1})
    assert TrainingSettings().changed({"box_prior_cells": 2}).box_prior_cells == 2.0
    none = TrainingSettings().changed({"box_prior_cells": None})
    assert none.changed({"box_prior_cells": 2}).box_prior_cells == 2.0
