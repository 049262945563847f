"""GAWWN (Reed et al. 2016, arXiv 1610.02454): images of a text whose object is in a box, or has its key points.

Known in outline: the objective is GAN-CLS's; how many layers the paths have is ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import EMPTY, SAMPLES, Batch, Components, Discriminator, Generator, Judge, Latent, Pair, Player
from gan_zoo.describing import TEXT, Described, Summary, growing, halvings, init_described, joining, shrinking, spread
from gan_zoo.layers import activations
from gan_zoo.ranges import require_positive, require_share

BOX, POINTS, SHOWN = "box", "points", "shown"

LEAST = 0.01
"""The shortest side of a box, of the image's."""


# -- places ---------------------------------------------------------------------------------------


def into_box(maps: Tensor, box: Tensor) -> Tensor:
    """Return maps (N, C, H, W) squeezed into boxes (N, 4), 0 outside, by a spatial transformer (section 3.2).

    Args:
        maps: what is squeezed.
        box: the least x and y and the greatest, as shares of the sides.
    """
    middle, half = _framed(box)
    places = _grid(maps, -middle / half, 1 / half)
    inside = (places.abs() <= 1).all(3)[:, None]
    return F.grid_sample(maps, places, padding_mode="border", align_corners=False) * inside


def out_of_box(maps: Tensor, box: Tensor) -> Tensor:
    """Return what is in boxes (N, 4) of maps (N, C, H, W), enlarged to the maps' size."""
    middle, half = _framed(box)
    return F.grid_sample(maps, _grid(maps, middle, half), padding_mode="border", align_corners=False)


def _framed(box: Tensor) -> tuple[Tensor, Tensor]:
    """Return the middle of boxes and half their sides (N, 2), where the image goes from -1 to 1."""
    least, greatest = box[:, :2], box[:, 2:]
    return least + greatest - 1, (greatest - least).clamp(min=LEAST)


