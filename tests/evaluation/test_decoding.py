"""Latents as data: a game makes codes, and pictures and scores are of what a decoder makes of them."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from gan_framework.cli.evaluate import evaluate
from gan_framework.config.compose import compose
from gan_framework.core.records import DataShape
from gan_framework.data import DataSource, InMemory
from gan_framework.errors import ConfigError
from gan_framework.evaluation.decoding import DecodedSource, Decoder
from gan_framework.library.model import load
from gan_framework.library.publish import export
from gan_framework.runs.decoder import opened
from gan_framework.runs.launch import launch
from gan_framework.runs.restore import alone, load_game

SMALL = ["tracker=[]", "train.steps=2", "train.batch_size=8", "train.log_every=1", "data.flip=false", "sample.count=4"]
CPU = torch.device("cpu")
SHAPE = DataShape((1, 8, 8), value_range=(-float("inf"), float("inf")))


def doubled(latents):
    """Images twice as large, in three channels."""
    return latents.expand(-1, 3, -1, -1).repeat_interleave(2, 2).repeat_interleave(2, 3)


class Codes(DataSource):
    """Six codes (1, 8, 8)."""

    shape = SHAPE

    def load(self, split):
        """Return them, whatever the split."""
        return InMemory(torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(0)))


def test_real_latents_are_read_as_images_and_hashed_with_the_decoder():
    source = Codes()
    seen = DecodedSource(source, Decoder.tried(doubled, source.shape, "one", "it"))
    assert seen.shape.sample == (3, 16, 16)
    assert seen.shape.is_8_bit
    images = seen.load("train").read([0, 5])
    expected = ((doubled(source.load("train").samples[[0, 5]]).clamp(-1, 1) + 1) * 127.5).round()
    assert images.dtype == torch.uint8
    assert torch.equal(images.float(), expected)
    other = DecodedSource(source, Decoder.tried(doubled, source.shape, "another", "it"))
    assert len({data.load("train").content_hash() for data in (source, seen, other)}) == 3


@pytest.mark.parametrize(
    ("decode", "said"),
    [
        (torch.nn.Linear(7, 3), r"it cannot decode samples of shape \(1, 8, 8\): mat1 and mat2"),
        (lambda z: z.flatten(1), r"makes no images \(N, C, H, W\) of samples \(1, 8, 8\), but \(2, 64\)"),
    ],
)
def test_what_is_no_decoder_of_the_data_is_refused(decode, said):
    with pytest.raises(ConfigError, match=said):
        Decoder.tried(decode, SHAPE, "", "it")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"decoder_network": "generator"}, "names a network of data.decoder: set that too"),
        ({"decoder": "nowhere"}, "data.decoder=nowhere: there is no checkpoint"),
        ({"decoder": "nowhere.onnx"}, "data.decoder=nowhere.onnx: there is no such file"),
    ],
)
def test_a_decoder_that_there_is_not_is_refused_by_its_setting(settings, said):
    with pytest.raises(ConfigError, match=said):
        opened(settings, SHAPE, CPU, alone)


@pytest.mark.slow
def test_a_game_of_latents_is_scored_and_drawn_through_its_decoder(tmp_path):
    # The decoder: a generator of 16x16 digits of 8 numbers; the latents are these numbers, as a map.
    first = tmp_path / "first"
    typed = ["model=dcgan", "data.image_size=16", "prior.dim=8", "networks.generator.width=8", *SMALL]
    launch(compose([*typed, "networks.discriminator.width=8", "evaluate.samples=0"]), first, [])
    export(first, tmp_path / "exported", formats=["onnx"])
    np.savez(tmp_path / "z.npz", x=np.random.default_rng(0).standard_normal((200, 8), dtype=np.float32))
    base = [
        *("model=mlp", "data=npz", f"data.path={tmp_path / 'z.npz'}", "data.y=null", "extractor=raw", "metrics=[fid]"),
        *("evaluate.samples=20", "evaluate.batch_size=10", "train.sample_every=1", *SMALL),
    ]
    scores = []
    for decoder in (first, tmp_path / "exported" / "generator.onnx"):
        folder = tmp_path / decoder.name
        folder = folder.with_name(f"of_{decoder.stem}")
        launch(compose([*base, f"data.decoder={decoder}"]), folder, [])
        summary = json.loads((folder / "summary.json").read_text())
        assert summary["protocol"]["shape"] == [1, 16, 16]
        assert summary["protocol"]["quantisation"] == "uint8, nearest"
        scores.append(summary["metrics"]["eval/fid_raw"])
        for name in ("real", "step"):
            (picture, *_) = sorted((folder / "samples").glob(f"{name}*.png"))
            assert Image.open(picture).size[0] >= 2 * 16
    assert scores[0] == pytest.approx(scores[1], rel=1e-3)
    game, _ = load_game(folder)
    assert game.sample(game.latent(3)).shape == (3, 8)
    assert load(folder).sample(3).shape == (3, 1, 16, 16)
    said = "scored against other data than the model was trained on"
    assert not [warning for warning in evaluate(folder, [])[0].warnings if said in warning]
    # Against other images of that size: what the codes are of, with the decoder's own error.
    images = np.random.default_rng(1).integers(0, 255, (50, 16, 16), dtype=np.uint8)
    np.savez(tmp_path / "images.npz", x=images)
    evaluation, _ = evaluate(folder, ["data=npz", f"data.path={tmp_path / 'images.npz'}", "data.y=null"], None)
    assert evaluation.scores["fid_raw"] > 2 * scores[0]
    with pytest.raises(ConfigError, match="data.decoder_network=head: the run has the networks"):
        opened({"decoder": str(first), "decoder_network": "head"}, DataShape((8,)), CPU, alone)
