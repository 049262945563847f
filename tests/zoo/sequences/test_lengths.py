"""Sequences of different lengths: where they end, and that nothing counts their padding."""

import math
from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional as F

from gan_framework.api import MAIN, ConfigError, DataShape, FeatureSet, Latent
from gan_framework.build import build_game
from gan_framework.core import seeding
from gan_framework.data import Sources
from gan_zoo.datasets.series import Series
from gan_zoo.datasets.token_grammar import TokenGrammar
from gan_zoo.datasets.tokens import Tokens
from gan_zoo.generators.lstm_tokens import LSTMTokens
from gan_zoo.lengths import (
    counted,
    ended,
    inside,
    lengths_of_series,
    lengths_of_tokens,
    mean_inside,
    with_lengths,
)
from gan_zoo.metrics.exact_match import ExactMatch
from gan_zoo.metrics.grammar import GrammarMetric
from gan_zoo.metrics.ngrams import Ngrams, ngrams, self_bleu
from gan_zoo.metrics.series_scores import SeriesScores
from gan_zoo.metrics.series_statistics import SeriesStatistics
from gan_zoo.recurrent import Recurrent
from gan_zoo.systems.rgan import RNNSeriesDiscriminator
from tests.zoo.sequences.test_games import game_of

SHAPE = with_lengths(DataShape((4, 3), vocabulary=3), True)


@pytest.fixture
def policy():
    torch.manual_seed(0)
    made = LSTMTokens(3, 4, 4, 6, 7).double()
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.7)
    made.ends = True
    return made


def sides(made, real, shape):
    """Two sets of samples as metrics are given them."""

    def side(samples):
        return FeatureSet(samples, None, None, lambda indices: samples[indices])

    return SimpleNamespace(generated=side(made), real=side(real), shape=shape)


def longer(x, steps):
    """Sequences (N, T, V) of tokens, or series (N, F, T), with so many steps of padding more."""
    if x.shape[-1] == 3 and x.ndim == 3 and bool((x.sum(2) == 1).all()):
        padding = F.one_hot(torch.zeros(len(x), steps, dtype=torch.int64), 3).to(x)
        return torch.cat([x, padding], 1)
    return F.pad(x, (0, steps))


# -- where sequences end --------------------------------------------------------------------------


def test_tokens_end_before_the_first_padding_and_series_after_their_last_value():
    tokens = torch.tensor([[1, 2, 0, 0], [1, 2, 1, 2], [0, 1, 2, 1], [2, 0, 1, 0]])
    assert lengths_of_tokens(tokens).tolist() == [2, 4, 0, 1]
    assert ended(tokens).tolist() == [[1, 2, 0, 0], [1, 2, 1, 2], [0, 0, 0, 0], [2, 0, 0, 0]]
    assert counted(tokens).sum(1).tolist() == [3, 4, 1, 2]
    series = torch.tensor([[[1.0, 0.0, 2.0, 0.0], [0.0, 0.0, 0.0, 0.0]], [[0.0] * 4, [0.0, 5.0, 0.0, 0.0]]])
    assert lengths_of_series(series).tolist() == [3, 2]
    assert lengths_of_series(torch.zeros(1, 2, 3)).tolist() == [0]


def test_means_leave_out_what_is_not_inside_even_where_it_is_no_number():
    values = torch.tensor([[1.0, math.nan], [2.0, 6.0]], requires_grad=True)
    mean = mean_inside(values, inside(torch.tensor([1, 2]), 2))
    mean.backward()
    assert mean.item() == 3
    assert values.grad.tolist() == [[pytest.approx(1 / 3), 0], [pytest.approx(1 / 3)] * 2]
    assert mean_inside(values, torch.zeros(2, 2, dtype=torch.bool)).item() == 0


# -- data ------------------------------------------------------------------------------------------


def test_lines_say_their_lengths_where_these_differ(tmp_path):
    def source(text):
        path = tmp_path / "lines.txt"
        path.write_text(text)
        return Tokens(path, None, 0.0, "words", None, None, False)

    different = source("a b c\na\nb c\n")
    data = different.load("train")
    assert different.shape.extra == {"lengths": ()} and different.shape.integers == ("lengths",)
    assert data.read_extra([0, 1, 2])["lengths"].tolist() == [3, 1, 2]
    assert source("a b c\nc b a\n").shape.extra == {}


