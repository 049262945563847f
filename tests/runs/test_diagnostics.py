import math

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from gan_framework.errors import NonFinite
from gan_framework.runs import diagnostics
from gan_zoo.losses.hinge import Hinge
from gan_zoo.losses.least_squares import LeastSquares
from gan_zoo.losses.relativistic import Relativistic
from gan_zoo.losses.vanilla import Minimax, NonSaturating
from gan_zoo.losses.wasserstein import Wasserstein
from tests.helpers.small import Draws, small_game


def test_figures_of_a_step_by_hand():
    measured = {
        "generator/adversarial": torch.tensor(0.5),
        "real": torch.tensor([0.0, math.log(3)]),
        "fake": torch.tensor([-math.log(3), math.log(3)]),
    }
    figures = diagnostics.figures(measured)
    assert figures["train/generator/adversarial"] == 0.5
    assert figures["health/d_real"] == pytest.approx((0.5 + 0.75) / 2)
    assert figures["health/d_fake"] == pytest.approx((0.25 + 0.75) / 2)
    assert figures["health/accuracy_real"] == 0.5
    assert figures["health/accuracy_fake"] == 0.5
    assert figures["health/logit_real"] == pytest.approx(math.log(3) / 2)


def test_a_critic_has_scores_and_a_distance_and_no_probabilities():
    measured = {
        "real_a": torch.tensor([3.0, 5.0]),
        "fake_a": torch.tensor([1.0, 0.0]),
        "real_b": torch.tensor([[2.0, 4.0]]),
    }
    assert diagnostics.figures(measured, probabilistic=False) == {
        "health/critic_real_a": 4.0,
        "health/critic_fake_a": 0.5,
        "health/distance_a": 3.5,
        "health/critic_real_b": 3.0,
    }


@pytest.mark.parametrize(
    ("loss", "probabilistic"),
    [
        (NonSaturating(), True),
        (Minimax(), True),
        (Wasserstein(), False),
        (Hinge(), False),
        (LeastSquares(0.0, 1.0, 1.0), False),
        (Relativistic("paired", "standard"), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_step_says_of_each_loss_what_is_true_of_its_discriminator(loss, probabilistic):
    measured = small_game(loss=loss).step(Draws())
    found = {name for name in diagnostics.figures(measured, loss.probabilistic) if name.startswith("health/")}
    sides = ("real", "fake")
    if probabilistic:
        assert found == {f"health/{what}_{side}" for what in ("d", "accuracy", "logit") for side in sides}
    else:
        assert found == {"health/distance"} | {f"health/critic_{side}" for side in sides}


def test_the_first_loss_that_is_not_finite_is_named():
    fine = {"discriminator/adversarial": torch.tensor(1.0), "generator/adversarial": torch.tensor(1.0)}
    history = [fine, fine | {"discriminator/penalty": torch.tensor(float("nan"))}, fine]
    with pytest.raises(NonFinite, match="at step 9 the penalty loss of the player 'discriminator'"):
        diagnostics.require_finite(history, last_step=10)
    diagnostics.require_finite([fine, fine], last_step=10)
    diagnostics.require_finite([], last_step=10)


def test_gradient_norms_are_those_of_players_that_have_moved():
    game = small_game()
    assert diagnostics.gradient_norms(game) == {}
    game.step(Draws())
    norms = diagnostics.gradient_norms(game)
    assert norms.keys() == {"health/gradient_norm_discriminator", "health/gradient_norm_generator"}
    assert all(value > 0 for value in norms.values())


def test_a_generator_whose_samples_a_judge_detaches_is_not_reached(monkeypatch):
    game = small_game()
    assert diagnostics.unreached(game) == []
    game.step(Draws())
    assert diagnostics.unreached(game) == []
    features = game.discriminator.features
    monkeypatch.setattr(game.discriminator, "features", lambda x, labels=None: features(x.detach(), labels))
    game.step(Draws())
    assert diagnostics.unreached(game) == [("generator", "generator")]


def test_what_is_read_at_a_log_line_is_read_at_once():
    class Single(TorchDispatchMode):
        read = 0

        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            self.read += function is torch.ops.aten._local_scalar_dense.default
            return function(*args, **(kwargs or {}))

    game = small_game()
    measured = game.step(Draws())
    with Single() as single:
        torch.zeros(1).item()
        assert single.read == 1
        diagnostics.figures(measured)
        diagnostics.gradient_norms(game)
        diagnostics.reported(game)
    assert single.read == 1


def test_figures_keep_their_precision_and_may_be_plain_numbers():
    game = small_game()
    third = torch.tensor(1 / 3, dtype=torch.float64)
    shown = {"plain": 2, "double": third, "half": third.half(), "one": torch.tensor([0.5], requires_grad=True)}
    game.schedule.figures = lambda: shown
    expected = {"plain": 2.0, "double": 1 / 3, "half": third.half().item(), "one": 0.5}
    assert diagnostics.reported(game) == {f"train/schedule/{name}": value for name, value in expected.items()}
