"""LAGAN (de Oliveira et al. 2017, arXiv 1701.05927): sparse images of jets, of locally connected layers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan_framework.api import Components, Discriminator, Game, Generator, Meeting, Pair
from gan_zoo.layers import activations, given
from gan_zoo.locally_connected import EnergyImage, energy_features


class LAGANGenerator(Generator):
    """z ⊙ embedding(class), and LAGAN's layers to energies, at least 0.

    Args:
        latent_dim: the size of z; 200 in the paper.
        num_classes: how many.
        image_size: of square images.
        width: channels of the first map; 128 in the paper.
    """

    conditional = True

    def __init__(self, latent_dim: int, num_classes: int, image_size: int, width: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(num_classes, latent_dim)
        self.image = EnergyImage(latent_dim, image_size, width)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) and classes (N,) to images (N, 1, H, W), at least 0."""
        return self.image(z * self.embedding(given(labels))).relu()  # type: ignore[no-any-return]


class LAGANDiscriminator(Discriminator):
    """A convolution and three locally connected layers with batch norm and dropout, pooled.

    Args:
        image_size: of square images.
        width: channels of the first layer; 32 in the paper.
    """

    def __init__(self, image_size: int, width: int) -> None:
        super().__init__()
        blocks, features = energy_features(image_size, width)
        self.blocks = nn.ModuleList(blocks)
        self.output = nn.Linear(features, 1)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the activations after every layer for images (N, 1, H, W)."""
        return activations(self.blocks, x)


class FlippedSides:
    """Exchanges a real and a made sample, and what belongs to them, for a share of those that D sees.

    The meeting is changed in place, so that what is reported and what adapts sees what D saw.
    """

    def __init__(self, share: float) -> None:
        self.share = share

    def __call__(self, meeting: Meeting) -> Meeting:
        """Return the meeting with some samples on the other side."""
        for name, pair in meeting.items():
            meeting[name] = self.flipped(pair)
        return meeting

    def flipped(self, pair: Pair) -> Pair:
        """Return one pair with some samples on the other side."""
        flip = torch.rand(len(pair.real), device=pair.real.device) < self.share
        if len(pair.real) != len(pair.fake):
            return pair

        def exchanged(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
            chosen = flip.view(-1, *[1] * (a.ndim - 1))
            return torch.where(chosen, b, a), torch.where(chosen, a, b)

        real, fake = exchanged(pair.real, pair.fake)
        both = [exchanged(a, b) for a, b in zip(pair.real_given, pair.fake_given, strict=True)]
        changes = {
            "real": real,
            "fake": fake,
            "real_given": tuple(a for a, _ in both),
            "fake_given": tuple(b for _, b in both),
        }
        if pair.real_labels is not None and pair.fake_labels is not None:
            changes["real_labels"], changes["fake_labels"] = exchanged(pair.real_labels, pair.fake_labels)
        return pair._changed(**changes)


class LAGAN(Game):
    """The two-player game in which D sees a share of the samples on the wrong side (label flipping, section 4).

    The classes are the strategy `train_with_labels`' matter.

    Args:
        components: what the game is made of.
        flip: the share; 0.05 in the paper.
    """

    def __init__(self, components: Components, flip: float) -> None:
        super().__init__(components)
        if not 0 <= flip < 0.5:
            raise ValueError(f"flip={flip}: a share from 0 to below ½")
        if flip:
            self.player("discriminator").look_aheads.append(FlippedSides(flip))
