"""SL-GAN (Yin et al. 2017, arXiv 1704.02166): images made and changed by attributes that users name, and by others.

Known to us from memory and in outline: all weights are 1, and that changed images are judged too is our reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import (
    SAMPLES,
    Batch,
    Components,
    ConfigError,
    Game,
    Latent,
    Pair,
    Player,
    Term,
    TermPlan,
    nobody,
)
from gan_zoo.describing import ATTRIBUTES
from gan_zoo.discriminators.dcgan import DCGANDiscriminator
from gan_zoo.layers import ImageSize, init_normal
from gan_zoo.ranges import require_positive

ASKED, DESCRIBED = "asked", "described"
MADE, EDITED, RECONSTRUCTED = "made", "edited", "reconstructed"


class Codes(NamedTuple):
    """What an encoder says of images.

    Attributes:
        attributes: logits of the attributes that users name (N, A).
        hidden: logits of those that nobody has named (N, H).
        z: all else (N, Z).
    """

    attributes: Tensor
    hidden: Tensor
    z: Tensor


class SLGANEncoder(nn.Module):
    """DCGAN's layers, and a linear one for both kinds of attributes and z.

    Args:
        attributes: how many users name.
        hidden: how many nobody names.
        dim: the size of z.
        image_size: of square images, or height and width; at least 8 pixels on each side.
        channels: of the images.
        width: channels of the first layer.
    """

    def __init__(
        self, attributes: int, hidden: int, dim: int, image_size: ImageSize, channels: int, width: int
    ) -> None:
        super().__init__()
        require_positive(attributes=attributes, hidden=hidden, dim=dim)
        self.sizes = [attributes, hidden, dim]
        trunk = DCGANDiscriminator(image_size, channels, width, "batch")
        inputs = cast(int, trunk.output.in_features)
        self.layers = nn.Sequential(*trunk.blocks, nn.Flatten(), nn.Linear(inputs, sum(self.sizes)))
        init_normal(self, 0.02)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, C, H, W) in [-1, 1] to numbers (N, A + H + Z)."""
        numbers: Tensor = self.layers(x)
        return numbers


class SLGANDiscriminator(DCGANDiscriminator):
    """DCGAN's discriminator with a further head `attributes`, a logit for each.

    Args:
        attributes: how many.
        image_size: of square images, or height and width; at least 8 pixels on each side.
        channels: of the images.
        width: channels of the first layer.
    """

    def __init__(self, attributes: int, image_size: ImageSize, channels: int, width: int) -> None:
        require_positive(attributes=attributes)
        super().__init__(image_size, channels, width, "batch")
        self.heads[ATTRIBUTES] = nn.Linear(cast(int, self.output.in_features), attributes)
        init_normal(self.heads, 0.02)


class ToldAttributes(Term):
    """The binary cross entropies of the discriminator's logits with attributes.

    For itself those of real images, with theirs; for the generator those of what it has made, with those asked for.
    """

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return their mean."""
        if player.team == "discriminator":
            return _entropy(pair.real_output.heads[ATTRIBUTES], pair.batch.extra[ATTRIBUTES])
        return _entropy(pair.fake_output.heads[ATTRIBUTES], pair.latent.given[ATTRIBUTES])


class FoundAttributes(Term):
    """The encoder's cross entropies: of named attributes of real images, and of the others in what was made of them.

    The latter, -E log Q(h | G(y, h, z)) with the encoder as Q, bounds the mutual information as InfoGAN's does.
    """

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return their sum."""
        game = self.game
        assert isinstance(game, SLGAN)
        named = _entropy(game.encode(pair.real).attributes, pair.batch.extra[ATTRIBUTES])
        return named + _entropy(game.encode(pair.fake).hidden, pair.made["hidden"])


class Reconstruction(Term):
    """|x - G(E(x))|₁, a mean over entries."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's images."""
        return (pair.fake.to(pair.real.dtype) - pair.real).abs().mean()


def _entropy(logits: Tensor, bits: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits.to(bits.dtype), bits)


