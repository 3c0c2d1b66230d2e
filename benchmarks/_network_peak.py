"""The greatest resident memory of a process that runs a network once.

Run as a script it is that process: ``python _network_peak.py NETWORK SIDE BATCH``. A batch of 0
is an inference of one image, any other a training step in float32, without the optimiser.
"""

from __future__ import annotations

import subprocess
import sys

from _peak_memory import high_water_mark


def network_peak(name: str, side: int, batch: int) -> int | None:
    """Bytes, interpreter and libraries included; None where the system does not tell.

    Parameters
    ----------
    name : str
        Of the network.
    side : int
        Of the square images, in pixels.
    batch : int
        Images of a training step; 0: an inference of one.

    Raises
    ------
    RuntimeError
        If the process fails; with what it wrote last.
    """
    command = [sys.executable, __file__, name, str(side), str(batch)]
    child = subprocess.run(command, capture_output=True, text=True, check=False)
    if child.returncode != 0:
        reason = child.stderr.strip().splitlines()[-1:] or [f"exit status {child.returncode}"]
        raise RuntimeError(reason[0])
    found = child.stdout.strip()
    return int(found) if found else None


def _main() -> None:
    name, side, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    from _one_thread import use_one_thread

    use_one_thread()

    import torch
    from _network_time import inference_pass, make_detector, training_step

    from irbench.resources import keep_freed_memory

    keep_freed_memory()
    torch.set_num_threads(1)
    detector = make_detector(name, side)
    if batch:
        run, _ = training_step(detector, side, batch, torch.float32)
    else:
        run = inference_pass(detector)
    run()
    found = high_water_mark()
    print("" if found is None else found)


if __name__ == "__main__":
    _main()
