"""IcGAN (Perarnau et al. 2016, arXiv 1611.06355): a conditional GAN, and encoders that invert it to edit images."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
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
    Latent,
    Pair,
    Player,
    Term,
    TermPlan,
    evaluation_mode,
)
from gan_zoo.editing import EncodingEditor, beside_maps, conditions
from gan_zoo.layers import ImageSize, activations, as_weights, given, init_normal, sides
from gan_zoo.ranges import require_positive, require_probability

MADE, WRONG = "made", "wrong"
"""The pairs of what is made beside its label, and of real images beside labels of others."""


class FindsLatents(Term):
    """|z - E_z(G(z, y))|², a mean over entries; no gradient reaches G (equation 3)."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's generated images."""
        encoder = self.game.network("encoder_z")
        found: Tensor = encoder(as_weights(pair.fake.detach(), encoder))
        return F.mse_loss(found.to(pair.latent.z.dtype), pair.latent.z)


class FindsLabels(Term):
    """|y - E_y(x)|², a mean over entries, y of -1 and 1 (equation 4)."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's real images."""
        found: Tensor = self.game.network("encoder_y")(pair.real)
        return F.mse_loss(found, signs(pair.real_labels, found.shape[1], found.dtype))


def signs(labels: Tensor | None, count: int, dtype: torch.dtype) -> Tensor:
    """Return classes (N,) as vectors (N, count) of -1 with a 1, and attributes as they are."""
    vectors = conditions(labels, count, dtype)
    return vectors if labels is None or labels.ndim > 1 else 2 * vectors - 1


def _weighed(weights: tuple[float, ...], losses: Tensor) -> Tensor:
    return (losses * losses.new_tensor(weights)).sum()


class IcGAN(EncodingEditor):
    """A GAN of images x and labels y, whose D knows real images beside wrong labels too, and what undoes its G.

        D      BCE(D(x, y), 1) + mismatched · BCE(D(x, y'), 0) + (1 - mismatched) · BCE(D(G(z, y), y), 0)
        G      L_G(D(G(z, y), y))
        E_z    |z - E_z(G(z, y))|²,        E_y    |y - E_y(x)|²

    E_z learns on generated images, E_y, which tells labels where none are known, on real ones; a schedule of stages
    trains them after the GAN. What is sampled are edits G(E_z(x), y').

    Args:
        components: what the game is made of.
        mismatched: the weight of real images beside wrong labels; a half in the paper's program.
    """

    encoder_name = "encoder_z"

    def __init__(self, components: Components, mismatched: float) -> None:
        require_probability(mismatched=mismatched)
        self.mismatched = mismatched
        super().__init__(components)
        plan = TermPlan(pairs=(MAIN,))
        self.player("encoder_z").add_term("latents", FindsLatents(), plan=plan)
        if "encoder_y" in self.networks:
            self.player("encoder_y").add_term("labels", FindsLabels(), plan=plan)

    def make_players(self) -> list[Player]:
        """Return D, G and the encoders."""
        told = {MAIN: "discriminator_real", MADE: "discriminator_fake", WRONG: "discriminator_fake"}
        weights = partial(_weighed, (1.0, 1 - self.mismatched, self.mismatched))
        encoders = [name for name in ("encoder_z", "encoder_y") if name in self.networks or name == "encoder_z"]
        return [
            Player("discriminator", ("discriminator",), "discriminator", told, weights),
            Player("generator", ("generator",), "generator", {MAIN: "generator"}),
            *(Player(name, (name,)) for name in encoders),
        ]

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return images with what is made for their labels, and images beside wrong labels."""
        own = latent._replace(labels=batch.labels, given=EMPTY)
        judge, made = self.judge("discriminator"), self.generate(own)
        return {
            MAIN: Pair(judge, batch, own, made),
            MADE: Pair(judge, batch, own, made),
            WRONG: Pair(judge, batch, latent._replace(labels=self.wrong_labels(batch, latent)), batch.samples),
        }

    def wrong_labels(self, batch: Batch, latent: Latent) -> Tensor:
        """Return classes (N,), any but the images' own, or the attributes (N, K) of others of the batch."""
        own = given(batch.labels)
        if own.ndim > 1:
            return given(latent.labels)
        return (own + torch.randint(1, max(self.label_count, 2), own.shape, device=own.device)) % self.label_count

    def make(self, latent: Latent, network: str = "generator") -> Mapping[str, Tensor]:
        """Return what G makes of z, or of the codes of given `samples`."""
        if SAMPLES in latent.given:
            latent = latent._replace(z=self.code_of(latent.given[SAMPLES]), given=EMPTY)
        return super().make(latent, network)

    def check(self) -> None:
        """See that there are latents to find.

        Raises:
            ConfigError: there is no prior, or the networks do not fit.
        """
        if self.prior is None:
            raise ConfigError(f"{type(self).__name__} finds latents of a prior: set prior=normal")
        super().check()
        _require_outputs(self, "encoder_z", self.prior.dim, "prior.dim")
        if "encoder_y" in self.networks:
            _require_outputs(self, "encoder_y", self.label_count, "the number of labels")


