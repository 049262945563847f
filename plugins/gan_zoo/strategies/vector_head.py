"""A vector beside the discriminator's score."""

from __future__ import annotations

from torch import nn

from gan_framework.api import ConfigError, Discriminator, Game, Strategy
from gan_zoo.ranges import require_positive


class VectorHead(Strategy):
    """D answers with a vector too, for losses that compare vectors: a linear map of its last features.

    Without it these losses compare the last features themselves, which for images are thousands.

    Args:
        size: of the vector.
    """

    def __init__(self, size: int) -> None:
        require_positive(size=size)
        self.size = size

    def apply(self, game: Game) -> None:
        """Add the head `vector` to every discriminator that is trained."""
        if not getattr(game.loss, "compares_vectors", False):
            raise ConfigError(
                f"vector_head has no effect on {type(game.loss).__name__}, which compares scores; choose loss=mmd, "
                "moment_ipm, linear_discriminant or realness"
            )
        for name in game.critics:
            network = game.network(name)
            if not isinstance(network, Discriminator) or "vector" in game.probe(name).heads:
                raise ConfigError(f"vector_head: {type(network).__name__} has vectors of its own, or takes no heads")
            features = game.probe(name).features[-1].flatten(1).shape[1]
            network.heads["vector"] = nn.Linear(features, self.size)
