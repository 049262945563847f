"""AdaGAN's weights and stages, MPM-GAN's messages, and ABC-GAN's blur and controller."""

from itertools import pairwise

import pytest
import torch

from gan_framework.core.pair import Pair
from gan_framework.core.records import Batch, DiscriminatorOutput, Latent
from gan_framework.errors import ConfigError
from gan_zoo.priors.components import component_of
from gan_zoo.systems import adagan
from gan_zoo.systems.abc_gan import Blur, deviation, gaussian
from gan_zoo.systems.adagan import data_weights, threshold
from gan_zoo.systems.mpm_gan import Rivalry
from tests.zoo.players.playing import DIGITS, PLANE, assert_same_game, batch, built, play

# -- AdaGAN ----------------------------------------------------------------------------------------


def test_the_weights_of_the_paper():
    d = torch.tensor([0.0, 2.0, 0.0, 2.0], dtype=torch.float64)
    lam = threshold(d, 0.5)
    assert lam == pytest.approx(1)
    assert (data_weights(d, 0.5, lam) / 4).tolist() == pytest.approx([0.5, 0, 0.5, 0])


@pytest.mark.parametrize("beta", [0.1, 0.5, 1.0])
def test_weights_of_a_perfect_mixture_are_even(beta):
    d = torch.ones(5, dtype=torch.float64)
    assert threshold(d, beta) == pytest.approx(1)
    assert data_weights(d, beta, 1.0).tolist() == pytest.approx([1] * 5)


