"""What systems share in which a generator of tokens is paid by a discriminator (Yu et al. 2017, arXiv 1609.05473)."""

from __future__ import annotations

import copy
from abc import abstractmethod

import torch
from torch import Tensor

from gan_framework.api import (
    Components,
    ConfigError,
    Game,
    Pair,
    Player,
    Term,
    distributed,
    evaluation_mode,
)
from gan_zoo.lengths import are_padded, counted, mean_inside
from gan_zoo.policy import LOG_PROB, Policy
from gan_zoo.ranges import require_below_one, require_not_negative, require_positive

BASELINES = ("none", "batch", "moving")

LIKELIHOOD = "likelihood"
"""The player who trains the generator on real sequences."""


def policy_of(game: Game, network: str = "generator") -> Policy:
    """Return a game's generator of tokens.

    Raises:
        ConfigError: it is none.
    """
    found = game.network(network)
    if not isinstance(found, Policy):
        raise ConfigError(
            f"{type(game).__name__} needs a generator that gives log-probabilities, and networks.{network} is "
            f"{type(found).__name__}: choose generator=lstm_tokens"
        )
    return found


class Likelihood(Term):
    """-E log π(x_t | x_<t), the mean over tokens of real sequences: what a language model is trained by.

    Where sequences are of different lengths it is that over their tokens and ends; padding has no part in it.
    """

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the cross entropy of the batch's tokens."""
        policy, tokens = policy_of(self.game), pair.batch.samples.argmax(2)
        log_prob = policy.log_prob(tokens, pair.latent.given)
        return -(mean_inside(log_prob, counted(tokens)) if policy.ends else log_prob.mean())


def policy_gradient(log_prob: Tensor, advantage: Tensor) -> Tensor:
    """Return -Σ_t log π(a_t | a_<t) · A_t (N,), with the gradient of -E Σ R (Williams 1992; Sutton et al. 2000)."""
    return -(log_prob * advantage.detach()).sum(1)


class PolicyGradient(Term):
    """The generator is paid for each token: -Σ_t log π(a_t | a_<t) (R_t - b_t), without a gradient through R and b.

    Args:
        baseline: b: `none`, the mean over the `batch` at each step, or a `moving` average of these means.
        summed: sum over the batch, as in SeqGAN's program, instead of its mean.
        rate: what of a moving baseline is kept in each update.
        length: T, for a moving baseline.
    """

    mean_reward: Tensor
    average: Tensor

    def __init__(self, baseline: str, summed: bool, length: int, rate: float = 0.9) -> None:
        super().__init__()
        if baseline not in BASELINES:
            raise ValueError(f"baseline={baseline!r}: choose one of {', '.join(BASELINES)}")
        self.baseline, self.summed, self.rate = baseline, summed, rate
        self.register_buffer("average", torch.zeros(length))
        self.register_buffer("mean_reward", torch.zeros(()), persistent=False)
        self._rewards = torch.zeros(length)

    @abstractmethod
    def rewards(self, pair: Pair, player: Player) -> Tensor:
        """Return what each token (N, T) of the generated sequences earns."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean, or the sum, over generated sequences."""
        with torch.no_grad():
            rewards = self.rewards(pair, player)
            advantage = rewards - self._expected(rewards, player)
            self._rewards = rewards.mean(0)
        found = policy_gradient(pair.made[LOG_PROB], advantage)
        return found.sum() if self.summed else found.mean()

    def _expected(self, rewards: Tensor, player: Player) -> Tensor:
        if self.baseline == "none":
            return torch.zeros_like(rewards[0])
        if self.baseline == "batch" or player.updates == 0:
            return rewards.mean(0)
        return self.average

    def after_update(self, pair: Pair, player: Player) -> None:
        """Take the rewards into the average."""
        seen = distributed.mean(self._rewards)
        kept = self.rate if player.updates > 1 else 0.0
        self.average.copy_(kept * self.average + (1 - kept) * seen)
        self.mean_reward.copy_(seen.mean())

    def figures(self) -> dict[str, Tensor | float]:
        """Return the mean reward of the last update."""
        return {"reward": self.mean_reward}


