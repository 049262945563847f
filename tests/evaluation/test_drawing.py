"""Pictures of games: of what they make by its shape, of inputs beside outputs, and in ways of their own."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from gan_framework.core import seeding
from gan_framework.core.game import Components, Game
from gan_framework.core.records import DataShape, Latent
from gan_framework.errors import ConfigError
from gan_framework.evaluation import drawing
from gan_framework.evaluation.sampler import Sampler
from gan_framework.storage import pictures
from tests.evaluation.conftest import NoSchedule, TinyDiscriminator


class Makes(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, z, labels=None, given=None):
        return self.function(z, given)


def game_of(shape, function, generates_from=None, **data):
    kind = type("Made", (Game,), {"generates_from": generates_from})
    networks = {"generator": Makes(function), "discriminator": TinyDiscriminator()}
    return kind(Components(DataShape(shape, **data), networks, NoSchedule()))


def repeated(values, *shape):
    return values.view(-1, *[1 for _ in shape]).expand(len(values), *shape)


def test_samples_are_drawn_by_their_shape_and_range():
    z = torch.rand(6, 1, generator=seeding.generator(0)) * 2 - 1
    for shape, data, value_range, vocabulary in (
        ((1, 4, 4), {}, (-1.0, 1.0), 0),  # 8-bit images
        ((1, 4, 4), {"value_range": (0.0, 3.0)}, (0.0, 3.0), 0),
        ((5,), {}, None, 0),
        ((4, 3), {"vocabulary": 3}, None, 3),
    ):
        game = game_of(shape, lambda z, given, shape=shape: repeated(z[:, 0], *shape), **data)
        picture = drawing.draw(game, Latent(z), 3)
        expected = pictures.draw(repeated(z[:, 0], *shape), 3, value_range, vocabulary)
        assert torch.equal(picture.image, expected.image)
        assert picture.text == expected.text


def test_each_class_has_columns_of_its_own_where_they_are_few():
    def columns(labels, wanted=8):
        return drawing.by_class(labels, wanted)

    numbers = torch.arange(64)
    assert [columns(numbers % classes) for classes in (1, 2, 3, 10, 16)] == [8, 8, 9, 10, 16]
    assert columns(numbers % 17) == columns(numbers // 8) == columns(None) == columns(torch.zeros(64, 10)) == 8
    assert columns(numbers % 10, 4) == 4 and columns(torch.arange(4)) == 8


def test_a_conditional_game_is_drawn_with_a_column_for_each_class():
    game = game_of((1, 4, 4), lambda z, given: repeated(z[:, 0], 1, 4, 4), num_classes=3)
    shades = torch.tensor([1.0, 0.2, -0.6])
    latent = Latent(shades.repeat(2)[:, None], torch.arange(6) % 3)
    game.networks["generator"].conditional = True
    assert places(drawing.draw(game, latent, 2).image, 4, 4) == [[255, 153, 51], [255, 153, 51]]
    game.networks["generator"].conditional = False
    assert places(drawing.draw(game, latent, 2).image, 4, 4) == [[255, 153], [51, 255], [153, 51]]


def test_a_games_own_picture_is_drawn():
    game = game_of((1, 4, 4), lambda z, given: z[:, :, None, None].expand(-1, 1, 4, 4))
    own = torch.full((3, 9, 9), 7, dtype=torch.uint8)
    game.picture = lambda latent, columns: own
    assert drawing.draw(game, Latent(torch.zeros(4, 1)), 2).image is own


def places(picture, height, width):
    """The grey in the middle of each cell of a grid of images."""
    return picture[0, 2 + height // 2 :: height + 2, 2 + width // 2 :: width + 2].tolist()


def test_each_input_is_followed_by_what_is_made_of_it():
    game = game_of((1, 4, 6), lambda z, given: -given["samples"], "samples")
    inputs = repeated(torch.tensor([1.0, 0.2, -0.6]), 1, 4, 6)
    latent = Latent(torch.zeros(3, 0), given={"samples": inputs})
    # Two pairs side by side; a place that is left is as grey as the gaps.
    assert places(drawing.draw(game, latent, 4).image, 4, 6) == [[255, 0, 153, 102], [51, 204, 128, 128]]
    # Of columns that hold no whole pair the rest is left, and one pair is drawn even in one column.
    assert places(drawing.draw(game, latent, 3).image, 4, 6) == [[255, 0], [153, 102], [51, 204]]
    assert places(drawing.draw(game, latent, 1).image, 4, 6) == [[255, 0], [153, 102], [51, 204]]
    targets = torch.full_like(inputs, 0.6)
    assert places(drawing.draw(game, latent, 3, targets=targets).image, 4, 6) == [
        [255, 0, 204],
        [153, 102, 204],
        [51, 204, 204],
    ]


def test_what_should_be_made_stands_beside_samples_of_what_is_no_image():
    game = game_of((1, 4, 4), lambda z, given: repeated(given["text"][:, 0], 1, 4, 4), "text")
    values = torch.tensor([-1.0, -0.5, 0.5])
    latent = Latent(torch.zeros(3, 2), given={"text": repeated(values, 7)})
    with_targets = drawing.draw(game, latent, 3, targets=repeated(-values, 1, 4, 4)).image
    pairs = torch.stack([repeated(values, 1, 4, 4), repeated(-values, 1, 4, 4)], 1).flatten(0, 1)
    assert torch.equal(with_targets, pictures.draw(pairs, 2, (-1.0, 1.0), 0).image.expand(3, -1, -1))


def test_a_grey_input_stands_beside_a_coloured_output():
    colour = torch.tensor([1.0, -1.0, -1.0]).view(1, 3, 1, 1)
    game = game_of((3, 4, 4), lambda z, given: colour.expand(2, 3, 4, 4), "sketch", extra={"sketch": (1, 4, 4)})
    picture = drawing.draw(game, Latent(torch.zeros(2, 0), given={"sketch": torch.zeros(2, 1, 4, 4)}), 2).image
    assert picture[:, 4, 4].tolist() == [128, 128, 128]
    assert picture[:, 4, 10].tolist() == [255, 0, 0]


@pytest.mark.parametrize("shape", [(1, 8, 8), (5, 4, 4), (7,)], ids=["another size", "planes", "vector"])
def test_inputs_that_are_no_images_of_the_same_size_are_left_out(shape):
    made = repeated(torch.tensor([0.2, 0.6, -0.2]), 1, 4, 4)
    game = game_of((1, 4, 4), lambda z, given: made, "source", extra={"source": shape})
    latent = Latent(torch.zeros(3, 0), given={"source": torch.zeros(3, *shape)})
    assert torch.equal(drawing.draw(game, latent, 3).image, pictures.draw(made, 3, (-1.0, 1.0)).image)


class Opposite(Sampler):
    name = "opposite"

    def draw(self, game, latent, random):
        return -game.sample(latent) * torch.rand((), generator=random)


def test_a_sampler_draws_what_is_seen(tmp_path):
    game = game_of((1, 4, 4), lambda z, given: repeated(z[:, 0], 1, 4, 4))
    game.picture = lambda latent, columns: torch.zeros(3, 9, 9, dtype=torch.uint8)  # which knows no sampler
    latent = Latent(torch.tensor([[0.5], [-0.5]]))
    factor = torch.rand((), generator=seeding.generator(3))
    expected = pictures.draw(-factor * repeated(latent.z[:, 0], 1, 4, 4), 2, (-1.0, 1.0)).image
    assert torch.equal(drawing.draw(game, latent, 2, sampler=Opposite(), random=seeding.generator(3)).image, expected)
    drawing.write_singles(tmp_path, game, latent, sampler=Opposite(), random=seeding.generator(3))
    with Image.open(tmp_path / "000001.png") as image:
        assert np.asarray(image)[0, 0] == round((0.5 * factor.item() + 1) * 127.5)


def test_single_files_are_numbered_through_all_batches(tmp_path):
    game = game_of((1, 4, 4), lambda z, given: repeated(z[:, 0], 1, 4, 4), value_range=(0.0, 10.0))
    drawing.write_singles(tmp_path, game, Latent(2 * torch.arange(6.0)[:, None]), batch_size=4)
    levels = []
    for number in range(6):
        with Image.open(tmp_path / f"{number:06d}.png") as image:
            levels.append(int(np.asarray(image)[0, 0]))
    assert levels == [0, 51, 102, 153, 204, 255]


@pytest.mark.parametrize(
    ("shape", "data", "said"),
    [
        ((2, 4, 4), {}, r"samples of shape \(2, 4, 4\) are not images of 1 or 3 channels"),
        ((5,), {}, r"samples of shape \(5,\) are not images"),
        ((1, 4, 4), {"value_range": (-float("inf"), float("inf"))}, "have no black and no white"),
    ],
)
def test_what_makes_no_single_files_is_refused(shape, data, said, tmp_path):
    game = game_of(shape, lambda z, given: repeated(z[:, 0], *shape), **data)
    with pytest.raises(ConfigError, match=said):
        drawing.write_singles(tmp_path, game, Latent(torch.zeros(2, 1)))