@pytest.mark.parametrize("beta", [0.05, 0.3, 0.9])
def test_weights_sum_to_one_and_are_least_where_the_mixture_is(beta):
    d = torch.rand(50, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 3
    weights = data_weights(d, beta, threshold(d, beta)) / 50
    assert weights.sum().item() == pytest.approx(1)
    assert (weights[d.argsort()].diff() <= 1e-12).all()


def test_with_exact_weights_and_perfect_components_the_divergence_falls():
    """Generators that each make one part of the data: Jensen-Shannon divergence stage by stage."""
    data = torch.tensor([0.4, 0.3, 0.2, 0.1], dtype=torch.float64)
    made, found = torch.tensor([1.0, 0, 0, 0], dtype=torch.float64), []
    for stage in range(1, 5):
        middle = (data + made) / 2
        found.append(
            float((torch.xlogy(data, data / middle) + torch.xlogy(made, (made / middle).clamp(min=1e-300))).sum() / 2)
        )
        beta, d = 1 / (stage + 1), made / data
        n = 100
        samples = d.repeat_interleave((data * n).round().long())
        weights = data_weights(d, beta, threshold(samples, beta)) * data
        assert weights.sum().item() == pytest.approx(1)
        made = (1 - beta) * made + beta * weights
    assert all(later < before for before, later in pairwise(found))
    assert found[-1] < 0.01


ADA = [
    "experiment=adagan",
    "prior.components=3",
    "prior.dim=6",
    "networks.generator.of.hidden=[6]",
    "networks.discriminator.hidden=[6]",
    "networks.discriminator_mixture.hidden=[5]",
    "game.stage_steps=2",
    "game.classifier_steps=2",
    "game.weighed=20",
]


def test_generators_are_trained_one_after_another_and_others_are_left_alone(compose):
    game = built(compose, PLANE, *ADA)
    stages = []
    for step in range(10):
        before = [torch.nn.utils.parameters_to_vector(net.parameters()).clone() for net in game.generator.nets]
        classifier, stage, classifying = game.player("classifier").updates, game.stage, game.classifying
        play(game, [step])
        after = [torch.nn.utils.parameters_to_vector(net.parameters()) for net in game.generator.nets]
        changed = [i for i in range(3) if not torch.equal(before[i], after[i])]
        assert changed == ([] if classifying else [stage])
        assert (game.player("classifier").updates > classifier) == classifying
        stages.append((stage, classifying))
    one = [(0, False)] * 2
    assert stages == one + [(1, True)] * 2 + [(1, False)] * 2 + [(2, True)] * 2 + [(2, False)] * 2
    assert game.lam != 1.0
    play(game, [11])
    assert game.stage == 2


def test_the_mixture_has_the_weights_of_the_stages(compose):
    game = built(compose, PLANE, *ADA)
    assert game.mixture(1).tolist() == [1, 0, 0]
    torch.testing.assert_close(game.mixture(3), torch.full((3,), 1 / 3))
    constant = built(compose, PLANE, *ADA, "game.beta=0.2")
    torch.testing.assert_close(constant.mixture(3), torch.tensor([0.64, 0.16, 0.2]))
    constant.stage = 1
    drawn = component_of(constant.latent(4000, generator=torch.Generator().manual_seed(0))).bincount(minlength=3) / 4000
    torch.testing.assert_close(drawn, torch.tensor([0.8, 0.2, 0.0]), atol=0.03, rtol=0)


def test_real_samples_are_drawn_by_their_weights(compose, monkeypatch):
    game, one = built(compose, PLANE, *ADA, "game.beta=0.5"), batch(PLANE, 8)
    game.stage, game.done, game.lam = 1, 2, 1.0
    d = torch.tensor([0.0, 2.0, 0.0, 2.0, 5.0, 5.0, 5.0, 5.0])
    monkeypatch.setattr(adagan.AdaGAN, "density", lambda game, x, labels: d)
    again = game.drawn_again(one)
    allowed = one.samples[[0, 2]]
    assert all((allowed == sample).all(1).any() for sample in again.samples)
    assert torch.equal(game.meet(one)["mixture"].real, one.samples)


def test_what_was_found_in_a_stage_is_kept(compose):
    game = built(compose, PLANE, *ADA)
    play(game, range(5))
    state = game.state_dict()
    other = built(compose, PLANE, *ADA, "seed=1")
    other.load_state_dict(state)
    assert (other.stage, other.done, other.lam) == (game.stage, game.done, game.lam) == (1, 3, game.lam)


def test_one_generator_is_the_game_of_two_players(compose):
    same = [*ADA, "prior.components=1", "networks.discriminator_mixture.hidden=[6]"]
    plain = ["game=two_player", *(one for one in same if not one.startswith("game."))]
    assert_same_game(
        built(compose, PLANE, *same), built(compose, PLANE, *plain, "~optimizer.classifier", "~game.stage_steps")
    )


# -- MPM-GAN ---------------------------------------------------------------------------------------

MPM = [
    "experiment=mpm_gan",
    "data.image_size=8",
    "prior.dim=6",
    "networks.generator.hidden=[7,5]",
    "networks.messages.features=7",
    "networks.discriminator.hidden=[6]",
]


def test_the_rivalry_is_the_difference_and_holds_the_better_one():
    a = torch.tensor([[1.0], [0.0], [2.0]], dtype=torch.float64, requires_grad=True)
    b = torch.tensor([[0.5], [3.0], [2.0]], dtype=torch.float64, requires_grad=True)
    pair = Pair(lambda x, labels=None: DiscriminatorOutput(x[:, 0]), Batch(a), Latent(a), a, real=b)
    found = Rivalry()(pair, None)
    assert found.item() == pytest.approx((0.5 + 3 + 0) / 3)
    of_a, of_b = torch.autograd.grad(found, (a, b))
    assert of_a.flatten().tolist() == pytest.approx([0, -1 / 3, 0])
    assert of_b.flatten().tolist() == pytest.approx([-1 / 3, 0, 0])


def test_without_messages_the_generators_are_two_networks(compose):
    game = built(compose, DIGITS, *MPM)
    latent = game.latent(6)
    told = game.generate(latent)
    with torch.no_grad():
        for layer in game.network("messages").of:
            layer.weight.zero_(), layer.bias.zero_()
    alone = game.generate(latent)
    assert not torch.allclose(told, alone)
    torch.testing.assert_close(alone, game.generator(latent.z))


def test_each_player_of_mpmgan_is_reached(compose):
    game = built(compose, DIGITS, *MPM)
    before = [parameter.clone() for parameter in game.network("messages").parameters()]
    measured = play(game, range(1))[0]
    assert measured["messages/rivalry"].item() >= 0
    assert {name: game.player(name).updates for name in game.players} == {
        "discriminator": 1, "generator": 1, "messages": 1,
    }  # fmt: skip
    after = [*game.network("messages").parameters()]
    assert not any(torch.equal(one, other) for one, other in zip(before, after, strict=True))
    with pytest.raises(ConfigError, match="set prior.components=2, not 3"):
        built(compose, DIGITS, *MPM, "prior.components=3", "prior.dim=7")


# -- ABC-GAN ---------------------------------------------------------------------------------------


def test_the_blur_fades_as_published():
    found = [deviation("hyperbolic", epoch, 25) for epoch in (0, 12, 24)]
    assert found == pytest.approx([3.378, 0.691, 0.385], abs=1e-3)
    assert [deviation("linear", epoch, 10) for epoch in (0, 9)] == [5, 0.5]


def test_the_kernel_is_a_gaussian_that_sums_to_one():
    kernel = gaussian(1.5)
    assert kernel.sum().item() == pytest.approx(1)
    assert (kernel[4, 5] / kernel[4, 4]).item() == pytest.approx(2.718281828 ** (-1 / (2 * 1.5**2)))
    assert torch.equal(kernel, kernel.T) and torch.equal(kernel, kernel.flip(0))
    assert gaussian(0.0)[4, 4] == 1 and gaussian(1e-3)[4, 4].item() == pytest.approx(1)


def test_each_channel_is_blurred_alike_and_even_images_stay():
    blur, x = Blur("hyperbolic", 25, 100), torch.randn(2, 3, 12, 12)
    torch.testing.assert_close(blur(torch.full((1, 3, 9, 9), 0.3)), torch.full((1, 3, 9, 9), 0.3))
    found = blur(x)
    torch.testing.assert_close(found[:, 1:2], blur(x[:, 1:2]))
    assert found.var() < x.var() / 4
    blur.seen = 99
    assert blur.sigma == pytest.approx(0.385, abs=1e-3)
    assert Blur("none", 25, 100)(x) is x


ABC = ["experiment=abc_gan", "data.image_size=8", "networks.generator.width=2", "networks.discriminator.width=2"]


def test_the_share_of_updates_follows_what_the_discriminator_says(compose, monkeypatch):
    game = built(compose, DIGITS, *ABC, "game.gain=0.1", "game.blur=none")
    assert game.ratio == 0.25
    monkeypatch.setattr(type(game), "fooled", lambda game: 0.75)
    play(game, range(3))
    assert game.ratio == pytest.approx(0.25 + 3 * 0.1 * 0.5)
    monkeypatch.setattr(type(game), "fooled", lambda game: 0.25)
    play(game, range(3, 5))
    assert game.ratio == pytest.approx(0.4)
    monkeypatch.setattr(type(game), "fooled", lambda game: 1.0)
    play(game, range(5, 15))
    assert game.ratio == 1
    before = game.player("discriminator").updates
    play(game, range(15, 17))
    assert game.player("discriminator").updates == before + 4


def test_both_sides_are_blurred_before_the_discriminator(compose):
    game, one = built(compose, DIGITS, *ABC), batch(DIGITS, 4)
    game.networks.eval()
    plain = game.discriminator(game.blur(one.samples)).logits
    game.networks.train()
    for module in game.discriminator.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eval()
    torch.testing.assert_close(game.meet(one)["main"].real_output.logits, plain)


def test_whose_turn_it_is_is_settled_once(compose):
    with pytest.raises(ConfigError, match="game=abc_gan and k_step both set the number of steps of each player"):
        built(compose, DIGITS, *ABC, "strategy=[k_step]")
    with pytest.raises(ConfigError, match="game.blur=hyperbolic blurs images"):
        built(compose, PLANE, "data=mixture", "model=plane", "game=abc_gan")
