"""The real networks learn: one image by heart, and scenes that they have not seen."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from irbench.dataset import Dataset, DatasetInfo, Sample  # noqa: E402
from irbench.plugins.registry import method_class  # noqa: E402
from irbench.training.augmentation_settings import Augmentation  # noqa: E402
from irbench.training.image_cache import ImageCache  # noqa: E402
from irbench.training.processes import TrainingProcesses  # noqa: E402
from irbench.training.settings import TrainingSettings  # noqa: E402
from irbench.training.tasks import make_validator  # noqa: E402
from irbench.training.trainer import Trainer  # noqa: E402

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")


class Squares(Dataset):
    """Bright squares of 9 to 13 px on noise; half as many for validation."""

    info = DatasetInfo(name="squares", title="Squares", reference="")
    n_train = 48

    def split_ids(self, split):
        count = self.n_train if split == "train" else self.n_train // 2
        return [f"{split}-{index}" for index in range(count)]

    def load(self, sample_id):
        split, _, index = sample_id.partition("-")
        rng = np.random.default_rng([split == "val", int(index)])
        image = rng.normal(80, 8, (64, 64))
        mask = np.zeros(image.shape, bool)
        height, width = rng.integers(9, 14, 2)
        row, column = rng.integers(2, 64 - 14, 2)
        mask[row : row + height, column : column + width] = True
        image[mask] += rng.uniform(60, 120)
        return Sample(sample_id, image.clip(0, 255).astype(np.uint8), mask)


class OneSquare(Squares):
    """One image, to train and to validate on."""

    info = DatasetInfo(name="one-square", title="One Square", reference="")

    def split_ids(self, split):
        return ["train-0"]


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def learn(tmp_path):
    def train(method, dataset, **given):
        settings = TrainingSettings(image_size=64, patience=0, precision="float32", **given)
        torch.manual_seed(settings.seed)
        detector = method_class(method)(image_size=64)
        for module in detector.network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = 0.3  # There are some dozens of steps, not thousands.
        validator = make_validator(detector, dataset(split="val"), settings, device=CPU)
        cache = ImageCache.of(dataset(split="train"), 64)
        trainer = Trainer(
            detector,
            cache,
            validator,
            settings,
            tmp_path,
            key={},
            processes=TrainingProcesses(0, 1, CPU),
        )
        return trainer.fit().state

    return train


@pytest.mark.parametrize("method", ["yolov8n", "le-irstd"])
def test_one_image_is_learned_by_heart(learn, method):
    """60 steps at a learning rate of 0.01; boxes and scores, without augmentation."""
    state = learn(
        method, OneSquare, epochs=60, batch=1, learning_rate=0.01, augmentation=Augmentation.none()
    )
    assert state.best_score == 1.0
    first, last = state.history[0], state.history[-1]
    assert last["box"] + last["cls"] < (first["box"] + first["cls"]) / 2


def test_scenes_that_were_not_trained_on_are_found(learn):
    state = learn("yolov8n", Squares, epochs=8, batch=8, learning_rate=0.004)
    assert state.best_score > 0.4
    assert state.best_score >= 5 * state.history[0]["val_ap50"]
