#!/usr/bin/env bash
# Packages: torchmetrics==1.9.0 torch==2.13.0 numpy==2.4.6
# Behaviour: BootStrapper of torchmetrics draws anew within each update, not among all that was given. For the IoU of 60 images, whose standard error is 0.042, it returns 0.000
#   if images are given one by one in batches of 1 and drawn as in the textbook ("multinomial"), and 0.041 if all are given at once. With "poisson", the
#   default, batches of 1 are right (0.040), and images as (H, W), which the metric takes as well, have 0.024: their rows are drawn then.
# Why a good guess misses it: Metrics of torchmetrics are the same however the data are divided into updates, and that is what they are for. Images of different size, which data sets of
#   the field have, are tested one by one; and a standard error of 0.000 comes beside a mean that is right, while 0.024 looks like any other. Between two
#   networks 0.08 apart the one says nothing, and the other significant.
# Seen: standard error of the IoU of 60 images: by hand 0.042; multinomial: at once 0.041, batches of 1 0.000, (H, W) 0.027; poisson: at once 0.042, batches of 1 0.040, (H, W) 0.024
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "torchmetrics==1.9.0" "torch==2.13.0" "numpy==2.4.6"
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import sys

import numpy as np
import torch
from torchmetrics.classification import BinaryJaccardIndex
from torchmetrics.wrappers import BootStrapper

rng = np.random.default_rng(0)
torch.manual_seed(0)
n_images = 60
truth = torch.zeros(n_images, 64, 64, dtype=torch.int64)
truth[:, 30:34, 30:34] = 1
found = torch.stack([torch.roll(one, int(rng.integers(0, 5)), 0) for one in truth])
both, union = (truth & found).sum((1, 2)).numpy(), (truth | found).sum((1, 2)).numpy()
drawn = rng.integers(0, n_images, (4000, n_images))
by_hand = float(np.std(both[drawn].sum(1) / union[drawn].sum(1)))


def error(strategy, updates):
    metric = BootStrapper(BinaryJaccardIndex(), num_bootstraps=200, sampling_strategy=strategy)
    for one in updates:
        metric.update(found[one], truth[one])
    return float(metric.compute()["std"])


updates = {
    "at once": [slice(None)],
    "batches of 1": [slice(i, i + 1) for i in range(n_images)],
    "(H, W)": range(n_images),
}
seen = {strategy: {name: error(strategy, one) for name, one in updates.items()} for strategy in ("multinomial", "poisson")}
shown = [f"{strategy}: " + ", ".join(f"{name} {value:.3f}" for name, value in of.items()) for strategy, of in seen.items()]
print(f"standard error of the IoU of 60 images: by hand {by_hand:.3f}; " + "; ".join(shown))
right = [seen["multinomial"]["at once"], seen["poisson"]["at once"], seen["poisson"]["batches of 1"]]
holds = (
    all(abs(value - by_hand) < 0.2 * by_hand for value in right)
    and seen["multinomial"]["batches of 1"] == 0
    and all(of["(H, W)"] < 0.75 * by_hand for of in seen.values())
)
sys.exit(not holds)
PYTHON
