"""How likely real samples are under a generator that has a density."""

from __future__ import annotations

from typing import ClassVar

import torch

from gan_framework.api import Comparison, ConfigError, Game, Metric, encoded, evaluation_mode, seeding, stop_point
from gan_zoo.ranges import require_positive
from gan_zoo.systems.flow_gan import Flow

BATCH = 200
"""Samples at a time."""


class Likelihood(Metric):
    """-log p of test samples under a flow, exactly (Flow-GAN, Grover et al. 2018, arXiv 1705.08868, section 4).

    Images are dequantised by noise that is the same in every evaluation; their density is that of pixels in [0, 1], and
    `bits_per_dim` adds the 8 bits of 256 levels. Generators without a density are scored by `parzen`, which is another
    thing. An adversarially trained flow can have any likelihood, also an infinitely small one.

    Args:
        samples: of the test split that are scored.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"nll": False}
    legend: ClassVar[dict[str, str]] = {
        "nll": "mean -log of the generator's density of test samples, in nats, of images that of pixels in [0, 1]",
        "bits_per_dim": "the same in bits for each entry of images of 256 levels",
    }
    needs_samples: ClassVar[bool] = False
    needs_game: ClassVar[bool] = True
    needs_splits: ClassVar[tuple[str, ...]] = ("test",)

    def __init__(self, samples: int) -> None:
        require_positive(samples=samples)
        self.samples = samples

    def check(self, game: Game) -> None:
        """Raise ConfigError if the generator has no density."""
        network = game.networks[game.sampling_network]
        if not isinstance(network, Flow):
            raise ConfigError(
                f"metrics.nll needs a generator with a density (generator=nice or real_nvp), and networks."
                f"{game.sampling_network} is {type(network).__name__}: metrics=[parzen] estimates one of samples"
            )

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `nll`, and `bits_per_dim` of images."""
        game = comparison.game
        assert game is not None
        network = game.networks[game.sampling_network]
        assert isinstance(network, Flow)
        test = comparison.split("test")
        random = seeding.generator(0, "nll")
        found = []
        with torch.no_grad(), evaluation_mode(network):
            for rows in test.some(self.samples).split(BATCH):
                stop_point()
                x = encoded(test.read(rows))
                noise = torch.rand(x.shape, generator=random)
                found.append(-network.log_likelihood(x.to(game.device), noise.to(game.device)).double().cpu())
        nll = torch.cat(found).mean()
        bits = {"bits_per_dim": float(network.bits(nll))} if network.logit is not None else {}
        return {"nll": float(nll), **bits}
