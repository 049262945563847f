"""ARAE's codes, translation with attention, LeakGAN's goals, relaxed symbols, PassGAN's and RNN-WGAN's networks."""

import copy

import pytest
import torch
from torch.nn import functional as F

from gan_zoo.datasets.token_styles import TokenStyles
from gan_zoo.gumbel import relaxed
from gan_zoo.recurrent import Recurrent
from gan_zoo.systems.arae import CodeDecoder, CodeEncoder, CodeGenerator
from gan_zoo.systems.csgan_translation import AttentionPolicy, TranslationCNN
from gan_zoo.systems.leakgan import LeakPolicy, by_rank, changes, intrinsic
from gan_zoo.systems.passgan import ConvTokensDiscriminator, ConvTokensGenerator
from gan_zoo.systems.rgan import RNNSeriesDiscriminator, RNNSeriesGenerator
from gan_zoo.systems.rnn_wgan import SoftGRU


def parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


def sequences(n, length=6, vocabulary=5, seed=0):
    random = torch.Generator().manual_seed(seed)
    return F.one_hot(torch.randint(vocabulary, (n, length), generator=random), vocabulary).double()


def test_passgan_has_the_parameters_of_its_program():
    assert parameters(ConvTokensGenerator(128, 95, 10, 128)) == 997_855
    assert parameters(ConvTokensDiscriminator(95, 10, 128)) == 834_049


def test_its_samples_are_distributions():
    made = ConvTokensGenerator(4, 7, 3, 8)(torch.randn(2, 4))
    assert made.shape == (2, 3, 7)
    assert torch.allclose(made.sum(2), torch.ones(2, 3))


def test_the_greatest_noisy_logit_has_the_law_of_the_logits():
    torch.manual_seed(0)
    logits = torch.tensor([0.2, -0.1, 0.4], dtype=torch.float64)
    drawn = relaxed(logits.expand(40_000, 3), 0.5, "straight_through")
    assert torch.allclose(drawn.mean(0), logits.softmax(0), atol=0.01)
    assert torch.equal(drawn.detach().max(1).values.round(), torch.ones(40_000).double())


def test_straight_through_has_the_gradient_of_what_is_relaxed():
    logits = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(3, 4, dtype=torch.float64)
    found = []
    for way in ("gumbel", "straight_through"):
        torch.manual_seed(1)
        found.append(torch.autograd.grad((relaxed(logits, 0.7, way) * weight).sum(), logits)[0])
    assert torch.equal(*found)
    assert found[0].abs().sum() > 0


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_recurrent_layers_can_be_differentiated_twice(cell):
    network = Recurrent(cell, 2, 3, layers=2, both_ways=True).double()
    x = torch.randn(2, 4, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda x: network(x).square(), x)


def test_codes_have_length_one_and_without_noise_are_the_same_every_time():
    torch.manual_seed(0)
    encoder, x = CodeEncoder(5, 3, 4).double(), sequences(7)
    assert torch.allclose(encoder(x).norm(dim=1), torch.ones(7).double())
    assert torch.equal(encoder(x), encoder(x))
    assert torch.allclose(CodeGenerator(3, 4, [5])(torch.randn(6, 3)).norm(dim=1), torch.ones(6))


def test_a_decoder_that_is_told_what_it_says_says_the_same():
    torch.manual_seed(0)
    decoder = CodeDecoder(5, 6, 3, 4, 8, 0).double()
    code = torch.randn(3, 4, dtype=torch.float64)
    alone = decoder(code)
    told = F.one_hot(alone.argmax(2), 5).double()
    assert torch.allclose(decoder(code, told=told), alone)


def test_each_style_has_a_decoder_of_its_own():
    torch.manual_seed(0)
    decoder = CodeDecoder(5, 6, 3, 4, 8, 2).double()
    code, told = torch.randn(2, 4, dtype=torch.float64), sequences(2)
    mixed = decoder(code, torch.tensor([0, 1]), told)
    assert torch.equal(mixed[0], decoder(code, torch.tensor([0, 0]), told)[0])
    assert torch.equal(mixed[1], decoder(code, torch.tensor([1, 1]), told)[1])
    assert not torch.allclose(mixed[0], decoder(code, torch.tensor([1, 1]), told)[0])


