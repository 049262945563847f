"""The mutual information of an image's parts with the whole."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import ConfigError, Discriminator, DiscriminatorOutput, Game, Pair, Player, Term
from gan_zoo.heads import ReadsHeads, say_more
from gan_zoo.ranges import require_positive
from gan_zoo.terms.reading import require_head, widened


class TwoLayers(nn.Module):
    """Two linear layers with a ReLU between them, beside one from the input to the output.

    Args:
        inputs: the size of the input, and of what is between.
        outputs: the size of the output.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = nn.Linear(inputs, inputs)
        self.second = nn.Linear(inputs, outputs)
        self.shortcut = nn.Linear(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., inputs) to (..., outputs)."""
        mapped: Tensor = self.second(F.relu(self.first(x))) + self.shortcut(x)
        return mapped


class Projections(nn.Module):
    """An inner map of a discriminator and its last features, projected to vectors that can be compared.

    Args:
        layer: which of the discriminator's features is the map.
        channels: of the map.
        features: the number of the last features, maps summed over their places.
        size: of the vectors.
    """

    def __init__(self, layer: int, channels: int, features: int, size: int) -> None:
        super().__init__()
        self.layer = layer
        self.local = TwoLayers(channels, size)
        self.whole = TwoLayers(features, size)

    def forward(self, said: DiscriminatorOutput) -> DiscriminatorOutput:
        """Add the heads `local`, a vector for each place (N, H W, size), and `global` (N, size)."""
        places = said.features[self.layer].flatten(2).transpose(1, 2)
        whole = self.whole(_summed(said.features[-1]))
        return said._replace(heads={**said.heads, "local": self.local(places), "global": whole})

    def extra_repr(self) -> str:
        """Return the layer."""
        return f"layer={self.layer}"


def _summed(features: Tensor) -> Tensor:
    return features.flatten(2).sum(2) if features.ndim > 2 else features


def _project(critic: nn.Module, said: DiscriminatorOutput) -> DiscriminatorOutput:
    projected: DiscriminatorOutput = critic.get_submodule("infomax")(said)
    return projected


class InfoMax(Term, ReadsHeads):
    """Each place of an image tells it from the others of the batch (Lee et al. 2021, arXiv 2007.04589, InfoMax-GAN).

    With L_i^s the vector of a place s and E_i that of the whole of image i, the mean over images and places of
    -log exp(L_i^s·E_i) / [exp(L_i^s·E_i) + Σ_j≠i,t exp(L_j^t·E_i)]; the discriminator's on real images, the generator's
    on its own. The vectors are projections of an inner map and of the last features, learned with the discriminator.

    Args:
        layer: which of the discriminator's features is the map, 0 the first; negative numbers count from the last.
        size: of the vectors.
    """

    def __init__(self, layer: int, size: int) -> None:
        super().__init__()
        require_positive(size=size)
        self.layer = layer
        self.size = size

    def give_heads(self, game: Game, network: str) -> None:
        """Give a discriminator the projections.

        Raises:
            ConfigError: it has no such map, or is given other projections.
        """
        critic = cast(Discriminator, game.network(network))
        features, kind = game.probe(network).features, type(critic).__name__
        if not -len(features) <= self.layer < len(features) or features[self.layer].ndim != 4:
            maps = [str(i) for i, feature in enumerate(features) if feature.ndim == 4]
            known = ", ".join(maps) or "which has none"
            raise ConfigError(f"infomax.layer={self.layer}: it must be one of the maps of {kind}, {known}")
        projections = Projections(self.layer, features[self.layer].shape[1], _summed(features[-1]).shape[1], self.size)
        if "infomax" not in dict(critic.named_children()):
            critic.add_module("infomax", projections)
            say_more(critic, _project)
        elif repr(critic.get_submodule("infomax")) != repr(projections):
            raise ConfigError(f"the infomax terms have different settings for {kind}: give them the same")

    def check(self, game: Game, player: Player) -> None:
        """See that the discriminator has the projections, and learns them.

        Raises:
            ConfigError: it has not, or does not.
        """
        require_head(self, game, player, "local", "global")

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the term of real images for a discriminator, of generated ones for a generator.

        Raises:
            ConfigError: the batch has one image, which has no others.
        """
        said = pair.real_output if player.team == "discriminator" else pair.fake_output
        if len(said.logits) < 2:
            raise ConfigError("infomax compares the images of a batch: set train.batch_size above 1")
        return noise_contrast(widened(said.heads["local"]), widened(said.heads["global"]))


def noise_contrast(local: Tensor, whole: Tensor) -> Tensor:
    """Return the mean over images and places of -log of the share of the own place among it and all others' places.

    Args:
        local: vectors of places (N, P, D).
        whole: vectors of images (N, D).
    """
    scores = torch.einsum("jpd,id->ijp", local, whole)
    itself = torch.eye(len(whole), dtype=torch.bool, device=whole.device)
    others = scores.masked_fill(itself[:, :, None], -float("inf")).flatten(1).logsumexp(1)
    own = scores.diagonal().T
    return F.softplus(others[:, None] - own).mean()
