"""The gate against a record of every loss that was measured and every update that was made."""

import pytest
import torch

from gan_framework.core.player import Player
from gan_framework.errors import ConfigError
from gan_framework.runs import diagnostics
from gan_zoo.losses.vanilla import Minimax, NonSaturating
from gan_zoo.schedules.alternating import Alternating
from gan_zoo.schedules.simultaneous import Simultaneous
from gan_zoo.strategies.k_step import KStep
from gan_zoo.strategies.loss_gated import LossGated, LossGatedSchedule
from gan_zoo.strategies.split_discriminator import SplitDiscriminator
from tests.helpers.small import Draws, small_game

ORDER = ("discriminator_fake", "generator", "discriminator_real")
THRESHOLDS = {"discriminator_fake": 0.6, "generator": 0.5, "discriminator_real": 0.45}


def gated_game(loss=None, start=True, lr=0.1):
    game = small_game(
        loss=loss or NonSaturating(), start=False, optimizer=lambda parameters: torch.optim.SGD(parameters, lr=lr)
    )
    LossGated(fake=0.6, generator=0.5, real=0.45).apply(game)
    if start:
        game.start(torch.device("cpu"))
    return game


@pytest.fixture
def record(monkeypatch):
    """Everything that happens, in order: (`loss`, player, value) and (`update`, player)."""
    events = []
    evaluate, update = Player.evaluate, Player.update

    def noted_evaluate(self, meeting):
        losses = evaluate(self, meeting)
        events.append(("loss", self.name, sum(loss.item() for loss in losses.values())))
        return losses

    def noted_update(self, losses, meeting):
        events.append(("update", self.name))
        update(self, losses, meeting)

    monkeypatch.setattr(Player, "evaluate", noted_evaluate)
    monkeypatch.setattr(Player, "update", noted_update)
    return events


def replay(losses_in_turn, steps):
    """Return the moves that the rule calls for, given what each measurement found."""
    last = {"discriminator_fake": 1.0, "generator": 0.0, "discriminator_real": 1.0}
    measured = iter(losses_in_turn)
    moves = []
    for _ in range(steps):
        moved = False
        for name in ORDER:
            if last[name] > THRESHOLDS[name]:
                last = next(measured)
                moves.append(name)
                moved = True
        if not moved:
            last = next(measured)
    assert next(measured, None) is None, "nothing else was measured"
    return moves


def test_exactly_those_move_whom_the_recorded_losses_call_for(record):
    game = gated_game(lr=2.0)
    draws = Draws(n=16)
    torch.manual_seed(0)
    for _ in range(60):
        game.step(draws)

    losses = [event[1:] for event in record if event[0] == "loss"]
    measurements = [dict(losses[i : i + 3]) for i in range(0, len(losses), 3)]
    moves = [event[1] for event in record if event[0] == "update"]
    assert all(set(measurement) == set(ORDER) for measurement in measurements)
    assert moves == replay(measurements, 60)
    # The rule was put to the test: nobody moved in every iteration, and everybody moved.
    assert all(0 < moves.count(name) < 60 for name in ORDER)
    assert {name: game.player(name).updates for name in ORDER} == {name: moves.count(name) for name in ORDER}
    assert len(draws.batches) == 60


def test_the_generator_waits_for_the_first_measurement(record):
    game = gated_game()
    game.schedule.thresholds["discriminator_fake"] = 1.5
    game.schedule.thresholds["discriminator_real"] = 1.5
    before = [p.clone() for p in game.generator.parameters()]
    game.step(Draws())
    # No gate was open at the starting values, so all losses were measured and nobody moved.
    assert [event[0] for event in record] == ["loss"] * 3
    assert all(torch.equal(a, b) for a, b in zip(before, game.generator.parameters(), strict=True))
    assert game.schedule.last_loss("generator") == pytest.approx(record[1][2])
    game.step(Draws())
    assert [event for event in record if event[0] == "update"] == [("update", "generator")]


