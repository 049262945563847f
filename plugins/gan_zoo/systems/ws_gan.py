"""WS-GAN (Gwak et al. 2017, arXiv 1705.10904): solids of images, learnt of silhouettes and of unpaired solids."""

from __future__ import annotations

import math
from collections.abc import Mapping

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
)
from gan_zoo.ndims import cut, init_dcgan, up
from gan_zoo.solids import ray_maximum, turned
from gan_zoo.systems.iwgan_3d import ImageEncoder
from gan_zoo.translating import SOURCE

VIEW = "view"
SOLIDS = "solids"
"""The further source of solids that belong to no image."""


class ImageToVoxels(Generator):
    """An encoder of images, and 3-D transposed convolutions to a volume.

    Args:
        image_shape: of what is given (C, H, W).
        shape: of a volume (C, D, H, W).
        code: the size of what lies between.
        width: channels of the layers next to image and volume.
    """

    def __init__(self, image_shape: list[int], shape: list[int], code: int, width: int) -> None:
        super().__init__()
        self.sizes = shape[1:]
        self.encoder = nn.Sequential(ImageEncoder(image_shape, width, code), nn.LeakyReLU(0.2))
        self.decoder = up(code, shape, width, 4, 2, 4, "batch", "sigmoid")
        init_dcgan(self)

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map images (N, C, H, W), `source`, to volumes in [-1, 1]."""
        return cut(self.decoder(self.encoder(given[SOURCE])), self.sizes)


class SilhouetteError(Term):
    """The mean square of the difference of the given silhouettes and the greatest value along each ray of the volumes.

    Volumes are turned by the view, its extra from 0 to 1, and images are in [-1, 1].
    """

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over pixels, of values from 0 to 1."""
        solids = (pair.fake.float()[:, 0] + 1) / 2
        angle = pair.batch.extra[VIEW][:, 0] * (2 * math.pi)
        seen = ray_maximum(turned(solids, angle))
        return (seen - (pair.batch.extra[SOURCE] + 1) / 2).square().mean()


class WSGAN(Game):
    """G makes the solid of a silhouette; it has to look like it from its side, and D tells it from unpaired solids.

    The solids of the images are used for scores alone; those that D sees come from `sources.solids`.

    Args:
        components: what the game is made of.
        silhouette: the weight of the error of silhouettes.
    """

    generates_from = SOURCE

    def __init__(self, components: Components, silhouette: float) -> None:
        super().__init__(components)
        if not {SOURCE, VIEW} <= self.data.extra.keys() or SOLIDS not in self.data.others:
            raise ConfigError(
                "game=ws_gan needs data with the extras 'source' and 'view', as data=voxels data.give=silhouette, and "
                "sources.solids"
            )
        self.player("generator").add_term("silhouette", SilhouetteError(), silhouette)

    def latent_for(self, batch: Batch) -> Latent:
        """Return the silhouettes; classes are nobody's business."""
        return super().latent_for(batch)._replace(labels=None)

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return unpaired solids, and what G makes of silhouettes."""
        made = self.make(latent)
        return Pair(
            self.judge("discriminator"), batch, latent, made[SAMPLES], real=batch.others[SOLIDS].samples, made=made
        )
