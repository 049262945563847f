"""The GAN of Deep and Hierarchical Implicit Models (Tran, Ranganath & Blei 2017, arXiv 1702.08896)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from gan_framework.api import Components, ConfigError, Game, Generator, Pair, Player, Term, seeding
from gan_zoo.nested import build_nested
from gan_zoo.ranges import require_above_zero, require_positive


class VariationalGenerator(Generator):
    """A generator whose weights are drawn anew for each batch: m + s ε, with m and s of each weight learned.

    In training the samples of a batch take turns with `draws` drawn networks. In evaluation there are as many that are
    always the same, and the first entry of z says which makes a sample, so that a sample is that of its z.

    Args:
        latent_dim: the size of z.
        of: the settings of the generator, with its `name` and without `latent_dim`; it can hold no batch norm.
        deviation: where all s begin.
        draws: how many networks are drawn.
    """

    def __init__(self, latent_dim: int, of: Mapping[str, Any], deviation: float, draws: int) -> None:
        super().__init__()
        require_positive(draws=draws)
        require_above_zero(deviation=deviation)
        self.of = build_nested("generators", of, latent_dim=latent_dim)
        if [*self.of.buffers()]:
            raise ValueError(f"of={dict(of)}: it keeps more than weights (batch norm), which is not drawn")
        self.conditional = bool(getattr(self.of, "conditional", False))
        self.draws = draws
        start = math.log(deviation)
        self.log_deviations = nn.ParameterList(nn.Parameter(torch.full_like(p, start)) for p in self.of.parameters())

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to samples (N, ...)."""
        if self.training:
            which = torch.arange(len(z), device=z.device) % self.draws
        else:
            which = ((z[:, 0].double() * 65537).long() % self.draws).to(z.device)
        made: list[Tensor] = []
        places: list[Tensor] = []
        for number in range(self.draws):
            of_one = (which == number).nonzero().squeeze(1)
            if len(of_one):
                own = labels[of_one] if labels is not None else None
                made.append(functional_call(self.of, self._drawn(number), (z[of_one], own)))
                places.append(of_one)
        return torch.cat(made)[torch.cat(places).argsort()]

    def divergence(self) -> Tensor:
        """Return KL(q ‖ N(0, 1)) of all weights, ½ Σ (s² + m² - 1 - log s²), in nats."""
        parts = [
            ((2 * log_s).exp() + m.square() - 1 - 2 * log_s).sum() / 2
            for m, log_s in zip(self.of.parameters(), self.log_deviations, strict=True)
        ]
        return torch.stack(parts).sum()

    def _drawn(self, number: int) -> dict[str, Tensor]:
        random = None if self.training else seeding.generator(0, "weights drawn", number)
        drawn = {}
        for (name, m), log_s in zip(self.of.named_parameters(), self.log_deviations, strict=True):
            noise = torch.randn_like(m) if random is None else torch.randn(m.shape, generator=random).to(m)
            drawn[name] = m + log_s.exp() * noise
        return drawn


class WeightDivergence(Term):
    """KL(q ‖ N(0, 1)) / N of the generator's weights: a sample's share of the variational bound (equation 5).

    Args:
        samples: N, the number of samples of the data.
    """

    def __init__(self, samples: int) -> None:
        super().__init__()
        self.samples = samples

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the divergence."""
        generator = self.game.generator
        assert isinstance(generator, VariationalGenerator)
        return generator.divergence() / self.samples


class ImplicitModels(Game):
    """The game of two players with a normal prior on the generator's weights, and a q of them that is learned.

    Likelihood-free variational inference (section 4) of a model without local variables: D's logit is the ratio r of
    generated and real samples, and G minimises its loss and KL(q ‖ prior) / N. Which of its forms the paper's program
    has for a GAN is not known to us; it is the smallest one that keeps the bound.

    Args:
        components: what the game is made of.
        divergence: the weight of KL / N; 1 in the bound.
    """

    def __init__(self, components: Components, divergence: float) -> None:
        super().__init__(components)
        if not isinstance(self.generator, VariationalGenerator):
            raise ConfigError(
                f"game=implicit_models_gan learns a distribution of the weights of networks.generator, and "
                f"{type(self.generator).__name__} has weights: set generator=variational"
            )
        self.player("generator").add_term("weights", WeightDivergence(max(self.data.size, 1)), divergence)
