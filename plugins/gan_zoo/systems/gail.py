"""GAIL (Ho & Ermon 2016, arXiv 1606.03476) and OptionGAN (Henderson et al. 2018, arXiv 1709.06683)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import (
    EMPTY,
    SAMPLES,
    Batch,
    Components,
    ConfigError,
    Discriminator,
    DiscriminatorOutput,
    Game,
    Generator,
    Latent,
    Pair,
    Player,
    Prior,
    Term,
)
from gan_zoo.ranges import require_positive
from gan_zoo.simulators import moved, starts

LOG_PROBABILITY = "log_probability"
GATE = "gate"
"""The network of the options' shares."""

OPTIONS = "options"
"""The head of D with a logit for each option."""


class StartsAndNoise(Prior):
    """z = [first state (2), Gaussian noise of each action (T)].

    Args:
        steps: T.
    """

    def __init__(self, steps: int) -> None:
        super().__init__()
        require_positive(steps=steps)
        self.dim = 2 + steps

    def draw(self, n: int, device: torch.device, generator: torch.Generator | None = None) -> Latent:
        """Draw n latents."""
        noise = torch.randn(n, self.dim - 2, generator=generator)
        return Latent(torch.cat([starts(n, generator), noise], 1).to(device))


def _small(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh(), nn.Linear(hidden, outputs)
    )


class OptionGate(nn.Module):
    """The shares of options in a state.

    Args:
        hidden: the size of the two hidden layers.
        options: how many.
    """

    def __init__(self, hidden: int, options: int) -> None:
        super().__init__()
        require_positive(hidden=hidden, options=options)
        self.layers = _small(2, hidden, options)

    def forward(self, states: Tensor) -> Tensor:
        """Map states (..., 2) to shares (..., options)."""
        shares: Tensor = self.layers(states).softmax(-1)
        return shares


class Link:
    """Leads to a gate without owning it: copies of who holds it lead to the same one."""

    gate: nn.Module | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> Link:
        """Return itself."""
        return self


class Policy(Generator):
    """A Gaussian policy in the simulator: with several options, a mixture whose shares follow from the state.

    The shares are those of a game's gate, which D's player trains; without one they are equal. No gradient goes through
    the simulator; `log_probability` (N, T) is that of the actions that were taken. In evaluation the action is the
    mean, of the likeliest option.

    Args:
        hidden: the size of the two hidden layers.
        options: how many; 1 for GAIL.
        deviation: of the actions at first; it is learnt.
    """

    def __init__(self, hidden: int, options: int, deviation: float) -> None:
        super().__init__()
        require_positive(hidden=hidden, options=options)
        self.means = _small(2, hidden, options)
        self.log_deviation = nn.Parameter(torch.full((options,), math.log(deviation)))
        self.link, self.options = Link(), options

    def gates(self, states: Tensor) -> Tensor:
        """Return the shares (..., options) of the options in states (..., 2)."""
        if self.options == 1 or self.link.gate is None:
            return states.new_full((*states.shape[:-1], self.options), 1 / self.options)
        with torch.no_grad():
            shares: Tensor = self.link.gate(states)
        return shares

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map z (N, 2 + T) to trajectories (N, 3, T)."""
        return self.everything(z, labels)[SAMPLES]

    def everything(
        self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY
    ) -> Mapping[str, Tensor]:
        """Return the trajectories, and the `log_probability` (N, T) of their actions."""
        z = z.float()
        state, noise = z[:, :2], z[:, 2:]
        seen, said = [], []
        for step in range(noise.shape[1]):
            means, gates = self.means(state), self.gates(state)
            chosen = gates.argmax(1, keepdim=True)
            if self.training and self.options > 1:
                # Which option acts follows from far digits of the noise, so that a trajectory follows from z.
                uniform = (997 * noise[:, step : step + 1]).frac().abs()
                chosen = (gates.cumsum(1) < uniform).sum(1, keepdim=True).clamp(max=self.options - 1)
            spread = self.log_deviation.exp().expand_as(means)
            push = spread.gather(1, chosen) * noise[:, step : step + 1] if self.training else 0.0
            action = (means.gather(1, chosen) + push).detach()
            each = -0.5 * ((action - means) / spread).square() - spread.log() - 0.5 * math.log(2 * math.pi)
            said.append((each + gates.clamp(min=1e-12).log()).logsumexp(1))
            seen.append(torch.cat([state, action], 1))
            state = moved(state, action)
        return {SAMPLES: torch.stack(seen, 2), LOG_PROBABILITY: torch.stack(said, 1)}


class StepDiscriminator(Discriminator):
    """A logit for each step of a trajectory, of its state and action; with options, Σ shares · logits of the options.

    Args:
        hidden: the size of the two hidden layers.
        options: how many.
    """

    def __init__(self, hidden: int, options: int) -> None:
        super().__init__()
        require_positive(hidden=hidden, options=options)
        self.block = nn.Sequential(nn.Linear(3, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh())
        self.output = nn.Linear(hidden, options)

    def features(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> tuple[Tensor, ...]:
        """Return the activations (N, T, hidden) for trajectories (N, 3, T)."""
        return (self.block(x.transpose(1, 2)),)

    def forward(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> DiscriminatorOutput:
        """Return the logits (N, T) of trajectories (N, 3, T), given the shares (N, T, options)."""
        features = self.features(x)
        logits = self.output(features[0])
        shares = given[0] if given else torch.ones_like(logits)
        return DiscriminatorOutput((shares * logits).sum(2), features, {OPTIONS: logits})


def rewards(logits: Tensor, kind: str) -> Tensor:
    """Return what steps of logits are paid: `positive` -log(1 - σ), or `negative` log σ."""
    return F.softplus(logits) if kind == "positive" else -F.softplus(-logits)


class PolicyGradient(Term):
    """-E Σ log π(a|s) (R_t - b_t), R_t the discounted rewards from step t on, b_t their mean (REINFORCE).

    The paper takes trust-region steps (TRPO); with one update for each batch the clipping of PPO would never bind.

    Args:
        reward: see `rewards`.
        discount: γ.
        entropy: the weight of the deviations' entropy, which is kept up.
    """

    def __init__(self, reward: str, discount: float, entropy: float) -> None:
        super().__init__()
        if reward not in ("positive", "negative") or not 0 <= discount <= 1 or entropy < 0:
            raise ValueError(
                f"reward={reward} discount={discount} entropy={entropy}: positive or negative, γ from 0 to 1"
            )
        self.reward, self.discount, self.entropy = reward, discount, entropy

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the surrogate of which the gradient is the policy's."""
        with torch.no_grad():
            paid = rewards(pair.fake_output.logits.float(), self.reward)
            after = torch.zeros_like(paid[:, 0])
            returns = []
            for step in reversed(range(paid.shape[1])):
                after = paid[:, step] + self.discount * after
                returns.append(after)
            total = torch.stack(returns[::-1], 1)
            gain = total - total.mean(0)
            gain = gain / gain.std().clamp(min=1e-6)
        policy = self.game.generator
        kept = policy.log_deviation.sum() if isinstance(policy, Policy) else 0.0
        return -(pair.made[LOG_PROBABILITY] * gain).mean() - self.entropy * kept


