"""Samplers, the rejection of what the discriminator does not take for real, and the scores of games that translate."""

import copy
import json
import math
import re

import pytest
import torch
from scipy import stats
from torch import nn

from gan_framework.config.schema import EvaluateConfig
from gan_framework.core import seeding
from gan_framework.core.contracts.networks import Discriminator, Generator
from gan_framework.core.game import Components, Game
from gan_framework.core.pair import Pair
from gan_framework.core.records import DataShape, DiscriminatorOutput, Latent
from gan_framework.data import Data, InMemory
from gan_framework.errors import ConfigError, RunFailed
from gan_framework.evaluation.evaluator import Evaluator
from gan_framework.evaluation.inputs import Inputs, batch_of
from gan_framework.evaluation.latents import fixed_latent
from gan_framework.evaluation.protocol import differences
from gan_framework.evaluation.sampler import Sampler, as_promised, pairs_of
from gan_framework.evaluation.sampling import batches, check, draw_latents, inputs_for, samples, sampling_as
from gan_zoo.losses.vanilla import NonSaturating
from gan_zoo.losses.wasserstein import Wasserstein
from gan_zoo.metrics.fid import FID
from gan_zoo.priors.normal import Normal
from gan_zoo.samplers.rejection import Rejection
from tests.evaluation.conftest import NoSchedule
from tests.evaluation.test_evaluator import Halves

CPU = torch.device("cpu")


class Short(Sampler):
    """Gives a sample less than it is asked for."""

    name = "short"

    def draw(self, game, latent, random):
        return game.sample(latent)[:-1]


def test_fewer_samples_than_latents_are_never_scored(game):
    latents = draw_latents(game, EvaluateConfig(samples=8), 0, None)
    drawn = batches(game, latents, 4, Short(), torch.Generator())
    with pytest.raises(RunFailed, match="sampler=short gives 3 for 4 latents, not a sample for each"):
        next(drawn)
    whole = game.networks["generator"].forward
    game.networks["generator"].forward = lambda z, labels=None: whole(z)[:-1]
    with pytest.raises(RunFailed, match="the generator gives 3 for 4 latents, not a sample for each"):
        next(batches(game, latents, 4))


class Function(Generator):
    """Samples are a function of z; a parameter shows which of two copies is asked."""

    def __init__(self, function, conditional=False):
        super().__init__()
        self.function = function
        self.conditional = conditional
        self.shift = nn.Parameter(torch.zeros(()))

    def forward(self, z, labels=None):
        made = self.function(z, labels) if self.conditional else self.function(z)
        return made + self.shift


class Logit(Discriminator):
    """Says a known function of the samples."""

    batch_independent = True

    def __init__(self, function):
        super().__init__()
        self.function = function
        self.asked = 0
        self.scale = nn.Parameter(torch.ones(()))

    def features(self, x, labels=None, *given):
        return (x,)

    def forward(self, x, labels=None, *given):
        self.asked += len(x)
        return DiscriminatorOutput(self.scale * self.function(x, labels, *given))


LINE = DataShape((1,))


def make(generate, logit, shape=LINE, loss=None, conditional=False, kind=Game, prior=None):
    networks = {"generator": Function(generate, conditional), "discriminator": Logit(logit)}
    return kind(Components(shape, networks, NoSchedule(), prior or Normal(1), loss or NonSaturating()))


def drawn(game, sampler, count, seed=0, batch_size=500, labels=None):
    latents = game.latent(count, labels, generator=seeding.generator(seed, "latents"))
    random = seeding.generator(seed, "sampler")
    return torch.cat(list(batches(game, latents, batch_size, sampler, random)))


def exact(**changes):
    return Rejection(**({"burn_in": 10_000, "percentile": None, "epsilon": 1e-6} | changes))


# -- rejection, against distributions that are known ------------------------------------------------

P, Q = torch.tensor([0.5, 0.3, 0.2]), torch.tensor([0.2, 0.3, 0.5])


def thirds(loss=None):
    """A game over three values, 0, 1 and 2: q is what is generated, p the data, and D is optimal."""
    edges = Q.cumsum(0)

    def generate(z):
        return (torch.special.ndtr(z) > edges[:2]).sum(1, keepdim=True).float()

    return make(generate, lambda x, labels: (P / Q).log()[x[:, 0].long()], loss=loss)


