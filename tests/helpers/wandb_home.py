"""W&B in an empty home, and a server for it."""

import logging
import os

import pytest

from tests.helpers.wandb_runs import KEY
from tests.helpers.wandb_server import Server


@pytest.fixture
def wandb_at_home(tmp_path, monkeypatch, caplog):
    """Give W&B an empty home and no settings; end its service process afterwards."""
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    caplog.set_level(logging.INFO)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")
    monkeypatch.setenv("WANDB_HTTP_TIMEOUT", "1")
    yield
    import wandb

    wandb.teardown()


@pytest.fixture
def server(wandb_at_home, monkeypatch):
    with Server() as server:
        monkeypatch.setenv("WANDB_BASE_URL", server.url)
        monkeypatch.setenv("WANDB_API_KEY", KEY)
        yield server
