"""Games of tokens: who trains what, and what pairs are made of."""

import pytest
import torch

from gan_framework.api import MAIN, ConfigError
from gan_framework.build import build_game
from gan_framework.data import Sources
from gan_framework.evaluation import drawing
from gan_framework.evaluation.inputs import batch_of, targets_of
from gan_framework.evaluation.latents import fixed_latent
from gan_zoo.policy import LOG_PROB
from gan_zoo.token_policy import Likelihood

TINY = ("metrics=[]", "train.device=cpu", "data.samples=60", "networks.discriminator.filters=2")


def game_of(compose, name, *overrides):
    config = compose(f"experiment={name}", *TINY, *overrides)
    sources = Sources(config["data"], config["sources"])
    torch.manual_seed(0)
    return build_game(config, sources.shape, torch.device("cpu")), sources.batches(6, 0, "cpu")


def changed_by(game, player, batch):
    before = {name: value.detach().clone() for name, value in game.networks.named_parameters()}
    game.player(player).play(game.meet(batch))
    now = dict(game.networks.named_parameters())
    return {name.split(".")[0] for name, value in before.items() if not torch.equal(value, now[name])}


def test_each_player_of_seqgan_trains_its_own(compose):
    game, batches = game_of(compose, "seqgan", "game.rollouts=1")
    assert changed_by(game, "likelihood", batches()) == {"generator"}
    assert changed_by(game, "generator", batches()) == {"generator"}
    assert changed_by(game, "discriminator", batches()) == {"discriminator"}


def test_likelihood_is_the_cross_entropy_of_the_batch(compose):
    game, batches = game_of(compose, "seqgan", "game.rollouts=1")
    batch = batches()
    pair = game.meet(batch)[MAIN]
    term = game.player("likelihood").terms["likelihood"]
    assert isinstance(term, Likelihood)
    logits = game.generator.logits(batch.samples.argmax(2)).flatten(0, 1)
    expected = torch.nn.functional.cross_entropy(logits, batch.samples.argmax(2).flatten())
    assert torch.allclose(term(pair, game.player("likelihood")), expected)


def test_the_rollout_policy_begins_as_the_generator_and_follows_it(compose):
    game, batches = game_of(compose, "seqgan", "game.rollouts=1", "game.follow=0.8")
    game.player("likelihood").play(game.meet(batches()))
    reward = game.player("generator").terms["policy_gradient"]
    before = [parameter.detach().clone() for parameter in game.generator.parameters()]
    game.player("generator").play(game.meet(batches()))
    for old, new, kept in zip(before, game.generator.parameters(), reward.copy.parameters(), strict=True):
        assert torch.allclose(kept, 0.8 * old + 0.2 * new, atol=1e-6)


def test_a_game_of_tokens_refuses_what_gives_no_likelihood(compose):
    with pytest.raises(ConfigError, match=r"SeqGAN needs a generator that gives log-probabilities.*SoftGRU"):
        game_of(
            compose,
            "seqgan",
            *("networks.generator.name=soft_gru", "+networks.generator.way=softmax"),
            *("~networks.generator.embedding",),
        )


def test_the_baseline_is_the_mean_of_earlier_rewards(compose):
    game, batches = game_of(compose, "seqgan", "game.rollouts=1", "game.baseline=moving")
    reward = game.player("generator").terms["policy_gradient"]
    seen = []
    for _ in range(3):
        game.player("generator").play(game.meet(batches()))
        seen.append(reward._rewards.clone())
    expected = 0.9 * (0.9 * seen[0] + 0.1 * seen[1]) + 0.1 * seen[2]
    assert torch.allclose(reward.average, expected)


