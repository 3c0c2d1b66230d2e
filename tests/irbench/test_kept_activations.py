"""Freed memory of large tensors is used again, without asking the kernel."""

import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
import numpy as np
from irbench.resources import keep_activations_mapped

if sys.argv[1] == "kept" and not keep_activations_mapped():
    print("impossible")
    sys.exit()
for round in range(4):
    if round == 1:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.empty(48 << 20, np.uint8).fill(1)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(how):
    command = [sys.executable, "-c", PROGRAM, how]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    if answer == "impossible":
        pytest.skip("the C library is not glibc")
    return int(answer)


def test_large_blocks_are_used_again():
    # A page of 4 KiB, or of 2 MiB where the kernel gives huge ones, is touched anew otherwise.
    assert page_faults("kept") < 10
    assert page_faults("plain") > 3 * 20