class SLGAN(Game):
    """G makes images of (y, h, z): named attributes, bits that nobody has named, all else; E finds them in images.

    D tells real images from those made of a prior and from changed ones, G(ỹ, E(x)), and minimises the cross entropy of
    real images' attributes. G and E minimise together their part of the loss for both kinds, the cross entropies of the
    attributes, -E log Q(h|g), and |x - G(E(x))|₁, where E's own attributes stand for y. ỹ is that of the image before
    in the batch. Samples are changed images: of `asked` attributes where the data have such an extra.

    The first entries of the prior's z make h: 1 where they are positive.
    """

    generates_from = SAMPLES

    def __init__(self, components: Components) -> None:
        super().__init__(components)
        judged = TermPlan(pairs=(MADE, EDITED))
        self.player("discriminator").add_term(ATTRIBUTES, ToldAttributes(), plan=TermPlan(pairs=(MADE,)))
        generator = self.player("generator")
        generator.add_term(ATTRIBUTES, ToldAttributes(), plan=judged)
        generator.add_term("found", FoundAttributes(), plan=TermPlan(pairs=(MADE,)))
        generator.add_term("reconstruction", Reconstruction(), plan=TermPlan(pairs=(RECONSTRUCTED,)))

    def make_players(self) -> list[Player]:
        """Return D, and G with E."""
        halves = {MADE: "discriminator", EDITED: "discriminator_fake"}
        both = {MADE: "generator", EDITED: "generator"}
        return [
            Player("discriminator", ("discriminator",), "discriminator", halves),
            Player("generator", ("generator", "encoder"), "generator", both),
        ]

    @property
    def sizes(self) -> list[int]:
        """How many attributes there are, how many bits that nobody names, and the size of z."""
        return cast(SLGANEncoder, self.network("encoder")).sizes

    def encode(self, x: Tensor) -> Codes:
        """Return the codes of images (N, C, H, W)."""
        with self.autocast():
            numbers: Tensor = self.network("encoder")(x)
        return Codes(*numbers.split(self.sizes, 1))

    def latent_for(self, batch: Batch) -> Latent:
        """Return z, the images, and the attributes that they are to have: those asked for, or else their own."""
        latent = super().latent_for(batch)
        wanted = batch.extra[ASKED if ASKED in batch.extra else ATTRIBUTES]
        return latent._replace(given={**latent.given, ATTRIBUTES: wanted})

    def make(self, latent: Latent, network: str = "generator") -> Mapping[str, Tensor]:
        """Return images of attributes and of z, or, where images are given, those changed."""
        wanted = latent.given[ATTRIBUTES]
        if SAMPLES in latent.given:
            codes = self.encode(latent.given[SAMPLES])
            hidden, z = codes.hidden.sigmoid(), codes.z
        else:
            drawn, z = latent.z.split(self.sizes[1:], 1)
            hidden = (drawn > 0).to(wanted.dtype)
        described = torch.cat([wanted, hidden.to(wanted.dtype)], 1)
        made = super().make(Latent(z, given={DESCRIBED: described}), network)
        return {**made, "hidden": hidden}

    def sample(self, latent: Latent) -> Tensor:
        """Return changed images; the encoder is in evaluation mode meanwhile, as the generator."""
        encoder = self.network("encoder")
        training = encoder.training
        encoder.eval()
        try:
            return super().sample(latent)
        finally:
            encoder.train(training)

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return images made of the prior, changed ones, and reconstructions."""
        own = batch.extra[ATTRIBUTES]
        judge, x = self.judge("discriminator"), batch.samples
        of_prior = latent._replace(given={ATTRIBUTES: own})
        others = latent._replace(given={SAMPLES: x, ATTRIBUTES: own.roll(1, 0)})
        seen = latent._replace(given={SAMPLES: x, ATTRIBUTES: self.encode(x).attributes.sigmoid().to(own.dtype)})
        made, edited, again = (self.make(one) for one in (of_prior, others, seen))
        return {
            MADE: Pair(judge, batch, of_prior, made[SAMPLES], made=made),
            EDITED: Pair(judge, batch, others, edited[SAMPLES], made=edited),
            RECONSTRUCTED: Pair(nobody, batch, seen, again[SAMPLES], made=again),
        }

    def check(self) -> None:
        """See that there are as many attributes as the encoder finds, and a z for what it finds beside.

        Raises:
            ConfigError: there are not.
        """
        shape, (attributes, hidden, dim) = self.data.extra.get(ATTRIBUTES), self.sizes
        if shape is None or tuple(shape) != (attributes,):
            found = f"{shape[0]} of them" if shape is not None else "none"
            raise ConfigError(
                f"SLGAN learns {attributes} {ATTRIBUTES!r} of samples (networks.encoder.attributes), and these data "
                f"have {found}: choose data=shapes"
            )
        drawn = getattr(self.prior, "dim", 0)
        if drawn != hidden + dim:
            raise ConfigError(
                f"prior.dim={drawn}: networks.encoder has hidden={hidden} and dim={dim}; set prior.dim={hidden + dim}"
            )
        super().check()
