"""Semi-supervised learning with K + 1 classes (Salimans et al. 2016, arXiv 1606.03498, section 5)."""

from __future__ import annotations

import math

from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from gan_framework.api import Components, Generator, Player
from gan_zoo.classifying import LabelledError, LabelledGame
from gan_zoo.layers import ImageSize, SigmoidImage, sample_shape
from gan_zoo.ranges import require_not_negative, require_positive


class KPlusOne(LabelledGame):
    """D scores K classes, l, and a sample is real as far as it is of any: its logit is Z = log Σ_k exp(l_k).

        D  E_labelled CE(l(x), y) + E softplus(-Z(x)) + E softplus(Z(G(z)))

    That is a softmax over K + 1 classes, the last of generated samples, whose score is fixed at 0 (section 5). With
    `loss=nonsaturating` the last two summands are the game's loss, and with `strategy=[feature_matching]` G matches
    the means of D's penultimate layer, as in the paper. The authors' program has these two at half their weight, which
    is `labelled_weight` 2 here, as Adam's steps have one size at any scale of a loss. It starts weight norm from data,
    lets G see other real samples than D has, and tests D's averaged weights, all of which is left out.

    Args:
        components: what the game is made of.
        labelled_weight: of the labelled samples' cross entropy.
        supervised: whether D learns from these alone: what the others are to be compared with.
    """

    def __init__(self, components: Components, labelled_weight: float, supervised: bool) -> None:
        require_not_negative(labelled_weight=labelled_weight)
        self.supervised = supervised
        super().__init__(components)
        self.score_classes("discriminator", self.num_classes)
        self.player("discriminator").add_term("labelled", LabelledError(), labelled_weight)

    def make_players(self) -> list[Player]:
        """Return D and G; D without an adversarial loss where it is supervised alone."""
        discriminator, generator = super().make_players()
        if self.supervised:
            discriminator.objective = None
        return [discriminator, generator]


class SoftplusGenerator(Generator):
    """G of the authors' program for MNIST: z → hidden → hidden → pixels, with softplus behind batch norm without gains.

    The last layer has weights whose lengths, 1 at first, are parameters of their own, and a sigmoid, rescaled to
    [-1, 1].

    Args:
        latent_dim: the size of z.
        image_size: of square images, or height and width; null for vectors.
        channels: of the images, or the size of the vectors.
        hidden: the size of the two hidden layers.
    """

    def __init__(self, latent_dim: int, image_size: ImageSize | None, channels: int, hidden: int = 500) -> None:
        super().__init__()
        require_positive(hidden=hidden)
        self.shape = sample_shape(channels, image_size)
        last = nn.Linear(hidden, math.prod(self.shape))
        nn.init.zeros_(last.bias)
        last.weight.data /= last.weight.data.norm(dim=1, keepdim=True)
        self.layers = nn.Sequential(
            *_hidden(latent_dim, hidden), *_hidden(hidden, hidden), weight_norm(last), SigmoidImage()
        )

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to samples (N, ...) in [-1, 1]."""
        made: Tensor = self.layers(z).unflatten(1, self.shape)
        return made


def _hidden(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    linear = nn.Linear(inputs, outputs, bias=False)
    nn.init.xavier_uniform_(linear.weight)
    norm = nn.BatchNorm1d(outputs)
    norm.weight.requires_grad_(False)
    return linear, norm, nn.Softplus()
