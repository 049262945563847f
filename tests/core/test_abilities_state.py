"""State that adapts after updates: once for each real update, whatever measures losses besides."""

import copy

import pytest
import torch

from gan_framework.core.contracts.loss import SeparableLoss
from gan_framework.core.contracts.term import Term
from gan_framework.core.game import Game
from gan_framework.runs import checkpoint, diagnostics
from gan_zoo.strategies.loss_gated import LossGated
from gan_zoo.strategies.unrolled import Unrolled
from tests.core.abilities import Draws, alternating, experiment, make, play, through_a_file
from tests.journeys.test_distributed import Ranks, done, same

from gan_probe.balance import BEGAN, EnergyJudge  # isort: skip
from gan_probe.layers import Dense, DenseJudge  # isort: skip
from gan_probe.lecam import LeCam  # isort: skip

pytestmark = pytest.mark.usefixtures("probe")


class Counting(SeparableLoss):
    """The plain game; remembers whose updates it was told of."""

    def __init__(self):
        super().__init__()
        self.told = []

    def real_half(self, real):
        return torch.nn.functional.softplus(-real.logits).mean()

    def fake_half(self, fake):
        return torch.nn.functional.softplus(fake.logits).mean()

    def generator(self, fake, real=None):
        return torch.nn.functional.softplus(-fake.logits).mean()

    def after_update(self, meeting, player):
        assert not torch.is_grad_enabled()
        self.told.append((player.name, player.updates))


class CountingTerm(Term):
    def __init__(self):
        super().__init__()
        self.asked, self.told = 0, []

    def forward(self, pair, player):
        self.asked += 1
        return pair.fake_output.logits.mean()

    def after_update(self, pair, player):
        self.told.append((player.name, player.updates))


def plain(loss, edit=None, judge=None, **parts):
    torch.manual_seed(0)
    networks = {"generator": Dense(2, [3], 4, None), "discriminator": judge or DenseJudge(3, 0, 4)}
    players = ("generator", "discriminator", "discriminator_real", "discriminator_fake")
    return make(Game, networks, (3,), players=players, loss=loss, edit=edit, **parts)


def edits(game):
    """Every strategy that measures losses without an update, or makes several updates."""
    game.player("generator").add_term("counting", CountingTerm())


SURROUNDINGS = {
    "alternating": ({}, edits),
    "k steps": ({"schedule": alternating(3, 2)}, edits),
    "loss gated": ({}, lambda game: (LossGated(fake=0.68, generator=0.69, real=0.68).apply(game), edits(game))),
    "unrolled": ({}, lambda game: (edits(game), Unrolled(k=3, lr=None).apply(game))),
}


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_a_loss_and_a_term_are_told_once_of_each_update(name):
    parts, edit = SURROUNDINGS[name]
    loss = Counting()
    game = plain(loss, edit=edit, **copy.deepcopy(parts))
    play(game, Draws(), range(6))
    term = game.player("generator").terms["counting"]
    updates = {player: game.player(player).updates for player in game.players}
    assert updates["generator"] > 0
    for player, count in updates.items():
        assert [told for told in loss.told if told[0] == player] == [(player, n + 1) for n in range(count)]
    assert term.told == [("generator", n + 1) for n in range(updates["generator"])]
    if name == "loss gated":  # it has measured more often than it has updated
        assert term.asked > len(term.told)
    if name == "k steps":
        assert updates == {"discriminator": 18, "generator": 12}


def energies(judge, x):
    return (judge.output(judge.encode(x).tanh()) - x).abs().mean().item()


@pytest.mark.parametrize("strategy", [None, Unrolled(k=2, lr=0.1)], ids=["plain", "unrolled"])
@pytest.mark.parametrize("d_steps", [1, 3])
def test_the_balance_of_began_follows_the_energies_of_its_updates(d_steps, strategy):
    loss, judge = BEGAN(balance=0.5, rate=0.05), EnergyJudge(3, 2)
    game = plain(loss, judge=judge, schedule=alternating(d_steps), edit=strategy and strategy.apply)
    k, seen = 0.0, []
    player = game.player("discriminator")
    update = player.step

    def watched(total, meeting):
        seen.append((meeting["main"].real, meeting["main"].fake.detach(), copy.deepcopy(judge)))
        update(total, meeting)

    player.step = watched
    draws = Draws()
    for step in range(4):
        play(game, draws, [step])
        for real, fake, before in seen:
            k = min(max(k + 0.05 * (0.5 * energies(before, real) - energies(before, fake)), 0), 1)
        assert len(seen) == d_steps
        seen.clear()
        assert loss.k.item() == pytest.approx(k, abs=1e-6)
        assert diagnostics.reported(game)["train/loss/k"] == pytest.approx(k, abs=1e-6)
    assert k != 0


