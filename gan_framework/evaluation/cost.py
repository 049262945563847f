"""What drawing by a sampler costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter

from torch import Tensor

from gan_framework.core.game import Game
from gan_framework.core.records import Latent


@dataclass
class Cost:
    """What a sampler costs.

    Attributes:
        samples: how many it has drawn.
        generated: how many the generator has made for them.
        seconds: how long that took.
    """

    samples: int = 0
    generated: int = 0
    seconds: float = 0.0

    @property
    def generated_per_sample(self) -> float:
        """How many samples the generator makes for one that is drawn."""
        return round(self.generated / max(self.samples, 1), 3)

    @contextmanager
    def counting(self, game: Game, samples: int) -> Iterator[None]:
        """Count what a game makes within the context for so many samples."""
        make, began = game.make, perf_counter()

        def counted(latent: Latent, network: str = "generator") -> Mapping[str, Tensor]:
            self.generated += len(latent.z)
            return make(latent, network)

        game.make = counted  # type: ignore[method-assign]
        try:
            yield
        finally:
            del game.make
            self.samples += samples
            self.seconds += perf_counter() - began

    def __str__(self) -> str:
        each = f"{self.seconds / max(self.samples, 1):.2g} s and {self.generated_per_sample:g} generated"
        return f"{each} for each of {self.samples:,} samples"
