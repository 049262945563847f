"""LeakGAN (Guo et al. 2018, arXiv 1709.08624): D leaks its features to a manager, who sets goals to a worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import (
    EMPTY,
    SAMPLES,
    Components,
    ConfigError,
    Discriminator,
    Pair,
    Player,
    Term,
    evaluation_mode,
)
from gan_zoo.generators.lstm_tokens import LSTMCell, State
from gan_zoo.lengths import counted, inside, mean_inside, told
from gan_zoo.policy import LOG_PROB, Policy
from gan_zoo.ranges import require_positive
from gan_zoo.systems.seqgan import DiscriminatorReward
from gan_zoo.token_policy import LIKELIHOOD, TokenPolicyGame, length_of, policy_of


class Link:
    """Leads to a network without owning it: copies of who holds it lead to the same one."""

    network: Discriminator | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> Link:
        """Return itself."""
        return self


class LeakPolicy(Policy):
    """A manager LSTM that sees D's features of what is written, and a worker LSTM that writes.

        g_t = manager(f_t) / |…|;   w_t = ψ Σ_(i<c) g_(t-i) / |…|;   π = softmax(α O_t w_t), O_t (V, k) by the worker

    The length of w_t is 1 as in the authors' program, where goals are summed in blocks of c; here they slide.

    Args:
        vocabulary: V, the number of symbols.
        length: T, of sequences.
        latent_dim: of z, which has a number for each token.
        embedding: the size of a symbol's vector.
        width: of both LSTMs.
        features: the size of D's last features, which goals have too.
        goal: k, the size of a goal for the worker; 16 in the paper.
        horizon: c, how many goals count; 4 in the paper.
        temperature: 1 / α where the policy learns; sampling has 1, also for D.
    """

    def __init__(
        self,
        vocabulary: int,
        length: int,
        latent_dim: int,
        embedding: int,
        width: int,
        features: int,
        goal: int,
        horizon: int,
        temperature: float,
    ) -> None:
        super().__init__()
        require_positive(vocabulary=vocabulary, length=length, width=width, goal=goal, horizon=horizon)
        if latent_dim != length or not temperature > 0:
            raise ValueError(
                f"latent_dim={latent_dim} temperature={temperature}: z has a number for each of length={length} "
                "tokens, and the temperature is above 0"
            )
        self.vocabulary, self.length, self.horizon, self.temperature = vocabulary, length, horizon, temperature
        self.link, self.size = Link(), features
        self.embedding = nn.Embedding(vocabulary, embedding)
        self.manager = LSTMCell(features, width)
        self.goals = nn.Linear(width, features)
        self.reduce = nn.Linear(features, goal, bias=False)
        self.worker = LSTMCell(embedding, width)
        self.words = nn.Linear(width, vocabulary * goal)

    def leaked(self, tokens: list[Tensor], n: int) -> Tensor:
        """Return D's last features (N, A) of what is written so far; zeros where no game has led to a D."""
        first = self.embedding.weight
        if self.link.network is None:
            return first.new_zeros(n, self.size)
        x = first.new_zeros(n, self.length, self.vocabulary)
        for step, token in enumerate(tokens):
            x[:, step] = F.one_hot(token, self.vocabulary).to(x)
        with torch.no_grad(), evaluation_mode(self.link.network):
            return self.link.network.features(x)[-1].flatten(1)

    def begin(self, n: int, given: Mapping[str, Tensor] = EMPTY) -> tuple[State, State, list[Tensor], list[Tensor]]:
        """Return both memories, and no token and no goal."""
        return self.manager.start(n), self.worker.start(n), [], []

    def advance(self, state: Any, token: Tensor | None) -> tuple[Tensor, Any]:
        """Return the logits (N, V) after a token (N,), and what is remembered."""
        logits, _, _, state = self._advance(state, token)
        return logits, state

    def _advance(self, state: Any, token: Tensor | None) -> tuple[Tensor, Tensor, Tensor, Any]:
        manager, worker, tokens, goals = state
        n = len(manager[0])
        tokens = tokens if token is None else [*tokens, token]
        seen = self.leaked(tokens, n)
        manager = self.manager(seen, manager)
        goal = F.normalize(self.goals(manager[0]), dim=1)
        # The worker's likelihood does not train the manager, who is paid for the features that follow.
        goals = [*goals, goal.detach()][-self.horizon :]
        said = token if token is not None else torch.zeros(n, dtype=torch.int64, device=goal.device)
        worker = self.worker(self.embedding(said), worker)
        wanted = F.normalize(self.reduce(torch.stack(goals).sum(0)), dim=1)
        logits = (self.words(worker[0]).unflatten(1, (self.vocabulary, -1)) @ wanted[..., None]).squeeze(2)
        return logits / (self.temperature if self.training else 1.0), goal, seen, (manager, worker, tokens, goals)

    def trace(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return log-probabilities (N, T), goals (N, T, A) and leaked features (N, T + 1, A) of sequences (N, T)."""
        state, token, found = self.begin(len(tokens)), None, []
        for step in range(self.length):
            logits, goal, seen, state = self._advance(state, token)
            token = tokens[:, step]
            found.append((logits.log_softmax(1).gather(1, token[:, None]).squeeze(1), goal, seen))
        log_prob, goals, features = (torch.stack(part, 1) for part in zip(*found, strict=True))
        last = self.leaked([*tokens.unbind(1)], len(tokens))
        return self.uncertain(log_prob, tokens), goals, torch.cat([features, last[:, None]], 1)

    def everything(
        self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY
    ) -> Mapping[str, Tensor]:
        """Return samples, and where gradients are computed log-probabilities, goals and leaked features.

        Without gradients the temperature is 1: D learns of what sampling gives, as in the authors' program.
        """
        if not torch.is_grad_enabled():
            with evaluation_mode(self):
                return {SAMPLES: self(z, labels, given)}
        samples = self(z, labels, given)
        log_prob, goals, features = self.trace(samples.argmax(2))
        return {SAMPLES: samples, LOG_PROB: log_prob, "goals": goals, "features": features}


def changes(goals: Tensor, features: Tensor, horizon: int, steps: Tensor | None = None) -> Tensor:
    """Return cos(f_(t+c) - f_t, g_t) (N, T), with the last features where the sequence ends before t + c.

    With the numbers of steps (N,) of sequences, those are the features at their ends, and what follows is 0.
    """
    n, length = goals.shape[:2]
    steps = torch.full((n,), length, device=goals.device) if steps is None else steps
    later = torch.minimum(torch.arange(length, device=goals.device) + horizon, steps[:, None])
    reached = features.gather(1, later[..., None].expand(-1, -1, features.shape[2]))
    return F.cosine_similarity(reached - features[:, :-1], goals, dim=2) * inside(steps, length)


def intrinsic(goals: Tensor, features: Tensor, horizon: int) -> Tensor:
    """Return the worker's reward (N, T): the mean over i ≤ c of cos(f_t - f_(t-i), g_(t-i)), f_t after token t."""
    found = []
    for step in range(1, goals.shape[1] + 1):
        parts = [
            F.cosine_similarity(features[:, step] - features[:, step - i], goals[:, step - i], dim=1)
            for i in range(1, min(horizon, step) + 1)
        ]
        found.append(torch.stack(parts).mean(0))
    return torch.stack(found, 1)


def by_rank(rewards: Tensor, sharpness: float) -> Tensor:
    """Return σ(δ (i / B - ½)) (B, T), i the place of a reward in its batch from the least, 1, to the greatest, B."""
    places = rewards.argsort(0).argsort(0) + 1
    return (sharpness * (places.to(rewards) / len(rewards) - 0.5)).sigmoid()


class ManagerReward(DiscriminatorReward):
    """The manager is paid for where features go, and the worker for going there.

    manager  -R_t cos(f_(t+c) - f_t, g_t);   worker  -log π(a_t) · intrinsic_t;   R by rank within the batch
    """

    sharpness: float

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return both losses together; they have no parameter in common."""
        policy = policy_of(self.game)
        assert isinstance(policy, LeakPolicy)
        goals, features = pair.made["goals"], pair.made["features"]
        with torch.no_grad():
            rewards = self.rewards(pair, player)
            self._rewards = rewards.mean(0)
            ranked = by_rank(rewards, self.sharpness)
            earned = intrinsic(goals, features, policy.horizon)
        steps = told(pair.fake.argmax(2)) if policy.ends else None
        manager = -(ranked * changes(goals, features, policy.horizon, steps)).sum(1)
        worker = -(pair.made[LOG_PROB] * earned).sum(1)
        return (manager + worker).mean()


class ManagerLikelihood(Term):
    """-cos(f_(t+c) - f_t, g_t) on real sequences: goals that lead where these go."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over steps, of sequences of different lengths up to their ends."""
        policy, tokens = policy_of(self.game), pair.batch.samples.argmax(2)
        assert isinstance(policy, LeakPolicy)
        _, goals, features = policy.trace(tokens)
        if not policy.ends:
            return -changes(goals, features, policy.horizon).mean()
        return -mean_inside(changes(goals, features, policy.horizon, told(tokens)), counted(tokens))


class LeakGAN(TokenPolicyGame):
    """SeqGAN with a generator of two levels; D's features of what is written are leaked to it.

    Likelihood training goes on beside the adversarial one: which updates are of which kind is the schedule's matter.

    Args:
        components: what the game is made of.
        rollouts: completions for each beginning.
        follow: what the roll-out policy keeps of itself in each update.
        sharpness: δ, of the rewards by rank; 16 in the authors' program.
    """

    def __init__(self, components: Components, rollouts: int, follow: float, sharpness: float) -> None:
        reward = ManagerReward(rollouts, follow, "none", False, length_of(components))
        reward.sharpness = sharpness
        super().__init__(components, reward)
        policy = policy_of(self)
        if not isinstance(policy, LeakPolicy):
            raise ConfigError("game=leakgan needs a generator with a manager: networks.generator.name=leak_tokens")
        policy.link.network = self.discriminator
        found = self._features()
        if found != policy.size:
            raise ConfigError(
                f"networks.generator.features={policy.size}, and the discriminator's last features are {found}"
            )
        self.player(LIKELIHOOD).add_term("manager", ManagerLikelihood())

    def _features(self) -> int:
        with torch.no_grad(), evaluation_mode(self.discriminator):
            return self.discriminator.features(torch.zeros(1, *self.data.sample))[-1].flatten(1).shape[1]
