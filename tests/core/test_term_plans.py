"""How terms enter an objective: every so many updates, with weights that change, of one player or several."""

import pytest
import torch

from gan_framework.build import build_game
from gan_framework.core.contracts.term import Term
from gan_framework.core.game import Components, Game
from gan_framework.core.pair import Meeting
from gan_framework.core.player import Ramp, TermPlan
from gan_framework.core.records import Batch, DataShape
from gan_framework.errors import ConfigError
from gan_zoo.losses.vanilla import NonSaturating
from gan_zoo.schedules.alternating import Alternating
from gan_zoo.strategies.apa import APA
from gan_zoo.terms.orthogonal import Orthogonal
from gan_zoo.terms.svm_norm import SVMNorm
from tests.helpers.small import Draws, SmallDiscriminator, SmallGenerator, SmallPrior, small_game

SHAPE = DataShape((1, 8, 8), 10)
SMALL = ("data.image_size=8", "debug=smoke", "prior=codes", "strategy=[q_head]", "strategy.q_head.hidden=4")


class Scores(Term):
    """The mean score of generated samples, and how often it was computed."""

    def __init__(self):
        super().__init__()
        self.computed = 0

    def forward(self, pair, player):
        self.computed += 1
        return pair.fake_output.logits.mean()


def still(parameters):
    """An optimizer that changes nothing, so that a term has the same value in every update."""
    return torch.optim.SGD(parameters, lr=0.0)


def with_term(plan, optimizer=still):
    game = small_game(start=False, optimizer=optimizer)
    game.player("discriminator").add_term("scores", Scores(), plan=plan)
    game.start(torch.device("cpu"))
    return game


def logged(game, updates):
    """Return what so many updates in the same meeting log of the term."""
    player = game.player("discriminator")
    torch.manual_seed(1)
    meeting = game.meet(Draws()()).detached()
    return [player.play(meeting.detached()).get("discriminator/scores") for _ in range(updates)]


def test_a_term_of_every_kth_update_has_the_mean_of_one_of_every_update():
    plain, sparse = with_term(TermPlan(0.3)), with_term(TermPlan(0.3, every=4))
    expected, found = logged(plain, 8), logged(sparse, 8)
    assert [value is not None for value in found] == [True, False, False, False] * 2
    mean = torch.stack([value for value in found if value is not None]).sum() / 8
    torch.testing.assert_close(mean, torch.stack(expected).mean())
    assert (plain.player("discriminator").term("scores").computed, found[0] / expected[0]) == (8, pytest.approx(4))
    assert sparse.player("discriminator").term("scores").computed == 2


def test_it_is_due_by_the_players_own_updates_also_after_a_resume():
    game, resumed = with_term(TermPlan(every=3)), with_term(TermPlan(every=3))
    logged(game, 2)
    resumed.load_state_dict(game.state_dict())
    assert [value is not None for value in logged(resumed, 3)] == [False, True, False]


def test_a_weight_goes_along_its_line_and_stays_at_the_end():
    game = with_term(TermPlan(Ramp(0.5, 2.5, 4)))
    (one,) = logged(with_term(TermPlan(1.0)), 1)
    found = torch.stack(logged(game, 7)) / one
    torch.testing.assert_close(found, torch.tensor([0.5, 1.0, 1.5, 2.0, 2.5, 2.5, 2.5]))


def test_a_changing_weight_of_every_second_update_is_that_of_its_update():
    (one,) = logged(with_term(TermPlan(1.0)), 1)
    found = logged(with_term(TermPlan(Ramp(0.0, 1.0, 8), every=2)), 6)
    weights = [(value / one).item() for value in found if value is not None]
    assert weights == pytest.approx([2 * 0 / 8, 2 * 2 / 8, 2 * 4 / 8])


@pytest.fixture
def build(compose):
    return lambda *overrides: build_game(compose("model=mlp", *SMALL, *overrides), SHAPE, torch.device("cpu"))


def told(player):
    return "+terms.told={name: mutual_information, categorical: 1.0, continuous: 1.0, weight: 1.0, player: " + player


@pytest.mark.parametrize(
    ("player", "found"),
    [
        ("generator", ["generator"]),
        ("[generator, discriminator]", ["discriminator", "generator"]),
        ("generators", ["generator"]),
        ("discriminators", ["discriminator"]),
        ("[discriminators, generators]", ["discriminator", "generator"]),
        ("[discriminator, discriminators]", ["discriminator"]),
    ],
)
def test_a_term_is_given_to_the_players_that_it_names(build, player, found):
    game = build(told(player) + "}")
    assert [name for name in game.players if "told" in game.player(name).terms] == found
    terms = {id(game.player(name).terms["told"]) for name in found}
    assert len(terms) == len(found)  # what a term keeps is each player's own


