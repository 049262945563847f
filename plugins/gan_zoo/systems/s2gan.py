"""S²GAN (Wang & Gupta 2016, arXiv 1603.05631): one GAN makes surface normals, another an image of them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import (
    EMPTY,
    Batch,
    Components,
    ConfigError,
    Discriminator,
    Game,
    Generator,
    Latent,
    Pair,
    Player,
    Term,
    TermPlan,
    grid,
)
from gan_zoo.layers import activations, init_normal

STRUCTURE, STYLE = "structure", "style"
NORMALS = "normals"

STEEPNESS = 4.0
"""How high a white pixel stands above a black one, in pixels, where normals are those of an image's brightness."""


def normals_of(x: Tensor) -> Tensor:
    """Return the normals (N, 3, H, W) of the surface whose height is the brightness of images (N, C, H, W) in [-1, 1].

    It stands for the normals of depth images, of which the paper trains.
    """
    height = F.pad(x.mean(1, keepdim=True) * (STEEPNESS / 2), [1, 1, 1, 1], mode="replicate")
    across = (height[..., 1:-1, 2:] - height[..., 1:-1, :-2]) / 2
    down = (height[..., 2:, 1:-1] - height[..., :-2, 1:-1]) / 2
    return F.normalize(torch.cat([-across, -down, torch.ones_like(down)], dim=1), dim=1)


class Readability(Term):
    """1 - cos of the normals that `reader` finds in an image and of those that belong to it, a mean over pixels.

    Args:
        side: of the pair: `real` for the reader's own objective, `fake` for the style generator's.
    """

    def __init__(self, side: str) -> None:
        super().__init__()
        self.side = side

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over pixels."""
        image = pair.real if self.side == "real" else pair.fake
        (wanted,) = pair.real_given if self.side == "real" else pair.fake_given
        with self.game.autocast():
            read = self.game.network("reader")(image)
        return 1 - F.cosine_similarity(read.float(), wanted, dim=1).mean()


class S2GAN(Game):
    """`generator_structure` makes normals of one half of z, `generator_style` an image of the other half and normals.

    Each has its discriminator, that of the style sees the image beside its normals (section 3). The network `reader`
    learns to read normals from real images, and the style generator is paid for images from which it reads those that
    were given (section 3.3; there a classifier of 40 directions, here a regression). All are trained together from the
    beginning; the paper trains them apart first. Real images' normals are the extra `normals`, or else those of their
    brightness as a height.

    Args:
        components: what the game is made of.
        readability: λ, the weight of what the reader reads.
    """

    sampling_network = "generator_style"

    def __init__(self, components: Components, readability: float) -> None:
        super().__init__(components)
        if not self.data.is_image or self.prior is None or self.prior.dim % 2:
            raise ConfigError(
                f"game=s2gan makes images of two halves of z, and the data are {self.data.sample}: choose images, "
                "and an even prior.dim"
            )
        of_style = TermPlan(readability, pairs=(STYLE,))
        self.player("generator").add_term("readability", Readability("fake"), plan=of_style)
        self.player("reader").add_term("readability", Readability("real"), plan=TermPlan(pairs=(STYLE,)))

    def make_players(self) -> list[Player]:
        """Return both discriminators as one player, both generators, and the reader."""
        own = {team: tuple(f"{team}_{part}" for part in (STRUCTURE, STYLE)) for team in ("discriminator", "generator")}
        both = [Player(team, of, team, dict.fromkeys((STRUCTURE, STYLE), team)) for team, of in own.items()]
        return [*both, Player("reader", ("reader",))]

    def make(self, latent: Latent, network: str = "generator_style") -> Mapping[str, Tensor]:
        """Return normals, or an image of the given ones, or of those that the structure generator makes."""
        if not network.startswith("generator_style"):
            return super().make(latent._replace(z=latent.z.chunk(2, dim=1)[0]), network)
        suffix = network.removeprefix("generator_style")
        given = latent.given.get(NORMALS)
        if given is None:
            given = self.generate(latent, f"generator_structure{suffix}").float()
        own = latent._replace(z=latent.z.chunk(2, dim=1)[1], given={NORMALS: given})
        return {**super().make(own, network), NORMALS: given}

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return real and made normals, and real and made images beside theirs; images are made of real normals."""
        real = batch.extra[NORMALS] if NORMALS in batch.extra else normals_of(batch.samples)
        made = self.generate(latent, "generator_structure")
        image = self.generate(latent._replace(given={NORMALS: real}), "generator_style")
        first, second = (self.judge(f"discriminator_{part}") for part in (STRUCTURE, STYLE))
        return {
            STRUCTURE: Pair(first, batch, latent, made, real=real),
            STYLE: Pair(second, batch, latent, image, real_given=(real,), fake_given=(real,)),
        }

    def picture(self, latent: Latent, columns: int) -> Tensor | None:
        """Draw made normals, as colours, over the images that are made of them."""
        before = self.sampling_network
        try:
            self.sampling_network = before.replace("generator_style", "generator_structure")
            normals = self.sample(latent)
        finally:
            self.sampling_network = before
        images = self.sample(latent._replace(given={NORMALS: normals}))
        images = images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images
        rows = [part for both in zip(normals.split(columns), images.split(columns), strict=True) for part in both]
        return grid(torch.cat(rows), columns)


def _normed(layer: nn.Module, outputs: int, activation: nn.Module) -> list[nn.Module]:
    return [layer, nn.BatchNorm2d(outputs), activation]


