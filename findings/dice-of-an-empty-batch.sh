#!/usr/bin/env bash
# Packages: segmentation-models-pytorch==0.6.0 monai==1.6.1 torchvision==0.28.0 torch==2.13.0 numpy==2.4.6
# Behaviour: DiceLoss, JaccardLoss and TverskyLoss of segmentation_models_pytorch are 0, with a gradient of 0, for a batch without target, also if the network calls every
#   pixel target. MONAI's DiceLoss is 1 there, with a gradient of 3e-10, and 1e-3 once there is a target. LovaszLoss is 3.00, with a gradient of 1. With one
#   target in the batch the same loss counts the false alarms of all its images.
# Why a good guess misses it: 1 - 2 * 0 / (0 + n) is 1, the worst value, and what comes is the best. The loss of a class without true pixels is multiplied by 0, which
#   is meant for many classes, of which each image lacks some; with one class it is the whole loss. Patches of infrared scenes are mostly empty, and are put into
#   training because of false alarms. In batches of one they teach nothing, in batches of eight some do and some do not, and the mean loss falls with their number.
# Seen: every pixel called target, loss / gradient without target / gradient with one: smp Dice 0.00 / 0e+00 / 1e-03, smp Jaccard 0.00 / 0e+00 / 5e-04,
#   smp Tversky 0.00 / 0e+00 / 1e-03, MONAI Dice 1.00 / 3e-10 / 1e-03, smp Lovasz 3.00 / 1e+00 / 1e+00
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "segmentation-models-pytorch==0.6.0" "monai==1.6.1" "torchvision==0.28.0" "torch==2.13.0" "numpy==2.4.6"
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import sys

import torch

try:
    import torchvision
except RuntimeError:  # a torch for the CPU alone beside the wheel for GPUs: compiled operators are missing, and only their names are needed here
    for name in [name for name in sys.modules if name.startswith("torchvision")]:
        del sys.modules[name]
    operators = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        operators.define(name + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import torchvision
import monai.losses
import segmentation_models_pytorch as smp

losses = {
    "smp Dice": smp.losses.DiceLoss("binary"),
    "smp Jaccard": smp.losses.JaccardLoss("binary"),
    "smp Tversky": smp.losses.TverskyLoss("binary"),
    "MONAI Dice": monai.losses.DiceLoss(sigmoid=True),
    "smp Lovasz": smp.losses.LovaszLoss("binary"),
}
empty = torch.zeros(1, 1, 64, 64)
with_target = empty.clone()
with_target[..., 30:33, 30:33] = 1


def loss_and_gradient(loss, masks):
    logits = torch.full(masks.shape, 2.0, requires_grad=True)  # every pixel is target, with a probability of 0.88
    value = loss(logits, masks)
    value.backward()
    return value.item(), logits.grad.abs().sum().item()


seen = {name: (*loss_and_gradient(loss, empty), loss_and_gradient(loss, with_target)[1]) for name, loss in losses.items()}
shown = {name: f"{value:.2f} / {one:.0e} / {two:.0e}" for name, (value, one, two) in seen.items()}
print("every pixel called target, loss / gradient without target / gradient with one: " + ", ".join(map(" ".join, shown.items())))
expected = {
    "smp Dice": "0.00 / 0e+00 / 1e-03",
    "smp Jaccard": "0.00 / 0e+00 / 5e-04",
    "smp Tversky": "0.00 / 0e+00 / 1e-03",
    "MONAI Dice": "1.00 / 3e-10 / 1e-03",
    "smp Lovasz": "3.00 / 1e+00 / 1e+00",
}
sys.exit(shown != expected)
PYTHON
