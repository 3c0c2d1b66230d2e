"""Executes docs/notebook.ipynb and writes its outputs: ``python docs/execute_notebook.py``."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).with_name("notebook.ipynb")


def execute(notebook: Path, folder: Path) -> nbformat.NotebookNode:
    """Run all cells of a notebook.

    Parameters
    ----------
    notebook : Path
        Is not written to.
    folder : Path
        Where the cells run, and leave their files.

    Returns
    -------
    NotebookNode
        With the outputs.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell raises.
    """
    # The notebook calls `irbench` as a user does: the one of this Python.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    os.environ |= {"TERM": "dumb", "NO_COLOR": "1"}  # text is what a page shows
    content = nbformat.read(notebook, as_version=4)
    client = NotebookClient(
        content,
        timeout=300,
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
    )
    executed: nbformat.NotebookNode = client.execute()
    for cell in executed.cells:
        cell.metadata.pop("execution", None)
    return executed


def main() -> None:
    """Execute the notebook and write it back."""
    with tempfile.TemporaryDirectory() as folder:
        executed = execute(NOTEBOOK, Path(folder))
    nbformat.write(executed, NOTEBOOK)


if __name__ == "__main__":
    main()
