"""A picture for every shape of samples."""

import numpy as np
import pytest
import torch
from PIL import Image

from gan_framework.storage import pictures
from gan_framework.storage.pictures import Picture

GAP = 2


def noise(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def shade(value, low=-1.0, high=1.0):
    """The nearest of 256 shades, in float64 on its own."""
    return np.rint((np.asarray(value, dtype=np.float64) - low) / (high - low) * 255).clip(0, 255)


def cell(picture, row, column, height, width):
    """What stands at a place of a picture (C, H, W) of cells of one size."""
    top, left = GAP + row * (height + GAP), GAP + column * (width + GAP)
    return picture[:, top : top + height, left : left + width].numpy().astype(float)


SHAPES = {
    "point": (2,),
    "vector": (7,),
    "number": (),
    "grey": (1, 5, 9),
    "colour": (3, 5, 9),
    "two planes": (2, 5, 9),
    "four planes": (4, 5, 9),
    "six planes": (6, 5, 9),
    "sequence": (1, 40),
    "sequences": (5, 40),
    "piano roll": (30, 40),
    "volume": (1, 4, 6, 8),
    "coloured volume": (3, 4, 6, 8),
    "volume of two channels": (2, 4, 6, 8),
    "video": (7, 1, 6, 8),
    "coloured video": (7, 3, 6, 8),
    "five dimensions": (2, 3, 2, 2, 2),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
@pytest.mark.parametrize("value_range", [None, (-1.0, 1.0), (-np.inf, np.inf)], ids=["free", "bounded", "unbounded"])
def test_every_shape_has_a_picture_that_depends_on_the_samples(shape, value_range, tmp_path):
    samples, others = noise(5, *shape), noise(5, *shape, seed=1)
    picture = pictures.draw(samples, 3, value_range)
    assert picture.image.dtype == torch.uint8
    assert picture.image.ndim == 3
    assert picture.image.shape[0] in (1, 3)
    assert not torch.equal(picture.image, pictures.draw(others, 3, value_range).image)
    assert pictures.write(tmp_path / "a.png", picture) == tmp_path / "a.png"
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (picture.image.shape[2], picture.image.shape[1])


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
@pytest.mark.parametrize("odd", [float("nan"), float("inf"), -float("inf")])
def test_samples_that_are_not_finite_are_drawn_too(shape, odd):
    samples = noise(4, *shape)
    samples[0] = odd
    for drawn in (samples, torch.full_like(samples, odd)):
        image = pictures.draw(drawn, 2).image
        assert image.dtype == torch.uint8 and image.ndim == 3 and image.shape[0] in (1, 3)


def test_images_of_1_and_3_channels_are_a_grid():
    for channels in (1, 3):
        images = noise(5, channels, 4, 6)
        picture = pictures.draw(images, 3, (-1, 1)).image
        assert picture.shape == (3, GAP + 2 * (4 + GAP), GAP + 3 * (6 + GAP))
        for number, image in enumerate(images):
            assert np.array_equal(cell(picture, *divmod(number, 3), 4, 6), np.broadcast_to(shade(image), (3, 4, 6)))


@pytest.mark.parametrize(("n", "columns"), [(1, 3), (2, 1), (5, 3), (6, 3), (4, 9)])
def test_a_grid_is_the_one_of_torchvision(n, columns):
    from torchvision.utils import make_grid

    for channels in (1, 3):
        shades = (noise(n, channels, 4, 6) * 127 + 128).to(torch.uint8)
        assert torch.equal(pictures.tiled(shades, columns), make_grid(shades, nrow=columns, padding=GAP, pad_value=128))


def test_values_are_brought_from_their_range_to_grey():
    values = torch.tensor([0.0, 2.5, 5.0, 10.0, 12.0]).view(1, 1, 1, 5).repeat(2, 1, 1, 1)
    drawn = cell(pictures.draw(values, 1, (0, 10)).image, 0, 0, 1, 5)
    assert drawn[0, 0].tolist() == [0, 64, 128, 255, 255]  # 63.75 and 127.5, and what is beyond is cut off
    drawn = cell(pictures.draw(values - 2.5, 1).image, 0, 0, 1, 5)  # black is -9.5, and white 9.5
    assert drawn[0, 0].tolist() == shade([-2.5, 0, 2.5, 7.5, 9.5], -9.5, 9.5).tolist()


def test_what_is_no_number_is_grey_and_leaves_the_others_as_they_are():
    values = torch.tensor([2.0, float("nan"), float("inf"), -float("inf"), -4.0]).view(1, 1, 1, 5).repeat(2, 1, 1, 1)
    assert cell(pictures.draw(values, 1).image, 0, 0, 1, 5)[0, 0].tolist() == [191, 128, 255, 0, 0]


def test_vectors_are_rows_of_squares():
    vectors = noise(3, 5) * 7
    picture = pictures.draw(vectors, 8).image
    assert picture.shape == (1, 12, 20)
    scaled = vectors / vectors.abs().max()
    shades = ((scaled + 1) * 127.5).round().to(torch.uint8)
    for row in range(3):
        for column in range(5):
            square = picture[0, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4]
            assert (square == shades[row, column]).all()


@pytest.mark.parametrize("channels", [2, 4, 6])
def test_images_of_other_channels_are_a_row_of_planes_each(channels):
    images = noise(3, channels, 4, 6)
    picture = pictures.draw(images, 8, (-1, 1)).image
    assert picture.shape == (3, GAP + 3 * (4 + GAP), GAP + channels * (6 + GAP))
    for row in range(3):
        for plane in range(channels):
            assert np.array_equal(cell(picture, row, plane, 4, 6)[0], shade(images[row, plane]))


def test_a_volume_is_a_row_of_projections_and_middle_slices():
    volumes = noise(2, 1, 4, 6, 8)
    picture = pictures.draw(volumes, 8, (-1, 1)).image
    assert picture.shape == (3, GAP + 2 * (6 + GAP), GAP + 6 * (8 + GAP))
    for row, volume in enumerate(volumes[:, 0].numpy()):
        views = [volume.max(0), volume.max(1), volume.max(2), volume[2], volume[:, 3], volume[:, :, 4]]
        assert [view.shape for view in views] == [(6, 8), (4, 8), (4, 6)] * 2
        for column, view in enumerate(views):
            down, across = (6 - view.shape[0]) // 2, (8 - view.shape[1]) // 2
            whole = np.full((6, 8), 128.0)
            whole[down : down + view.shape[0], across : across + view.shape[1]] = shade(view)
            assert np.array_equal(cell(picture, row, column, 6, 8)[0], whole)


def test_the_channels_of_a_volume_stand_beside_each_other():
    volumes = noise(2, 2, 4, 4, 4)
    picture = pictures.draw(volumes, 8, (-1, 1)).image
    for row in range(2):
        for channel in range(2):
            projection = volumes[row, channel].amax(0)
            assert np.array_equal(cell(picture, row, channel, 4, 4)[0], shade(projection))


@pytest.mark.parametrize(
    ("shape", "moves"),
    [((7, 3, 4, 4), True), ((2, 1, 4, 4), True), ((1, 7, 4, 4), False), ((3, 3, 4, 4), False), ((7, 2, 4, 4), False)],
)
def test_what_has_images_behind_each_other_is_a_video(shape, moves):
    assert (pictures.draw(noise(2, *shape), 2).frames is not None) == moves


def test_a_video_is_a_strip_and_moves(tmp_path):
    videos = noise(3, 5, 1, 4, 6)
    picture = pictures.draw(videos, 2, (-1, 1))
    for row in range(3):
        for frame in range(5):
            assert np.array_equal(cell(picture.image, row, frame, 4, 6)[0], shade(videos[row, frame, 0]))
    assert picture.frames.shape == (5, 3, GAP + 2 * (4 + GAP), GAP + 2 * (6 + GAP))
    pictures.write(tmp_path / "v.png", picture)
    with Image.open(tmp_path / "v.gif") as moving:
        assert (moving.n_frames, moving.info["loop"], moving.info["duration"]) == (5, 0, 100)
        for frame in range(5):
            moving.seek(frame)
            read = torch.from_numpy(np.array(moving.convert("RGB"))).permute(2, 0, 1)
            for number in range(3):
                drawn = cell(read, *divmod(number, 2), 4, 6)[0]
                # A GIF has 256 colours: grey is kept.
                assert np.array_equal(drawn, shade(videos[number, frame, 0]))


def test_a_long_video_is_a_short_strip():
    videos = torch.linspace(-1, 1, 100).view(1, 100, 1, 1, 1).expand(1, 100, 1, 2, 2)
    picture = pictures.draw(videos, 1, (-1, 1))
    assert picture.image.shape[2] == GAP + 16 * (2 + GAP)
    assert len(picture.frames) == 100
    assert cell(picture.image, 0, 0, 2, 2).max() == 0
    assert cell(picture.image, 0, 15, 2, 2).min() == 255


def coloured(picture, red, green, blue):
    """Where a picture (3, H, W) is of one colour, roughly."""
    wanted = torch.tensor([red, green, blue]).view(3, 1, 1)
    return ((picture.int() - wanted).abs().sum(0) < 60).nonzero().double()


def test_sequences_are_lines():
    level = torch.tensor([0.8, -0.8]).view(2, 1, 1).expand(2, 1, 50)
    falling = torch.linspace(0.9, -0.9, 50).expand(2, 1, 50)
    picture = pictures.draw(torch.cat([level, falling], 1), 1, (-1, 1)).image
    height = picture.shape[1]
    first = coloured(picture, 31, 119, 180)  # C0, the first channel
    upper, lower = (first[(first[:, 0] > height / 2) == below][:, 0] for below in (False, True))
    # The first sample's box is the upper one; its line is near the top, and the second's near the bottom.
    assert upper.mean() < height / 2 * 0.3
    assert lower.mean() > height / 2 * 1.7
    assert upper.std() < 2
    second = coloured(picture, 255, 127, 14)  # C1
    second = second[second[:, 0] < height / 2]
    assert torch.corrcoef(second.T)[0, 1] > 0.99  # further right is further down


def test_sequences_of_many_channels_are_planes():
    roll = noise(3, 20, 30)
    picture = pictures.draw(roll, 2, (-1, 1)).image
    for number in range(3):
        assert np.array_equal(cell(picture, *divmod(number, 2), 20, 30)[0], shade(roll[number]))


def test_points_are_scattered_in_the_plane():
    points = torch.cat([torch.tensor([[0.5, 0.5]]).repeat(5, 1), torch.tensor([[-0.5, -1.0]])])
    blue = coloured(pictures.draw(points, 8, (-1, 1)).image, 31, 119, 180)
    right = blue[blue[:, 1] > blue[:, 1].mean()]
    left = blue[blue[:, 1] <= blue[:, 1].mean()]
    (down, across) = (left.mean(0) - right.mean(0)).tolist()
    assert down / across == pytest.approx(-1.5, abs=0.05)  # one and a half to the bottom for one to the left


def test_tokens_are_lines_of_text(tmp_path):
    symbols = torch.tensor([[3, 0, 11], [1, 1, 2]])
    probabilities = torch.full((2, 3, 12), 0.01).scatter(2, symbols[..., None], 0.5)
    picture = pictures.draw(probabilities, 8, vocabulary=12)
    rows = (picture.image[0] < 128).any(1).int().diff()
    assert (rows == 1).sum() == 2  # black letters on white, in two lines with white between
    pictures.write(tmp_path / "step_0000500.png", picture)
    assert (tmp_path / "step_0000500.txt").read_text() == "3 0 11\n1 1 2\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step_0000500.png", "step_0000500.txt"]


def test_symbols_are_written_as_what_they_are_called():
    tokens = torch.nn.functional.one_hot(torch.tensor([[1, 2, 2, 0], [2, 0, 0, 0]]), 3).float()
    assert pictures.draw(tokens, 8, vocabulary=3, symbols=("", "a", "b")).text == "abb\nb\n"
    assert pictures.draw(tokens, 8, vocabulary=3, symbols=("", "a", "but")).text == "a but but\nbut\n"


def test_what_belongs_together_stands_in_a_line():
    picture = pictures.written([torch.tensor([[0, 1], [1, 1]]), torch.tensor([[1, 0], [0, 0]])], ("a", "b"))
    assert picture.text == "ab\tba\nbb\taa\n"
    assert picture.image.shape[2] > pictures.written([torch.tensor([[0, 1]])], ("a", "b")).image.shape[2]


def test_long_lines_are_cut_off_in_the_picture_alone():
    tokens = torch.ones(1, 300, 1)
    picture = pictures.draw(tokens, 8, vocabulary=1, symbols=("x",))
    assert picture.text == "x" * 300 + "\n"
    assert picture.image.shape[2] < 1200


def test_series_are_a_table_where_numbers_are_asked_for(tmp_path):
    series = torch.tensor([[[0.0, 0.5], [1.0, 2.0]], [[-1.0, 0.25], [3.0, 4.0]]])
    picture = pictures.draw(series, 2)
    pictures.write(tmp_path / "a.png", picture)
    assert not (tmp_path / "a.csv").exists()
    pictures.write(tmp_path / "a.png", picture, numbers=True)
    assert (tmp_path / "a.csv").read_text().splitlines() == [
        *("sample,step,channel_0,channel_1", "0,0,0,1", "0,1,0.5,2", "1,0,-1,3", "1,1,0.25,4"),
    ]


def test_a_vocabulary_of_one_symbol_can_be_drawn():
    assert pictures.draw(torch.ones(2, 3, 1), 8, vocabulary=1).text == "0 0 0\n" * 2


def test_pictures_of_still_samples_are_one_file(tmp_path):
    pictures.write(tmp_path / "new" / "a.png", Picture(torch.zeros(1, 4, 4, dtype=torch.uint8)))
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.png"]


def test_single_images_are_the_shades_themselves(tmp_path):
    images = noise(3, 3, 4, 6) * 5 + 5
    pictures.write_singles(tmp_path, images, 7, (0, 10))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["000007.png", "000008.png", "000009.png"]
    with Image.open(tmp_path / "000008.png") as image:
        assert np.array_equal(np.asarray(image).transpose(2, 0, 1), shade(images[1], 0, 10))


def test_samples_are_not_changed_and_need_no_gradient_graph():
    samples = noise(3, 1, 4, 4).requires_grad_()
    before = samples.detach().clone()
    pictures.draw(samples, 2)
    assert torch.equal(samples.detach(), before)
