"""The two ways to have a Q, played."""

import functools

import pytest
import torch
from torch import nn

from gan_framework.build import build_game
from gan_framework.core.records import Batch, DataShape
from gan_framework.errors import ConfigError

SHAPE = DataShape((1, 8, 8), 10)
SMALL = ["data.image_size=8", "debug=smoke"]
SHARED = [
    *("experiment=infogan", *SMALL, "strategy.q_head.hidden=8", "networks.generator.hidden=8"),
    *("networks.generator.width=2", "networks.discriminator.width=2", "networks.discriminator.hidden=8"),
]
SEPARATE = ["experiment=infogan_mlp", *SMALL, "networks.q.hidden=8"]
TUTORIAL = [
    *("experiment=infogan_tutorial", *SMALL, "networks.generator.hidden=8", "networks.generator.width=2"),
    *("networks.discriminator.hidden=8", "networks.discriminator.width=2"),
    *("networks.q.hidden=8", "networks.q.q_hidden=8", "networks.q.width=2"),
]


@pytest.fixture(scope="module")
def game(compose):
    composed = functools.cache(compose)
    return lambda overrides: build_game(composed(*overrides), SHAPE, torch.device("cpu"))


@pytest.fixture
def batch():
    random = torch.Generator().manual_seed(0)
    return Batch(torch.rand(8, 1, 8, 8, generator=random) * 2 - 1, torch.arange(8))


def test_both_players_of_the_shared_q_maximise_the_bounds_with_their_weights(game, batch):
    shared = game([*SHARED, "strategy.q_head.categorical=2.0", "strategy.q_head.continuous=0.5"])
    meeting = shared.meet(batch)
    pair = meeting["main"]
    bounds = shared.prior.codes.bounds(pair.fake_output.heads["q"], pair.latent.code)
    expected = -2.0 * bounds["categorical_0"] - 0.5 * (bounds["continuous_0"] + bounds["continuous_1"])
    for name in ("discriminator", "generator"):
        term = shared.player(name).evaluate(meeting)["mutual_information"]
        torch.testing.assert_close(term, expected)


def test_the_weights_are_those_of_the_paper(game):
    shared, separate = game(SHARED), game(SEPARATE)
    terms = [shared.player(name).terms["mutual_information"] for name in ("discriminator", "generator")]
    terms.append(separate.player("q").terms["mutual_information"])
    # Appendix C has λ = 1 for all; section 6 a smaller one where codes are continuous, as tutorials do.
    assert [term.scales["categorical"] for term in terms] == [1.0] * 3
    assert [term.scales["continuous"] for term in terms] == [1.0, 1.0, 0.1]


