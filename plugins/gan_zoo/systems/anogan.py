"""AnoGAN, f-AnoGAN and iGAN's projection: generators that are inverted after training.

AnoGAN: Schlegl et al. 2017, arXiv 1703.05921; f-AnoGAN: Schlegl et al. 2019, Medical Image Analysis 54; iGAN: Zhu et
al. 2016, arXiv 1609.03552, section 4.1. The score of anomalies is `metrics=[anomaly_auc]`; a projection by encoder and
optimisation is `gan-framework invert`.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from gan_framework.api import Batch, Components, ConfigError, Game, NextBatch, Pair, Player, Term, evaluation_mode
from gan_zoo.encoding import EncodingGame
from gan_zoo.ranges import require_not_negative

MOST_DRAWS = 1000


def normal_alone(next_batch: NextBatch, classes: Tensor) -> NextBatch:
    """Return a way to draw batches of the same size that have samples of some classes alone.

    Args:
        next_batch: draws batches of all classes.
        classes: those that are wanted.

    Raises:
        ConfigError: when batches are drawn, and hardly any sample is of these.
    """

    def drawn() -> Batch:
        found: list[Batch] = []
        size, wanted = 0, 1
        for _ in range(MOST_DRAWS):
            if size >= wanted:
                break
            batch = next_batch()
            assert batch.labels is not None
            wanted = len(batch.samples)
            chosen = torch.isin(batch.labels, classes.to(batch.labels.device)).nonzero()[:, 0]
            if len(chosen):
                found.append(_rows(batch, chosen))
                size += len(chosen)
        if size < wanted:
            raise ConfigError(f"game.normal_classes={classes.tolist()}: {MOST_DRAWS} batches had too few of them")
        samples, labels = (torch.cat([getattr(one, name) for one in found])[:wanted] for name in ("samples", "labels"))
        indices = [one.index for one in found if one.index is not None]
        return Batch(samples, labels, index=torch.cat(indices)[:wanted] if indices else None)

    return drawn


def _rows(batch: Batch, chosen: Tensor) -> Batch:
    assert batch.labels is not None
    index = batch.index[chosen] if batch.index is not None else None
    return replace(batch, samples=batch.samples[chosen], labels=batch.labels[chosen], extra={}, index=index)


def _known(components: Components, normal_classes: list[int]) -> Tensor | None:
    if not normal_classes:
        return None
    count = components.data.num_classes
    if not set(normal_classes) <= set(range(count)):
        raise ConfigError(f"game.normal_classes={normal_classes}: the data have the classes 0 to {count - 1}")
    return torch.tensor(sorted(normal_classes))


class AnoGAN(Game):
    """The two-player game on samples of some classes alone; samples of others are anomalies.

    Args:
        components: what the game is made of.
        normal_classes: those that are trained on; all, if none is named.
    """

    def __init__(self, components: Components, normal_classes: list[int]) -> None:
        self.normal = _known(components, normal_classes)
        super().__init__(components)

    def step(self, next_batch: NextBatch) -> dict[str, Tensor]:
        """Play one step."""
        return super().step(next_batch if self.normal is None else normal_alone(next_batch, self.normal))


class FAnoGAN(EncodingGame):
    """A GAN, and an encoder that learns to invert its generator, which stands still meanwhile (`izi_f`).

        E  |x - G(E(x))|² / dim x + κ |f(x) - f(G(E(x)))|² / dim f,    f a layer of D

    Neither G nor D is changed by E's updates, and both are in evaluation mode for them. `schedule=stages` trains E
    after the others. κ = 0 is the pixels' part of iGAN's projection.

    Args:
        components: what the game is made of.
        normal_classes: those that are trained on; all, if none is named.
        kappa: κ.
        layer: the index of D's layer f.
    """

    def __init__(self, components: Components, normal_classes: list[int], kappa: float, layer: int) -> None:
        require_not_negative(kappa=kappa)
        self.normal = _known(components, normal_classes)
        super().__init__(components)
        self.player("encoder").add_term("inversion", Inversion(kappa, layer))

    def make_players(self) -> list[Player]:
        """Return D, G and E."""
        return [*super().make_players(), Player("encoder", ("encoder",))]

    def step(self, next_batch: NextBatch) -> dict[str, Tensor]:
        """Play one step."""
        return super().step(next_batch if self.normal is None else normal_alone(next_batch, self.normal))


class Inversion(Term):
    """What E pays for the generator's samples of its codes; see `FAnoGAN`.

    Args:
        kappa: the weight of D's layer.
        layer: its index.
    """

    def __init__(self, kappa: float, layer: int) -> None:
        super().__init__()
        self.kappa = kappa
        self.layer = layer

    def check(self, game: Game, player: Player) -> None:
        """Raise ConfigError if D has no such layer, or the encoder makes no codes."""
        found = len(game.probe().features)
        if self.kappa and not -found <= self.layer < found:
            raise ConfigError(
                f"game.layer={self.layer}: {type(game.discriminator).__name__} has {found} layers, from 0"
            )
        assert isinstance(game, EncodingGame)
        with torch.no_grad(), evaluation_mode(game):
            game.encode(torch.zeros(2, *game.data.sample, device=game.device))

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the pair's real samples."""
        game, x = self.game, pair.real
        assert isinstance(game, EncodingGame)
        code = game.encode(x, pair.real_labels)
        with evaluation_mode(game.generator), evaluation_mode(game.discriminator):
            made = game.generate(code)
            loss = (made - x).square().mean()
            if not self.kappa:
                return loss
            inner = [pair.judge(of, pair.real_labels).features[self.layer].to(x.dtype) for of in (x, made)]
        return loss + self.kappa * (inner[0].detach() - inner[1]).square().mean()
