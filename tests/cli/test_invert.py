"""Latents of images: by encoder, by optimisation, by both; what is written, and what is refused."""

import pytest
import torch
from PIL import Image

from gan_framework.core.records import Latent
from gan_framework.data import Sources
from gan_framework.evaluation import inversion
from gan_framework.runs.restore import load_game
from gan_framework.storage.images import save_png
from tests.cli.test_evaluate import save_untrained

NARROW = ["data.image_size=8", "debug=smoke", "prior.dim=4", "metrics=[]"]
MODELS = {
    "bigan": ["experiment=bigan", *(f"networks.{n}.hidden=8" for n in ("generator", "encoder", "discriminator"))],
    "dcgan": ["model=dcgan", "networks.generator.width=4", "networks.discriminator.width=4"],
    "vae": ["experiment=vae"],
    "cgan": ["model=cgan_mlp"],
}


@pytest.fixture
def call(call):
    """Run a command as other tests do, and have what it printed in lines."""

    def in_lines(*arguments):
        code, printed, error = call(*arguments)
        return code, printed.splitlines(), error

    return in_lines


@pytest.fixture(scope="module")
def runs(compose, tmp_path_factory):
    return {
        name: save_untrained(compose(*options, *NARROW), tmp_path_factory.mktemp(name))
        for name, options in MODELS.items()
    }


@pytest.fixture(scope="module")
def digits():
    return Sources({"name": "digits", "image_size": 8, "channels": 1, "num_classes": 10}, {}).first.load("test").samples


