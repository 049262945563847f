"""What a job finds in its folder."""

import json

from omegaconf import OmegaConf

from gan_framework.storage.secrets import mask
from gan_framework.sweeps.job import run_job


def test_a_finished_run_is_known_again_by_what_is_left_of_a_secret(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "5ecret-5ecret")
    asked = ["loss=hinge", "tracker.wandb.notes=with 5ecret-5ecret"]
    summary = {"status": "finished", "overrides": mask(asked), "best": {"value": 1.5}}
    assert "5ecret" not in str(summary)
    (tmp_path / "summary.json").write_text(json.dumps(summary))
    runtime = {"output_dir": str(tmp_path), "choices": {"hydra/launcher": "basic"}}
    place = {"runtime": runtime, "sweep": {"dir": str(tmp_path)}, "overrides": {"task": asked}}
    assert run_job(OmegaConf.create({}), OmegaConf.create(place), OmegaConf.create({})) == 1.5
