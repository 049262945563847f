"""The notebooks run from top to bottom, each in an empty folder."""

import os
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.helpers.environment import ROOT

NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))


def read(path):
    return nbformat.read(path, as_version=4)


def test_there_are_notebooks():
    assert {path.stem for path in NOTEBOOKS} >= {"compare_seeds", "first_run", "write_a_plugin"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs(path):
    for cell in read(path).cells:
        assert cell.cell_type != "code" or (cell.outputs == [] and cell.execution_count is None)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path, tmp_path, cache, monkeypatch):
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    notebook = read(path)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    shown = "".join(output.get("text", "") + str(output.get("data", "")) for output in outputs)
    assert "Traceback" not in shown
    for what in SHOWN[path.stem]:
        assert what in shown


SHOWN = {
    "first_run": ("checkpoints/last.pt", "eval/fid_classifier", "image/png"),
    "write_a_plugin": ("ok      my_loss (losses)", "broken  my-loss:my_loss (losses)", "is a sign wrong?"),
    "compare_seeds": ("finished model=mlp loss=hinge seed=2", "loss.name=", "hinge - nonsaturating", "n = 3"),
}
"""What is to be seen in each."""