def test_sequences_of_mixed_maligan_begin_as_real_ones_and_these_grow_shorter(compose):
    game, batches = game_of(compose, "maligan", "game.mixed_every=2", "game.completions=3")
    batch = batches()
    assert game.real_tokens() == 11
    pair = game.meet(batch)[MAIN]
    real, fake = batch.samples.argmax(2), pair.fake.argmax(2)
    assert torch.equal(fake[:3, :11], real[:1, :11].expand(3, -1))
    assert torch.equal(fake[3:, :11], real[1:2, :11].expand(3, -1))
    assert torch.allclose(pair.made[LOG_PROB], game.generator.log_prob(fake))
    game.player("generator").updates = 4
    assert game.real_tokens() == 9
    game.player("generator").updates = 1000
    assert game.real_tokens() == 0
    assert not torch.equal(game.meet(batch)[MAIN].fake[:3].argmax(2)[:, 0], real[:1, 0].expand(3))


def test_weights_of_maligan_sum_to_nothing_in_each_group_and_real_tokens_earn_their_share(compose):
    game, batches = game_of(compose, "maligan", "game.mixed_every=1", "game.completions=3")
    game.player("generator").updates = 5
    pair = game.meet(batches())[MAIN]
    earned = game.player("generator").terms["policy_gradient"].rewards(pair, game.player("generator"))
    assert torch.allclose(earned[:, :6], torch.full((6, 6), 1 / 6))
    assert torch.allclose(earned[:3, 6:].sum(0), torch.zeros(6), atol=1e-6)
    assert torch.allclose(earned[3:, 6:].sum(0), torch.zeros(6), atol=1e-6)
    with torch.no_grad():
        game.discriminator.eval()
        weights = pair.judge(pair.fake[:3]).scores.softmax(0)
    assert torch.allclose(earned[:3, -1], (weights - 1 / 3) / 2)


def test_an_objective_alone_pays_without_the_judge(compose):
    game, batches = game_of(compose, "organ", "game.rollouts=1", "game.share=0.0", "game.symbol=2")
    pair = game.meet(batches())[MAIN]
    reward = game.player("generator").terms["policy_gradient"]
    earned = reward.rewards(pair, game.player("generator"))
    tokens = pair.fake.argmax(2)
    repeated = (tokens[:, None] == tokens[None]).all(2).sum(1)
    assert torch.allclose(earned[:, -1], (tokens == 2).float().mean(1) / repeated)


def test_translations_are_written_beside_their_sources_and_what_they_should_be(compose):
    config = compose("experiment=csgan_translation", "metrics=[]", "train.device=cpu", "data.samples=60")
    sources = Sources(config["data"], config["sources"])
    game = build_game(config, sources.shape, torch.device("cpu"))
    data = sources.first.load("test")
    batch = batch_of(data, torch.arange(2), torch.device("cpu"))
    latent = fixed_latent(game, 2, 0, inputs=batch)
    targets = targets_of(game, data, torch.arange(2), torch.device("cpu"))
    lines = drawing.draw(game, latent, 2, targets, symbols=sources.first.symbols).text.splitlines()
    said = ["".join(map(str, tokens.tolist())) for tokens in (batch.extra["source"][0], data.read([0])[0])]
    source, made, target = lines[0].split("\t")
    assert [source, target] == said
    assert len(made) == 12


def test_the_length_of_rnn_wgan_grows_and_its_sequences_begin_as_real_ones(compose):
    config = ("experiment=rnn_wgan", "metrics=[]", "train.device=cpu", "data.samples=60", "game.variable=false")
    composed = compose(*config, "game.grow_every=2")
    sources = Sources(composed["data"], composed["sources"])
    game, batch = build_game(composed, sources.shape, torch.device("cpu")), sources.batches(6, 0, "cpu")()
    assert game.meet(batch)[MAIN].fake.shape == (6, 1, 10)
    game.player("generator").updates = 7
    pair = game.meet(batch)[MAIN]
    assert pair.fake.shape == pair.real.shape == (6, 4, 10)
    assert torch.equal(pair.fake[:, :3], batch.samples[:, :3])
    assert not torch.equal(pair.fake[:, 3], batch.samples[:, 3])
    game.player("generator").updates = 1000
    assert game.longest() == 12
    drawn = game.sample(game.latent(2))  # of whole symbols, as G is given in training
    assert drawn.shape == (2, 12, 10) and (drawn.amax(2) == 1).all() and (drawn.sum(2) == 1).all()
