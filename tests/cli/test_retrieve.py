"""Retrieval of the real program's runs: against distances computed one by one, and what is refused."""

import re

import pytest
import torch
from PIL import Image

from gan_framework.data import Sources
from gan_framework.runs.restore import load_game
from gan_framework.storage.images import save_png

MODELS = {
    "autoencoder": ["experiment=autoencoder"],
    "autoencoder_conv_unpool": ["experiment=autoencoder_conv_unpool"],
    "vae": ["experiment=vae", "metrics=[]"],
    "vae_gan_start": ["experiment=vae_gan_start", "game.vae_steps=5", "metrics=[]"],
    "mlp": ["model=mlp", "metrics=[]"],
}


@pytest.fixture(scope="module")
def runs(program, tmp_path_factory):
    """Folders of finished runs on digits of 8x8 pixels, each made when it is first asked for."""
    made = {}

    def run(model):
        if model not in made:
            made[model] = tmp_path_factory.mktemp(model)
            program(
                *MODELS[model],
                *("data.image_size=8", "train.steps=30", "train.batch_size=16", "tracker=[]", "train.device=cpu"),
                f"hydra.run.dir={made[model]}",
                check=0,
            )
        return made[model]

    return run


@pytest.fixture(scope="module")
def digits():
    source = Sources({"name": "digits", "image_size": 8, "channels": 1, "num_classes": 10}, {}).first
    return {split: source.load(split).samples for split in ("train", "test")}


def nearest(rows, query, n):
    """Return the indices of the nearest rows, compared one by one."""
    distances = [float((row.double() - query.double()).norm()) for row in rows]
    return sorted(range(len(distances)), key=lambda i: (distances[i], i))[:n]


def code_by_hand(game, model, x):
    """Return the codes of the parts of the network, put together here."""
    if model == "autoencoder":
        return game.network("autoencoder").encoder(x)
    if model == "autoencoder_conv_unpool":
        network = game.network("autoencoder")
        pool = torch.nn.functional.max_pool2d
        return pool(network.encode_second(pool(network.encode_first(x), 2)), 2).flatten(1)
    return game.network("encoder")(x)[:, :20]  # the means


@pytest.mark.parametrize("model", [model for model in MODELS if model != "mlp"])
@pytest.mark.parametrize(("split", "own"), [("train", 0), ("test", 11)])
def test_the_nearest_by_code_and_by_pixels_are_printed_and_drawn(call, runs, digits, tmp_path, model, split, own):
    run, samples = runs(model), digits[split]
    query = tmp_path / "query.png"
    save_png(query, samples[own])
    out = tmp_path / "found.png"
    code, printed, error = call("retrieve", run, query, "--n", 5, "--split", split, "--out", out, "--device", "cpu")
    assert (code, error) == (0, "")
    by_code, by_pixels, path = printed.splitlines()
    game, _ = load_game(run)
    with torch.no_grad():
        codes = code_by_hand(game.eval(), model, samples.float() / 127.5 - 1)
    expected = nearest(codes, codes[own], 5), nearest(samples.flatten(1), samples[own].flatten(), 5)
    assert by_code == "by code: " + " ".join(map(str, expected[0]))
    assert by_pixels == "by pixels: " + " ".join(map(str, expected[1]))
    assert path == str(out) and own in expected[0] and expected[1][0] == own

    grid = torch.frombuffer(bytearray(Image.open(out).convert("L").tobytes()), dtype=torch.uint8).view(22, 62)
    for row, indices in enumerate(expected):
        for column, index in enumerate([own, *indices]):
            cell = grid[2 + 10 * row : 10 + 10 * row, 2 + 10 * column : 10 + 10 * column]
            assert torch.equal(cell, samples[index, 0]), (row, column)


def test_a_checkpoint_will_do_and_without_a_place_the_picture_lies_in_the_run(call, runs, digits, tmp_path):
    run = runs("autoencoder")
    save_png(tmp_path / "query.png", 255 - digits["train"][3])  # not of the data
    code, printed, _ = call("retrieve", run / "checkpoints" / "last.pt", tmp_path / "query.png")
    assert code == 0 and printed.splitlines()[-1] == f"{run}/retrieval.png"
    assert Image.open(run / "retrieval.png").size == (9 * 10 + 2, 22)
    Image.new("RGB", (9, 7)).save(tmp_path / "photo.png")
    code, _, last = call("retrieve", run, tmp_path / "photo.png")
    assert code == 0 and last.endswith("photo.png: cropped at the centre and resized (bicubic) from 7x9")
    assert re.match(r"by code: (\d+ ){7}\d+\n", printed)


def test_what_cannot_be_retrieved_is_refused_with_code_2(call, runs, digits, tmp_path):
    run, query = runs("autoencoder"), tmp_path / "query.png"
    save_png(query, digits["train"][3])
    (tmp_path / "no.png").write_text("no image")
    for arguments, reason in (
        ([runs("mlp"), query], "the model has no encoder, so samples have no codes; choose a run of an auto-encoder"),
        ([run, query, "--split", "valid"], "--split valid: choose train or test"),
        ([run, query, "--n", "1443"], "--n 1443 is more than the 1442 samples of the train split"),
        ([run, query, "--n", "0"], "Invalid value for '--n'"),
        ([run, tmp_path / "no.png"], "no.png cannot be read as an image"),
        ([run, tmp_path / "missing.png"], "missing.png cannot be read as an image: FileNotFoundError"),
        (
            [run, query, "data.image_size=16"],
            "data=digits (1, 16, 16); bring them to it with data.image_size=8",
        ),
        ([run, query, "seed=3"], "seed cannot be overridden for a retrieval, only data"),
        ([tmp_path / "no_run", query], "there is no checkpoint"),
        ([run, query, "--out", "/"], "--out / is an existing folder: name a file"),
    ):
        code, printed, last = call("retrieve", *arguments)
        assert code == 2 and not printed and reason in last, (arguments, last)