def _grid(maps: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    transform = torch.cat([torch.diag_embed(scale), shift[:, :, None]], 2)
    return F.affine_grid(transform, [*maps.shape], align_corners=False)


def point_maps(points: Tensor, size: int) -> Tensor:
    """Return maps (N, K, size, size) with a 1 at each of the points (N, K, 3) whose third entry is 1, else 0."""
    place = (points[..., :2] * size).long().clamp(0, size - 1)
    index = (place[..., 1] * size + place[..., 0])[..., None]
    flat = points.new_zeros(*points.shape[:2], size * size)
    return flat.scatter(2, index, points[..., 2:]).view(*points.shape[:2], size, size)


# -- boxes ----------------------------------------------------------------------------------------


class BoxGenerator(Generator):
    """A global path, from the text spread over the box, and a local path whose maps are squeezed into it, together.

    Args:
        latent_dim: the size of z.
        text_dim: the size of a text.
        hidden: the size of its summary.
        image_size: 8 times a power of two.
        channels: of the images.
        width: channels of the layer before the image.
    """

    def __init__(self, latent_dim: int, text_dim: int, hidden: int, image_size: int, channels: int, width: int) -> None:
        super().__init__()
        require_positive(channels=channels, width=width)
        times = halvings(image_size, 8)
        widths = [width * 2**i for i in range(times + 1)]
        self.side = image_size // 2
        self.summary = Summary(text_dim, hidden)
        self.encoder = shrinking([hidden, *widths[1:]])
        self.joint = joining(widths[-1] + latent_dim, widths[-1])
        self.whole = growing(widths[::-1])
        self.start = nn.Sequential(
            nn.Linear(latent_dim + hidden, widths[-1] * 16, bias=False),
            nn.BatchNorm1d(widths[-1] * 16),
            nn.ReLU(),
            nn.Unflatten(1, (widths[-1], 4, 4)),
        )
        self.local = growing(widths[::-1])
        self.both = joining(2 * width, width)
        self.image = nn.Sequential(nn.ConvTranspose2d(width, channels, 4, 2, 1), nn.Tanh())
        init_described(self)

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map z (N, latent_dim), `text` (N, T) and `box` (N, 4) to images (N, C, H, W) in [-1, 1]."""
        text, box = self.summary(given[TEXT]), given[BOX]
        inside = into_box(text[:, :, None, None].expand(-1, -1, self.side, self.side), box)
        whole = self.whole(self.joint(spread(z, self.encoder(inside))))
        local = into_box(self.local(self.start(torch.cat([z, text], 1))), box)
        images: Tensor = self.image(self.both(torch.cat([whole, local], 1)))
        return images


class BoxDiscriminator(Discriminator):
    """A path over the whole image, and one over what is in the box, with the text in either; their last maps are added.

    Args:
        text_dim: the size of a text.
        hidden: the size of its summary.
        image_size: 8 times a power of two.
        channels: of the images.
        width: channels of the first layer.
    """

    def __init__(self, text_dim: int, hidden: int, image_size: int, channels: int, width: int) -> None:
        super().__init__()
        require_positive(channels=channels, width=width)
        widths = [width * 2**i for i in range(halvings(image_size, 8) + 1)]
        self.summary = Summary(text_dim, hidden)
        self.first = nn.ModuleList(
            nn.Sequential(nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.2)) for _ in range(2)
        )
        self.whole = shrinking(widths)
        self.local = shrinking([width + hidden, *widths[1:]])
        self.joint = nn.Sequential(nn.Conv2d(widths[-1] + hidden, widths[-1], 1), nn.LeakyReLU(0.2))
        self.output = nn.Linear(widths[-1] * 16, 1)
        init_described(self)

    def features(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> tuple[Tensor, ...]:
        """Return the layers over the whole image (N, C, H, W), then the sum with what is in the box (N, 4)."""
        box, text = given[0], self.summary(given[1])
        first, near = (layer(x) for layer in self.first)
        whole = activations(self.whole, first)
        local = self.local(out_of_box(spread(text, near), box))
        return first, *whole, self.joint(spread(text, whole[-1])) + local


class GAWWN(Described):
    """GAN-CLS with a box for the object, which both networks are given."""

    needs: ClassVar[tuple[str, ...]] = (TEXT, BOX)
    beside: ClassVar[tuple[str, ...]] = (BOX, TEXT)


# -- key points -----------------------------------------------------------------------------------


class PointsGenerator(Generator):
    """Maps of key points and the text through strided convolutions, z beside them, and up to the maps again.

    Args:
        latent_dim: the size of z.
        text_dim: the size of a text.
        hidden: the size of its summary.
        points: how many key points there are.
        image_size: 8 times a power of two.
        channels: of the images.
        width: channels of the layer before the image.
    """

    def __init__(
        self, latent_dim: int, text_dim: int, hidden: int, points: int, image_size: int, channels: int, width: int
    ) -> None:
        super().__init__()
        require_positive(points=points, channels=channels, width=width)
        widths = [width * 2**i for i in range(halvings(image_size, 8) + 1)]
        self.side = image_size // 2
        self.summary = Summary(text_dim, hidden)
        self.encoder = shrinking([points + hidden, *widths[1:]])
        self.joint = joining(widths[-1] + latent_dim, widths[-1])
        self.whole = growing(widths[::-1])
        self.both = joining(width + points, width)
        self.image = nn.Sequential(nn.ConvTranspose2d(width, channels, 4, 2, 1), nn.Tanh())
        init_described(self)

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map z (N, latent_dim), `text` (N, T) and `points` (N, K, 3) to images (N, C, H, W) in [-1, 1]."""
        maps = point_maps(given[POINTS], self.side)
        whole = self.whole(self.joint(spread(z, self.encoder(spread(self.summary(given[TEXT]), maps)))))
        images: Tensor = self.image(self.both(torch.cat([whole, maps], 1)))
        return images


class PointsDiscriminator(Discriminator):
    """Strided convolutions; maps of key points and the text are joined after the first of them.

    Args:
        text_dim: the size of a text.
        hidden: the size of its summary.
        points: how many key points there are.
        image_size: 8 times a power of two.
        channels: of the images.
        width: channels of the first layer.
    """

    def __init__(self, text_dim: int, hidden: int, points: int, image_size: int, channels: int, width: int) -> None:
        super().__init__()
        require_positive(points=points, channels=channels, width=width)
        widths = [width * 2**i for i in range(halvings(image_size, 8) + 1)]
        self.summary = Summary(text_dim, hidden)
        self.first = nn.Sequential(nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.2))
        self.blocks = shrinking([width + points + hidden, *widths[1:]])
        self.output = nn.Linear(widths[-1] * 16, 1)
        init_described(self)

    def features(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> tuple[Tensor, ...]:
        """Return the activations for images (N, C, H, W), `points` (N, K, 3) and `text` (N, T)."""
        points, text = given
        first = self.first(x)
        maps = torch.cat([first, point_maps(points, first.shape[-1])], 1)
        return first, *activations(self.blocks, spread(self.summary(text), maps))


class MissingPoints(Generator):
    """v ⊙ k + (1 - v) ⊙ f(z, t, k, v): key points k that are shown are copied, the others made (section 3.3).

    Args:
        latent_dim: the size of z.
        text_dim: the size of a text.
        points: how many key points there are.
        hidden: units of both layers of f.
    """

    def __init__(self, latent_dim: int, text_dim: int, points: int, hidden: int) -> None:
        super().__init__()
        require_positive(points=points, hidden=hidden)
        self.layers = nn.Sequential(
            nn.Linear(latent_dim + text_dim + 3 * points, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, 2 * points),
            nn.Sigmoid(),
            nn.Unflatten(1, (points, 2)),
        )

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map z, `text` (N, T), `points` (N, K, 3) and which are `shown` (N, K, 1), 1 or 0, to points (N, K, 3)."""
        points, shown = given[POINTS], given[SHOWN]
        seen = torch.cat([points[..., :2] * shown, shown], 2)
        made = self.layers(torch.cat([z, given[TEXT], seen.flatten(1)], 1))
        return torch.cat([shown * points[..., :2] + (1 - shown) * made, torch.ones_like(shown)], 2)


class PointsJudge(Discriminator):
    """Two layers of leaky ReLU on key points and a text.

    Args:
        text_dim: the size of a text.
        points: how many key points there are.
        hidden: units of both layers.
    """

    def __init__(self, text_dim: int, points: int, hidden: int) -> None:
        super().__init__()
        require_positive(points=points, hidden=hidden)
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Linear(inputs, hidden), nn.LeakyReLU(0.2)) for inputs in (text_dim + 3 * points, hidden)
        )
        self.output = nn.Linear(hidden, 1)

    def features(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> tuple[Tensor, ...]:
        """Return both layers for key points (N, K, 3) and `text` (N, T)."""
        return activations(self.layers, torch.cat([x.flatten(1), given[0]], 1))


class GAWWNPoints(Described):
    """GAN-CLS with the object's key points, and a second small GAN that makes those that are missing (section 3.3).

    In training the images' own key points are given; the second GAN is shown some of them and learns the others. When
    samples are made, it fills in those whose third entry is 0.

    Args:
        components: what the game is made of.
        wrong: the weight of images with another's text.
        made: the weight of generated images in D's loss.
        hidden: how likely a key point is hidden from the second GAN in training.
    """

    needs: ClassVar[tuple[str, ...]] = (TEXT, POINTS)
    beside: ClassVar[tuple[str, ...]] = (POINTS, TEXT)

    def __init__(self, components: Components, wrong: float, made: float, hidden: float) -> None:
        require_share(hidden=hidden)
        self.hidden = hidden
        super().__init__(components, wrong, made)

    def make_players(self) -> list[Player]:
        """Return both discriminators and both generators."""
        discriminator, generator = super().make_players()
        of_points = (
            Player("discriminator_points", ("discriminator_points",), "discriminator", {POINTS: "discriminator"}),
            Player("generator_points", ("generator_points",), "generator", {POINTS: "generator"}),
        )
        return [discriminator, of_points[0], generator, of_points[1]]

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return the pairs of images, and the key points beside those of which some were made."""
        points, text = latent.given[POINTS], latent.given[TEXT]
        chance = torch.rand(*points.shape[:2], 1, device=points.device, dtype=points.dtype)
        shown = (chance >= self.hidden).to(points.dtype) * points[..., 2:]
        some = latent._replace(given={**latent.given, SHOWN: shown})
        made = self.make(some, "generator_points")
        judge: Judge = self.judge("discriminator_points")
        judge.transforms = ()  # those of images
        beside = Pair(judge, batch, some, made[SAMPLES], real=points, real_given=(text,), fake_given=(text,), made=made)
        return {**super().pairs(batch, latent), POINTS: beside}

    def sample(self, latent: Latent) -> Tensor:
        """Return the images of latents, key points that are missing made first."""
        points = latent.given[POINTS]
        with torch.no_grad():
            filled = self.generate(latent._replace(given={**latent.given, SHOWN: points[..., 2:]}), "generator_points")
        return super().sample(latent._replace(given={**latent.given, POINTS: filled.to(points.dtype)}))
