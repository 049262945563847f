"""DR-GAN (Tran et al. 2017, arXiv 1705.11136): images of somebody in other views, of one image or of several."""

from __future__ import annotations

from collections.abc import Mapping

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
    Generator,
    Latent,
    Pair,
    Player,
    Term,
    TermPlan,
)
from gan_zoo.datasets.digit_views import TOGETHER
from gan_zoo.datasets.edited_digits import IDENTITY
from gan_zoo.discriminators.dcgan import DCGANDiscriminator
from gan_zoo.editing import EditingGame, conditions
from gan_zoo.generators.dcgan import DCGANGenerator
from gan_zoo.layers import ImageSize, activations, init_normal
from gan_zoo.ranges import require_not_negative, require_positive

VIEW = "view"
"""The head that tells views; the one that tells identities is called as the extra is."""

ALONE = "alone"
"""The pair of images that are made of the first image alone, where several are given."""


class TellsReal(Term):
    """The cross entropies of the identity and the view of real images, as D tells them."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return their sum, means over the batch."""
        heads = pair.real_output.heads
        assert pair.batch.labels is not None
        return F.cross_entropy(heads[IDENTITY], pair.batch.extra[IDENTITY]) + F.cross_entropy(
            heads[VIEW], pair.batch.labels
        )


class KeepsIdentity(Term):
    """The cross entropy of made images with the identity of those that they are made of."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the pair's generated images."""
        return F.cross_entropy(pair.fake_output.heads[IDENTITY], pair.batch.extra[IDENTITY])


class HasView(Term):
    """The cross entropy of made images with the view that was asked for."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the pair's generated images."""
        assert pair.latent.labels is not None
        return F.cross_entropy(pair.fake_output.heads[VIEW], pair.latent.labels)


class DRGAN(EditingGame):
    """G makes of images, a view c and noise the image of the same identity in that view; D tells real, id and view.

        D   L_D + CE(id(x), y) + CE(view(x), c_x)
        G   L_G + CE(id(G(x, c, z)), y) + view · CE(view(G(x, c, z)), c)

    All weights are 1, as in the authors' program, whose identities have an additive margin beside and whose views are
    angles. Where the extra `together` holds further images of the same identity, G is given them too, and made both of
    all of them and of the first alone.

    Args:
        components: what the game is made of; the loss must be a sum of two halves.
        view: the weight of the view for G.
    """

    def __init__(self, components: Components, view: float) -> None:
        require_not_negative(view=view)
        super().__init__(components)
        discriminator, generator = self.player("discriminator"), self.player("generator")
        discriminator.add_term("real", TellsReal(), plan=TermPlan(pairs=(MAIN,)))
        generator.add_term("identity", KeepsIdentity())
        generator.add_term("view", HasView(), view)

    def make_players(self) -> list[Player]:
        """Return D, which sees real images once, and G."""
        told, fooled = {MAIN: "discriminator"}, {MAIN: "generator"}
        if TOGETHER in self.data.extra:
            told[ALONE], fooled[ALONE] = "discriminator_fake", "generator"
        return [
            Player("discriminator", ("discriminator",), "discriminator", told),
            Player("generator", ("generator",), "generator", fooled),
        ]

    def latent_for(self, batch: Batch) -> Latent:
        """Return the images, further ones of the same identity, and the views that are asked for."""
        latent, extra = super().latent_for(batch), batch.extra
        further = {TOGETHER: extra[TOGETHER]} if TOGETHER in extra else {}
        return latent._replace(given={**latent.given, **further})

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return images with those made of all that are given together, and with those made of one alone."""
        judge = self.judge("discriminator")
        found = {MAIN: Pair(judge, batch, latent, self.generate(latent))}
        if TOGETHER in latent.given:
            single = latent._replace(given={SAMPLES: latent.given[SAMPLES]})
            found[ALONE] = Pair(judge, batch, single, self.generate(single))
        return found

    def check(self) -> None:
        """See that identities are known.

        Raises:
            ConfigError: they are not, or there are no views.
        """
        if IDENTITY not in self.data.extra or not self.data.num_classes:
            raise ConfigError(
                f"DRGAN needs the views of images as classes and their extra {IDENTITY!r}: choose data=digit_views"
            )
        super().check()


def fused(features: Tensor, weights: Tensor) -> Tensor:
    """Return Σ ω_i f_i / Σ ω_i (N, D) of features (N, k, D) and weights ω (N, k), which are positive (equation 9)."""
    return (weights[..., None] * features).sum(1) / weights.sum(1, keepdim=True)


class DRGANGenerator(Generator):
    """DCGAN's layers down to a feature and its weight, and up from the feature, the view and z.

    Args:
        image_size: of square images, or height and width.
        channels: of the images.
        width: channels of the outermost layers.
        views: how many there are.
        latent_dim: the size of z; 50 in the paper.
        feature_dim: the size of the feature; 320 in the paper.
        several: whether several images are given together, so that each has a weight.
    """

    conditional = True

    def __init__(
        self,
        image_size: ImageSize,
        channels: int,
        width: int,
        views: int,
        latent_dim: int,
        feature_dim: int,
        several: bool,
    ) -> None:
        super().__init__()
        require_positive(views=views, feature_dim=feature_dim)
        self.channels, self.views, self.several = channels, views, several
        trunk = DCGANDiscriminator(image_size, channels, width, "batch")
        assert isinstance(trunk.output, nn.Linear)
        self.encoder = nn.Sequential(
            *trunk.blocks, nn.Flatten(), nn.Linear(trunk.output.in_features, feature_dim + int(several))
        )
        self.decoder = DCGANGenerator(feature_dim + views + latent_dim, image_size, channels, width)
        init_normal(self.encoder, 0.02)

    def feature(self, x: Tensor) -> Tensor:
        """Return the feature (N, feature_dim) of images (N, C, H, W), or that of k images each (N, k C, H, W)."""
        if not self.several:
            return self.encoder(x)  # type: ignore[no-any-return]
        codes = self.encoder(x.unflatten(1, (-1, self.channels)).flatten(0, 1)).unflatten(0, (len(x), -1))
        return fused(codes[..., :-1], torch.sigmoid(codes[..., -1]))

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map the given `samples` (N, C, H, W), and images `together` with them, to images in the views `labels`."""
        x = torch.cat([given[SAMPLES], given[TOGETHER]], 1) if TOGETHER in given else given[SAMPLES]
        feature = self.feature(x)
        made: Tensor = self.decoder(torch.cat([feature, conditions(labels, self.views, feature.dtype), z], 1))
        return made


class DRGANDiscriminator(Discriminator):
    """DCGAN's discriminator with a head that scores N identities, and one for the view.

    Args:
        image_size: of square images, or height and width.
        channels: of the images.
        width: channels of the first layer.
        identities: N.
        views: how many there are.
    """

    def __init__(self, image_size: ImageSize, channels: int, width: int, identities: int, views: int) -> None:
        super().__init__()
        require_positive(identities=identities, views=views)
        trunk = DCGANDiscriminator(image_size, channels, width, "batch")
        assert isinstance(trunk.output, nn.Linear)
        self.blocks = trunk.blocks
        self.output = nn.Linear(trunk.output.in_features, 1)
        self.heads[IDENTITY] = nn.Linear(trunk.output.in_features, identities)
        self.heads[VIEW] = nn.Linear(trunk.output.in_features, views)
        init_normal(self, 0.02)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the activations after every layer for images (N, C, H, W) in [-1, 1]."""
        return activations(self.blocks, x)