@pytest.mark.parametrize("d_steps", [1, 2])
def test_the_averages_of_lecam_follow_the_scores_of_its_updates(d_steps):
    term = LeCam(0.9)
    game = plain(
        Counting(), schedule=alternating(d_steps), edit=lambda g: g.player("discriminator").add_term("lecam", term, 0.3)
    )
    averages = {"real": 0.0, "fake": 0.0}
    judge, update = game.discriminator, game.player("discriminator").step

    def watched(total, meeting):
        pair = meeting["main"]
        for side in averages:  # the judge is still the one before the update
            averages[side] = 0.9 * averages[side] + 0.1 * judge(getattr(pair, side).detach()).logits.mean().item()
        update(total, meeting)

    game.player("discriminator").step = watched
    draws = Draws()
    for step in range(4):
        play(game, draws, [step])
        for side, average in averages.items():
            assert term.get_buffer(side).item() == pytest.approx(average, abs=1e-6)
            assert diagnostics.reported(game)[f"train/discriminator/lecam/{side}"] == pytest.approx(average, abs=1e-6)


def test_what_adapts_has_no_gradient_and_costs_no_pass():
    term = LeCam(0.9)
    game = plain(Counting(), edit=lambda g: g.player("discriminator").add_term("lecam", term))
    calls = []
    game.discriminator.register_forward_pre_hook(lambda _, inputs: calls.append(len(inputs[0])))
    play(game, Draws(), range(1))
    assert calls == [12, 6]  # both sides for the discriminator, the generated one for the generator
    assert not term.real.requires_grad


@pytest.mark.parametrize("name", ["balance", "lecam"])
def test_what_adapts_goes_on_exactly(compose, name):
    straight, batches = experiment(compose, name)
    play(straight, batches, range(3))
    state, drawn = through_a_file(straight.state_dict()), batches.drawn
    expected = play(straight, batches, range(3, 6))
    resumed, _ = experiment(compose, name, "seed=1")
    resumed.load_state_dict(state)
    batches.drawn = drawn
    found = play(resumed, batches, range(3, 6))
    for a, b in zip(expected, found, strict=True):
        assert all(torch.equal(a[key], b[key]) for key in a)
    assert diagnostics.reported(resumed) == diagnostics.reported(straight)
    assert any(value != 0 for value in diagnostics.reported(straight).values())


PROGRAMS = {
    "balance": (["strategy=[k_step]", "strategy.k_step.k=2", "strategy.k_step.g_steps=2"], ["loss.k"]),
    "lecam": ([], ["players.discriminator.terms.lecam.real", "players.discriminator.terms.lecam.fake"]),
    "probe_pix2pix": (["term=[r1]"], []),
    "probe_cyclegan": (["train.batch_size=8"], []),
}
"""An experiment with its options, and the buffers that adapt: also with patches and sources, and with two sources."""


@pytest.mark.parametrize("name", PROGRAMS)
def test_two_processes_do_and_adapt_as_one_does(name, cache, tmp_path):
    options, buffers = PROGRAMS[name]
    common = [f"experiment={name}", "train.steps=3", "train.log_every=1", "train.checkpoint_every=0", "tracker=[]"]
    started = []
    try:
        for world in (1, 2):
            folder = tmp_path / str(world)
            started.append(Ranks(world, [*common, *options, "optimizer=sgd", f"hydra.run.dir={folder}"]))
            started[-1].folder = folder
        folders = [done(ranks) for ranks in started]
    finally:
        for process in (process for ranks in started for process in ranks.processes):
            process.kill()
    same(*folders, 1e-5)
    one, two = (checkpoint.load(folder / "checkpoints" / "last.pt")["game"] for folder in folders)
    for buffer in buffers:
        assert one[buffer] != 0
        torch.testing.assert_close(two[buffer], one[buffer], rtol=1e-5, atol=1e-7)
