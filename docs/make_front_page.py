"""Makes what the README shows of the first command: its table, and a picture of its report.

Run it from the repository's root after ``nox -s bench``: ``python docs/make_front_page.py``. The
table goes between the two marks in README.md, the picture, taken by a Chromium, to docs/report.png.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- the table of docs/make_front_page.py -->\n", "<!-- end of it -->\n"
RUN = "runs/synth"
SIZE_PX = (1100, 886)


def printed_table() -> str:
    """What the command ends with, of the run that is there, from the heading to the last note."""
    command = [sys.executable, "-m", "irbench", "run", "--methods", "all", "--dataset", "synth"]
    command += ["--timing-images", "5", "--out", RUN, "--quiet"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return "\n".join(line.rstrip() for line in done.stdout.strip().splitlines()) + "\n"


def put_table(page: Path, table: str) -> None:
    """Replace the table between the marks."""
    before, _, rest = page.read_text().partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise SystemExit(f"{page} must hold the marks {BEGIN.strip()} and {END.strip()}")
    page.write_text(f"{before}{BEGIN}```text\n{table}```\n{END}{after}")


def take_picture(report: Path, out: Path, browser: str) -> None:
    """The upper part of the report, as a browser shows it."""
    subprocess.run(
        [
            *(browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
            *(f"--window-size={SIZE_PX[0]},{SIZE_PX[1]}", f"--screenshot={out}", report.as_uri()),
        ],
        check=True,
        stderr=subprocess.DEVNULL,
    )


def main() -> None:
    """Write the table and the picture."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--browser", default="chromium", help="a Chromium, by name or path")
    options = parser.parse_args()
    put_table(ROOT / "README.md", printed_table())
    take_picture(ROOT / RUN / "report.html", ROOT / "docs" / "report.png", options.browser)


if __name__ == "__main__":
    main()