def test_the_other_style_of_the_other_style_is_the_sequence():
    data = TokenStyles(4, 20, 2, 6).load("train")
    tokens, truth = data.read([0, 1]), data.read_truth([0, 1])
    assert (tokens[0] < 10).all()
    assert (tokens[1] >= 10).all()
    assert torch.equal((truth + 10) % 20, tokens)
    assert (truth[0] >= 10).all()


def test_a_translation_depends_on_its_source_alone():
    torch.manual_seed(0)
    policy = AttentionPolicy(5, 4, 4, 6, 7).double()
    source = torch.randint(5, (3, 4))
    tokens = torch.randint(5, (3, 4))
    whole = policy.log_prob(tokens, {"source": source})
    assert torch.allclose(policy.log_prob(tokens[:1], {"source": source[:1]}), whole[:1])
    assert not torch.allclose(policy.log_prob(tokens, {"source": source.flip(1)}), whole)


def test_a_judge_of_translations_sees_both():
    torch.manual_seed(0)
    judge = TranslationCNN(5, 6, 4, 3).double()
    source, target = torch.randint(5, (2, 6)), sequences(2)
    said = judge(target, None, source).logits
    assert not torch.allclose(judge(target, None, source.flip(1)).logits, said)
    assert not torch.allclose(judge(target.flip(1), None, source).logits, said)


def leak():
    torch.manual_seed(0)
    return LeakPolicy(5, 6, 6, 4, 7, 3, 2, 2, 1.5).double()


def test_rewards_by_rank():
    rewards = torch.tensor([[0.1], [7.0], [-3.0], [0.2]]).double()
    expected = torch.tensor([0.5, 0.9996646, 0.0179862, 0.9820138]).double()
    assert torch.allclose(by_rank(rewards, 16)[:, 0], expected, atol=1e-7)


def test_goals_that_lead_where_features_go_have_the_greatest_reward():
    features = torch.randn(2, 7, 3, dtype=torch.float64)
    goals = F.normalize(torch.stack([features[:, min(t + 2, 6)] - features[:, t] for t in range(6)], 1), dim=2)
    assert torch.allclose(changes(goals, features, 2), torch.ones(2, 6).double())
    # Of sequences that end there is nothing later than their ends, whatever is read there.
    spoilt = features.clone()
    spoilt[:, 4:] = 7.0
    short = changes(goals, spoilt, 2, torch.tensor([3, 3]))
    assert torch.equal(short[:, :3], changes(goals[:, :3], features[:, :4], 2)) and not short[:, 3:].any()
    straight = torch.arange(7).double()[None, :, None] * torch.tensor([1.0, 2.0, -1.0]).double()
    unit = F.normalize(torch.tensor([1.0, 2.0, -1.0]).double(), dim=0).expand(1, 6, 3)
    assert torch.allclose(intrinsic(unit, straight, 4), torch.ones(1, 6).double())
    assert torch.allclose(intrinsic(-unit, straight, 4), -torch.ones(1, 6).double())


def test_the_traced_likelihood_is_the_policys():
    policy, tokens = leak(), torch.randint(5, (3, 6))
    log_prob, goals, _ = policy.trace(tokens)
    assert torch.allclose(log_prob, policy.log_prob(tokens))
    assert torch.allclose(goals.norm(dim=2), torch.ones(3, 6).double())
    # The worker is told whither, not how far.
    with torch.no_grad():
        policy.reduce.weight.mul_(7)
    assert torch.allclose(policy.trace(tokens)[0], log_prob)


