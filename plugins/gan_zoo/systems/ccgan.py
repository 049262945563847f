"""CC-GAN: Denton, Gross & Fergus 2016, arXiv 1611.06430 (SSL-GAN is the same paper)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from gan_framework.api import MAIN, SAMPLES, Batch, Components, ConfigError, Latent, Pair, Player, TermPlan
from gan_zoo.classifying import LabelledError, LabelledGame, without_labels
from gan_zoo.ranges import require_not_negative
from gan_zoo.translating import SOURCE

HOLE = "hole"
"""What latents hold beside the images: where G fills them, 1 inside the hole (N, 1, H, W)."""

WHOLE = "whole"
"""All that G makes, outside the hole too, and the pair in which D judges it."""


class CCGAN(LabelledGame):
    """G fills a hole in real images, D tells filled ones from whole ones, and the class of labelled ones.

        x_I = (1 - m) x + m G((1 - m) x)
        D  -E log D(x) - E log(1 - D(x_I)) + λ E_labelled CE(h(x), y)
        G  -E log D(x_I)                                                                            (section 3.2)

    The hole m is a square at a random place of each image. The paper's low resolution hint is left out, as in its
    CC-GAN. With `whole` D tells all that G makes, x_G, from real images too, and G is to fool it with both (CC-GAN²;
    the authors' program takes the two one after another, here they are summed).

    Args:
        components: what the game is made of.
        hole: height and width of the hole, in pixels; 0 leaves images as they are.
        labelled_weight: λ.
        whole: whether D judges x_G too.
        supervised: whether D learns from labelled samples alone: what the others are to be compared with.
    """

    generates_from = SAMPLES

    def __init__(
        self, components: Components, hole: int, labelled_weight: float, whole: bool, supervised: bool
    ) -> None:
        require_not_negative(hole=hole, labelled_weight=labelled_weight)
        self.hole, self.whole, self.supervised = hole, whole, supervised
        super().__init__(components)
        if not self.data.is_image or hole > min(self.data.sample[1:]):
            raise ConfigError(
                f"game.hole={hole}: game=ccgan makes holes of so many pixels in images, and the data are "
                f"{self.data.sample}"
            )
        self.tell_classes("discriminator", self.num_classes)
        plan = TermPlan(labelled_weight, pairs=(MAIN,))
        self.player("discriminator").add_term("labelled", LabelledError(), plan=plan)

    def make_players(self) -> list[Player]:
        """Return D and G; D without an adversarial loss where it is supervised alone."""
        told, fooled = {MAIN: "discriminator"}, {MAIN: "generator"}
        if self.whole:
            told[WHOLE], fooled[WHOLE] = "discriminator_fake", "generator"
        return [
            Player("discriminator", ("discriminator",), "discriminator", None if self.supervised else told),
            Player("generator", ("generator",), "generator", fooled),
        ]

    def latent_for(self, batch: Batch) -> Latent:
        """Return the images and a hole in each."""
        latent = super().latent_for(batch)
        return latent._replace(given={**latent.given, HOLE: self.holes(batch.samples)})

    def holes(self, images: Tensor) -> Tensor:
        """Return masks (N, 1, H, W) of squares at random places, 1 inside, for images (N, C, H, W)."""
        n, _, height, width = images.shape
        inside = []
        for size in (height, width):
            start = torch.randint(size - self.hole + 1, (n, 1), device=images.device)
            places = torch.arange(size, device=images.device)
            inside.append((places >= start) & (places < start + self.hole))
        return (inside[0][:, None, :, None] & inside[1][:, None, None, :]).to(images.dtype)

    def make(self, latent: Latent, network: str = "generator") -> Mapping[str, Tensor]:
        """Return the images with their holes filled, and all that G makes."""
        x, hole = latent.given[SAMPLES], latent.given[HOLE]
        around = latent._replace(given={SOURCE: x * (1 - hole)})
        made = super().make(around, network)[SAMPLES].to(x.dtype)
        return {SAMPLES: torch.where(hole > 0, made, x), WHOLE: made}

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return images and filled ones, and with `whole` images and all that G makes."""
        judge, made, images = self.judge("discriminator"), self.make(latent), without_labels(batch)
        pairs = {MAIN: Pair(judge, images, latent, made[SAMPLES], made=made)}
        if self.whole:
            pairs[WHOLE] = Pair(judge, images, latent, made[WHOLE])
        return pairs
