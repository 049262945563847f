"""SS-GAN (Sricharan et al. 2017, arXiv 1708.05789): conditional images when few samples have attributes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor, nn

from gan_framework.api import (
    SAMPLES,
    Batch,
    Components,
    ConfigError,
    Discriminator,
    Game,
    Judge,
    Latent,
    Pair,
    Player,
)
from gan_zoo.classifying import LABELLED
from gan_zoo.describing import ATTRIBUTES, Summary, init_described, spread
from gan_zoo.ranges import require_above_zero, require_positive

IMAGES, PAIRS = "images", "pairs"


class PairsDiscriminator(Discriminator):
    """A 1x1 convolution, normed, of another discriminator's last maps and a summary of attributes, and a logit.

    Args:
        given_dim: the number of attributes.
        hidden: the size of their summary.
        maps: channels of the maps.
        side: height and width of the maps.
        width: channels of the convolution.
    """

    def __init__(self, given_dim: int, hidden: int, maps: int, side: int, width: int) -> None:
        super().__init__()
        require_positive(maps=maps, side=side, width=width)
        self.summary = Summary(given_dim, hidden)
        self.joint = nn.Sequential(
            nn.Conv2d(maps + hidden, width, 1, bias=False), nn.BatchNorm2d(width), nn.LeakyReLU(0.2)
        )
        self.output = nn.Linear(width * side**2, 1)
        init_described(self)

    def features(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> tuple[Tensor, ...]:
        """Return the joint maps for maps (N, C, H, W) and attributes (N, given_dim)."""
        return (self.joint(spread(self.summary(given[0]), x)),)


class StackedSSGAN(Game):
    """One judge of images, which all samples teach, and one of its features with attributes, which few samples teach.

    D_u tells real from generated images. D_s tells pairs (f_u(x), y) of the further source `labelled` from (f_u(g), ŷ),
    where f_u are D_u's last maps, which it does not change. G minimises its loss before D_u plus `supervised` times
    that before D_s. Attributes ŷ are those of the labelled batch, so that no others are ever read in training. The
    paper's objective is known to us in this outline.

    Args:
        components: what the game is made of.
        supervised: the weight of D_s in G's loss.
    """

    generates_from = ATTRIBUTES

    def __init__(self, components: Components, supervised: float) -> None:
        require_above_zero(supervised=supervised)
        self.supervised = supervised
        super().__init__(components)

    def make_players(self) -> list[Player]:
        """Return both discriminators, and G, which faces both."""
        weighed = partial(_weighed, self.supervised)
        return [
            Player("discriminator", ("discriminator",), "discriminator", {IMAGES: "discriminator"}),
            Player("discriminator_pairs", ("discriminator_pairs",), "discriminator", {PAIRS: "discriminator"}),
            Player("generator", ("generator",), "generator", {IMAGES: "generator", PAIRS: "generator"}, weighed),
        ]

    def latent_for(self, batch: Batch) -> Latent:
        """Return z, and the attributes of the labelled batch; where samples are made to be scored, the batch's own."""
        given = {ATTRIBUTES: batch.others.get(LABELLED, batch).extra[ATTRIBUTES]}
        return super().latent_for(batch)._replace(given=given)

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return all images, and the labelled ones' features with their attributes, each before its judge."""
        made, labelled = self.make(latent), batch.others[LABELLED]
        judge: Judge = self.judge("discriminator_pairs")
        judge.transforms = ()  # those of images
        attributes = labelled.extra[ATTRIBUTES]
        beside = Pair(
            judge,
            labelled,
            latent,
            self._seen(made[SAMPLES]),
            real=self._seen(labelled.samples),
            real_given=(attributes,),
            fake_given=(latent.given[ATTRIBUTES],),
        )
        return {IMAGES: Pair(self.judge("discriminator"), batch, latent, made[SAMPLES], made=made), PAIRS: beside}

    def _seen(self, images: Tensor) -> Tensor:
        with self.autocast():
            return self.discriminator.features(images)[-1]

    def check(self) -> None:
        """See that there are samples with attributes.

        Raises:
            ConfigError: there are none.
        """
        of_labelled = self.data.others.get(LABELLED)
        if of_labelled is None or ATTRIBUTES not in of_labelled.extra:
            raise ConfigError(
                f"StackedSSGAN learns {ATTRIBUTES} from a further source, `sources.{LABELLED}`, with them; there is "
                f"none: choose data=shapes +data@sources.{LABELLED}=few_labels"
            )
        super().check()


def _weighed(weight: float, losses: Tensor) -> Tensor:
    return torch.stack([losses[0], weight * losses[1]]).sum()
