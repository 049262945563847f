"""GeneGAN (Zhou et al. 2017, arXiv 1705.04932): an attribute is taken out of images and put into others."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn

from gan_framework.api import (
    EMPTY,
    SAMPLES,
    Batch,
    Components,
    ConfigError,
    Game,
    Generator,
    Latent,
    Pair,
    Player,
    Term,
    TermPlan,
    evaluation_mode,
    grid,
)
from gan_zoo.layers import init_normal
from gan_zoo.ranges import require_not_negative, require_positive

PLAIN = "a"
"""The further source, of images without the attribute; also their name among what the generator is given."""

GIVEN, TAKEN = "given", "taken"
"""The pairs: images that were given the attribute before the judge of those that have it, and the other way round."""

AGAIN, STILL, REST = "again", "still", "rest"
"""What else is made: reconstructions of images with and without the attribute, and what is split off of the latter."""


class Reconstructed(Term):
    """|x₁ - J(A, u)| + |x₀ - J(B, 0)|, means over entries."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for both kinds of images."""
        marked, plain = pair.latent.given[SAMPLES], pair.batch.others[PLAIN].samples
        return (marked - pair.made[AGAIN]).abs().mean() + (plain - pair.made[STILL]).abs().mean()


class Nothing(Term):
    """|ε|, a mean over entries: nothing is to be split off of images without the attribute."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the images without."""
        return pair.made[REST].abs().mean()


class Parallelogram(Term):
    """|x₁ + x₀ - J(B, u) - J(A, 0)|, a mean over entries: what one image loses the other gets."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the crossed images."""
        before = pair.latent.given[SAMPLES] + pair.batch.others[PLAIN].samples
        return (before - pair.made[GIVEN] - pair.made[SAMPLES]).abs().mean()


class Decay(Term):
    """½ Σ E w² over the weights of the layers that the player updates, E a mean over entries (the authors' program)."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it."""
        weights = [parameter for parameter in player.trained if parameter.ndim > 1]  # no biases, no gains of norms
        return 0.5 * torch.stack([weight.square().mean() for weight in weights]).sum()