@pytest.mark.parametrize(("kind", "vocabulary"), [("arithmetic", 6), ("strings", 40)])
def test_grammars_whose_sequences_end_say_where(kind, vocabulary):
    data = TokenGrammar(kind, 12, vocabulary, 200).load("train")
    lengths = data.read_extra(range(200))["lengths"]
    assert torch.equal(lengths, (data.samples != 0).sum(1)) and len(lengths.unique()) > 3
    assert TokenGrammar("markov", 12, 10, 5).shape.extra == {}


def test_series_are_of_every_length_alike_and_nothing_after_their_end():
    source = Series("sines", 2, 10, 0, 4000, shortest=4)
    data = source.load("train")
    lengths = data.read_extra(range(4000))["lengths"]
    assert torch.equal(lengths_of_series(data.samples), lengths)
    assert lengths.bincount(minlength=11)[:4].sum() == 0
    assert (lengths.bincount()[4:] / 4000 - 1 / 7).abs().max() < 0.02
    # What there is of them is what it is without an end.
    assert torch.equal(data.samples[0, :, :4], Series("sines", 2, 10, 0, 4000).load("train").samples[0, :, :4])
    with pytest.raises(ConfigError, match=r"data.shortest=11 must lie from 1 to data.length=10"):
        Series("sines", 2, 10, 0, 5, shortest=11)


# -- tokens ----------------------------------------------------------------------------------------


def test_the_probabilities_of_all_that_ends_sum_to_one(policy):
    every = torch.cartesian_prod(*[torch.arange(3)] * 4)
    own = every[(ended(every) == every).all(1)]
    assert policy.log_prob(own).sum(1).exp().sum().item() == pytest.approx(1)


def test_nothing_is_written_after_the_end(policy):
    drawn = policy.draw(torch.rand(500, 4, generator=torch.Generator().manual_seed(0)))
    assert torch.equal(ended(drawn), drawn) and len(lengths_of_tokens(drawn).unique()) == 5
    policy.ends = False
    drawn = policy.draw(torch.rand(500, 4, generator=torch.Generator().manual_seed(0)))
    assert not torch.equal(ended(drawn), drawn)


def test_padding_after_the_end_has_neither_a_likelihood_nor_a_gradient(policy):
    policy.length = 6
    tokens = torch.tensor([[1, 2, 0, 0], [2, 0, 0, 0]])
    short = policy.log_prob(tokens)
    long = policy.log_prob(F.pad(tokens, (0, 2)))
    assert (short != 0).tolist() == [[True, True, True, False], [True, True, False, False]]
    assert torch.equal(long[:, :4], short) and not long[:, 4:].any()
    gradients = [torch.autograd.grad(x.sum(), policy.output.weight)[0] for x in (short, long)]
    torch.testing.assert_close(*gradients)


def test_likelihood_is_the_mean_over_tokens_and_ends(compose):
    game, batches = game_of(compose, "seqgan", "game.rollouts=1", "data.kind=arithmetic", "data.vocabulary=6")
    assert game.generator.ends
    batch = batches()
    tokens, lengths = batch.samples.argmax(2), batch.extra["lengths"]
    logits = game.generator.logits(tokens).log_softmax(2)
    told = [
        logits[n, t, tokens[n, t]] for n in range(len(tokens)) for t in range(min(int(lengths[n]) + 1, tokens.shape[1]))
    ]
    term, player = game.player("likelihood").terms["likelihood"], game.player("likelihood")
    torch.testing.assert_close(term(game.meet(batch)[MAIN], player), -torch.stack(told).mean())
    plain, _ = game_of(compose, "seqgan", "game.rollouts=1")
    assert not plain.generator.ends


def test_an_auto_encoder_of_tokens_is_not_asked_for_padding(compose):
    game, batches = game_of_codes(compose)
    batch = batches()
    (pair,) = game.player("autoencoder").pairs(game.meet(batch)).values()
    term = game.player("autoencoder").terms["reconstruction"]
    game.noise_now = lambda: 0.0
    logits = game.decode(pair.real, pair.real_labels, batch.samples).log_softmax(2)
    own = counted(batch.samples.argmax(2))
    expected = -(logits * batch.samples).sum(2)[own].mean()
    term.attach(game)
    torch.testing.assert_close(term(pair, game.player("autoencoder")), expected)


def game_of_codes(compose):
    config = compose("experiment=arae", "metrics=[]", "data.samples=60", "data.kind=arithmetic", "data.vocabulary=6")
    sources = Sources(config["data"], config["sources"])
    return build_game(config, sources.shape, torch.device("cpu")), sources.batches(6, 0, "cpu")


