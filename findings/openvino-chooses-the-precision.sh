#!/usr/bin/env bash
# Packages: openvino==2026.4.1 numpy==2.4.6
# Behaviour: OpenVINO computes a float32 model in bfloat16 where the processor multiplies it, unless INFERENCE_PRECISION_HINT says f32;
#   inputs and outputs stay float32. Six convolutions differ by 0.7 % of the maximum from the same model on a processor without it. Where the
#   processor has no bfloat16 both are equal, and the script prints so.
# Why a good guess misses it: The file is float32, what goes in and comes out is float32, and on a laptop the outputs equal torch's to six
#   digits; on the server they differ in the third, and a threshold chosen on one machine gives other detections on the other. The hint reads
#   as a wish for speed, not as what decides the numbers.
# Seen: processor with bfloat16: True; unasked bf16, output float32, 0.71% of the maximum from f32
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet "openvino==2026.4.1" "numpy==2.4.6"
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import sys

import numpy as np
import openvino
import openvino.opset13 as ops

rng = np.random.default_rng(0)
image = ops.parameter([1, 64, 64, 64], np.float32)
output = image
for _ in range(6):
    kernel = ops.constant((rng.normal(0, 1, (64, 64, 3, 3)) / 24).astype(np.float32))
    output = ops.relu(ops.convolution(output, kernel, [1, 1], [1, 1], [1, 1], [1, 1]))
core = openvino.Core()
model = openvino.Model([output], [image], "model")
values = rng.normal(0, 1, (1, 64, 64, 64)).astype(np.float32)
capable = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def run(options):
    compiled = core.compile_model(model, "CPU", options)
    return str(compiled.get_property("INFERENCE_PRECISION_HINT").to_string()), compiled(values)[0]


(chosen, default), (asked, exact) = run({}), run({"INFERENCE_PRECISION_HINT": "f32"})
difference = float(np.abs(default - exact).max() / np.abs(exact).max())
print(f"processor with bfloat16: {capable}; unasked {chosen}, output {default.dtype}, {difference:.2%} of the maximum from {asked}")
if capable:
    sys.exit(chosen != "bf16" or default.dtype != np.float32 or not 0.001 < difference < 0.05)
sys.exit(chosen != "f32" or difference != 0)
PYTHON
