"""The examples of docs/library.md run, each is short, and what it says of its imports is so."""

import re
import subprocess
import sys

import pytest
import torch

from tests.helpers.environment import ROOT

PAGE = (ROOT / "docs" / "library.md").read_text()
EXAMPLES = dict(re.findall(r"^## ([^\n]+)\n(?:(?!^## ).*\n)*?```python\n((?:(?!```).*\n)*)```", PAGE, re.MULTILINE))


def test_the_three_commonest_uses_are_there():
    assert len(EXAMPLES) == 3


@pytest.mark.parametrize("title", EXAMPLES)
def test_an_example_is_short_and_runs(title):
    code = EXAMPLES[title]
    statements = [line for line in code.splitlines() if line.strip() and not line.startswith(("import ", "from "))]
    assert len(statements) < 30
    torch.manual_seed(0)
    names = {}
    exec(code, names)
    losses = [value for name, value in names.items() if name.endswith("loss") and isinstance(value, torch.Tensor)]
    assert all(loss.isfinite() for loss in losses)
    if "generator_loss" in names:
        names["generator_loss"].backward()
        assert names["made"].grad.abs().sum() > 0


def test_an_example_imports_no_configuration():
    code = EXAMPLES["A GAN loss on an autoencoder or a tokenizer"]
    asks = f"{code}\nimport sys; print({{'hydra', 'omegaconf', 'yaml', 'gan_framework.config'}} & {{*sys.modules}})"
    done = subprocess.run([sys.executable, "-c", asks], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