def test_the_papers_networks_have_a_third_norm_and_a_slope_of_a_tenth(game):
    shared = game(SHARED)
    norms = [layer.num_features for layer in shared.generator.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert norms == [shared.generator.layers[-2].in_channels]
    slopes = [layer.negative_slope for layer in shared.discriminator.modules() if isinstance(layer, nn.LeakyReLU)]
    assert slopes == [0.1] * 4  # three of D's, one of Q's


def test_the_shared_q_learns_with_the_discriminator(game, batch):
    shared = game(SHARED)
    head = [p.detach().clone() for p in shared.discriminator.heads["q"].parameters()]
    generator = [p.detach().clone() for p in shared.generator.parameters()]
    shared.player("discriminator").play(shared.meet(batch).detached())
    assert all(not torch.equal(a, b) for a, b in zip(head, shared.discriminator.heads["q"].parameters(), strict=True))
    assert all(torch.equal(a, b) for a, b in zip(generator, shared.generator.parameters(), strict=True))


@pytest.mark.parametrize("model", [SEPARATE, TUTORIAL], ids=["infogan_mlp", "infogan_tutorial"])
def test_the_separate_q_moves_the_generator_too_but_not_the_discriminator(game, batch, model):
    separate = game(model)
    before = {name: p.detach().clone() for name, p in separate.networks.named_parameters()}
    separate.player("q").play(separate.meet(batch))
    moved = {
        name.partition(".")[0] for name, p in separate.networks.named_parameters() if not torch.equal(p, before[name])
    }
    assert moved == {"generator", "q"}


def test_the_tutorials_model_has_three_optimizers_fourteen_of_noise_and_xavier(game):
    tutorial = game(TUTORIAL)
    optimizers = {name: tutorial.player(name).optimizer for name in tutorial.players}
    assert [*optimizers] == ["discriminator", "generator", "q"]
    assert len({id(optimizer) for optimizer in optimizers.values()}) == 3
    rates = {name: optimizer.param_groups[0]["lr"] for name, optimizer in optimizers.items()}
    assert rates == {"discriminator": 2e-4, "generator": 1e-3, "q": 1e-3}
    latent = tutorial.latent(5)
    assert latent.z.shape == (5, 14 + 10 + 2)
    assert torch.equal(latent.z[:, 14:], torch.cat([*latent.code.values()], dim=1))
    assert latent.z[:, :14].abs().max() <= 1
    generator, trunk = tutorial.generator.layers, tutorial.networks["q"].layers
    assert [type(layer).__name__ for layer in generator[:3]] == ["Linear", "ReLU", "BatchNorm1d"]
    assert [type(layer).__name__ for layer in trunk[1]] == ["Conv2d", "LeakyReLU", "BatchNorm2d"]
    # Of 26 x 8 uniform entries the largest is near the bound; N(0, 0.02) would end below a fifth of it.
    bound = (6 / (26 + 8)) ** 0.5
    assert 0.9 * bound < generator[0].weight.abs().max() <= bound


def test_the_separate_q_moves_last_on_samples_of_the_moved_generator(game, batch):
    separate = game(SEPARATE)
    seen = []
    for name in separate.players:
        player = separate.player(name)
        play = player.play
        player.play = lambda meeting, name=name, play=play: (
            seen.append((name, meeting["main"].fake.detach())),
            play(meeting),
        )[1]
    separate.step(lambda: batch)
    assert [name for name, _ in seen] == ["discriminator", "generator", "q"]
    assert torch.equal(seen[0][1], seen[1][1])
    assert not torch.equal(seen[1][1], seen[2][1])


def test_q_learns_to_tell_the_codes(game, batch):
    separate = game([*SEPARATE, "optimizer.q.lr=0.01"])
    torch.manual_seed(0)

    def play(times):
        bounds = [separate.player("q").play(separate.meet(batch))["q/mutual_information"] for _ in range(times)]
        return torch.stack(bounds).mean()

    before = play(10)
    play(500)
    after = play(100)
    assert before > -0.5
    assert after < -1.2  # of the log 10 = 2.3 nats there are


def test_deviations_can_be_predicted(game):
    shared = game([*SHARED, "strategy.q_head.deviation=predicted"])
    assert shared.discriminator.heads["q"][-1].linear.out_features == 10 + 2 + 2


def test_any_list_of_codes(game, batch):
    separate = game([*SEPARATE, "prior.codes.categorical=[4,3]", "prior.codes.continuous=3"])
    measured = separate.step(lambda: batch)
    assert torch.isfinite(measured["q/mutual_information"])
    assert separate.networks["q"](batch.samples).shape == (8, 4 + 3 + 3 + 3)


def test_a_head_needs_codes(game):
    with pytest.raises(ConfigError, match="q_head tells structured codes, which Uniform has none of: set prior=codes"):
        game(["model=mlp", *SMALL, "strategy=[q_head]"])


def test_the_term_needs_codes_and_a_q(game):
    term = ["model=mlp", *SMALL, "term=[mutual_information]", "terms.mutual_information.player=generator"]
    with pytest.raises(ConfigError, match="mutual_information needs structured codes"):
        game(term)
    with pytest.raises(ConfigError, match="needs a network q or a discriminator with a head q"):
        game([*term, "prior=codes"])


def test_one_q_is_enough(game):
    with pytest.raises(ConfigError, match="q_head and the network q"):
        game([*SEPARATE, "strategy=[q_head]"])


def test_the_batch_norm_of_the_head_is_no_hindrance_to_a_penalty_on_the_score(compose):
    own = ["discriminator=dcgan", "networks.discriminator.norm=none", "networks.discriminator.width=2"]
    settings = compose("experiment=infogan", "data.image_size=16", "debug=smoke", *own, "+term@terms.r1=r1")
    penalised = build_game(settings, DataShape((1, 16, 16), 10), torch.device("cpu"))
    meeting = penalised.meet(Batch(torch.rand(8, 1, 16, 16), torch.arange(8))).detached()
    assert penalised.player("discriminator").evaluate(meeting)["r1"] > 0