def test_groups_of_tokens_are_counted_up_to_the_end():
    tokens = torch.tensor([[1, 2, 0, 0], [2, 0, 0, 0], [1, 2, 1, 2]])
    assert ngrams(tokens, 1, True) == {(1,): 3, (2,): 4, (0,): 2}
    assert ngrams(tokens, 2, True) == {(1, 2): 3, (2, 0): 2, (2, 1): 1}
    assert ngrams(tokens, 4, True) == {(1, 2, 1, 2): 1}
    # Alike in all that they have: BLEU 1, however short; with padding it would be so of unlike ones too.
    assert self_bleu(torch.tensor([[1, 0, 0, 0]] * 2), 4, True) == pytest.approx(1)
    unlike = torch.tensor([[1, 0, 0, 0], [2, 0, 0, 0]])
    assert self_bleu(unlike, 1, True) == pytest.approx(0.5) and self_bleu(unlike, 1) == pytest.approx(0.75)


def test_what_follows_the_end_is_not_compared_with_what_should_be():
    made, wanted = torch.tensor([[1, 2, 0, 2], [1, 1, 0, 0], [1, 2, 1, 1]]), torch.tensor([[1, 2, 0, 0]] * 3)
    pairs = [SimpleNamespace(generated=F.one_hot(made, 3).float(), target=F.one_hot(wanted, 3).float())]
    found = ExactMatch().scores(SimpleNamespace(pairs=lambda: pairs, shape=SHAPE))
    assert found == {"exact_match": pytest.approx(1 / 3), "token_match": pytest.approx(7 / 9)}
    plain = ExactMatch().scores(SimpleNamespace(pairs=lambda: pairs, shape=SHAPE._replace(extra={})))
    assert plain == {"exact_match": 0, "token_match": pytest.approx(8 / 12)}


def test_a_source_judges_what_is_written_before_the_end():
    tokens = TokenGrammar("strings", 10, 40, 50).load("train").samples
    spoilt = torch.where(inside(lengths_of_tokens(tokens) + 1, 10), tokens, 7)
    assert not torch.equal(spoilt, tokens)
    shape = with_lengths(DataShape((10, 40), vocabulary=40), True)
    both = [sides(F.one_hot(one, 40).float(), None, shape) for one in (tokens, spoilt)]
    for one in both:
        one.split = lambda name: sides(torch.zeros(1, 10, 40), None, shape).generated
    found = [GrammarMetric("strings", 10, 40).scores(one) for one in both]
    assert found[0] == found[1] and found[0]["validity"] == 1


def test_a_manager_is_neither_paid_nor_taught_for_padding(compose):
    small = ("game.rollouts=1", "networks.generator.horizon=2", "networks.generator.features=8")
    game, batches = game_of(compose, "leakgan", *small, "data.kind=arithmetic", "data.vocabulary=6")
    batch, policy = batches(), game.generator
    game.start(torch.device("cpu"))
    ends = batch.extra["lengths"].add(1).clamp(max=policy.length)
    assert policy.ends and int(ends.min()) < policy.length
    _, goals, features = policy.trace(batch.samples.argmax(2))
    total, steps = 0.0, 0
    for row, end in enumerate(ends.tolist()):
        for t in range(end):
            way = features[row, min(t + 2, end)] - features[row, t]
            total, steps = total + F.cosine_similarity(way, goals[row, t], dim=0), steps + 1
    term, player = game.player("likelihood").terms["manager"], game.player("likelihood")
    torch.testing.assert_close(term(game.meet(batch)[MAIN], player), -total / steps)


@pytest.mark.parametrize("name", ["tokens", "statistics", "scores"])
def test_more_padding_changes_no_score(name):
    random = seeding.generator(0, "padding", name)
    if name == "tokens":
        made, real = (ended(F.pad(torch.randint(0, 3, (60, 5), generator=random), (0, 1))) for _ in range(2))
        made, real = (F.one_hot(tokens, 3).float() for tokens in (made, real))
        metric, shape = Ngrams(3), SHAPE
    else:
        shape = with_lengths(DataShape((2, 12)), True)
        lengths = torch.randint(5, 13, (2, 80), generator=random)
        made, real = (torch.rand(80, 2, 12, generator=random) * inside(lengths[side], 12)[:, None] for side in range(2))
        metric = SeriesStatistics(3) if name == "statistics" else SeriesScores(10, 4)
    scores = metric.scores(sides(made, real, shape))
    padded = metric.scores(sides(longer(made, 5), longer(real, 5), shape))
    if name == "statistics":
        # Its mean over steps has more of these, at which nothing differs.
        padded["moment_error"] *= 17 / 12
    assert padded == pytest.approx(scores, abs=1e-6)
    assert metric.scores(sides(longer(made, 5), longer(real, 5), shape._replace(extra={}))) != pytest.approx(scores)


