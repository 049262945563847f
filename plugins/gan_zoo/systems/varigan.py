"""VariGAN (Zhao et al. 2017, arXiv 1704.04886): another view of an image, coarse by a VAE and then refined."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import (
    EMPTY,
    MAIN,
    SAMPLES,
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
from gan_zoo.layers import activations, init_normal, init_scaled
from gan_zoo.systems.mv_bigan import divergence, drawn

VIEWS = 4
WRONG = "wrong"


def turned(x: Tensor, view: Tensor) -> Tensor:
    """Return square images (N, C, S, S), each turned by as many quarters as its view (N,) says."""
    every = torch.stack([torch.rot90(x, quarters, (2, 3)) for quarters in range(VIEWS)], dim=1)
    return every[torch.arange(len(x), device=x.device), view]


def view_of(z: Tensor) -> Tensor:
    """Return the views (N,) that latents (N, D) ask for: each quarter of their distribution asks for one."""
    return 2 * (z[:, 0] > 0).long() + (z[:, 1] > 0).long()


class Unlikeness(Term):
    """E |y - G|, of the coarse image and of the fine one, and the divergence of the coarse image's latents.

    Args:
        of: `coarse`, `fine` or `latents`.
    """

    def __init__(self, of: str) -> None:
        super().__init__()
        self.of = of

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the batch."""
        if self.of == "latents":
            return divergence(pair.made["code"], torch.zeros_like(pair.made["code"])).mean()
        if self.of == "coarse":
            return (F.avg_pool2d(pair.real, 2) - pair.made["coarse"]).abs().mean()
        return (pair.real - pair.fake).abs().mean()


class VariGAN(Game):
    """`generator_coarse` decodes a coarse image of another view of z, `generator` refines it beside the given image.

    Real images are given, and their views are the image turned by quarters; z says which. The VAE's `encoder` sees the
    coarse target and the coarse given image; D sees an image beside the given one, real ones beside a wrong one too,
    which it is to take for generated. G, the decoder and the encoder minimise G's loss, |y - G| of both sizes and the
    divergence of the latents. It is the smallest honest version: the paper has photographs of clothes; its weights are
    not known to us, and the decoder and the encoder are fully connected here.

    Args:
        components: what the game is made of.
        coarse: the weight of |y - G| of the coarse image.
        fine: the weight of |y - G| of the fine one.
        latents: the weight of the divergence.
    """

    generates_from = SAMPLES

    def __init__(self, components: Components, coarse: float, fine: float, latents: float) -> None:
        super().__init__(components)
        shape = self.data.sample
        if not self.data.is_image or shape[1] != shape[2] or shape[1] % 8 or self.prior is None or self.prior.dim < 2:
            raise ConfigError(
                f"game=varigan turns square images, and the data are {shape}: choose data.image_size, a multiple of 8, "
                "and a prior.dim of at least 2"
            )
        for name, weight in (("coarse", coarse), ("fine", fine), ("latents", latents)):
            self.player("generator").add_term(name, Unlikeness(name), plan=TermPlan(weight, pairs=(MAIN,)))

    def make_players(self) -> list[Player]:
        """Return D, and G with the decoder and the encoder."""
        of_d = {MAIN: "discriminator", WRONG: "discriminator_fake"}
        makers = ("generator", "generator_coarse", "encoder")
        return [
            Player("discriminator", ("discriminator",), "discriminator", of_d),
            Player("generator", makers, "generator", {MAIN: "generator"}),
        ]

    def make(self, latent: Latent, network: str = "generator") -> Mapping[str, Tensor]:
        """Return the views that latents ask for of the given images, with the `coarse` ones."""
        if network.startswith("generator_coarse"):
            return super().make(latent, network)
        given = latent.given[SAMPLES]
        view = F.one_hot(latent.given.get("view", view_of(latent.z)), VIEWS).to(given.dtype)
        beside = {"condition": F.avg_pool2d(given, 2), "view": view}
        suffix = network.removeprefix("generator")
        coarse = self.generate(latent._replace(given=beside), f"generator_coarse{suffix}")
        larger = F.interpolate(coarse, scale_factor=2, mode="bilinear")
        fine = super().make(latent._replace(given={"coarse": larger, "condition": given}), network)
        return {**fine, "coarse": coarse}

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return real and made views beside the given images, and real ones beside others."""
        x, view = batch.samples, view_of(latent.z)
        target, judge = turned(x, view), self.judge("discriminator")
        with self.autocast():
            seen = torch.cat([F.avg_pool2d(target, 2), F.avg_pool2d(x, 2)], dim=1)
            code = self.network("encoder")(seen)
        made = self.make(latent._replace(z=drawn(code), given={SAMPLES: x, "view": view}))
        real = Batch(target, batch.labels)
        of_all = {"coarse": made["coarse"], "code": code}
        other = x.roll(1, dims=0)
        return {
            MAIN: Pair(judge, real, latent, made[SAMPLES], real_given=(x,), fake_given=(x,), made=of_all),
            WRONG: Pair(judge, real, latent, target, real_given=(x,), fake_given=(other,)),
        }

    def picture(self, latent: Latent, columns: int) -> Tensor | None:
        """Draw given images, the views asked for, and what is made."""
        given = latent.given[SAMPLES]
        three = (given, turned(given, view_of(latent.z)), self.sample(latent))
        rows = [part for parts in zip(*(x.split(columns) for x in three), strict=True) for part in parts]
        return grid(torch.cat(rows), columns)


class CoarseEncoder(nn.Module):
    """Fully connected layers from two coarse images to means and logarithms of variances of z.

    Args:
        latent_dim: the size of z.
        image_size: of the fine images.
        channels: of the images.
        hidden: the size of the hidden layer.
    """

    def __init__(self, latent_dim: int, image_size: int, channels: int, hidden: int) -> None:
        super().__init__()
        size = 2 * channels * (image_size // 2) ** 2
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(size, hidden), nn.ReLU(), nn.Linear(hidden, 2 * latent_dim))
        init_scaled(self, "xavier")

    def forward(self, x: Tensor) -> Tensor:
        """Map coarse images beside each other (N, 2 C, S / 2, S / 2) to (N, 2 latent_dim)."""
        parameters: Tensor = self.layers(x)
        return parameters


class CoarseGenerator(Generator):
    """Fully connected layers from z, a coarse image and the view to a coarse image.

    Args:
        latent_dim: the size of z.
        image_size: of the fine images.
        channels: of the images.
        hidden: the size of the hidden layers.
    """

    def __init__(self, latent_dim: int, image_size: int, channels: int, hidden: int) -> None:
        super().__init__()
        self.shape = channels, image_size // 2, image_size // 2
        size = channels * (image_size // 2) ** 2
        self.layers = nn.Sequential(
            nn.Linear(latent_dim + size + VIEWS, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, size),
            nn.Tanh(),
        )
        init_scaled(self, "xavier")

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map z, the given coarse `condition` and one-hot `view` to images (N, C, S / 2, S / 2) in [-1, 1]."""
        joined = torch.cat([z, given["condition"].flatten(1), given["view"]], dim=1)
        images: Tensor = self.layers(joined).unflatten(1, self.shape)
        return images