def _require_outputs(game: Game, name: str, wanted: int, what: str) -> None:
    with torch.no_grad(), evaluation_mode(game.network(name)):
        found = game.network(name)(torch.zeros(2, *game.data.sample)).shape[1]
    if found != wanted:
        raise ConfigError(f"networks.{name} makes {found} numbers of an image, and {what} is {wanted}")


class IcGANEncoder(nn.Module):
    """Four convolutions of 5x5 and stride 2, a hidden linear layer, and one to the code; batch norm and ReLU.

    Args:
        image_size: of square images, or height and width.
        channels: of the images.
        width: channels of the first layer, doubled with each; 32 in the paper.
        hidden: units of the hidden layer; 4096 in the paper for z, 512 for y.
        outputs: the size of the code.
    """

    def __init__(self, image_size: ImageSize, channels: int, width: int, hidden: int, outputs: int) -> None:
        super().__init__()
        require_positive(channels=channels, width=width, hidden=hidden, outputs=outputs)
        widths = [channels, *(width * 2**i for i in range(4))]
        layers: list[nn.Module] = []
        for a, b in pairwise(widths):
            layers += [nn.Conv2d(a, b, 5, 2, 2, bias=False), nn.BatchNorm2d(b), nn.ReLU()]
        height, across = (-(-side // 16) for side in sides(image_size))
        layers += [nn.Flatten(), nn.Linear(widths[-1] * height * across, hidden, bias=False)]
        self.layers = nn.Sequential(*layers, nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, outputs))
        init_normal(self, 0.02)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, C, H, W) in [-1, 1] to codes (N, outputs)."""
        code: Tensor = self.layers(x)
        return code


class IcGANDiscriminator(Discriminator):
    """DCGAN's discriminator, with the label as maps behind its first layer.

    Args:
        labels: the number of classes, or of attributes.
        image_size: of square images, or height and width; at least 16 pixels on each side.
        channels: of the images.
        width: channels of the first of four convolutions of 4x4 and stride 2, doubled with each.
    """

    conditional = True

    def __init__(self, labels: int, image_size: ImageSize, channels: int, width: int) -> None:
        super().__init__()
        require_positive(labels=labels, channels=channels, width=width)
        self.labels = labels
        height, across = (side // 16 for side in sides(image_size))
        if min(height, across) < 1:
            raise ValueError(f"image_size={image_size}: it must be at least 16 on both sides")
        self.first = nn.Sequential(nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.2))
        widths = [width + labels, 2 * width, 4 * width, 8 * width]
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Conv2d(a, b, 4, 2, 1, bias=False), nn.BatchNorm2d(b), nn.LeakyReLU(0.2))
            for a, b in pairwise(widths)
        )
        self.output = nn.Linear(8 * width * height * across, 1)
        init_normal(self, 0.02)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the activations after every layer for images (N, C, H, W) in [-1, 1] and their labels."""
        maps = self.first(x)
        return maps, *activations(self.blocks, beside_maps(maps, signs(labels, self.labels, maps.dtype)))
