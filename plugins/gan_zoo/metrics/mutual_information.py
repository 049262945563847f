"""How much samples tell of the codes they were made from."""

from __future__ import annotations

from typing import ClassVar

import torch

from gan_framework.api import Comparison, Game, Metric, seeding
from gan_zoo.codes import ask_q
from gan_zoo.priors.codes import Codes
from gan_zoo.ranges import require_positive
from gan_zoo.terms.mutual_information import require_codes

BATCH = 500


class MutualInformation(Metric):
    """The bound L_I = E log Q(c|x) + H(c) <= I(c; G(z, c)) of generated samples (Chen et al. 2016, equation 5).

    With the deviation of continuous codes fixed at 1, the bound of such a code is at most ½ log(2/π) = -0.23 nats, and
    ½ log(2/π) - 1/6 = -0.39 where Q tells nothing of it.

    Args:
        samples: the number of samples.
        seed: what their latents follow from.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"mutual_information": True}
    legend: ClassVar[dict[str, str]] = {
        "mutual_information": "sum over the codes of the lower bounds on I(c; G(z, c)), in nats; may be negative",
        "mutual_information_<code>": "of one code: up to log K for K categories; -0.39 (none) to -0.23 if uniform",
    }
    needs_game: ClassVar[bool] = True

    def __init__(self, samples: int, seed: int) -> None:
        require_positive(samples=samples)
        self.samples = samples
        self.seed = seed

    def check(self, game: Game) -> None:
        """Raise ConfigError if there are no codes, or no Q to tell them."""
        require_codes(game, "metrics.mutual_information")

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `mutual_information` in nats, and the part of each code, as `mutual_information_categorical_0`."""
        game = comparison.game
        assert game is not None and isinstance(game.prior, Codes)
        latent = game.latent(self.samples, generator=seeding.generator(self.seed, "mutual information"))
        said = [ask_q(game, game.sample(latent._replace(z=z, code={}))) for z in latent.z.split(BATCH)]
        bounds = game.prior.codes.bounds(torch.cat(said), latent.code)
        parts = {f"mutual_information_{name}": float(bound) for name, bound in bounds.items()}
        return {"mutual_information": sum(parts.values()), **parts}