def test_before_an_optimal_discriminator_what_is_kept_is_distributed_as_the_data():
    game = thirds()
    plain, kept = drawn(game, None, 20_000)[:, 0], drawn(game, exact(), 20_000)[:, 0]
    for found, truth in ((plain, Q), (kept, P)):
        counts = found.long().bincount(minlength=3).numpy()
        assert stats.chisquare(counts, truth.numpy() * 20_000).pvalue > 0.001
    # Two distributions that the test tells apart.
    assert stats.chisquare(kept.long().bincount(minlength=3).numpy(), Q.numpy() * 20_000).pvalue < 1e-12


def test_the_share_that_is_kept_is_one_by_the_greatest_ratio():
    game, sampler = thirds(), exact()
    latents = game.latent(50_000, generator=seeding.generator(0, "many"))
    with as_promised(game):
        sampler.prepare(game, latents.part(slice(100)), seeding.generator(0, "burn in"))
        logits = pairs_of(game, latents)["main"].fake_output.scores.double()
    keeps = sampler._keeps(logits, seeding.generator(0, "coins"))
    values = game.sample(latents)[:, 0].long()
    for value, chance in enumerate((1.0, 0.4, 0.16)):
        share = keeps[values == value].float().mean().item()
        assert share == pytest.approx(chance, abs=0.012)
    assert keeps.float().mean().item() == pytest.approx(1 / 2.5, abs=0.01)


def normal_game(mean=0.5, deviation=1.0, spread=2.0, **others):
    """p is N(mean, deviation²), q is N(0, spread²), and D is optimal."""

    def logit(x, labels):
        x = x[:, 0].double()
        real = torch.distributions.Normal(mean, deviation).log_prob(x)
        return (real - torch.distributions.Normal(0.0, spread).log_prob(x)).float()

    return make(lambda z: spread * z, logit, **others)


def test_the_density_of_what_is_kept_is_that_of_the_data():
    kept = drawn(normal_game(), exact(), 5000)[:, 0]
    assert stats.kstest(kept.numpy(), stats.norm(0.5, 1.0).cdf).pvalue > 0.01
    plain = drawn(normal_game(), None, 5000)[:, 0]
    assert stats.kstest(plain.numpy(), stats.norm(0.0, 2.0).cdf).pvalue > 0.01
    assert stats.kstest(plain.numpy(), stats.norm(0.5, 1.0).cdf).pvalue < 1e-12


@pytest.mark.parametrize("batch_size", [1, 7, 2000])
def test_what_is_kept_is_distributed_as_the_data_whatever_the_batch_size(batch_size):
    kept = drawn(normal_game(), exact(burn_in=2000), 2000, batch_size=batch_size)[:, 0]
    assert stats.kstest(kept.numpy(), stats.norm(0.5, 1.0).cdf).pvalue > 0.01


def test_a_lower_percentile_keeps_more_and_a_share_is_kept_at_least():
    shares = []
    for percentile in (99.0, 80.0, 20.0):
        game, sampler = normal_game(spread=100.0), exact(percentile=percentile)
        latents = game.latent(10_000, generator=seeding.generator(0, "many"))
        with as_promised(game):
            sampler.prepare(game, latents.part(slice(100)), seeding.generator(0, "burn in"))
            logits = pairs_of(game, latents)["main"].fake_output.scores.double()
        share = sampler._keeps(logits, seeding.generator(0, "coins")).double().mean().item()
        assert share > 0.4 * (1 - percentile / 100)  # of those beyond the percentile at least every other
        shares.append(share)
    assert shares == sorted(shares)


def test_the_percentile_is_that_of_the_margins_before_it():
    game, sampler = normal_game(), exact(percentile=80.0)
    latents = game.latent(100)
    with as_promised(game):
        sampler.prepare(game, latents, seeding.generator(3, "random"))
        random = seeding.generator(3, "random")
        logits = torch.cat(
            [
                game.networks["discriminator"].function(game.sample(game.latent(500, None, random)), None)
                for _ in range(20)
            ]
        ).double()
    below = logits - logits.max()
    margins = below - (1 - (below - 1e-6).exp()).log()
    assert sampler._shift == pytest.approx(float(torch.quantile(margins, 0.8)), rel=1e-4)


