"""What a generator of tokens says of real ones."""

from __future__ import annotations

from typing import ClassVar

import torch

from gan_framework.api import Comparison, ConfigError, Game, Metric, evaluation_mode
from gan_zoo.policy import Policy


class HeldOutLikelihood(Metric):
    """-log p of held-out sequences under a generator that has likelihoods (Yu et al. 2017, arXiv 1609.05473)."""

    higher_is_better: ClassVar[dict[str, bool]] = {"nll_test": False}
    legend: ClassVar[dict[str, str]] = {"nll_test": "-log of the generator's probability of a held-out sequence, nats"}
    needs_samples: ClassVar[bool] = False
    needs_game: ClassVar[bool] = True
    needs_splits: ClassVar[tuple[str, ...]] = ("test",)
    most: ClassVar[int] = 2_000

    def check(self, game: Game) -> None:
        """Raise ConfigError if the generator has no likelihoods."""
        if not isinstance(game.networks[game.sampling_network], Policy):
            raise ConfigError(
                f"metrics.nll_test needs a generator with likelihoods (lstm_tokens), and networks."
                f"{game.sampling_network} is {type(game.networks[game.sampling_network]).__name__}"
            )

    @torch.no_grad()
    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `nll_test`."""
        assert comparison.game is not None
        network = comparison.game.networks[comparison.game.sampling_network]
        assert isinstance(network, Policy)
        test = comparison.split("test")
        tokens = test.read(test.some(self.most)).argmax(2).to(comparison.game.device)
        with evaluation_mode(network):
            found = torch.cat([network.log_prob(part).sum(1) for part in tokens.split(200)])
        return {"nll_test": float(-found.mean())}