class GeneGAN(Game):
    """A splitter S and a joiner J move an attribute from images x₁ that have it to images x₀ that have not.

    S(x₁) = (A, u), content and attribute, and S(x₀) = (B, ε). The data are x₁, the further source `a` x₀; they belong
    to each other in no way. One judge knows images with the attribute, one those without, and the generator minimises

        |ε| + reconstruction · (|x₁ - J(A, u)| + |x₀ - J(B, 0)|) + parallelogram · |x₁ + x₀ - J(B, u) - J(A, 0)|
        + decay · ½ Σ E w² + L_G(J(B, u)) + L_G(J(A, 0)),

    L_G that of a Wasserstein critic whose weights are clipped. What is sampled is J(A, 0), images without their
    attribute; pictures show images with it, without it, and it on the next image.

    Args:
        components: what the game is made of.
        nothing: the weight of |ε|.
        reconstruction: the weight of the reconstructions.
        parallelogram: the weight of the parallelogram.
        decay: the weight of half of the mean squares of the weights of the generator's layers.
    """

    generates_from = SAMPLES

    def __init__(
        self, components: Components, nothing: float, reconstruction: float, parallelogram: float, decay: float
    ) -> None:
        require_not_negative(nothing=nothing, reconstruction=reconstruction, parallelogram=parallelogram, decay=decay)
        super().__init__(components)
        terms: dict[str, tuple[float, Term]] = {
            "nothing": (nothing, Nothing()),
            "reconstruction": (reconstruction, Reconstructed()),
            "parallelogram": (parallelogram, Parallelogram()),
            "decay": (decay, Decay()),
        }
        for name, (weight, term) in terms.items():
            if weight:
                self.player("generator").add_term(name, term, plan=TermPlan(weight, pairs=(GIVEN,)))

    def make_players(self) -> list[Player]:
        """Return both judges as one player, and the generator."""
        judges = ("discriminator_marked", "discriminator_plain")
        return [
            Player("discriminator", judges, "discriminator", dict.fromkeys((GIVEN, TAKEN), "discriminator")),
            Player("generator", ("generator",), "generator", dict.fromkeys((GIVEN, TAKEN), "generator")),
        ]

    def latent_for(self, batch: Batch) -> Latent:
        """Return the images with the attribute."""
        return super().latent_for(batch)._replace(labels=None)

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return crossed images before the judge of the kind that they should be of."""
        plain = batch.others[PLAIN].samples
        made = self.make(latent._replace(given={**latent.given, PLAIN: plain}))
        marked = latent.given[SAMPLES]
        found = {
            GIVEN: Pair(self.judge("discriminator_marked"), batch, latent, made[GIVEN], real=marked, made=made),
            TAKEN: Pair(self.judge("discriminator_plain"), batch, latent, made[SAMPLES], real=plain, made=made),
        }
        for pair in found.values():
            pair.real_labels = None
        return found

    def check(self) -> None:
        """See that there are images with and without.

        Raises:
            ConfigError: there is no further source `a`, or its images have another shape.
        """
        if PLAIN not in self.data.others or self.data.others[PLAIN].sample != self.data.sample:
            raise ConfigError(
                "GeneGAN moves what images of data have to images of the same shape without it, `sources.a`, and there "
                "are none: choose data=digit_marks or data=unpaired"
            )
        super().check()

    def picture(self, latent: Latent, columns: int) -> Tensor | None:
        """Draw images, the same without their attribute, and the next image's content with their attribute."""
        if not self.data.is_8_bit or self.data.sample[0] not in (1, 3):
            return None
        network = self.networks[self.sampling_network]
        x = latent.given[SAMPLES][: max(len(latent.z) // 3, 1)]
        with torch.no_grad(), evaluation_mode(network):
            latent = latent.part(slice(len(x)))._replace(given={SAMPLES: x, PLAIN: x.roll(-1, 0)})
            made = self.make(latent, self.sampling_network)
        shown = [x, *(made[name].float() for name in (SAMPLES, GIVEN))]
        return grid(torch.stack(shown, 1).flatten(0, 1), max(columns // 3, 1) * 3)


class GeneGANGenerator(Generator):
    """Splits images by convolutions of stride 2 into content and attribute, and joins these by transposed ones.

    Kernels of 4, batch norm but in the first and the last layer, leaky ReLU 0.2 down, ReLU up, tanh. A share of the
    innermost channels is the attribute.

    Args:
        channels: of the images, whose sides are multiples of 2 to the power of `layers`.
        width: channels of the first layer, doubled with each; 128 in the authors' program.
        layers: of stride 2; 3 there.
        share: of the innermost channels that hold the attribute; a quarter there.
    """

    def __init__(self, channels: int, width: int, layers: int, share: float) -> None:
        super().__init__()
        require_positive(channels=channels, width=width, layers=layers)
        widths = [channels, *(width * 2**i for i in range(layers))]
        self.held = round(share * widths[-1])
        if not 0 < self.held < widths[-1]:
            raise ValueError(f"share={share} of {widths[-1]} channels leaves none for the attribute, or for the rest")
        down: list[nn.Module] = []
        up: list[nn.Module] = []
        for i, (narrow, wide) in enumerate(pairwise(widths)):
            down += [nn.Conv2d(narrow, wide, 4, 2, 1, bias=not i)]
            down += [nn.BatchNorm2d(wide), nn.LeakyReLU(0.2)] if i else [nn.LeakyReLU(0.2)]
            last = [nn.BatchNorm2d(narrow), nn.ReLU()] if i else [nn.Tanh()]
            up = [nn.ConvTranspose2d(wide, narrow, 4, 2, 1, bias=not i), *last, *up]
        self.splitter, self.joiner = nn.Sequential(*down), nn.Sequential(*up)
        init_normal(self, 0.02)

    def split(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the content and the attribute of images (N, C, H, W), maps of as many pixels."""
        code = self.splitter(x)
        return code[:, : -self.held], code[:, -self.held :]

    def join(self, content: Tensor, attribute: Tensor) -> Tensor:
        """Return the images (N, C, H, W) of contents and attributes."""
        made: Tensor = self.joiner(torch.cat([content, attribute], 1))
        return made

    def everything(
        self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY
    ) -> Mapping[str, Tensor]:
        """Return the given `samples` without their attribute, and, if plain images `a` are given too, all crosses."""
        content, attribute = self.split(given[SAMPLES])
        without = self.join(content, torch.zeros_like(attribute))
        if PLAIN not in given:
            return {SAMPLES: without}
        other, rest = self.split(given[PLAIN])
        return {
            SAMPLES: without,
            GIVEN: self.join(other, attribute),
            AGAIN: self.join(content, attribute),
            STILL: self.join(other, torch.zeros_like(rest)),
            REST: rest,
        }

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map the given `samples` (N, C, H, W) to the same images without their attribute."""
        return self.everything(z, labels, given)[SAMPLES]
