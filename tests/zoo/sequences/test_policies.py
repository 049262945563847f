"""Policy gradients of tokens: what they say in expectation, and what each system is paid by."""

import math
from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional as F

from gan_framework.api import SAMPLES, Batch, ConfigError, DataShape, DiscriminatorOutput, FeatureSet, Latent, Pair
from gan_zoo.generators.lstm_tokens import LSTMTokens
from gan_zoo.lengths import with_lengths
from gan_zoo.metrics.token_objective import TokenObjective
from gan_zoo.policy import LOG_PROB, inverse_cdf
from gan_zoo.systems.maligan import importance_weights
from gan_zoo.systems.organ import longest_run, repetitions, share_of
from gan_zoo.systems.rankgan import Ranker, RankingTerm, ranks
from gan_zoo.systems.seqgan import DiscriminatorReward
from gan_zoo.token_policy import policy_gradient

LOGITS = torch.tensor([0.2, -0.1, 0.4], dtype=torch.float64)


@pytest.fixture
def policy():
    torch.manual_seed(0)
    made = LSTMTokens(5, 4, 4, 6, 7).double()
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.7)
    return made


@pytest.mark.parametrize("baseline", [0.0, 0.7])
def test_the_mean_of_the_estimator_is_the_gradient_of_the_expected_reward(baseline):
    logits = LOGITS.clone().requires_grad_()
    every = torch.cartesian_prod(torch.arange(3), torch.arange(3))
    log_prob = logits.log_softmax(0)[every]  # (9, 2)
    reward = (every[:, 0] < every[:, 1]).double()
    probability = log_prob.sum(1).exp()
    assert (probability * reward).sum().item() == pytest.approx(0.3267395, abs=1e-7)
    advantage = (reward - baseline)[:, None].expand(-1, 2)
    loss = (probability.detach() * policy_gradient(log_prob, advantage)).sum()
    (gradient,) = torch.autograd.grad(-loss, logits)
    assert torch.allclose(gradient, torch.tensor([0.0030168, 0.0241166, -0.0271334]).double(), atol=1e-6)


def test_symbols_have_the_law_of_their_logits():
    shares = (torch.arange(30_000) + 0.5) / 30_000
    drawn = inverse_cdf(LOGITS.expand(30_000, 3), shares)
    assert torch.allclose(drawn.bincount().double() / 30_000, LOGITS.softmax(0), atol=1e-4)


def test_the_probabilities_of_all_sequences_sum_to_one(policy):
    every = torch.cartesian_prod(*[torch.arange(5)] * 4)
    assert policy.log_prob(every).sum(1).exp().sum().item() == pytest.approx(1)


def test_sequences_are_drawn_by_the_probabilities_that_are_said_of_them(policy):
    random = torch.Generator().manual_seed(1)
    drawn = policy.draw(torch.rand(20_000, 4, generator=random))
    first = drawn[:, 0].bincount(minlength=5) / 20_000
    assert torch.allclose(first.double(), policy.logits(drawn[:1])[0, 0].softmax(0), atol=0.015)
    pairs = (drawn[:, 0] * 5 + drawn[:, 1]).bincount(minlength=25) / 20_000
    every = torch.cartesian_prod(torch.arange(5), torch.arange(5))
    assert torch.allclose(pairs.double(), policy.log_prob(every).sum(1).exp(), atol=0.015)


def test_what_is_drawn_keeps_its_beginning(policy):
    prefix = torch.tensor([[3, 1], [0, 4]])
    assert torch.equal(policy.draw(torch.rand(2, 4), prefix)[:, :2], prefix)


def test_the_generator_of_the_paper_has_its_parameters():
    policy = LSTMTokens(5000, 20, 20, 32, 32)
    assert sum(parameter.numel() for parameter in policy.parameters()) == 333_320


def counting(x, labels=None, *given):
    """Judge by the share of symbol 0: its logit."""
    return DiscriminatorOutput(x[..., 0].mean(1))


class Fixed(DiscriminatorReward):
    """With a roll-out policy of the test."""

    def __init__(self, copy, rollouts):
        super().__init__(rollouts, 0.8, "none", False, 4)
        self.copy = copy


class Player:
    updates = 1


def generated(policy, n):
    latent = Latent(torch.rand(n, 4, generator=torch.Generator().manual_seed(2)).double() * 2 - 1)
    made = policy.everything(latent.z)
    return Pair(counting, Batch(made[SAMPLES]), latent, made[SAMPLES], made=made)


def test_a_rollout_from_the_last_step_is_the_judge_itself_and_others_its_mean(policy):
    pair = generated(policy, 3)
    torch.manual_seed(0)
    rewards = Fixed(policy, 3000).rewards(pair, Player())
    assert torch.equal(rewards[:, -1], counting(pair.fake).scores.sigmoid())
    # The mean over all endings, by enumeration, after the first two tokens.
    endings = torch.cartesian_prod(torch.arange(5), torch.arange(5))
    tokens = pair.fake.argmax(2)
    for row in range(3):
        whole = torch.cat([tokens[row, :2].expand(25, 2), endings], 1)
        weight = policy.log_prob(whole)[:, 2:].sum(1).exp()
        expected = (weight * counting(policy.one_hot(whole)).scores.sigmoid()).sum()
        assert rewards[row, 1].item() == pytest.approx(expected.item(), abs=0.01)


