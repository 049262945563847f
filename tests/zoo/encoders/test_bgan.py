"""BGAN: neighbours, codes that are exactly as they should be, stages of β; the ranking by differing bits."""

import itertools

import pytest
import torch
from torch.nn import functional as F

from gan_framework.core.records import Latent
from gan_zoo.metrics.hamming_map import HammingMAP, hamming_map, hyperplanes, tied_average_precision
from gan_zoo.systems.bgan import alikeness, neighbourhood, quantisation, signs
from tests.zoo.encoders.common import changed, images, reached, small

F64 = torch.float64
SMALL = [
    "prior.dim=4",
    "networks.generator.first=4",
    "networks.generator.widths=[4,4,4]",
    "networks.encoder.widths=[4,4,4]",
    "networks.encoder.hidden=8",
    "networks.discriminator.first=4",
    "networks.discriminator.widths=[4,4,4]",
    "networks.discriminator.hidden=8",
]


@pytest.fixture(scope="module")
def game(compose):
    return small(compose, "bgan", *SMALL, "game.betas=[0.5,3.0,9.0]", "game.stage_steps=2", "game.content=0.1")


def clusters(n, size, dim=6):
    """Return n tight bundles of so many vectors in different directions."""
    centres = torch.eye(dim, dtype=F64)[:n].repeat_interleave(size, 0)
    return centres + 0.01 * torch.rand(n * size, dim, dtype=F64, generator=torch.Generator().manual_seed(0))


# -- what codes are to be ---------------------------------------------------------------------------------


def test_bits_cost_nothing_and_what_lies_between_does():
    bits = signs(torch.randn(5, 3, dtype=F64))
    assert quantisation(bits).item() == 0
    assert quantisation(torch.zeros(2, 2)).item() == 1 and quantisation(-0.25 * bits).item() == pytest.approx(0.75**2)
    assert signs(torch.tensor([-0.1, 0.0, 2.0])).tolist() == [-1, 1, 1]


def test_opposite_codes_are_exactly_what_two_clusters_ask_for():
    wanted = neighbourhood(clusters(2, 5), 4, 3)
    code = signs(torch.randn(1, 7, dtype=F64, generator=torch.Generator().manual_seed(1)))
    codes = torch.cat([code.expand(5, -1), -code.expand(5, -1)])
    assert torch.equal(wanted, torch.block_diag(torch.ones(5, 5), torch.ones(5, 5)) * 2 - 1)
    torch.testing.assert_close(alikeness(codes), wanted.double(), rtol=0, atol=1e-15)
    codes[0, 0] *= -1  # one bit of one sample
    assert (alikeness(codes) - wanted).abs().max().item() == pytest.approx(2 / 7)


def test_alikeness_counts_bits():
    a, b = signs(torch.randn(2, 10, dtype=F64, generator=torch.Generator().manual_seed(2)))
    assert alikeness(torch.stack([a, b]))[0, 1].item() == pytest.approx(1 - 2 * (a != b).double().mean().item())


# -- who is a neighbour -------------------------------------------------------------------------------------


def test_neighbours_by_hand():
    """Along an arc each sees the one beside it; joined, it also sees the neighbours of those who share its own."""
    angle = torch.tensor([0.0, 0.1, 0.25, 0.45, 1.2], dtype=F64)
    x = torch.stack([angle.cos(), angle.sin()], 1)
    # nearest, with itself: {0,1}, {1,0}, {2,1}, {3,2}, {4,3}
    alone = neighbourhood(x, 1, 1)
    pairs = {(i, j) for i, j in itertools.combinations(range(5), 2) if alone[i, j] > 0}
    assert pairs == {(0, 1), (1, 2), (2, 3), (3, 4)}
    # 0 and 1 share both; 2 shares 1 with both of them, of which 0 comes first; 3 shares 2 with 2; 4 shares 3 with 3
    joined = neighbourhood(x, 1, 2)
    pairs = {(i, j) for i, j in itertools.combinations(range(5), 2) if joined[i, j] > 0}
    assert pairs == {(0, 1), (1, 2), (0, 2), (2, 3), (1, 3), (3, 4), (2, 4)}


def test_neighbours_do_not_depend_on_lengths_and_are_mutual():
    x = torch.randn(12, 1, 3, 3, dtype=F64, generator=torch.Generator().manual_seed(3))
    found = neighbourhood(x, 3, 2)
    assert torch.equal(found, found.T) and bool((found.diagonal() == 1).all())
    assert torch.equal(found, neighbourhood(x * torch.arange(1, 13).view(-1, 1, 1, 1), 3, 2))
    assert bool((found < 0).any()) and set(found.unique().tolist()) == {-1, 1}
    assert bool((neighbourhood(x[:2], 3, 2) == 1).all())  # a batch smaller than a neighbourhood


# -- the game ------------------------------------------------------------------------------------------------