@pytest.mark.parametrize("model", ["bigan", "vae"])
def test_an_encoder_s_reconstructions_stand_behind_their_images(call, runs, digits, tmp_path, model):
    out = tmp_path / "pairs.png"
    code, lines, error = call("invert", runs[model], "test", "--n", 3, "--columns", 2, "--device", "cpu", "--out", out)
    assert (code, error) == (0, "") and lines[1] == str(out)
    game, _ = load_game(runs[model])
    x = digits[:3].float() / 127.5 - 1
    with torch.no_grad():
        z = game.eval().network("encoder")(x)[:, :4]
        made = game.generate(Latent(z))
    assert lines[0] == f"mean square error of pixels in [-1, 1], by encoder: {(made - x).square().mean().item():.4g}"
    picture = torch.frombuffer(bytearray(Image.open(out).convert("L").tobytes()), dtype=torch.uint8).view(22, 42)
    for place, image in enumerate([digits[0], None, digits[1], None, digits[2]]):
        row, column = divmod(place, 4)
        cell = picture[2 + 10 * row : 10 + 10 * row, 2 + 10 * column : 10 + 10 * column]
        shown = ((made[place // 2, 0] + 1) * 127.5).round().to(torch.uint8) if image is None else image[0]
        assert (cell.int() - shown.int()).abs().max() <= 1


def test_without_an_encoder_latents_are_optimised(call, runs, digits, tmp_path):
    save_png(tmp_path / "one.png", digits[0])
    first = call("invert", runs["dcgan"], tmp_path / "one.png", "--steps", 1, "--device", "cpu")
    later = call("invert", runs["dcgan"], tmp_path / "one.png", "--steps", 40, "--device", "cpu")
    assert first[0] == later[0] == 0 and "by optimisation" in later[1][0]
    assert float(later[1][0].split()[-1]) < float(first[1][0].split()[-1])
    assert later[1][1] == str(runs["dcgan"] / "inversion.png") and (runs["dcgan"] / "inversion.png").exists()


def test_a_sample_of_the_model_s_own_is_found_again(runs):
    game, _ = load_game(runs["dcgan"])
    game.eval()
    z = game.latent(2, generator=torch.Generator().manual_seed(3)).z
    with torch.no_grad():
        x = game.sample(Latent(z))
        found = inversion.optimised(game, x, lambda made: inversion.squared_errors(made, x), 5, 0.05, 0, start=z)
    assert torch.equal(found, z)  # the start is exact, and nothing found later is nearer
    assert inversion.invert(game, x, steps=300).errors.max() < 0.05 * inversion.invert(game, x, steps=1).errors.max()


def test_what_is_optimised_after_the_encoder_is_not_worse(runs, digits):
    game, _ = load_game(runs["bigan"])
    x = digits[:4].float() / 127.5 - 1
    encoded, both = inversion.invert(game, x), inversion.invert(game, x, steps=10)
    assert (both.errors <= encoded.errors + 1e-6).all() and both.errors.sum() < encoded.errors.sum()
    assert both.how == "encoder and optimisation" and game.training  # as it was


def test_a_folder_of_images(call, runs, digits, tmp_path):
    for number in range(3):
        save_png(tmp_path / f"{number}.png", digits[number])
    code, lines, _ = call("invert", runs["bigan"], tmp_path, "--n", 2, "--device", "cpu")
    split = call("invert", runs["bigan"], "test", "--n", 2, "--device", "cpu")
    assert code == 0 and lines[0] == split[1][0]


def test_a_conditional_model_is_given_the_labels_of_a_split_or_named_classes(call, runs, tmp_path):
    data = Sources(load_game(runs["cgan"])[1]["data"], {}).first.load("test")
    for number in range(2):
        save_png(tmp_path / f"{number}.png", data.read([number])[0])
    options = ("--n", 2, "--steps", 3, "--device", "cpu")
    named = ",".join(map(str, data.labels[:2].tolist()))
    others = ",".join(str((label + 1) % 10) for label in data.labels[:2].tolist())
    code, lines, _ = call("invert", runs["cgan"], "test", *options)
    assert code == 0 and call("invert", runs["cgan"], tmp_path, "--classes", named, *options)[1][0] == lines[0]
    assert call("invert", runs["cgan"], tmp_path, "--classes", others, *options)[1][0] != lines[0]


def test_an_image_of_another_shape_is_brought_to_the_runs(call, runs, tmp_path):
    Image.new("L", (9, 7)).save(tmp_path / "photo.png")
    code, _, said = call("invert", runs["bigan"], tmp_path / "photo.png", "--device", "cpu")
    assert code == 0 and said.endswith("photo.png: cropped at the centre and resized (bicubic) from 7x9")


@pytest.mark.parametrize(
    ("model", "arguments", "message"),
    [
        ("bigan", ["nowhere"], "there is no such image, no such folder, and the splits are train, test"),
        ("dcgan", ["test", "--steps", "0"], "has no encoder: its latents are optimised"),
        ("cgan", ["photo.png"], "needs labels, which image files have not: name them by --classes, or invert test"),
        ("cgan", ["photo.png", "--classes", "ten"], "there is no class ten"),
        ("cgan", ["test", "--classes", "7"], "those of the split test are known"),
        ("bigan", ["photo.png", "--classes", "7"], "this model is not conditional"),
        ("dcgan", ["test", "data.image_size=16"], "(1, 16, 16); bring them to it with data.image_size=8"),
        ("cgan", ["test", "data=mixture"], "and those of data=mixture (2,)"),
    ],
)
def test_what_cannot_be_inverted_is_refused_with_code_2(call, runs, tmp_path, monkeypatch, model, arguments, message):
    monkeypatch.chdir(tmp_path)
    Image.new("L", (28, 28)).save("photo.png")
    code, _, error = call("invert", runs[model], *arguments, "--device", "cpu")
    assert code == 2 and message in error


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        (["experiment=pix2pix"], ["--from", "test"]),
        (["model=dcgan"], ["sampler=rejection"]),
    ],
)
@pytest.mark.slow
def test_data_of_another_shape_than_the_model_s_are_refused_where_samples_are_drawn(
    call, compose, tmp_path, options, arguments
):
    run = save_untrained(compose(*options, "data.image_size=32", "debug=smoke", "metrics=[]"), tmp_path)
    code, _, error = call("sample", run, *arguments, "data.image_size=16", "-n", 4, "--device", "cpu")
    assert code == 2 and "(1, 16, 16); bring them to it with data.image_size=32" in error
