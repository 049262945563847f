"""Networks of any name and number: checked, started, averaged and sampled from by the names that the game declares."""

import copy

import pytest
import torch

from gan_framework.core.contracts.networks import SAMPLES
from gan_framework.core.game import Game
from gan_framework.core.player import Player, TermPlan
from gan_framework.core.records import Latent
from gan_framework.errors import ConfigError
from gan_framework.evaluation import latents
from gan_zoo.terms.zero_centered import R1
from tests.core.abilities import experiment, flat, make, play

from gan_probe.layers import Dense, DenseJudge  # isort: skip

pytestmark = pytest.mark.usefixtures("probe")

AVERAGED = {
    "probe_bigan": ["generator"],
    "probe_cogan": ["generator_a", "generator_b"],
    "probe_cyclegan": ["generator_ab", "generator_ba"],
    "glo": ["decoder"],
    "probe_gman": ["generator"],
    "probe_lapgan": ["generator_0", "generator_1", "generator_2"],
}
SAMPLED = {"probe_cogan": "generator_a", "probe_cyclegan": "generator_ab", "glo": "decoder", "probe_lapgan": "pyramid"}


@pytest.mark.parametrize("name", AVERAGED)
def test_every_generator_is_averaged_and_samples_come_from_the_averages(compose, name):
    decay = 0.75
    average = ("strategy=[ema]", f"strategy.ema.decay={decay}", "strategy.ema.bounded=false")
    game, batches = experiment(compose, name, *average, "optimizer=sgd")
    sampled = SAMPLED.get(name, "generator")
    assert game.sampling_network == f"{sampled}_ema"
    expected = {one: flat(game.network(one)) for one in AVERAGED[name]}
    for step in range(3):
        play(game, batches, [step])
        for one, average in expected.items():
            expected[one] = decay * average + (1 - decay) * flat(game.network(one))
    for one, average in expected.items():
        torch.testing.assert_close(flat(game.network(f"{one}_ema")), average)
        assert not torch.allclose(average, flat(game.network(one)), rtol=1e-6, atol=0)

    # The averages written into the trained networks make the same samples.
    latent = latents.fixed_latent(game, 4, seed=0) if game.generates_from is None else game.latent_for(batches())
    found = game.sample(latent)
    assert found.shape == (len(latent.z), *game.data.sample)
    assert not torch.equal(found, game.generate(latent, sampled))
    for one, average in expected.items():
        torch.nn.utils.vector_to_parameters(average, game.network(one).parameters())
    torch.testing.assert_close(found, game.generate(latent, sampled).detach())


def test_a_network_that_is_updated_and_sampled_from_is_averaged_whatever_it_is(compose):
    game, batches = experiment(compose, "autoencoder", "strategy=[ema]", "data=digits")
    play(game, batches, range(1))
    assert game.sampling_network == "autoencoder_ema"
    assert not torch.equal(flat(game.network("autoencoder_ema")), flat(game.network("autoencoder")))


def test_a_pyramid_of_residuals_adds_up(compose):
    """At every level the real residual and the enlarged coarse image are the image itself."""
    game, batches = experiment(compose, "probe_lapgan")
    batch = batches()
    meeting = game.meet(batch)
    assert sorted(meeting) == ["0", "1", "2"]
    x = batch.samples
    coarse = x.reshape(16, 1, 4, 2, 4, 2).mean((3, 5))
    (given,) = meeting["2"].real_given
    torch.testing.assert_close(given, coarse.repeat_interleave(2, 2).repeat_interleave(2, 3))
    torch.testing.assert_close(meeting["2"].real + given, x)
    torch.testing.assert_close(meeting["1"].real + meeting["1"].real_given[0], coarse)
    torch.testing.assert_close(meeting["0"].real, x.reshape(16, 1, 2, 4, 2, 4).mean((3, 5)))


def test_two_networks_that_share_a_layer_are_one_players(compose):
    game, batches = experiment(compose, "probe_cogan", "optimizer=sgd")
    a, b = game.network("generator_a"), game.network("generator_b")
    assert a.shared is b.shared and a.own is not b.own
    trained = game.player("generator").trained
    assert len(trained) == len({id(p) for p in trained}) == 6
    before, batch = copy.deepcopy(a), batches()
    meeting = game.meet(batch)
    total = sum(game.loss.generator(meeting[domain].fake_output) for domain in "ab")
    slope = torch.autograd.grad(total, a.shared.weight, retain_graph=True)[0]
    game.player("generator").play(meeting)
    torch.testing.assert_close(a.shared.weight.detach(), before.shared.weight.detach() - 0.01 * slope)


