"""Latents that are improved before samples are made of them."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.api import ConfigError, Game, Latent, Meeting, Pair, Player, Strategy, Term, try_meeting
from gan_zoo.ranges import require_above_zero, require_not_negative, require_positive, require_share

MOVED = "latent_step"
"""Under what name a pair has how far its latents were moved."""


def require_steps(alpha: float, beta: float, share: float, bound: float | None, steps: int) -> None:
    """Raise ValueError, naming it, for a setting of steps of latents that is out of its range."""
    require_above_zero(alpha=alpha, beta=beta, bound=1.0 if bound is None else bound)
    require_share(share=share)
    require_positive(steps=steps)


def latent_step(gradient: Tensor, alpha: float, beta: float, natural: bool) -> Tensor:
    """Return α g / (‖g‖² + β) of gradients g (N, ...), or α g if the step is not natural."""
    if not natural:
        return alpha * gradient
    square = gradient.flatten(1).square().sum(1).view(-1, *[1] * (gradient.ndim - 1))
    return alpha * gradient / (square + beta)


class Improve:
    """Moves the latents of every pair along the gradient of D's score, and generates anew.

    The gradient of the losses flows through the steps. The meeting is changed in place, so that what is reported and
    what adapts sees what the player saw.

    Args:
        strategy: how latents are moved.
    """

    differentiates_twice = True

    def __init__(self, strategy: LatentOptimisation) -> None:
        self.strategy = strategy

    def __call__(self, meeting: Meeting) -> Meeting:
        """Return the meeting with samples of improved latents."""
        for name, pair in meeting.items():
            meeting[name] = self._improved(pair)
        return meeting

    def _improved(self, pair: Pair) -> Pair:
        assert pair.again is not None, "only a pair that comes from Game.meet can be made again"
        start = pair.latent.z.detach()
        chosen = (torch.rand_like(start) < self.strategy.share).to(start.dtype)
        with torch.enable_grad():
            z = start.clone().requires_grad_()
            for _ in range(self.strategy.steps):
                score = _made_of(pair, z).fake_output.scores.sum()
                (gradient,) = torch.autograd.grad(score, z, create_graph=True)
                z = z + chosen * self.strategy.step(gradient)
                if self.strategy.bound is not None:
                    z = z.clamp(-self.strategy.bound, self.strategy.bound)
            improved = _made_of(pair, z)
        improved.made = {**improved.made, MOVED: z - start}
        return improved


def _made_of(pair: Pair, z: Tensor) -> Pair:
    assert pair.again is not None
    latent: Latent = pair.latent._replace(z=z)
    return pair.again(latent).judged_by(pair.judge)


class Movement(Term):
    """E ‖z' - z‖², what it costs to move latents."""

    differentiates_twice = True

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean squared length of the moves."""
        if MOVED not in pair.made:  # where the game is tried before latents are moved
            return pair.latent.z.new_zeros(())
        return pair.made[MOVED].flatten(1).square().sum(1).mean()


class LatentOptimisation(Strategy):
    """Both players see samples of latents after a step towards D's approval (LOGAN, Wu et al. 2019, arXiv 1912.00953).

    z' = z + α g / (‖g‖² + β) with g = ∇_z D(G(z)), an approximate natural gradient step; without β and the norm it is
    that of CS-GAN (Wu et al. 2019, arXiv 1905.06723): natural=false. Both losses are differentiated through it, and
    gain weight · E ‖z' - z‖². Which entries of z are moved is drawn for each latent, our reading of the paper's share.

    Args:
        alpha: α, the length of a step.
        beta: β, the damping.
        natural: whether gradients are divided by ‖g‖² + β.
        weight: of the squared moves.
        share: of the entries of z that are moved.
        bound: entries are clipped to [-bound, bound], as of a uniform prior; null for none.
        steps: how many.
    """

    applies_last = True

    def __init__(
        self, alpha: float, beta: float, natural: bool, weight: float, share: float, bound: float | None, steps: int
    ) -> None:
        require_not_negative(weight=weight)
        require_steps(alpha, beta, share, bound, steps)
        self.alpha = alpha
        self.beta = beta
        self.natural = natural
        self.weight = weight
        self.share = share
        self.bound = bound
        self.steps = steps

    def step(self, gradient: Tensor) -> Tensor:
        """Return what gradients (N, ...) move latents by."""
        return latent_step(gradient, self.alpha, self.beta, self.natural)

    def apply(self, game: Game) -> None:
        """Have the players of both sides see improved latents, and pay for the moves."""
        discriminators, generators, _ = game.teams()
        if not discriminators or not generators:
            raise ConfigError(f"latent_optimisation has no effect on {type(game).__name__}, which has not both sides")
        for pair in try_meeting(game).values():
            if pair.latent.z.numel() == 0 or not pair.has_judge:
                raise ConfigError(
                    f"latent_optimisation moves latents before a discriminator, and {type(game).__name__} has none"
                )
            if pair.latent.code:
                raise ConfigError(
                    "latent_optimisation would move codes, which say what a sample is: choose another prior"
                )
        game.claim("generated samples that the discriminator faces", "latent_optimisation")
        for player in discriminators + generators:
            player.look_aheads.append(Improve(self))
            if self.weight and player.objective != "discriminator_real":
                player.add_term("latent_movement", Movement(), self.weight)
