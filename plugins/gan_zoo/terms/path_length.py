"""Path length regularisation: a step in the latents changes samples by the same amount everywhere."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from gan_framework.api import ConfigError, Game, Generator, Pair, Player, Term, distributed, try_meeting
from gan_zoo.ranges import require_below_one, require_positive
from gan_zoo.terms.sides import name_of, require_generator, require_one_pair


class PathLength(Term):
    """E (ℓ - a)², ℓ = ‖∇_w <G(w), y>‖, y normal noise, a a moving average of ℓ (StyleGAN2).

    Karras et al. 2020, arXiv 1912.04958, section 3.2 and the authors' program: y is divided by √(H·W); where w has a
    vector for each of several layers, the square of ℓ is the mean over these. w is what `Generator.map` makes of z, and
    z itself where there is no mapping network. With batch norm in G, ℓ has a part of the other samples' too.

    Args:
        decay: the share of the average that is kept in each update.
        shrink: the term is computed on one in so many samples of the batch.
    """

    average: Tensor
    newest: Tensor
    differentiates_twice = True

    def __init__(self, decay: float, shrink: int) -> None:
        super().__init__()
        require_below_one(decay=decay)
        require_positive(shrink=shrink)
        self.decay = decay
        self.shrink = shrink
        self.register_buffer("average", torch.tensor(0.0))
        self.register_buffer("newest", torch.tensor(0.0), persistent=False)

    def check(self, game: Game, player: Player) -> None:
        """See that the term reaches a generator of latents.

        Raises:
            ConfigError: the player updates no generator or several, it is made of more than latents and labels, or
                there are several pairs, and one average.
        """
        require_generator(self, game, player)
        name = name_of(self, player)
        generators = [network for network in player.networks if isinstance(game.network(network), Generator)]
        if not generators:
            raise ConfigError(f"{name} has no effect on the player {player.name!r}, which updates no generator")
        if len(generators) > 1:
            raise ConfigError(
                f"{name} is of one generator, and the player {player.name!r} updates {', '.join(generators)}"
            )
        require_one_pair(self, game, player)
        for pair in try_meeting(game).values():
            if pair.latent.z.numel() == 0 or pair.latent.given:
                raise ConfigError(
                    f"{name} is of a generator of latents, and {type(game).__name__} gives it other things"
                )

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean squared distance of lengths from their average, which they have entered."""
        generator = next(net for net in map(self.game.network, player.networks) if isinstance(net, Generator))
        n = max(len(pair.latent.z) // self.shrink, 1)
        latent = pair.latent.part(slice(n))
        # Half precision is too coarse for gradients of gradients.
        with torch.autocast(pair.fake.device.type, enabled=False), torch.enable_grad():
            z = latent.z.detach().requires_grad_()
            w = generator.map(z, latent.labels)
            lengths = path_lengths(generator.synthesise(w, latent.labels), w)
        self.newest = distributed.mean(lengths.detach().mean()).to(self.average)
        return (lengths - self._following()).square().mean()

    def _following(self) -> Tensor:
        return torch.lerp(self.average, self.newest, 1 - self.decay)

    def after_update(self, pair: Pair, player: Player) -> None:
        """Let the average follow the lengths of the last evaluation."""
        self.average.copy_(self._following())

    def figures(self) -> Mapping[str, Tensor | float]:
        """Return the average length."""
        return {"average": self.average}


def path_lengths(samples: Tensor, w: Tensor) -> Tensor:
    """Return how much samples (N, C, ...) change with the latents w (N, D), or (N, L, D), in a random direction, (N,).

    Args:
        samples: made of w.
        w: has a gradient.
    """
    places = math.prod(samples.shape[2:])
    noise = torch.randn_like(samples) / math.sqrt(places)
    (gradient,) = torch.autograd.grad((samples * noise).sum(), w, create_graph=True)
    # Of several layers the mean; a single one is itself.
    layered = gradient.square().sum(-1).flatten(1).mean(1) if gradient.ndim > 2 else gradient.square().sum(1)
    return (layered + torch.finfo(layered.dtype).tiny).sqrt()