def test_a_mover_changes_its_own_network_only():
    game = gated_game()
    for mover in ORDER:
        game.schedule.thresholds.update({name: -1.0 if name == mover else 9.0 for name in ORDER})
        before = {name: [p.clone() for p in net.parameters()] for name, net in game.networks.items()}
        game.step(Draws())
        changed = {
            name
            for name, net in game.networks.items()
            if any(not torch.equal(a, b) for a, b in zip(before[name], net.parameters(), strict=True))
        }
        assert changed == {mover.split("_")[0]}


def test_the_halves_move_on_their_own_batch_with_their_own_optimizer():
    game = gated_game()
    assert list(game.players) == ["discriminator_real", "discriminator_fake", "generator"]
    real, fake = game.player("discriminator_real"), game.player("discriminator_fake")
    assert real.optimizer is not fake.optimizer
    assert real.trained == fake.trained == list(game.discriminator.parameters())
    meeting = game.meet(Draws()())
    pair = meeting["main"]
    torch.testing.assert_close(
        real.evaluate(meeting)["adversarial"], -torch.log(torch.sigmoid(pair.real_output.logits)).mean()
    )
    torch.testing.assert_close(
        fake.evaluate(meeting)["adversarial"], -torch.log(1 - torch.sigmoid(pair.fake_output.logits)).mean()
    )


def test_gradients_are_reported_of_those_who_moved():
    game = gated_game()
    game.step(Draws())
    game.schedule.thresholds.update({"discriminator_fake": 9.0, "generator": -1.0, "discriminator_real": 9.0})
    game.step(Draws())
    assert diagnostics.gradient_norms(game).keys() == {"health/gradient_norm_generator"}


def test_last_losses_are_state():
    game, copy = gated_game(), gated_game()
    for _ in range(3):
        game.step(Draws())
    copy.load_state_dict(game.state_dict())
    for name in ORDER:
        assert torch.equal(game.schedule.last_loss(name), copy.schedule.last_loss(name))


def test_measured_losses_are_reported_for_all_three():
    measured = gated_game().step(Draws())
    assert {name for name in measured if "/" in name} == {f"{name}/adversarial" for name in ORDER}
    assert measured["real"].shape == measured["fake"].shape == (5,)


def test_a_gate_that_can_never_open_is_refused():
    with pytest.raises(ConfigError, match="loss_gated would never update the player 'generator': .*Minimax"):
        gated_game(loss=Minimax())


@pytest.mark.parametrize("schedule", [Simultaneous(), Alternating(5, 1, True), Alternating(1, 1, True, g_batches=2)])
def test_a_schedule_with_an_order_of_its_own_is_refused(schedule):
    game = small_game(loss=NonSaturating(), schedule=schedule, start=False)
    with pytest.raises(ConfigError, match=f"loss_gated .* {type(schedule).__name__}"):
        LossGated(fake=0.6, generator=0.5, real=0.45).apply(game)


@pytest.mark.parametrize("other, name", [(KStep(5, 1), "k_step"), (SplitDiscriminator(), "split_discriminator")])
def test_contradicting_strategies_are_named(other, name):
    for first, second in ((other, None), (None, other)):
        game = small_game(loss=NonSaturating(), start=False)
        with pytest.raises(ConfigError) as error:
            for strategy in (first, second):
                (strategy or LossGated(fake=0.6, generator=0.5, real=0.45)).apply(game)
        assert name in str(error.value) and "loss_gated" in str(error.value)


def test_a_schedule_needs_no_gate_for_every_player():
    game = small_game(schedule=LossGatedSchedule({"discriminator": 9.0}, {"discriminator": 1.0}))
    game.step(Draws())
    assert (game.player("discriminator").updates, game.player("generator").updates) == (0, 1)


def test_what_one_player_makes_of_a_meeting_is_not_the_others():
    game, seen = gated_game(), []

    def doubled(meeting):
        seen.append(meeting["main"].real.clone())
        pair = meeting["main"].judged_by(meeting["main"].judge)
        pair.real = 2 * pair.real
        meeting["main"] = pair
        return meeting

    for name in ORDER:
        game.player(name).look_aheads.append(doubled)
    draws = Draws()
    measured = game.step(draws)
    assert len(seen) >= 3 and all(torch.equal(real, draws.batches[0].samples) for real in seen)
    assert measured["real"].shape == measured["fake"].shape == (5,)