class DualPathGenerator(Generator):
    """A U-net with two paths down that share their weights, one of the coarse image and one of the given one.

    Args:
        channels: of the images, whose sides are multiples of 8.
        width: channels of the first maps; the further ones have two and four times as many.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        widths = [channels, width, 2 * width, 4 * width]
        self.down = nn.ModuleList(
            nn.Sequential(nn.Conv2d(inputs, outputs, 4, 2, 1), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2))
            for inputs, outputs in pairwise(widths)
        )
        # Each way up sees both paths' maps of its size, and what comes from below.
        self.up = nn.ModuleList(
            [
                nn.Sequential(nn.ConvTranspose2d(8 * width, 2 * width, 4, 2, 1), nn.BatchNorm2d(2 * width), nn.ReLU()),
                nn.Sequential(nn.ConvTranspose2d(6 * width, width, 4, 2, 1), nn.BatchNorm2d(width), nn.ReLU()),
                nn.Sequential(nn.ConvTranspose2d(3 * width, channels, 4, 2, 1), nn.Tanh()),
            ]
        )
        init_normal(self, 0.02)

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map the given `coarse` image and `condition` (N, C, S, S) to images (N, C, S, S) in [-1, 1]."""
        paths = [activations(self.down, given[name]) for name in ("coarse", "condition")]
        both = [torch.cat(maps, dim=1) for maps in zip(*paths, strict=True)]
        x: Tensor = self.up[0](both[2])
        x = self.up[1](torch.cat([x, both[1]], dim=1))
        images: Tensor = self.up[2](torch.cat([x, both[0]], dim=1))
        return images


class BesideDiscriminator(Discriminator):
    """Three convolutions of 4x4 that halve the side of an image and the one given with it; leaky ReLU 0.2.

    Args:
        image_size: of square images, a multiple of 8.
        channels: of the images.
        width: channels of the first maps; the further ones have two and four times as many.
    """

    def __init__(self, image_size: int, channels: int, width: int) -> None:
        super().__init__()
        widths = [2 * channels, width, 2 * width, 4 * width]
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Conv2d(inputs, outputs, 4, 2, 1), nn.LeakyReLU(0.2))
            for inputs, outputs in pairwise(widths)
        )
        self.output = nn.Linear(4 * width * (image_size // 8) ** 2, 1)
        init_normal(self, 0.02)

    def features(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> tuple[Tensor, ...]:
        """Return the maps after every block of images (N, C, S, S) and those given with them."""
        return activations(self.blocks, torch.cat([x, *given], dim=1))
