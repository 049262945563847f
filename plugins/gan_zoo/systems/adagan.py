"""AdaGAN (Tolstikhin et al. 2017, arXiv 1701.02386): each generator is trained on what the others miss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from gan_framework.api import (
    MAIN,
    Batch,
    Components,
    ConfigError,
    Game,
    Latent,
    NextBatch,
    Pair,
    Player,
    distributed,
    evaluation_mode,
)
from gan_zoo.priors.components import require_components
from gan_zoo.ranges import require_positive

MIXTURE = "mixture"
"""The pair of real samples and those of the mixture so far, and the end of the name of the network that judges it."""

CLASSIFIER = f"discriminator_{MIXTURE}"


def threshold(d: Tensor, beta: float) -> float:
    """Return λ of the weights W_i = (λ - (1 - β) d_i)₊ / (N β), such that they sum to 1 (equation 13).

    λ = β N (1 + (1 - β) / (β N) Σ_j≤k d_(j)) / k of the smallest k with λ / (1 - β) <= d_(k+1).

    Args:
        d: estimates of the mixture's density over the data's (N,), not negative.
        beta: the share that the next generator gets, above 0 and at most 1.
    """
    n = len(d)
    ordered = d.double().sort().values
    k = torch.arange(1, n + 1, dtype=torch.float64, device=d.device)
    of_each = beta * n * (1 + (1 - beta) / (beta * n) * ordered.cumsum(0)) / k
    following = torch.cat([ordered[1:], ordered.new_full((1,), torch.inf)])
    fits = of_each <= (1 - beta) * following if beta < 1 else k == n
    return float(of_each[fits.int().argmax()])


def data_weights(d: Tensor, beta: float, lam: float) -> Tensor:
    """Return (λ - (1 - β) d)₊ / β (N,), the weights times N."""
    return (lam - (1 - beta) * d).clamp(min=0) / beta


class AdaGAN(Game):
    """The components of a mixture are trained one after another, each on data weighted by what the others miss.

    Stage 1 is the game of two players. Before each further stage t a classifier, the network `discriminator_mixture`,
    learns to tell data from the mixture so far, whose density over the data's is then d(x) = exp(-logit). The generator
    of the stage is trained on batches drawn again with the weights (λ - (1 - β_t) d(x))₊, λ from `weighed` samples, and
    enters the mixture with β_t, the others with 1 - β_t of what they had. The paper draws from all of the data with
    these weights and begins each stage with a new discriminator; here each batch is drawn again, and D goes on.

    Args:
        components: what the game is made of.
        stage_steps: the steps of each stage but the last, which has no end.
        classifier_steps: the updates of the classifier before each stage but the first.
        beta: β of each stage but the first; null for 1 / t.
        weighed: of how many samples λ is found.
    """

    def __init__(
        self, components: Components, stage_steps: int, classifier_steps: int, beta: float | None, weighed: int
    ) -> None:
        super().__init__(components)
        require_positive(stage_steps=stage_steps, classifier_steps=classifier_steps, weighed=weighed)
        if beta is not None and not 0 < beta < 1:
            raise ValueError(f"beta={beta}: it must lie between 0 and 1")
        self.several = require_components("adagan", self.prior)
        self.stage_steps = stage_steps
        self.classifier_steps = classifier_steps
        self.weighed = weighed
        self.beta = beta
        # Plain numbers and no buffers: reading a buffer would wait for the device in every step.
        self.stage = 0
        self.done = 0
        self.lam = 1.0

    def make_players(self) -> list[Player]:
        """Return D, G, and the classifier."""
        if CLASSIFIER not in self.networks:
            raise ConfigError(f"game=adagan tells the data from the mixture so far: set networks.{CLASSIFIER}")
        return [
            Player("discriminator", ("discriminator",), "discriminator", {MAIN: "discriminator"}),
            Player("generator", ("generator",), "generator", {MAIN: "generator"}),
            Player("classifier", (CLASSIFIER,), None, {MIXTURE: "discriminator"}),
        ]

    def teams(self) -> tuple[list[Player], list[Player], list[Player]]:
        """Return the players whom a schedule updates in every step."""
        discriminators, generators, others = super().teams()
        return discriminators, generators, [player for player in others if player.name != "classifier"]

    def share_of(self, stage: int) -> float:
        """Return β of a stage, from 0."""
        if stage == 0:
            return 1.0
        return self.beta if self.beta is not None else 1 / (stage + 1)

    def mixture(self, stages: int) -> Tensor:
        """Return the weights (K,) of the generators after some stages, which sum to 1."""
        weights = torch.zeros(self.several.components)
        for stage in range(stages):
            weights *= 1 - self.share_of(stage)
            weights[stage] = self.share_of(stage)
        return weights

    @property
    def classifying(self) -> bool:
        """Whether the classifier's turn has come."""
        return self.stage > 0 and self.done < self.classifier_steps

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return the stage's generator before D, and, when it is to be told from the data, the mixture so far."""
        own = self.several.choose(latent, torch.full((len(latent.z),), self.stage, device=latent.z.device))
        made = self.generate(own)
        real = batch if self.stage == 0 or self.classifying else self.drawn_again(batch)
        found = {MAIN: Pair(self.judge("discriminator"), real, own, made)}
        before = latent
        if self.classifying:
            drawn = torch.multinomial(self.mixture(self.stage).to(latent.z.device), len(made), replacement=True)
            before = self.several.choose(latent, drawn)
            made = self.generate(before)
        return found | {MIXTURE: Pair(self.judge(CLASSIFIER), batch, before, made)}

    @torch.no_grad()
    def density(self, x: Tensor, labels: Tensor | None) -> Tensor:
        """Return the mixture's density over the data's (N,) at samples, as the classifier estimates it."""
        with evaluation_mode(self.network(CLASSIFIER)):
            return (-self.judge(CLASSIFIER)(x, labels).scores).exp()

    def drawn_again(self, batch: Batch) -> Batch:
        """Return as many samples of a batch, drawn with their weights; all alike where none has any."""
        weights = data_weights(self.density(batch.samples, batch.labels), self.share_of(self.stage), self.lam)
        chosen = torch.multinomial(torch.where(weights.sum() > 0, weights, 1.0), len(weights), replacement=True)
        return Batch(batch.samples[chosen], batch.labels[chosen] if batch.labels is not None else None)

    def step(self, next_batch: NextBatch) -> dict[str, Tensor]:
        """Play one step of a stage, or one of the classifier before it."""
        if self.classifying:
            measured = self.player("classifier").play(self.meet(next_batch(), graph=False))
            if self.done == self.classifier_steps - 1:
                self._weigh(next_batch)
        else:
            measured = super().step(next_batch)
        self.done += 1
        steps = self.stage_steps + (self.classifier_steps if self.stage else 0)
        if self.done == steps and self.stage + 1 < self.several.components:
            self.stage, self.done = self.stage + 1, 0
        return measured

    def _weigh(self, next_batch: NextBatch) -> None:
        found: list[Tensor] = []
        while sum(map(len, found)) < self.weighed:
            batch = next_batch()
            found.append(self.density(batch.samples, batch.labels))
        lam = threshold(torch.cat(found), self.share_of(self.stage))
        self.lam = float(distributed.mean(torch.tensor(lam, device=self.device)))

    def latent(self, n: int, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Latent:
        """Draw n latents, whose components are drawn with the weights of the mixture up to this stage."""
        latent = super().latent(n, labels, generator)
        if self.several.components == 1:
            return latent
        weights = self.mixture(self.stage + 1).to(generator.device if generator is not None else latent.z.device)
        drawn = torch.multinomial(weights, n, replacement=True, generator=generator)
        return self.several.choose(latent, drawn.to(latent.z.device))

    def get_extra_state(self) -> dict[str, Any]:
        """Return the stage, the steps done in it, and λ."""
        return {"stage": self.stage, "done": self.done, "lambda": self.lam}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Take up the stage, the steps done in it, and λ."""
        self.stage, self.done, self.lam = state["stage"], state["done"], state["lambda"]