def test_both_domains_go_there_and_back(compose):
    game, batches = experiment(compose, "probe_cyclegan")
    batch = batches()
    a, b = batch.samples, batch.others["b"].samples
    there, back = game.network("generator_ab"), game.network("generator_ba")

    def translate(network, x):
        return network(x.new_zeros(len(x), 0), None, {"samples": x})

    losses = game.player("generator").evaluate(game.meet(batch))
    weights = {"cycle_consistency": 10, "identity": 5}
    expected = {
        "cycle_consistency_a": (translate(there, translate(back, b)) - b).abs().mean(),
        "cycle_consistency_b": (translate(back, translate(there, a)) - a).abs().mean(),
        "identity_a": (translate(back, a) - a).abs().mean(),
        "identity_b": (translate(there, b) - b).abs().mean(),
        "adversarial_a": 0.5 * (game.network("discriminator_a")(translate(back, b)).logits - 1).square().mean(),
        "adversarial_b": 0.5 * (game.network("discriminator_b")(translate(there, a)).logits - 1).square().mean(),
    }
    assert losses.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(losses[name], weights.get(name[:-2], 1) * value)
    torch.testing.assert_close(game.sample(game.latent_for(batch)), translate(there, a).detach())
    assert Latent(torch.zeros(1, 0)).given == {} and game.latent_for(batch).given.keys() == {SAMPLES}


# -- what is refused, by its name, before the first step ------------------------------------------------


def plain(start=True, edit=None, game=Game, **networks):
    usual = {"generator": Dense(2, [2], 3, None), "discriminator": DenseJudge(2, 0, 3)}
    return make(game, usual | networks, (2,), players=("generator", "discriminator", "third"), start=start, edit=edit)


def with_third(**settings):
    class Third(Game):
        def make_players(self):
            return [*super().make_players(), Player("third", **({"networks": ("third",)} | settings))]

    return Third


def add_r1(pairs):
    return lambda game: game.player("discriminator").add_term("r1", R1(), plan=TermPlan(1.0, pairs=pairs))


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"team": "encoder"}, "the player 'third' names the team 'encoder', and there are discriminator, generator"),
        ({"objective": "encoder"}, "the player 'third' names the part of the loss 'encoder', and there are .*swapped"),
        ({"objective": {"main": "forger"}}, "names the part of the loss 'forger'"),
        ({"objective": {"front": "generator"}}, "the player 'third' names the pair 'front', and there are main"),
        ({"objective": "generator", "networks": ("fourth",)}, "networks.fourth is missing"),
        ({"team": "generator"}, "the player 'third' has no loss and no term"),
    ],
)
def test_unknown_teams_parts_pairs_and_networks_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        plain(game=with_third(**settings), third=Dense(2, [2], 3, None))


def test_an_unknown_pair_of_a_term_is_refused():
    plain(edit=add_r1(("main",)))
    with pytest.raises(
        ConfigError, match="the player 'discriminator' names the pair for the term 'r1' 'front', and there"
    ):
        plain(edit=add_r1(("front",)))


@pytest.mark.parametrize(
    "overrides, message",
    [
        (["+terms.identity.pair=c"], "'generator' names the pair for the term 'identity' 'c', and there are a, b"),
        (["terms.identity.player=critic"], "the game has no player 'critic'; its players are discriminator_a"),
        (["terms.identity.player=[generator,critic]"], "the game has no player 'critic'"),
        (["~optimizer.discriminator_b"], "optimizer.discriminator_b is missing"),
    ],
)
def test_what_an_experiment_names_and_there_is_not_is_refused(compose, overrides, message):
    with pytest.raises(ConfigError, match=message):
        experiment(compose, "probe_cyclegan", *overrides)


def test_a_term_of_one_pair_is_computed_for_that_pair_alone(compose):
    game, batches = experiment(
        compose, "probe_cyclegan", "+terms.identity.pair=b", "+terms.cycle_consistency.pair=[a,b]"
    )
    names = set(game.player("generator").evaluate(game.meet(batches())))
    assert {"identity", "cycle_consistency_a", "cycle_consistency_b"} <= names and "identity_a" not in names


def test_a_player_of_a_frozen_network_is_refused():
    frozen = Dense(2, [2], 3, None).requires_grad_(False)
    with pytest.raises(ConfigError, match="the player 'third' has no parameters to update in third"):
        plain(game=with_third(objective="generator", networks=("generator", "third")), third=frozen)
    plain(game=with_third(objective="generator", networks=("generator", "third")), third=Dense(2, [2], 3, None))


@pytest.mark.parametrize(
    "loss, fits", [("relativistic", False), ("nonsaturating", True), ("hinge", True), ("wasserstein_plain", True)]
)
def test_a_loss_that_compares_one_by_one_refuses_two_generated_samples_for_a_real_one(compose, loss, fits):
    if fits:
        game, batches = experiment(compose, "vaegan", f"loss={loss}")
        play(game, batches, range(2))
        meeting = game.meet(batches())
        assert [len(output.logits) for output in meeting["main"].outputs] == [16, 32]
    else:
        with pytest.raises(ConfigError, match="the loss Relativistic does not fit what the player 'discriminator'"):
            experiment(compose, "vaegan", f"loss={loss}")


def test_a_penalty_between_samples_refuses_two_generated_samples_for_a_real_one(compose):
    with pytest.raises(ConfigError, match="gradient_penalty .* 2 real and 4 generated"):
        experiment(compose, "vaegan", "term=[gradient_penalty]")
