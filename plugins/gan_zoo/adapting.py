"""What games of two domains share in which a classifier learnt on one is to work on the other."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import SAMPLES, Batch, ConfigError, Game, Latent, Pair, Player, Term, evaluation_mode, grid

A = "a"
"""The further source whose labels are used: the source domain, of which one adapts to the data."""


def in_channels(x: Tensor, channels: int) -> Tensor:
    """Return images (N, C, H, W) with other channels: grey ones repeated, coloured ones averaged."""
    if x.ndim != 4 or x.shape[1] == channels:
        return x
    return x.mean(1, keepdim=True).expand(-1, channels, -1, -1)


def ramp(progress: float) -> float:
    """Return 2 / (1 + e^(-10 p)) - 1: from 0 to nearly 1 for p from 0 to 1 (Ganin et al. 2016, section 5.2)."""
    return 2 / (1 + math.exp(-10 * progress)) - 1


def frozen_copy(network: nn.Module) -> nn.Module:
    """Return a copy of a network that no player updates, in evaluation mode."""
    made = copy.deepcopy(network).requires_grad_(False)
    made.eval()
    return made


@torch.no_grad()
def take_over(into: nn.Module, of: nn.Module) -> None:
    """Copy the state of one network into another of the same kind."""
    into.load_state_dict(of.state_dict())


class Asking(Game):
    """The base of games that ask networks beside generators and judges."""

    def ask(self, network: str, x: Tensor) -> Tensor:
        """Return what a network makes of samples or features x (N, ...) in the run's precision, as float32 or more."""
        with self.autocast():
            made: Tensor = self.network(network)(x)
        return made if made.dtype == torch.float64 else made.float()


class OfTwoDomains(Asking):
    """The base of games that learn from the labelled source `sources.a` what they are to know of the data, the target.

    They make no images. What they sample, so that it can be looked at, are the target's images themselves.
    """

    generates = False
    generates_from = SAMPLES

    def source(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the samples of the source, with as many channels as the target's, and their labels."""
        of = batch.others[A]
        assert of.labels is not None
        return in_channels(of.samples, self.data.sample[0]), of.labels

    def make(self, latent: Latent, network: str = "classifier") -> Mapping[str, Tensor]:
        """Return the given samples themselves."""
        return {SAMPLES: latent.given[SAMPLES]}

    def check(self) -> None:
        """See that there is a labelled source that fits the data.

        Raises:
            ConfigError: there is none.
        """
        require_labelled_source(self)
        super().check()


class AdaptingGame(OfTwoDomains):
    """The base of those that classify: a network `features`, and a `classifier` of what it makes of samples.

    Their score is `metrics=[label_accuracy]`, and scores alone read the labels of the target. Pictures show target
    images in the order of the classes that are found in them.
    """

    sampling_network = "classifier"

    def classify(self, x: Tensor) -> Tensor:
        """Return logits (N, K) of the classes of target samples."""
        return self.ask("classifier", self.ask("features", x))

    @torch.no_grad()
    def picture(self, latent: Latent, columns: int) -> Tensor | None:
        """Draw target images in the order of the classes that are found in them."""
        if not self.data.is_image or self.data.sample[0] not in (1, 3):
            return None
        x = latent.given[SAMPLES]
        with evaluation_mode(self.networks):
            found = self.classify(x).argmax(1)
        return grid(x[found.argsort(stable=True)], columns)


def require_labelled_source(game: Game) -> None:
    """Raise ConfigError if there is no further source `a`, or it has not the labels of the data."""
    name = type(game).__name__
    if A not in game.data.others:
        raise ConfigError(
            f"{name} adapts to the data from another, labelled source, `sources.{A}`, and there is none: choose "
            "data=digit_domains"
        )
    source = game.data.others[A]
    if not (source.num_classes or source.condition_dim):
        raise ConfigError(f"{name} learns from the labels of sources.{A}, and it has none: choose labelled data")
    ours = (game.data.num_classes, game.data.condition_dim)
    if any(ours) and ours != (source.num_classes, source.condition_dim):
        raise ConfigError(
            f"{name} carries the labels of sources.{A} over to the data, and they differ: {source.num_classes} classes "
            f"there, {game.data.num_classes} here"
        )


class SourceClassification(Term):
    """CE(C(F(x)), y) of the labelled source."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the source's batch."""
        game = self.game
        assert isinstance(game, AdaptingGame)
        x, labels = game.source(pair.batch)
        return F.cross_entropy(game.ask("classifier", game.ask("features", x)), labels)