def test_only_log_probabilities_have_a_gradient(policy):
    pair = generated(policy, 2)
    assert not pair.fake.requires_grad
    assert pair.made[LOG_PROB].requires_grad
    assert torch.allclose(pair.made[LOG_PROB], policy.log_prob(pair.fake.argmax(2)))


def test_the_weights_of_maligan():
    logits = torch.tensor([0.5, 0.8, 0.2], dtype=torch.float64).logit()
    assert torch.allclose(logits.exp(), torch.tensor([1, 4, 0.25]).double())
    expected = torch.tensor([0.1904762, 0.7619048, 0.0476190]).double()
    assert torch.allclose(importance_weights(logits), expected, atol=1e-7)


def test_the_ranks_of_rankgan():
    reference = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    angles = torch.tensor([0.9, 0.1, -0.5], dtype=torch.float64).acos()
    embedded = torch.stack([angles.cos(), angles.sin()], 1) * torch.tensor([[2.0], [1.0], [0.3]])
    found = [ranks(embedded[i : i + 1], embedded[torch.arange(3) != i], reference, 1.0).exp() for i in range(3)]
    expected = torch.tensor([0.5896484, 0.2649461, 0.1454055]).double()
    assert torch.allclose(torch.cat(found), expected, atol=1e-7)


def test_a_ranker_parts_generated_sequences_from_real_ones_as_much_as_the_other_way_round():
    # Without references among the ranked ones, nobody is nearest because it is itself.
    real, fake = torch.eye(4)[:, :2].clone(), torch.tensor([[0.6, 0.8], [1.0, 0.0]])
    real[2:] = torch.tensor([[0.8, 0.6], [-1.0, 0.0]])
    outputs = [SimpleNamespace(features=(features.requires_grad_(),)) for features in (real, fake)]
    loss = RankingTerm(2, 1.0)(SimpleNamespace(outputs=outputs), None)
    cosines = torch.cat([real[2:], fake]).detach() @ torch.eye(2)  # 2 real ones and 2 generated ones by 2 references
    share = cosines.exp()
    of_real = (share[:2] / (share[:2] + share[2:].sum(0))).mean(1).log().mean()
    of_fake = (share[2:] / (share[2:] + share[:2].sum(0))).mean(1).log().mean()
    assert loss.item() == pytest.approx((of_fake - of_real).item(), abs=1e-6)


def test_a_ranker_has_no_last_layer_and_embeds():
    said = Ranker(5, 4, 6, [1, 2], 3, 0.0)(F.one_hot(torch.arange(4)[None] % 5, 5).float())
    assert said.features[-1].shape == (1, 6)
    assert torch.allclose(said.logits, said.features[-1].norm(dim=1))


def test_objectives_and_repetitions_of_organ():
    tokens = torch.tensor([[3, 3, 1, 3], [0, 1, 2, 4], [3, 3, 1, 3]])
    assert share_of(tokens, 3).tolist() == [0.75, 0, 0.75]
    assert longest_run(tokens, 3).tolist() == [0.5, 0, 0.5]
    ends = torch.tensor([[3, 1, 0, 3], [3, 3, 3, 0], [0, 3, 3, 3]])  # of which nothing counts after the first 0
    assert share_of(ends, 3, True).tolist() == longest_run(ends, 3, True).tolist() == [0.5, 1, 0]
    assert repetitions(tokens).tolist() == [2, 1, 2]
    # Two completions of each of two beginnings: those of one beginning do not count against it.
    assert repetitions(tokens[[0, 0, 1, 1]], 2).tolist() == [1, 1, 1, 1]
    assert repetitions(tokens[[0, 1, 2, 0]], 2).tolist() == [2, 1, 2, 1]


def test_likelihood_of_uniform_tokens_is_the_log_of_their_number():
    policy = LSTMTokens(10, 12, 12, 4, 4)
    torch.nn.init.zeros_(policy.output.weight)
    torch.nn.init.zeros_(policy.output.bias)
    tokens = torch.randint(10, (3, 12))
    assert torch.allclose(-policy.log_prob(tokens).sum(1), torch.full((3,), 12 * math.log(10)))


def test_the_objective_of_samples_is_beside_the_datas():
    def side(tokens):
        samples = F.one_hot(torch.tensor(tokens), 4).float()
        return FeatureSet(samples, None, None, lambda indices: samples[indices])

    made, shape = side([[3, 3, 1, 3], [3, 3, 3, 3]]), DataShape((4, 4), vocabulary=4)
    both = SimpleNamespace(generated=made, real=side([[0, 1, 2, 3]]), shape=shape)
    assert TokenObjective("share", 3).scores(both) == {"objective": 0.875, "objective_real": 0.25}
    assert TokenObjective("run", 3).scores(both) == {"objective": 0.75, "objective_real": 0.25}
    with pytest.raises(ConfigError, match="symbol=4: the data have the symbols 0 to 3"):
        TokenObjective("share", 4).check_samples(shape, 1, 1)
    with pytest.raises(ConfigError, match=r"symbol=0: the data have the symbols 1 to 3 \(0 is padding\)"):
        TokenObjective("share", 0).check_samples(with_lengths(shape, True), 1, 1)
