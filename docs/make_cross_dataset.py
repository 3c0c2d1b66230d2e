"""Makes docs/results/cross-dataset.md and .csv: networks on each other's datasets.

Run it from the repository's root, after the runs that it names::

    python docs/make_cross_dataset.py runs/nudt runs/nuaa runs/irstd1k

The page is what ``irbench cross`` writes, below a few lines of introduction. It may be stopped and
repeated: what is finished is kept.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from _commands import irbench

METHODS = "le-irstd,yolov8n"
METRICS = "f1,map50,map30,pd"

INTRODUCTION = """# Trained on one dataset, tested on another

Networks with the weights of each dataset on the test split of every other (60-20-20). The
threshold is chosen on the validation split of the tested dataset; only the weights come from
elsewhere. Made by

```
irbench run --methods all,le-irstd-p2 --dataset nudt
irbench run --methods all --dataset nuaa
irbench run --methods all --dataset irstd1k
python docs/make_cross_dataset.py runs/nudt runs/nuaa runs/irstd1k
```

the last of which is `irbench cross --methods le-irstd,yolov8n` on the three runs, with the metrics
F1, mAP@50, mAP@30 and Pd.
"""


def main() -> None:
    """Cross the runs, and keep the table."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="each on its own dataset")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--cross", type=Path, default=Path("runs/cross"))
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("results"))
    options = parser.parse_args()
    words = (
        "--methods",
        METHODS,
        "--metric",
        METRICS,
        "--jobs",
        options.jobs,
        "--out",
        options.cross,
    )
    irbench("cross", *options.runs, *words, quiet=True)
    _, _, tables = (options.cross / "cross.md").read_text().partition("\n\n")
    (options.out / "cross-dataset.md").write_text(f"{INTRODUCTION}\n{tables}")
    shutil.copyfile(options.cross / "cross.csv", options.out / "cross-dataset.csv")


if __name__ == "__main__":
    main()