def test_what_each_player_pays(game):
    game.networks.eval()
    meeting = game.meet(images())
    main, decoded = meeting["main"], meeting["reconstruction"]
    h = torch.tanh(game.beta * game.network("encoder")(decoded.real))
    torch.testing.assert_close(decoded.latent.z, h)
    made = game.generator(h)
    inner = [game.discriminator(x).features[-1] for x in (decoded.real, made)]
    content = 0.1 * 0.5 * (inner[0] - inner[1]).square().sum(1).mean()
    wanted = neighbourhood((decoded.real + 1) / 2, 4, 3)
    paid = game.player("encoder").evaluate(meeting)
    torch.testing.assert_close(paid["feature_reconstruction"], content)
    torch.testing.assert_close(paid["neighbours"], 10 * (h @ h.T / 4 - wanted).square().mean())
    torch.testing.assert_close(paid["quantisation"], 10 * (1 - h.abs()).square().mean())
    assert reached(paid["neighbours"], game) == reached(paid["quantisation"], game) == {"encoder"}
    paid = sum(game.player("generator").evaluate(meeting).values())
    torch.testing.assert_close(paid, content + F.softplus(-game.discriminator(main.fake).logits).mean())
    told = sum(game.player("discriminator").evaluate(meeting.detached()).values())
    said = [game.discriminator(x).logits for x in (main.real, main.fake)]
    torch.testing.assert_close(told, F.softplus(-said[0]).mean() + F.softplus(said[1]).mean())
    game.networks.train()


def test_each_player_updates_its_own(game):
    for player in ("discriminator", "generator"):
        assert changed(game, lambda: game.player(player).play(game.meet(images()))) == {player}  # noqa: B023


def test_the_steepness_rises_in_stages_and_goes_on_after_a_resume(game):
    player, seen = game.player("encoder"), []
    start = player.updates
    for _ in range(7):
        seen.append(game.beta)
        assert changed(game, lambda: player.play(game.meet(images()))) == {"encoder"}
    assert start == 0 and seen == [0.5, 0.5, 3.0, 3.0, 9.0, 9.0, 9.0]
    state = game.state_dict()
    player.updates = 0
    game.load_state_dict(state)
    assert game.beta == 9.0


def test_codes_are_bits_and_reconstructions_are_made_of_them(game):
    x = images().samples
    codes = game.code_of(x)
    assert codes.shape == (8, 4) and set(codes.unique().tolist()) <= {-1, 1}
    assert torch.equal(codes, signs(game.network("encoder")(x)))
    game.networks.eval()
    torch.testing.assert_close(game.reconstruct(x), game.generate(Latent(game.code_of(x))))
    game.networks.train()


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("game.betas=[]", "at least one"),
        ("game.betas=[1.0,0.0]", "all are positive"),
        ("game.neighbours=0", "neighbours=0"),
        ("game.content=-1", "content=-1"),
        ("game.layer=9", "has 5 layers"),
        ("networks.encoder.outputs=[4,4]", "bgan draws no codes"),
    ],
)
def test_settings_that_make_no_sense_are_refused(compose, setting, reason):
    with pytest.raises(Exception, match=reason):
        small(compose, "bgan", *SMALL, setting)


# -- the score --------------------------------------------------------------------------------------------------


def plain_average_precision(relevant):
    hits, found = 0, []
    for place, right in enumerate(relevant, 1):
        hits += right
        found += [hits / place] if right else []
    return sum(found) / len(found)


def test_ties_are_averaged_over_all_their_orders():
    distances, relevant = [1, 0, 1, 1, 2, 1], [True, False, False, True, True, False]
    orders = [order for order in itertools.permutations(range(6)) if sorted(distances) == [distances[i] for i in order]]
    expected = [plain_average_precision([relevant[i] for i in order]) for order in orders]
    found = tied_average_precision(torch.tensor([distances]), torch.tensor([relevant]))
    assert len(orders) == 24 and found.item() == pytest.approx(sum(expected) / 24, abs=1e-12)


def test_without_ties_it_is_the_average_precision():
    distances = torch.stack([torch.randperm(9, generator=torch.Generator().manual_seed(i)) for i in range(5)])
    relevant = torch.rand(5, 9, generator=torch.Generator().manual_seed(0)) < 0.4
    relevant[:, 0] = True
    expected = [plain_average_precision(r[d.argsort()].tolist()) for d, r in zip(distances, relevant, strict=True)]
    torch.testing.assert_close(tied_average_precision(distances, relevant), torch.tensor(expected, dtype=F64))
    assert tied_average_precision(distances, relevant & False).tolist() == [0] * 5


def test_the_score_of_perfect_codes_and_of_codes_that_say_nothing():
    labels = torch.arange(300) % 3
    codes = torch.eye(3, dtype=torch.bool)[labels]
    assert hamming_map(codes[:7], codes, labels[:7], labels) == 1
    nothing = torch.zeros(300, 4, dtype=torch.bool)
    others, harmonic = 99 / 299, sum(1 / place for place in range(1, 301))
    chance = others + (1 - others) * harmonic / 300
    assert hamming_map(nothing[:7], nothing, labels[:7], labels) == pytest.approx(chance, abs=1e-12)


def test_bits_that_keep_angles_beat_chance_and_are_the_same_each_time():
    x = clusters(6, 50) - 1 / 6
    labels = torch.arange(6).repeat_interleave(50)
    assert torch.equal(hyperplanes(x, 16), hyperplanes(x, 16))
    bits = x @ hyperplanes(x, 16) >= 0
    assert hamming_map(bits, bits, labels, labels) > 0.8


def test_a_score_of_nothing_is_refused():
    with pytest.raises(ValueError, match="queries=0"):
        HammingMAP(0, 5)
