"""CoGAN: two GANs that share layers."""

import re

import pytest
import torch

from gan_framework.core.records import DataShape
from gan_framework.errors import ConfigError
from gan_zoo.systems.cogan import CoGANDiscriminator, CoGANGenerator, edges
from tests.zoo.players.playing import batch, built, play

ONE = DataShape((1, 28, 28), 10)
SHAPE = ONE._replace(others={"b": ONE})
SMALL = ["experiment=cogan"]
SMALL += [f"networks.generator_{d}.width=16" for d in "ab"] + [f"networks.discriminator_{d}.width=2" for d in "ab"]


def test_the_counts_and_sizes_of_the_papers_networks():
    with torch.device("meta"):
        first, second = (CoGANGenerator(100, 1, 1024) for _ in range(2))
        critic = CoGANDiscriminator(1, 20, 0.5)
    second.share(first)
    weights = sum(layer.weight.numel() for layer in first.shared if isinstance(layer, torch.nn.ConvTranspose2d))
    assert weights == 7_831_552
    assert sum(p.numel() for p in second.own.parameters()) == 4_609
    x, sides = torch.zeros(2, 100, device="meta"), []
    for layer in first.shared:
        x = layer(x)
        if isinstance(layer, torch.nn.ConvTranspose2d):
            sides.append(x.shape[-1])
    assert sides == [4, 7, 13, 25] and first.own(x).shape == (2, 1, 28, 28)
    own, last = critic.features(torch.zeros(2, 1, 28, 28, device="meta"))
    assert own.shape == (2, 20, 12, 12) and last.shape == (2, 500)


def test_shared_layers_are_one_and_updated_once(compose):
    game = built(compose, SHAPE, *SMALL)
    a, b = (game.network(f"generator_{d}") for d in "ab")
    assert a.shared is b.shared and a.own is not b.own
    assert game.network("discriminator_a").output is game.network("discriminator_b").output
    assert len({id(p) for p in game.player("generator").trained}) == len(game.player("generator").trained)
    z = torch.randn(4, 100)
    torch.testing.assert_close(a.shared(z), b.shared(z))
    play(game, range(2))
    assert torch.equal(a.shared[1].weight, b.shared[1].weight)
    assert not torch.equal(a.own[0].weight, b.own[0].weight)


def test_shared_layers_get_the_sum_of_both_gradients(compose):
    game = built(compose, SHAPE, *SMALL, "networks.discriminator_a.dropout=0", "networks.discriminator_b.dropout=0")
    player, meeting = game.player("generator"), game.meet(batch(SHAPE, 6))
    losses = player.evaluate(meeting)
    assert {*losses} == {"adversarial_a", "adversarial_b"}
    weight = game.network("generator_a").shared[1].weight
    apart = [torch.autograd.grad(loss, weight, retain_graph=True)[0] for loss in losses.values()]
    player.backward(losses)
    torch.testing.assert_close(weight.grad, apart[0] + apart[1])


def test_the_second_domain_is_made_of_the_further_source(compose):
    game, one = built(compose, SHAPE, *SMALL), batch(SHAPE, 6)
    meeting = game.meet(one)
    assert torch.equal(meeting["a"].real, one.samples)
    assert torch.equal(meeting["b"].real, edges(one.others["b"].samples))
    assert meeting["a"].judge.name == "discriminator_a" and meeting["b"].judge.name == "discriminator_b"
    with pytest.raises(ConfigError, match="set sources.b"):
        built(compose, ONE, *SMALL)


def test_edges_are_dark_pixels_beside_lighter_ones_as_bright_as_the_step():
    x = -torch.ones(1, 1, 5, 6)
    x[..., 3] = 0
    x[..., 4:] = 1
    found = edges(x)[0, 0]
    assert torch.equal(found, torch.tensor([-1.0, -1, 0, 0, -1, -1]).expand(5, 6))


def test_a_picture_shows_what_is_made_of_one_z_in_both_domains(compose):
    game = built(compose, SHAPE, *SMALL)
    picture = game.picture(game.latent(6), 3)
    assert picture.shape == (3, 4 * 30 + 2, 3 * 30 + 2)
    assert not torch.equal(game.sample_of(game.latent(2), "a"), game.sample_of(game.latent(2), "b"))
    assert game.sampling_network == "generator_a"


def test_lecam_keeps_averages_of_each_discriminator(compose):
    game = built(compose, SHAPE, *SMALL, "term=[lecam]", "terms.lecam.start=1", "terms.lecam.decay=0.5")
    player, expected = game.player("discriminator"), {}
    for step in range(2):
        torch.manual_seed(step)
        meeting = game.meet(batch(SHAPE, 6), graph=False).detached()
        player.play(meeting)
        for domain, pair in meeting.items():
            for side, logits in pair.logits().items():
                key, now = f"{side}_discriminator_{domain}", logits.mean()
                expected[key] = now if key not in expected else (expected[key] + now) / 2
    assert len(expected) == 4
    torch.testing.assert_close(dict(player.term("lecam").figures()), expected)


def test_terms_that_keep_one_average_are_refused_for_two(compose):
    small = [*SMALL, "networks.discriminator_a.dropout=0", "networks.discriminator_b.dropout=0"]
    faced = "terms.sobolev follows one pair, and the player 'discriminator' faces a, b: set +terms.sobolev.pair=a"
    with pytest.raises(ConfigError, match=re.escape(faced)):
        built(compose, SHAPE, *small, "term=[sobolev]")
    player = built(compose, SHAPE, *small, "term=[sobolev]", "+terms.sobolev.pair=a").player("discriminator")
    assert player.plans["sobolev"].pairs == ("a",)
    with pytest.raises(ConfigError, match="path_length is of one generator, and the player 'generator' updates gen"):
        built(compose, SHAPE, *small, "term=[path_length]")
