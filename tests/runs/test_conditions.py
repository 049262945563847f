"""Games whose labels are vectors: grids and samples, with the data at hand and without."""

import numpy as np
import pytest
import torch
from PIL import Image

from gan_framework.core.game import CONDITIONS_KEPT
from gan_framework.data import build_source
from gan_framework.errors import ConfigError
from gan_framework.evaluation import latents
from gan_framework.registry.packages import config_folder
from gan_framework.runs import checkpoint, trainer
from gan_framework.runs.launch import launch
from gan_framework.runs.restore import load_game
from gan_framework.storage import pictures
from tests.helpers.runs import make_run


@pytest.fixture
def run(compose, tmp_path):
    config = compose(
        "model=cgan_vectors",
        "data=paired_vectors",
        "data.samples=100",
        "metrics=[]",
        "debug=smoke",
        "networks.generator.condition_units=8",
        "networks.discriminator.joint_units=[8,3]",
        "sample.count=80",
    )
    return make_run(config, tmp_path)


def test_a_run_keeps_conditions_of_its_data_spread_over_them(run):
    labels = run.batches.data.labels
    kept = run.game.conditions
    assert kept.shape == (CONDITIONS_KEPT, 64)
    assert torch.equal(kept[0], labels[0]) and torch.equal(kept[-1], labels[-1])
    assert len(torch.unique(kept, dim=0)) == CONDITIONS_KEPT


def test_grids_go_through_the_kept_conditions_in_turn(run):
    latent = latents.fixed_latent(run.game, 80, 0)
    assert torch.equal(latent.labels, run.game.conditions[torch.arange(80) % CONDITIONS_KEPT])
    with pytest.raises(ConfigError, match="conditioned on vectors"):
        latents.fixed_latent(run.game, 80, 0, classes=[1])


def test_a_checkpoint_samples_without_data_as_the_run_did(run):
    run.save()
    path = run.folder.last
    expected = run.game.sample(latents.fixed_latent(run.game, 5, 1))
    game, _ = load_game(path)
    assert torch.equal(game.conditions, run.game.conditions)
    assert torch.equal(game.sample(latents.fixed_latent(game, 5, 1)), expected)
    assert "conditions" in checkpoint.load(path)["game"]


def test_the_picture_of_vectors_is_a_row_of_shades_for_each(run):
    trainer._draw_samples(run)
    pixels = np.asarray(Image.open(run.folder.samples / "step_0000000.png"))
    assert pixels.shape == (80 * 4, 200 * 4)
    vectors = run.game.sample(latents.fixed_latent(run.game, 80, 0))
    shades = pixels[::4, ::4].astype(float) / 127.5 - 1
    expected = (vectors / vectors.abs().max()).numpy()
    assert np.abs(shades - expected).max() < 1 / 127


def test_a_row_of_zeros_is_grey(tmp_path):
    pictures.write(tmp_path / "x.png", pictures.draw(torch.zeros(2, 3), columns=8))
    assert set(np.asarray(Image.open(tmp_path / "x.png")).flatten()) <= {127, 128}


def test_arrays_of_the_users_own_say_how_large_vectors_and_conditions_are(cache, tmp_path):
    from hydra import compose, initialize_config_dir

    random = np.random.default_rng(0)
    arrays = {"x": random.normal(size=(40, 12)), "y": random.normal(size=(40, 7))}
    np.savez(tmp_path / "pairs.npz", **{name: values.astype(np.float32) for name, values in arrays.items()})
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        config = compose(
            "config",
            [
                *("experiment=cgan_vectors", "debug=smoke", "metrics=[]", "train.device=cpu"),
                *("data=npz", f"data.path={tmp_path / 'pairs.npz'}", "data.image_size=null", "data.channels=null"),
            ],
        )
    launch(config, tmp_path / "run", [])
    game, config = load_game(tmp_path / "run")
    assert game.sample(latents.fixed_latent(game, 3, 0)).shape == (3, 12)
    assert game.conditions.shape[1] == 7
    assert build_source(config["data"]).shape.condition_dim == 7
