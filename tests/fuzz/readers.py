"""Every reader of files from outside, fed with damaged ones."""

from __future__ import annotations

import base64
import json
import random
import sys
import time
from pathlib import Path

from data_readers import archives, coco, images, masks, predictions, recipes, split_lists, voc, yolo
from label_readers import columns, cvat, folders, foreign, labelme
from network_readers import cards, checkpoints, weights
from run_readers import baselines, calibrations, journal, parquet, results_json, run_json

READERS = {
    "image": images,
    "mask": masks,
    "yolo": yolo,
    "voc": voc,
    "coco": coco,
    "labelme": labelme,
    "cvat": cvat,
    "yolo columns": columns,
    "folder": folders,
    "foreign labels": foreign,
    "predictions": predictions,
    "split lists": split_lists,
    "run.json": run_json,
    "results.json": results_json,
    "journal": journal,
    "parquet": parquet,
    "baseline": baselines,
    "calibration": calibrations,
    "archive": archives,
    "recipe": recipes,
    "card": cards,
    "weights": weights,
    "checkpoint": checkpoints,
}


def main(names, n_inputs, seed, folder, note):
    """Damage and read; the input in work stands in ``note``, what was wrong on standard output."""
    import resource
    import signal

    from irbench.errors import IrbenchError

    def late(*_):
        raise TimeoutError("took too long")

    signal.signal(signal.SIGALRM, late)
    resource.setrlimit(resource.RLIMIT_AS, (12 * 2**30, resource.RLIM_INFINITY))
    for name in names:
        place = folder / name.replace(" ", "-")
        place.mkdir()
        reader = READERS[name](place)
        valid = [path.read_bytes() for path, _ in reader.files]
        for index, content in enumerate(valid):
            reader.read(index, content)  # As they are they are good.
        n_refused, began = 0, time.process_time()
        for number in range(n_inputs):
            # A string: a tuple's hash, and so its random numbers, change from process to process.
            chance = random.Random(f"{name} {seed} {number}")
            index = chance.randrange(len(valid))
            content = reader.damage(valid[index], chance)
            note.write_bytes(f"{name} {seed} {number}\n".encode() + content)
            signal.setitimer(signal.ITIMER_REAL, 60)
            try:
                reader.read(index, content)
            except IrbenchError:
                n_refused += 1
            except BaseException as error:
                what = {"error": f"{type(error).__name__}: {error}"[:500]}
                where = error.__traceback__
                while where.tb_next is not None:
                    where = where.tb_next
                what["at"] = f"{where.tb_frame.f_code.co_filename}:{where.tb_lineno}"
                what["input"] = base64.b64encode(content[:3000]).decode()
                what["file"] = reader.files[index][0].name
                tell({"reader": name, "number": number, **what})
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
            reader.files[index][0].write_bytes(valid[index])
        seconds = round(time.process_time() - began, 1)
        tell({"reader": name, "tried": n_inputs, "refused": n_refused, "seconds": seconds})


def tell(what):
    sys.stdout.write(f"{json.dumps(what)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    names, n_inputs, seed, folder = sys.argv[1:]
    main(names.split(","), int(n_inputs), int(seed), Path(folder), Path(folder) / "input")