def divided(gates: Tensor, sparsity: float, information: float) -> Tensor:
    """Return how little the shares (N, options) divide states: their weighted mean entropy less that of their mean.

    Args:
        gates: the shares.
        sparsity: of the mean entropy in a state, which is to be low: one option for each state.
        information: of the entropy of the mean, which is to be high: no option for nothing.
    """
    gates = gates.clamp(min=1e-9)
    inside = -(gates * gates.log()).sum(1).mean()
    mean = gates.mean(0)
    return sparsity * inside + information * (mean * mean.log()).sum()


class OptionLosses(Term):
    """D's loss with options: Σ shares · cross entropy of each option's logit, and `divided`, which train the gate too.

    A mixture of losses, as in the paper (a mixture of experts) and in the authors' program; what the policy is paid by
    is the mixture of logits.

    Args:
        sparsity: see `divided`.
        information: see `divided`.
    """

    def __init__(self, sparsity: float, information: float) -> None:
        super().__init__()
        self.sparsity, self.information = sparsity, information

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the sum of the means over real and over made steps."""
        gate, parts, found = self.game.network(GATE), [], []
        for x, output, sign in ((pair.real, pair.real_output, -1), (pair.fake, pair.fake_output, 1)):
            shares: Tensor = gate(x[:, :2].transpose(1, 2))
            parts.append((shares * F.softplus(sign * output.heads[OPTIONS].float())).sum(2).mean())
            found.append(shares.flatten(0, 1))
        return parts[0] + parts[1] + divided(torch.cat(found), self.sparsity, self.information)


class Imitation(Game):
    """D tells the steps of the expert's trajectories from the policy's; the policy is paid where D takes it for one.

    With options (OptionGAN) the network `gate` divides states among them; D's player trains it.

    Args:
        components: what the game is made of.
        reward: `positive` or `negative`, see `rewards`.
        discount: γ.
        entropy: the weight of the entropy of the actions.
        sparsity: see `divided`.
        information: see `divided`.
    """

    def __init__(
        self,
        components: Components,
        reward: str,
        discount: float,
        entropy: float,
        sparsity: float = 0.0,
        information: float = 0.0,
    ) -> None:
        super().__init__(components)
        if len(self.data.sample) != 2 or self.data.sample[0] != 3:
            raise ConfigError(
                f"game=imitation imitates trajectories (3, T) of the simulator, and the data are {self.data.sample}: "
                "choose data=transitions data.form=trajectory"
            )
        self.player("generator").add_term("policy_gradient", PolicyGradient(reward, discount, entropy), 1.0)
        policy = self.generator
        if isinstance(policy, Policy) and policy.options > 1:
            if GATE not in self.networks:
                raise ConfigError(
                    f"networks.generator.options={policy.options} needs networks.{GATE}, which divides states among "
                    f"them: networks.{GATE}={{name: option_gate, hidden: 64, options: {policy.options}}}"
                )
            policy.link.gate = self.network(GATE)
            discriminator = self.player("discriminator")
            discriminator.objective = None
            discriminator.add_term("options", OptionLosses(sparsity, information))

    def make_players(self) -> list[Player]:
        """Return D, with the gate of options where there are any, and the policy, which no gradient of D reaches."""
        judging = ("discriminator", GATE) if GATE in self.networks else ("discriminator",)
        return [
            Player("discriminator", judging, "discriminator", "discriminator"),
            Player("generator", ("generator",), "generator"),
        ]

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return the expert's and the policy's trajectories, each beside the shares of the options in its states."""
        made = self.make(latent)
        policy = self.generator
        assert isinstance(policy, Policy), "game=imitation needs networks.generator=policy"
        real, fake = (policy.gates(x[:, :2].transpose(1, 2)) for x in (batch.samples, made[SAMPLES]))
        return Pair(
            self.judge("discriminator"),
            batch,
            latent,
            made[SAMPLES],
            made=made,
            real_given=(real,),
            fake_given=(fake,),
        )
