"""FF-GAN (Yin et al. 2017, arXiv 1704.06244): front views by a regressed model of the view, and a GAN that refines."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import EMPTY, Components, ConfigError, Generator, Latent, Pair, Player, Term, evaluation_mode
from gan_zoo.datasets.digit_views import POSE
from gan_zoo.editing import MirrorSymmetry, beside_maps
from gan_zoo.games.translation import Translation
from gan_zoo.generators.unet import UNetGenerator
from gan_zoo.ranges import require_not_negative
from gan_zoo.translating import SOURCE


class Regression(Term):
    """|R(s) - p|², a mean over entries, p the known parameters of the view."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's sources."""
        found: Tensor = self.game.network("regressor")(pair.latent.given[SOURCE])
        return F.mse_loss(found, pair.batch.extra[POSE].to(found.dtype))


class FFGAN(Translation):
    """R finds the parameters p of how an image was seen, and G makes the front view of the image and p.

        R   |R(s) - p|²
        G   λ |x - G(s, R(s))|₁ + mirror · |g - mirror(g)| + λ_adv L_G + λ_tv TV + λ_id |C(x) - C(g)|²

    p are those of a three-dimensional model of a face in the paper, and here those of an affine map: the extra
    `pose`, a turn, a shift and a scale. No gradient of G reaches R. The L1, the adversarial weight and the total
    variation are those of the game `translation`, the identity's distance is the term `feature_distance`. The paper's
    weights are not known to us. Symmetry is right for faces, and for no data that have a left and a right.

    Args:
        components: what the game is made of.
        mirror: the weight of symmetry.
        beside: whether D judges images beside their source, or alone.
        discriminator_weight: of D's loss.
        adversarial_weight: λ_adv.
        distance: `l1`, `l2` or `charbonnier`.
        distance_weight: λ.
        total_variation: λ_tv.
    """

    def __init__(
        self,
        components: Components,
        mirror: float,
        beside: bool,
        discriminator_weight: float,
        adversarial_weight: float,
        distance: str,
        distance_weight: float,
        total_variation: float,
    ) -> None:
        require_not_negative(mirror=mirror)
        super().__init__(
            components,
            beside,
            discriminator_weight,
            adversarial_weight,
            distance,
            distance_weight,
            total_variation=total_variation,
        )
        self.players["regressor"] = Player("regressor", ("regressor",))
        self.player("regressor").add_term("regression", Regression())
        if mirror:
            self.player("generator").add_term("symmetry", MirrorSymmetry(), mirror)

    def make(self, latent: Latent, network: str = "generator") -> Mapping[str, Tensor]:
        """Return what G makes of sources and of what R finds in them; never of the true parameters."""
        source = latent.given[SOURCE]
        with self.autocast(), torch.no_grad():
            pose: Tensor = self.network("regressor")(source)
        return super().make(latent._replace(given={SOURCE: source, POSE: pose}), network)

    @torch.no_grad()
    def sample(self, latent: Latent) -> Tensor:
        """Return front views (N, C, H, W)."""
        with evaluation_mode(self.network("regressor")):
            return super().sample(latent)

    def check(self) -> None:
        """See that the parameters are known.

        Raises:
            ConfigError: they are not, or R finds others.
        """
        if POSE not in self.data.extra:
            raise ConfigError(
                f"FFGAN learns how images were seen from their extra {POSE!r}, and there is none: choose "
                "data=digit_fronts"
            )
        wanted = self.data.extra[POSE]
        with torch.no_grad(), evaluation_mode(self.network("regressor")):
            found = tuple(self.network("regressor")(torch.zeros(2, *self.data.extra[SOURCE])).shape[1:])
        if found != wanted:
            raise ConfigError(f"networks.regressor makes {found} of an image, and the extra {POSE!r} is {wanted}")
        super().check()


class PosedGenerator(Generator):
    """A U-Net of an image with the parameters of its view as constant maps.

    Args:
        image_size: of square images, a multiple of 2 to the power of `levels`.
        channels: of the images made.
        source_channels: of the images that they are made of.
        parameters: how many parameters a view has.
        width: channels of the first layer.
        levels: how often images are halved.
    """

    def __init__(
        self, image_size: int, channels: int, source_channels: int, parameters: int, width: int, levels: int
    ) -> None:
        super().__init__()
        self.unet = UNetGenerator(
            image_size=image_size,
            channels=channels,
            source_channels=source_channels + parameters,
            latent_dim=0,
            levels=levels,
            width=width,
            norm="batch",
            dropout=0.0,
        )

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map the given `source` (N, C, H, W) and `pose` (N, parameters) to images (N, channels, H, W) in [-1, 1]."""
        made: Tensor = self.unet(z, labels, {SOURCE: beside_maps(given[SOURCE], given[POSE])})
        return made
