"""A generator that learns of its best samples alone."""

from __future__ import annotations

import weakref
from collections.abc import Callable

from torch import Tensor

from gan_framework.api import ConfigError, DiscriminatorOutput, Game, Player, Strategy, distributed
from gan_zoo.losses.importance_weighted import ImportanceWeighted
from gan_zoo.packs import refuse_packs
from gan_zoo.ranges import require_share

Loss = Callable[..., Tensor]


class OfTheBest:
    """A generator's loss of the k samples of a batch that D takes for most real.

    The epoch follows from the discriminator's count of updates, so there is no state beside that.

    Args:
        loss: of all samples.
        player: the discriminator's, whose updates count the batches that were drawn.
        gamma: what the share is multiplied by in each epoch.
        nu: the least share.
        samples: in the data.
        parts: in which a batch goes through the networks.
        batches: of so many of the discriminator's batches the generator has the samples in an update.
    """

    def __init__(
        self, loss: Loss, player: Player, gamma: float, nu: float, samples: int, parts: int, batches: int = 1
    ) -> None:
        self.loss = loss
        # Weak, because a loss is copied to be asked, and its copy needs no player of its own.
        self._player = weakref.ref(player)
        self.gamma = gamma
        self.nu = nu
        self.samples = samples
        self.parts = parts
        self.batches = batches

    def __call__(self, fake: DiscriminatorOutput, real: DiscriminatorOutput | None = None) -> Tensor:
        """Return the loss of the best; where it needs real samples, of those in the same places."""
        scores = fake.scores.detach()
        best = scores.topk(self.count(len(scores))).indices
        return self.loss(_chosen(fake, best), None if real is None else _chosen(real, best))

    def count(self, batch: int) -> int:
        """Return how many samples of a batch, or a part of one, are learnt of: max(γ^epoch, ν), and at least one."""
        player = self._player()
        assert player is not None, "the game holds the player for as long as its loss"
        drawn = player.updates * batch * self.parts * distributed.world() // self.batches
        epoch = drawn // self.samples
        return max(int(max(self.gamma**epoch, self.nu) * batch), 1)


def _chosen(said: DiscriminatorOutput, places: Tensor) -> DiscriminatorOutput:
    def of(tensor: Tensor | None) -> Tensor | None:
        return None if tensor is None else tensor[places]

    return DiscriminatorOutput(
        said.logits[places],
        tuple(feature[places] for feature in said.features),
        {name: head[places] for name, head in said.heads.items()},
        of(said.samples),
        of(said.labels),
    )


class TopK(Strategy):
    """G learns of the k samples that D scores highest; k falls (Sinha et al. 2020, arXiv 2002.06224, section 3).

    k = max(γ^epoch · B, ν · B) of a batch of B: at first the whole batch. A loss that compares with real samples is
    given those in the same places.

    Args:
        gamma: γ.
        nu: ν.
    """

    applies_last = True

    def __init__(self, gamma: float, nu: float) -> None:
        require_share(gamma=gamma, nu=nu)
        self.gamma = gamma
        self.nu = nu

    def apply(self, game: Game) -> None:
        """Give the loss's generator side the best samples alone."""
        discriminators, generators, _ = game.teams()
        for player in generators:
            if player.objective is None:  # a strategy that has taken it away is named
                game.claim(f"adversarial loss of the {player.name}", "top_k")
        if game.loss is None or not discriminators or all(player.objective is None for player in generators):
            raise ConfigError(
                f"top_k has no effect on {type(game).__name__}, where no generator minimises an adversarial loss"
            )
        if isinstance(game.loss, ImportanceWeighted):
            raise ConfigError("top_k and importance_weighted both weigh samples by their scores: choose one of them")
        if getattr(game.loss, "differentiates_twice", False):
            raise ConfigError(
                f"top_k leaves samples out, and the loss {type(game.loss).__name__} differentiates the scores of all: "
                "choose one of the two"
            )
        if not game.data.size:
            raise ConfigError("top_k counts epochs, and it is not known how many samples the data have")
        for network in dict.fromkeys(game.critics):
            refuse_packs(game, network, "top_k")
        batches = getattr(game.schedule, "g_batches", 1)
        sizes = (game.data.size, game.accumulate, batches)
        best = OfTheBest(game.loss.generator, discriminators[0], self.gamma, self.nu, *sizes)
        # The loss stays the object it is: others ask of what kind it is, and its state is in checkpoints.
        game.loss.generator = best  # type: ignore[method-assign]