class RolloutReward(PolicyGradient):
    """R_t is the mean score of sequences that a roll-out policy completes after token t; the last step's is the score.

    The roll-out policy is a copy of the generator that follows it as a running average (the authors' program), and is
    the generator itself before its first update.

    Args:
        rollouts: completions of each beginning.
        follow: what of the copy is kept in each update.
        baseline: see `PolicyGradient`.
        summed: see `PolicyGradient`.
        length: T.
    """

    def __init__(self, rollouts: int, follow: float, baseline: str, summed: bool, length: int) -> None:
        super().__init__(baseline, summed, length)
        require_positive(rollouts=rollouts)
        require_below_one(follow=follow)
        self.rollouts, self.follow = rollouts, follow

    def attach(self, game: Game) -> None:
        """Take up the game, and copy its generator."""
        super().attach(game)
        self.copy = copy.deepcopy(policy_of(game)).requires_grad_(False)

    @abstractmethod
    def score(self, sequences: Tensor, pair: Pair, repeats: int) -> Tensor:
        """Return what whole sequences (M, T, V) are worth (M,): N of the pair, each `repeats` times in a row."""

    def rewards(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean scores (N, T) of completions."""
        if player.updates == 0:
            self.copy.load_state_dict(policy_of(self.game).state_dict())
        tokens = pair.fake.argmax(2)
        given = {name: value.repeat_interleave(self.rollouts, 0) for name, value in pair.latent.given.items()}
        found = []
        for step in range(1, tokens.shape[1]):
            prefix = tokens[:, :step].repeat_interleave(self.rollouts, 0)
            uniform = torch.rand(len(prefix), tokens.shape[1], device=tokens.device)
            completed = self.copy.one_hot(self.copy.draw(uniform, prefix, given))
            found.append(self.score(completed, pair, self.rollouts).view(len(tokens), -1).mean(1))
        found.append(self.score(pair.fake, pair, 1))
        return torch.stack(found, 1)

    def after_update(self, pair: Pair, player: Player) -> None:
        """Let the copy follow the generator."""
        super().after_update(pair, player)
        for kept, new in zip(self.copy.parameters(), policy_of(self.game).parameters(), strict=True):
            kept.mul_(self.follow).add_(new, alpha=1 - self.follow)


def judged(pair: Pair, sequences: Tensor, repeats: int) -> Tensor:
    """Return D (M,), the probability that sequences (M, T, V) are real, by the pair's judge without its dropout."""
    network = getattr(pair.judge, "network", None)
    labels = None if pair.fake_labels is None else pair.fake_labels.repeat_interleave(repeats, 0)
    given = (one.repeat_interleave(repeats, 0) for one in pair.fake_given)
    if network is None:
        return pair.judge(sequences, labels, *given).scores.sigmoid()
    with evaluation_mode(network):
        return pair.judge(sequences, labels, *given).scores.sigmoid()


class OutputSize(Term):
    """½ (|W|² + |b|²) of the discriminator's last layer (SeqGAN's program)."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return half the sum of squares."""
        sizes = [parameter.square().sum() for parameter in self.game.discriminator.output.parameters()]
        return 0.5 * torch.stack(sizes).sum()


class TokenPolicyGame(Game):
    """D against a generator that is paid, and a player who trains the generator on real sequences.

    The generator's player has no part of the adversarial loss: what it is paid by is a term, which systems add. Who
    plays when is a schedule's matter: schedule=stages begins with the player `likelihood`. Where the data's sequences
    are of different lengths, those that are written end too; what would follow their end is neither paid nor learnt.

    Args:
        components: what the game is made of.
        reward: what the generator is paid by.
        output_l2: the weight of the size of D's last layer.
    """

    def __init__(self, components: Components, reward: Term, output_l2: float = 0.0) -> None:
        super().__init__(components)
        require_not_negative(output_l2=output_l2)
        policy_of(self).ends = are_padded(components.data)
        self.player("generator").add_term("policy_gradient", reward)
        self.player(LIKELIHOOD).add_term(LIKELIHOOD, Likelihood())
        if output_l2:
            self.player("discriminator").add_term("output_l2", OutputSize(), output_l2)

    def make_players(self) -> list[Player]:
        """Return D, G and the one who trains G on real sequences."""
        discriminator, generator = super().make_players()
        generator.objective = None
        return [discriminator, generator, Player(LIKELIHOOD, generator.networks)]


def length_of(components: Components) -> int:
    """Return the number of tokens of a sequence of the data.

    Raises:
        ConfigError: they are no tokens.
    """
    shape = components.data
    if not shape.vocabulary:
        raise ConfigError(f"this game writes tokens, and the data have the shape {shape.sample}: choose data=tokens")
    return shape.sample[0]
