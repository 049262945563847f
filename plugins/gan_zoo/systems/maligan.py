"""MaliGAN (Che et al. 2017, arXiv 1702.07983): sequences weighted by D / (1 - D), as maximum likelihood would."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.api import SAMPLES, Batch, Components, Latent, Pair, Player, evaluation_mode
from gan_zoo.policy import LOG_PROB
from gan_zoo.token_policy import PolicyGradient, TokenPolicyGame, length_of, policy_of


def importance_weights(logits: Tensor) -> Tensor:
    """Return r_i / Σ_j r_j (N,) with r = D / (1 - D), which is e^logit."""
    return logits.softmax(0)


class ImportanceReward(PolicyGradient):
    """Each token of a sequence earns the sequence's weight in its group less the mean weight.

    Where the first tokens are real (`MaliGAN.real_tokens`), they earn 1 / N: that is their likelihood.

    Args:
        length: T.
    """

    def __init__(self, length: int) -> None:
        super().__init__("none", True, length)

    def rewards(self, pair: Pair, player: Player) -> Tensor:
        """Return weights (N, T)."""
        game = self.game
        assert isinstance(game, MaliGAN)
        real, group = game.real_tokens(), game.group(len(pair.fake))
        with evaluation_mode(game.discriminator):
            logits = pair.judge(pair.fake, pair.fake_labels, *pair.fake_given).scores
        weights = torch.cat([importance_weights(part) - 1 / len(part) for part in logits.split(group)])
        earned = weights[:, None].repeat(1, pair.fake.shape[1]) * group / len(pair.fake)
        earned[:, :real] = 1 / len(pair.fake)
        return earned


class MaliGAN(TokenPolicyGame):
    """G minimises -Σ_i (r_i / Σ_j r_j - b) log π(x_i), r = D / (1 - D) and b the mean weight (equation 9).

    In the mixed form (section 3.2) the first N tokens of generated sequences are real ones, whose likelihood G raises,
    and several completions of each are weighted among each other; N falls by one after so many updates of G.

    Args:
        components: what the game is made of.
        mixed_every: updates after which N falls by one, from T; None for the basic form, without real tokens.
        completions: of each real beginning, in the mixed form.
        output_l2: the weight of the size of D's last layer.
    """

    def __init__(self, components: Components, mixed_every: int | None, completions: int, output_l2: float) -> None:
        if (mixed_every is not None and mixed_every < 1) or completions < 1:
            raise ValueError(f"mixed_every={mixed_every} completions={completions}: they must be at least 1")
        self.length = length_of(components)
        super().__init__(components, ImportanceReward(self.length), output_l2)
        self.mixed_every, self.completions = mixed_every, completions

    def real_tokens(self) -> int:
        """Return N, how many tokens of generated sequences are real."""
        if self.mixed_every is None:
            return 0
        return max(self.length - 1 - self.player("generator").updates // self.mixed_every, 0)

    def group(self, n: int) -> int:
        """Return how many sequences of a batch are weighted among each other."""
        return n if not self.real_tokens() else min(self.completions, n)

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return real sequences and generated ones, which may begin as real ones do."""
        real = self.real_tokens()
        if not real:
            return super().pair(batch, latent)
        policy, group = policy_of(self), self.group(len(batch.samples))
        beginnings = batch.samples.argmax(2)[: -(-len(batch.samples) // group), :real]
        prefix = beginnings.repeat_interleave(group, 0)[: len(batch.samples)]
        with torch.no_grad():
            tokens = policy.draw((latent.z + 1) / 2, prefix)
        made = {SAMPLES: policy.one_hot(tokens)}
        if torch.is_grad_enabled():
            made[LOG_PROB] = policy.log_prob(tokens)
        return Pair(self.judge("discriminator"), batch, latent, made[SAMPLES], made=made)