def test_a_sample_beyond_the_greatest_so_far_raises_it():
    game, sampler = thirds(), exact(burn_in=2)
    sampler._greatest = -5.0
    sampler._keeps(torch.tensor([0.1, 0.9]).double(), seeding.generator(0, "coins"))
    assert sampler._greatest == pytest.approx(0.9)
    with as_promised(game):  # and another game begins anew
        sampler.prepare(game, game.latent(2), seeding.generator(0, "burn in"))
    assert sampler._greatest <= math.log(2.5) + 1e-6


def test_the_same_seed_draws_the_same_samples_and_leaves_torch_alone():
    game, before = normal_game(), torch.random.get_rng_state()
    first, again, other = (drawn(game, exact(), 300, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_labels_stay_where_they_are():
    labels = torch.arange(3000) % 3
    centres = torch.tensor([-20.0, 0.0, 20.0])

    def logit(x, labels):
        x = x[:, 0] - centres[labels]
        return stats_normal(x, 0.5, 1.0) - stats_normal(x, 0.0, 2.0)

    game = make(lambda z, labels: 2 * z + centres[labels][:, None], logit, DataShape((1,), 3), conditional=True)
    kept = drawn(game, exact(), 3000, labels=labels, batch_size=300)[:, 0] - centres[labels]
    assert stats.kstest(kept.numpy(), stats.norm(0.5, 1.0).cdf).pvalue > 0.01


def stats_normal(x, mean, deviation):
    return torch.distributions.Normal(mean, deviation).log_prob(x)


class Joint(Game):
    """A judge of (x, z)."""

    def pair(self, batch, latent):
        return Pair(
            self.judge("discriminator"),
            batch,
            latent,
            self.generate(latent),
            real_given=(torch.zeros_like(latent.z),),
            fake_given=(latent.z,),
        )


def test_a_judge_of_x_and_z_is_given_both():
    # Only z says what is real here: every x is 0 but for rounding.
    def logit(x, labels, z):
        return stats_normal(z[:, 0], 0.5, 0.5) - stats_normal(z[:, 0], 0.0, 1.0)

    game = make(lambda z: 1e-3 * z, logit, kind=Joint)
    kept = drawn(game, exact(), 3000)[:, 0] * 1e3
    assert stats.kstest(kept.numpy(), stats.norm(0.5, 0.5).cdf).pvalue > 0.01


def test_what_is_judged_comes_from_the_averaged_weights():
    game = normal_game()
    average = copy.deepcopy(game.networks["generator"])
    average.shift.data += 100.0
    game.networks["generator_ema"] = average
    own = game.networks["generator"]
    assert (pairs_of(game, game.latent(10))["main"].fake < 50).all()
    game.sampling_network = "generator_ema"
    pair = pairs_of(game, game.latent(10))["main"]
    assert (pair.fake > 50).all()
    assert game.networks["generator"] is own
    assert game.networks["generator_ema"] is average


def test_networks_are_in_evaluation_mode_while_a_sampler_draws_and_as_before_after_it():
    class Looks(Sampler):
        name = "looks"

        def draw(self, game, latent, random):
            self.seen = (game.networks.training, game.networks["discriminator"].training, torch.is_grad_enabled())
            return game.sample(latent)

    game, sampler = normal_game(), Looks()
    drawn(game, sampler, 4)
    assert sampler.seen == (False, False, False)
    assert game.networks["discriminator"].training


# -- what cannot be drawn from ----------------------------------------------------------------------


def test_a_loss_without_probabilities_is_refused():
    with pytest.raises(ConfigError, match="sampler=rejection.*loss is Wasserstein"):
        exact().check(thirds(loss=Wasserstein()))
    exact().check(thirds())


def test_a_game_without_a_prior_or_a_judge_is_refused():
    game = thirds()
    game.prior = None
    with pytest.raises(ConfigError, match="sampler=rejection draws latents again, and Game draws none"):
        exact().check(game)

    class Named(Game):
        def pairs(self, batch, latent):
            return {"left": self.pair(batch, latent)}

    with pytest.raises(ConfigError, match="the pair 'main', and Named has none; its pairs are left"):
        exact().check(make(lambda z: z, lambda x, labels: x[:, 0], kind=Named))


def test_settings_have_their_ranges():
    for name, value in (("burn_in", 1), ("percentile", 101.0), ("percentile", -1.0), ("epsilon", 0.0)):
        with pytest.raises(ValueError, match=f"{name}={value}"):
            exact(**{name: value})


def test_a_discriminator_that_is_not_finite_ends_it():
    game = make(lambda z: z, lambda x, labels: x[:, 0] * math.nan)
    with pytest.raises(RunFailed, match="sampler=rejection.*not finite"):
        drawn(game, exact(burn_in=10), 4)


def test_a_discriminator_that_keeps_nothing_ends_it(monkeypatch):
    monkeypatch.setattr("gan_zoo.samplers.rejection.TRIES", 20)
    game, sampler = thirds(), exact(burn_in=10)
    monkeypatch.setattr(sampler, "prepare", lambda *arguments: setattr(sampler, "_greatest", 60.0))
    with pytest.raises(RunFailed, match="keeps none of more than 20.*sampler.percentile"):
        drawn(game, sampler, 4)


# -- samplers in scores -----------------------------------------------------------------------------


def evaluator(source, tmp_path, sampler=None, **settings):
    settings = EvaluateConfig(**({"samples": 50, "batch_size": 16} | settings))
    return Evaluator(Halves(), {"fid": FID()}, source, "blobs", settings, CPU, tmp_path, sampler)


class Second(Sampler):
    """Samples of other latents than it is given, so that it can be seen at work."""

    name = "second"

    def __init__(self, scale):
        self.scale = scale
        self._prepared = 0

    def prepare(self, game, latent, random):
        self._prepared += 1

    def draw(self, game, latent, random):
        game.sample(latent)  # so that it costs two for one
        noise = torch.randn(latent.z.shape, generator=random)
        return game.sample(latent._replace(z=self.scale * noise))


def test_scores_are_those_of_the_samplers_samples_and_the_protocol_says_so(source, game, tmp_path, caplog):
    caplog.set_level("INFO")
    plain = evaluator(source, tmp_path)(game)
    assert "s for each of" not in caplog.text
    sampler = Second(3.0)
    other = evaluator(source, tmp_path, sampler, seeds=2)(game)
    assert sampler._prepared == 2
    assert re.search(r"sampler=second took [\d.e-]+ s and 2 generated for each of 50 samples", caplog.text)
    assert "sampler" not in plain.protocol
    assert other.protocol["sampler"] == {"name": "second", "scale": 3.0}
    assert other.protocol["generated_per_sample"] == 2 and "generated_per_sample" not in plain.protocol
    assert json.loads(json.dumps(other.protocol)) == other.protocol
    assert differences(plain.protocol, other.protocol) == ["sample_seeds", "sampler"]
    assert other.deviations["fid_halves"] > 0
    alone = evaluator(source, tmp_path, Second(3.0))(game)
    assert alone.scores != plain.scores
    assert alone.scores == evaluator(source, tmp_path, Second(3.0))(game).scores


def test_a_sampler_that_does_not_fit_is_refused_before_training(source, game, tmp_path):
    with pytest.raises(ConfigError, match="sampler=rejection needs a loss"):
        evaluator(source, tmp_path, exact()).check(game)


def test_truncation_beside_a_sampler_is_refused(game):
    with pytest.raises(ConfigError, match="evaluate.truncation=0.5 has no effect: latents are drawn by the sampler"):
        check(game, EvaluateConfig(truncation=0.5), Second(1.0))


# -- games that translate ---------------------------------------------------------------------------


class Darker(nn.Module):
    """Half of the image that it is given, plus a batch norm that sees it."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(1)
        self.conditional = False
        self.seen = []

    def forward(self, z, labels, given):
        (image,) = given.values()
        self.seen.append(len(image))
        self.norm(image)
        return image / 2


class Translation(Game):
    generates_from = "source"
    sampling_network = "generator"


class OwnSamples(Game):
    generates_from = "samples"


class WithSource(Data):
    """Images with their negatives as extras; notes what is read at a time."""

    def __init__(self, count=10, labels=None):
        levels = torch.arange(count, dtype=torch.uint8)[:, None, None, None] * 20
        self.samples = levels.expand(count, 1, 2, 2).contiguous()
        self.labels = labels
        self.most = 0

    def __len__(self):
        return len(self.samples)

    def read(self, indices):
        self.most = max(self.most, len(indices))
        return self.samples[torch.as_tensor(indices)]

    def read_extra(self, indices):
        return {"source": 255 - self.samples[torch.as_tensor(indices)], "length": torch.as_tensor(indices).long()}


def translating(kind=Translation, labels=0):
    shape = DataShape((1, 2, 2), labels, extra={"source": (1, 2, 2), "length": ()})
    networks = {"generator": Darker(), "discriminator": Logit(lambda x, labels: x.flatten(1).mean(1))}
    return kind(Components(shape, networks, NoSchedule(), None, NonSaturating()))


def translated(game, data, count, batch_size, seed=0):
    settings = EvaluateConfig(samples=count, batch_size=batch_size)
    inputs = inputs_for(game, data, count, seed)
    latents = draw_latents(game, settings, 0, data.labels, inputs)
    return torch.cat(list(samples(game, latents, batch_size, inputs=inputs)))


def test_a_batch_of_a_split_is_as_networks_see_it():
    labels = torch.arange(10) % 3
    batch = batch_of(WithSource(labels=labels), torch.tensor([7, 2]), CPU)
    assert batch.index.tolist() == [7, 2]
    assert batch.labels.tolist() == [1, 2]
    assert batch.samples[:, 0, 0, 0].tolist() == pytest.approx([140 / 127.5 - 1, 40 / 127.5 - 1])
    assert batch.extra["source"][:, 0, 0, 0].tolist() == pytest.approx([115 / 127.5 - 1, 215 / 127.5 - 1])
    assert batch.extra["length"].tolist() == [7, 2]
    vectors = InMemory(torch.tensor([[1.5], [2.5]]))
    assert batch_of(vectors, torch.tensor([1]), CPU).samples.tolist() == [[2.5]]


@pytest.mark.parametrize(
    ("count", "chosen"), [(10, list(range(10))), (4, [0, 3, 6, 9]), (23, [*range(10), *range(10), 0, 1, 2])]
)
@pytest.mark.parametrize("kind", [Translation, OwnSamples])
def test_inputs_are_evenly_spaced_in_their_order_and_repeated_where_there_are_too_few(kind, count, chosen):
    data = WithSource()
    found = translated(translating(kind), data, count, batch_size=4)
    assert data.most <= 4  # never all of them at once
    assert found.dtype == torch.uint8
    given = torch.tensor([20 * index if kind is OwnSamples else 255 - 20 * index for index in chosen])
    expected = ((given / 127.5 - 1) / 2 + 1) * 127.5
    assert (found[:, 0, 0, 0] - expected).abs().max() <= 0.51
    assert torch.equal(found, translated(translating(kind), WithSource(), count, batch_size=count))


def test_the_first_inputs_are_of_all_the_data_where_only_their_samples_are_kept():
    data = WithSource(labels=torch.arange(10) // 5)
    mixed = Inputs(data, 10, CPU, kept=4)
    assert mixed.index.tolist() != [*range(10)] and sorted(mixed.index.tolist()) == [*range(10)]
    assert mixed.labels[:4].unique().tolist() == [0, 1]
    assert torch.equal(mixed.index, Inputs(data, 10, CPU, seed=1, kept=4).index)
    for kept in (0, 10, 20):
        assert Inputs(data, 10, CPU, kept=kept).index.tolist() == [*range(10)]


def test_noise_that_a_game_gives_of_its_own_is_the_same_in_each_scoring_and_another_for_each_input():
    class Noisy(OwnSamples):
        def latent_for(self, batch):
            latent = super().latent_for(batch)
            return latent._replace(given={"samples": torch.randn_like(latent.given["samples"]) / 4})

    before = torch.random.get_rng_state()
    first = translated(translating(Noisy), WithSource(), 8, batch_size=4)
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.randn(5)
    assert torch.equal(first, translated(translating(Noisy), WithSource(), 8, batch_size=4))
    assert not torch.equal(first[:4], first[4:])
    # Without it the deviation over sample seeds would be that of one draw: 0.
    assert not torch.equal(first, translated(translating(Noisy), WithSource(), 8, batch_size=4, seed=1))
    grids = []
    for seed in (3, 3, 4):
        torch.randn(5)
        batch = batch_of(WithSource(), torch.arange(6), CPU)
        grids.append(fixed_latent(translating(Noisy), 6, seed, inputs=batch).given["samples"])
    assert torch.equal(grids[0], grids[1]) and not torch.equal(grids[0], grids[2])


@pytest.mark.parametrize("kind", [Translation, OwnSamples])
def test_a_judge_of_input_and_output_is_given_the_input(kind):
    class Both(kind):
        def pair(self, batch, latent):
            source = batch.samples if kind is OwnSamples else batch.extra["source"]
            return Pair(self.judge("discriminator"), batch, latent, self.generate(latent), fake_given=(source,))

    game = translating(Both)
    game.networks["discriminator"].function = lambda x, labels, source: (x / source).flatten(1).mean(1)
    latent = inputs_for(game, WithSource(), 4).give(game, game.latent(4), slice(0, 4))
    with as_promised(game):
        assert pairs_of(game, latent)["main"].fake_output.scores.tolist() == pytest.approx([0.5] * 4)


def test_labels_are_those_of_the_inputs():
    data = WithSource(labels=torch.arange(10) % 4)
    game = translating(labels=4)
    game.networks["generator"].conditional = True
    latents = draw_latents(game, EvaluateConfig(samples=4), 0, data.labels, inputs_for(game, data, 4))
    assert latents.labels.tolist() == [0, 3, 2, 1]  # of 0, 3, 6 and 9


def test_games_that_translate_are_scored_on_inputs_of_the_split(source, tmp_path):
    class Same(OwnSamples):
        def make(self, latent, network="generator"):
            return {"samples": latent.given["samples"]}

    shape = source.shape
    networks = {"generator": Darker(), "discriminator": Logit(lambda x, labels: x.flatten(1).mean(1))}
    game = Same(Components(shape, networks, NoSchedule(), None, NonSaturating()))
    # All 200 inputs as they are: no distance to the 200 real samples, but to the other split's there is one.
    same = evaluator(source, tmp_path, samples=200)
    same.check(game)
    assert same(game).scores["fid_halves"] == pytest.approx(0.0, abs=1e-3)
    few = evaluator(source, tmp_path, samples=20)(game).scores["fid_halves"]
    assert few > 0.1


def test_standing_statistics_of_a_game_that_translates_are_those_of_its_inputs():
    game, data = translating(), WithSource()
    settings = EvaluateConfig(samples=10, batch_size=10, batch_norm="standing")
    with sampling_as(game, settings, None, data=data):
        norm = game.networks["generator"].norm
        mean = (255 - data.samples).float().mean() / 127.5 - 1
        assert norm.running_mean.item() == pytest.approx(mean.item(), abs=1e-5)


def test_a_game_that_translates_without_inputs_is_an_error():
    with pytest.raises(ConfigError, match="Translation makes samples of samples, and none are given"):
        inputs_for(translating(), None, 10)


def test_truncation_of_a_game_without_latents_is_refused():
    with pytest.raises(ConfigError, match="evaluate.truncation=1.0 has no effect: Translation draws no latents"):
        check(translating(), EvaluateConfig(truncation=1.0))


def test_only_8_bit_images_are_quantised():
    for value_range, dtype in ((None, torch.uint8), ((0.0, 1.0), torch.float32)):
        shape = DataShape((1, 2, 2), value_range=value_range)
        game = make(lambda z: z[:, :, None, None].expand(-1, 1, 2, 2), lambda x, labels: x.sum((1, 2, 3)), shape)
        latent = Latent(torch.full((2, 1), 0.3333))
        (found,) = samples(game, latent, 2)
        assert found.dtype == dtype
        if value_range is not None:
            assert torch.equal(found, torch.full((2, 1, 2, 2), 0.3333))