class StructureGenerator(Generator):
    """The paper's network of normals: from an eighth of the side to the whole, 9, 18, 36, 72 pixels; each of norm 1.

    Batch norm and ReLU after the first layer, leaky ReLU 0.2 after the others.

    Args:
        latent_dim: the size of what it takes.
        image_size: of square images, a multiple of 8; 72 in the paper.
        width: channels of the first map; 128 in the paper, and up to four times as many between.
    """

    def __init__(self, latent_dim: int, image_size: int, width: int) -> None:
        super().__init__()
        if image_size % 8:
            raise ValueError(f"image_size={image_size}: it must be a multiple of 8")

        def plain(inputs: int, outputs: int) -> list[nn.Module]:
            return _normed(nn.Conv2d(inputs, outputs, 3, 1, 1), outputs, nn.LeakyReLU(0.2))

        def doubled(inputs: int, outputs: int) -> list[nn.Module]:
            return _normed(nn.ConvTranspose2d(inputs, outputs, 4, 2, 1), outputs, nn.LeakyReLU(0.2))

        w = width
        self.layers = nn.Sequential(
            nn.Unflatten(1, (latent_dim, 1, 1)),
            *_normed(nn.ConvTranspose2d(latent_dim, w, image_size // 8), w, nn.ReLU()),
            *doubled(w, w),
            *plain(w, w),
            *plain(w, 2 * w),
            *plain(2 * w, 4 * w),
            *plain(4 * w, 4 * w),
            *doubled(4 * w, 2 * w),
            *plain(2 * w, w),
            *doubled(w, w // 2),
            nn.Conv2d(w // 2, 3, 5, 1, 2),
            nn.Tanh(),
        )
        init_normal(self, 0.02)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to normals (N, 3, H, W)."""
        return F.normalize(self.layers(z), dim=1)


class StyleGenerator(Generator):
    """The paper's network of images: normals and z meet at a quarter of the side.

    Batch norm and leaky ReLU 0.2 after each layer but the last, tanh.

    Args:
        latent_dim: the size of what it takes.
        image_size: of square images, a multiple of 16; 128 in the paper.
        channels: of the images.
        width: channels of the first maps; 64 in the paper, and up to eight times as many between.
    """

    def __init__(self, latent_dim: int, image_size: int, channels: int, width: int) -> None:
        super().__init__()
        if image_size % 16:
            raise ValueError(f"image_size={image_size}: it must be a multiple of 16")

        def layer(of: type[nn.Module], inputs: int, outputs: int, *settings: int) -> list[nn.Module]:
            return _normed(of(inputs, outputs, *settings), outputs, nn.LeakyReLU(0.2))

        w, up = width, nn.ConvTranspose2d
        self.of_normals = nn.Sequential(*layer(nn.Conv2d, 3, w, 5, 2, 2), *layer(nn.Conv2d, w, 2 * w, 5, 2, 2))
        self.of_noise = nn.Sequential(
            nn.Unflatten(1, (latent_dim, 1, 1)),
            *layer(up, latent_dim, 4 * w, image_size // 16),
            *layer(up, 4 * w, 2 * w, 4, 2, 1),
            *layer(up, 2 * w, w, 4, 2, 1),
        )
        self.joined = nn.Sequential(
            *layer(nn.Conv2d, 3 * w, 4 * w, 3, 1, 1),
            *layer(nn.Conv2d, 4 * w, 8 * w, 3, 2, 1),
            *layer(nn.Conv2d, 8 * w, 8 * w, 3, 1, 1),
            *layer(up, 8 * w, 4 * w, 4, 2, 1),
            *layer(up, 4 * w, 2 * w, 4, 2, 1),
            *layer(up, 2 * w, w, 4, 2, 1),
            nn.Conv2d(w, channels, 5, 1, 2),
            nn.Tanh(),
        )
        init_normal(self, 0.02)

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map z (N, latent_dim) and the given `normals` (N, 3, H, W) to images (N, C, H, W) in [-1, 1]."""
        images: Tensor = self.joined(torch.cat([self.of_normals(given[NORMALS]), self.of_noise(z)], dim=1))
        return images


class NormalsReader(nn.Module):
    """Convolutions of 3x3 that keep the side, from images to normals; the paper's is AlexNet's.

    Args:
        channels: of the images.
        width: channels between.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        sizes = [channels, width, width]
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(sizes):
            layers += [nn.Conv2d(inputs, outputs, 3, 1, 1), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(width, 3, 3, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, C, H, W) to normals (N, 3, H, W), of norm 1."""
        return F.normalize(self.layers(x), dim=1)


class S2Discriminator(Discriminator):
    """The paper's network for normals, and, beside normals, for images; no batch norm, leaky ReLU 0.2, dropout.

    Args:
        image_size: of square images, a multiple of 8.
        channels: of what is judged and of what is given with it.
        width: channels of the first map; 64 in the paper, and up to eight times as many between.
    """

    def __init__(self, image_size: int, channels: int, width: int) -> None:
        super().__init__()
        w = width
        plan = [(channels, w, 5, 2), (w, 2 * w, 5, 1), (2 * w, 4 * w, 3, 2), (4 * w, 8 * w, 3, 2), (8 * w, 2 * w, 3, 1)]
        dropouts = [0.0, 0.0, 0.0, 0.2, 0.5]
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2), nn.LeakyReLU(0.2), nn.Dropout(dropout)
            )
            for (inputs, outputs, kernel, stride), dropout in zip(plan, dropouts, strict=True)
        )
        self.output = nn.Linear(2 * w * (image_size // 8) ** 2, 1)
        init_normal(self, 0.02)

    def features(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> tuple[Tensor, ...]:
        """Return the maps after every layer of samples (N, C, H, W) and what is given with them."""
        return activations(self.blocks, torch.cat([x, *given], dim=1))