def test_a_side_on_which_nobody_plays_is_refused(compose):
    overrides = ("experiment=vae", "data.image_size=8", "debug=smoke", "terms.kl_divergence.player=discriminators")
    with pytest.raises(ConfigError, match=r"terms\.kl_divergence\.player=discriminators: VAE has no player on that"):
        build_game(compose(*overrides), SHAPE, torch.device("cpu"))


def test_plans_are_read_from_the_configuration(build):
    game = build(told("generator") + ", every: 4}", "terms.told.weight={start: 1.0, end: 0.0, steps: 100}")
    assert game.player("generator").plans["told"] == TermPlan(Ramp(1.0, 0.0, 100), every=4)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("terms.told.every=0", r"terms\.told\.every=0 must be at least 1"),
        ("terms.told.every=1.5", r"terms\.told\.every=1.5 must be a whole number"),
        ("terms.told.weight=much", r"terms\.told\.weight='much' must be a number"),
        ("terms.told.weight={start: 1.0, end: 0.0}", r"a weight that changes has start, end and steps"),
        ("terms.told.weight={start: 1.0, end: 0.0, steps: 0}", r"terms\.told\.weight\.steps=0 must be at least 1"),
        ("terms.told.weight={start: one, end: 0.0, steps: 5}", r"a weight that changes has start, end and steps"),
        ("terms.told.player=3", r"terms\.told\.player=3 must be"),
    ],
)
def test_plans_that_are_none_are_refused(build, override, message):
    with pytest.raises(ConfigError, match=message):
        build(told("generator") + ", every: 1}", override)


def test_a_player_with_nothing_but_a_term_of_some_updates_is_refused():
    game = small_game(start=False)
    game.player("generator").objective = None
    game.player("generator").add_term("scores", Scores(), plan=TermPlan(every=2))
    with pytest.raises(ConfigError, match="'generator' has no loss and no term"):
        game.start(torch.device("cpu"))


class TwoPairs(Game):
    def pairs(self, batch, latent):
        return {name: self.pair(batch, latent) for name in ("one", "other")}


def two_pairs(*strategies):
    torch.manual_seed(0)
    networks = {"generator": SmallGenerator(), "discriminator": SmallDiscriminator()}
    parts = {"schedule": Alternating(1, 1, True), "prior": SmallPrior(), "loss": NonSaturating()}
    game = TwoPairs(Components(DataShape((2,)), networks, optimizers=dict.fromkeys(networks, still), **parts))
    for strategy in strategies:
        strategy.apply(game)
    return game


def test_terms_of_weights_are_paid_once_whatever_the_number_of_pairs():
    game = two_pairs()
    player = game.player("discriminator")
    for name, term in {"svm": SVMNorm(), "orthogonal": Orthogonal("full"), "scores": Scores()}.items():
        player.add_term(name, term)
    game.start(torch.device("cpu"))
    losses = player.evaluate(game.meet(Draws()()).detached())
    assert [*losses] == ["adversarial_one", "adversarial_other", "svm", "orthogonal", "scores_one", "scores_other"]
    assert losses["svm"].item() == pytest.approx(game.discriminator.output.weight.square().sum().item() / 2)


def test_what_follows_overfitting_sees_the_signs_of_one_pair():
    """D takes 3 of 5 real samples of either pair for real: E sign D(x) is 0.2, not 0.4."""
    game = two_pairs(APA(0.3, 1, 100.0))
    game.start(torch.device("cpu"))
    player = game.player("discriminator")
    with torch.no_grad():
        game.discriminator.inner.weight.copy_(torch.tensor([[1.0, 0.0]] * 4))
        game.discriminator.inner.bias.zero_()
        game.discriminator.output.weight.fill_(1.0)
        game.discriminator.output.bias.zero_()
    player.term("apa").share.p.fill_(0.5)
    samples = torch.tensor([[1.0, 0.0]] * 3 + [[-1.0, 0.0]] * 2)
    player.look_aheads.clear()
    player.play(game.meet(Batch(samples)).detached())
    assert player.term("apa").share.p.item() == pytest.approx(0.5 - 5 / 100)


def test_terms_are_not_computed_for_pairs_that_a_look_ahead_puts_beside_the_games():
    game = with_term(TermPlan(2.0))
    player = game.player("discriminator")
    player.look_aheads.append(lambda meeting: Meeting({**meeting, "more": meeting["main"].detached()}))
    losses = player.evaluate(game.meet(Draws()()).detached())
    assert player.term("scores").computed == 1
    assert [*losses] == ["adversarial_main", "adversarial_more", "scores"]