# -- series ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("both_ways", [False, True])
def test_a_recurrent_network_reads_back_from_each_end(both_ways):
    network = Recurrent("gru", 2, 3, both_ways=both_ways).double()
    x, lengths = torch.randn(3, 6, 2, dtype=torch.float64), torch.tensor([4, 6, 2])
    found = network(x, lengths)
    for row, length in enumerate(lengths.tolist()):
        torch.testing.assert_close(found[row, :length], network(x[row : row + 1, :length])[0])
        assert not found[row, length:].any()


@pytest.mark.parametrize("both_ways", [False, True])
def test_padded_steps_change_no_loss(compose, both_ways):
    game, batch = series_game(compose, f"networks.discriminator.both_ways={str(both_ways).lower()}")
    game.start(torch.device("cpu"))
    seeding.reseed(0, "one")
    losses = {name: game.player(name).evaluate(game.meet(batch)) for name in ("discriminator", "generator")}
    spoilt = batch.samples + 3 * ~inside(batch.extra["lengths"], 30)[:, None]
    other = type(batch)(spoilt, None, batch.extra)
    seeding.reseed(0, "one")
    again = {name: game.player(name).evaluate(game.meet(other)) for name in ("discriminator", "generator")}
    assert not torch.equal(spoilt, batch.samples)
    for name, found in losses.items():
        assert float(found["adversarial"].detach()) == float(again[name]["adversarial"].detach()), name


def test_a_judge_of_series_takes_the_mean_over_their_own_steps():
    judge = RNNSeriesDiscriminator(2, 0, 3, 1, "lstm", False, 0.0).double()
    x, lengths = torch.randn(2, 2, 5, dtype=torch.float64), torch.tensor([3, 5])
    said = judge(x, None, lengths).logits
    assert said.shape == (2,)
    torch.testing.assert_close(said[0], judge(x[:1, :, :3]).logits.mean())
    torch.testing.assert_close(said[1], judge(x[1:]).logits.mean())


def test_generated_series_are_as_long_as_those_of_their_batch_and_samples_as_those_that_training_met(compose):
    game, batch = series_game(compose)
    game.start(torch.device("cpu"))
    pair = game.meet(batch)[MAIN]
    assert torch.equal(lengths_of_series(pair.fake), batch.extra["lengths"])
    assert lengths_of_series(game.sample(game.latent(50))).unique().tolist() == [30]
    short = type(batch)(batch.samples, None, {"lengths": torch.tensor([7, 7, 7, 7, 7, 9])})
    for _ in range(3):
        game.step(lambda: short)
    latent = game.latent(2000, generator=torch.Generator().manual_seed(0))
    drawn = lengths_of_series(game.sample(latent)).bincount(minlength=31)
    assert drawn[7] + drawn[9] == 2000 and drawn[9].item() / 2000 == pytest.approx(1 / 6, abs=0.03)
    again, _ = series_game(compose)
    again.start(torch.device("cpu"))
    again.load_state_dict(game.state_dict())
    same = again.latent(2000, generator=torch.Generator().manual_seed(0))
    assert torch.equal(same.given["lengths"], latent.given["lengths"])


def series_game(compose, *overrides):
    small = ("networks.generator.width=4", "networks.discriminator.width=4", "data.samples=60", "data.shortest=5")
    config = compose("experiment=rgan", "metrics=[]", *small, *overrides)
    sources = Sources(config["data"], config["sources"])
    torch.manual_seed(0)
    game = build_game(config, sources.shape, torch.device("cpu"))
    return game, sources.batches(6, 0, "cpu")()


@pytest.mark.parametrize("name", ["timegan", "c_rnn_gan"])
def test_games_of_one_length_say_so(compose, name):
    config = compose(f"experiment={name}", "metrics=[]")
    shape = with_lengths(DataShape((4, 30) if name == "c_rnn_gan" else (5, 24), value_range=(0.0, 1.0)), True)
    with pytest.raises(ConfigError, match="takes series of one length, and these data have the extra 'lengths'"):
        build_game(config, shape, torch.device("cpu"))


def test_latents_of_one_length_are_as_they_were(compose):
    game = build_game(compose("experiment=rgan", "metrics=[]"), DataShape((1, 30)), torch.device("cpu"))
    assert isinstance(game.latent(3), Latent) and not game.latent(3).given and "length_counts" not in game.state_dict()