def test_the_workers_likelihood_leaves_the_manager_alone():
    policy = leak()
    log_prob, goals, _ = policy.trace(torch.randint(5, (2, 6)))
    worker = torch.autograd.grad(log_prob.sum(), [policy.goals.weight, policy.reduce.weight], allow_unused=True)
    assert worker[0] is None
    assert worker[1].abs().sum() > 0
    manager = torch.autograd.grad(goals.square().sum() + goals.sum(), [*policy.parameters()], allow_unused=True)
    reached = {id(p) for p, g in zip(policy.parameters(), manager, strict=True) if g is not None}
    assert reached == {id(p) for p in [*policy.manager.parameters(), *policy.goals.parameters()]}


def test_the_temperature_is_one_outside_of_training_and_copies_are_led_to_the_same_judge():
    policy, tokens = leak(), torch.randint(5, (2, 6))
    hot = policy.logits(tokens)
    uniform = 2 * torch.rand(200, 6).double() - 1
    with torch.no_grad():
        for_judge = policy.everything(uniform)["samples"]
        assert policy.training and not torch.equal(policy(uniform), for_judge)
        assert torch.equal(policy.eval()(uniform), for_judge)
    policy.train()
    assert torch.allclose(policy.eval().logits(tokens), 1.5 * hot)
    policy.link.network = torch.nn.Linear(1, 1)
    assert copy.deepcopy(policy).link.network is policy.link.network


def test_a_sequence_begins_as_it_is_given_and_is_said_alike_by_its_own_words():
    torch.manual_seed(0)
    generator = SoftGRU(3, 5, 6, 8, "softmax", 1.0).double()
    z, real = torch.randn(2, 3, dtype=torch.float64), sequences(2)
    written = generator.write(z, real[:, :2], 3)
    assert torch.equal(written[:, :2], real[:, :2])
    alone = generator(z)
    assert torch.allclose(generator.write(z, alone[:, :4]), alone)


def test_symbols_drawn_in_evaluation_follow_from_z():
    torch.manual_seed(0)
    generator = SoftGRU(3 + 6, 5, 6, 8, "straight_through", 1.0).eval()
    z = torch.rand(4, 9) * 2 - 1
    made = generator(z)
    assert torch.equal(made, generator(z))
    assert set(made.unique().tolist()) == {0.0, 1.0}
    assert not torch.equal(made, generator(torch.cat([z[:, :3], -z[:, 3:]], 1)))


def test_a_series_ends_as_it_does_whatever_comes_after():
    """What is said of a step, and made at it, depends on no later one."""
    torch.manual_seed(0)
    generator = RNNSeriesGenerator(8, 2, 4, 0, 5, 1, "lstm", "tanh").double()
    z = torch.randn(3, 8, dtype=torch.float64)
    other = z.clone()
    other[:, 6:] += 1
    assert torch.equal(generator(z)[..., :3], generator(other)[..., :3])
    assert not torch.equal(generator(z)[..., 3], generator(other)[..., 3])
    judge = RNNSeriesDiscriminator(2, 0, 5, 1, "gru", False, 0.0).double()
    x = torch.randn(3, 2, 4, dtype=torch.float64)
    changed = torch.cat([x[..., :3], x[..., 3:] + 1], 2)
    assert torch.equal(judge(x).logits[..., :3], judge(changed).logits[..., :3])
    assert torch.allclose(judge(x).scores, judge(x).logits.mean((1, 2)))


def test_series_are_made_and_judged_by_their_class():
    torch.manual_seed(0)
    generator = RNNSeriesGenerator(8, 2, 4, 3, 5, 1, "lstm", "linear")
    z, labels = torch.randn(2, 8), torch.tensor([0, 2])
    assert generator.conditional
    assert not torch.equal(generator(z, labels)[..., 0], generator(z, labels.flip(0))[..., 0])
    judge = RNNSeriesDiscriminator(2, 3, 5, 1, "lstm", True, 0.0)
    x = torch.randn(2, 2, 4)
    assert not torch.equal(judge(x, labels).logits, judge(x, labels.flip(0)).logits)
