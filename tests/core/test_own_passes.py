"""R1 and R2 read the gradient of the pass that the loss makes anyway."""

import pytest
import torch

from gan_framework.build import start as start_game
from gan_zoo.losses.vanilla import NonSaturating
from gan_zoo.terms.zero_centered import R1, R2
from tests.helpers.small import Draws, small_game

N = 5


def penalised(terms, precision="fp32", independent=True, plan=None):
    game = small_game(loss=NonSaturating(), start=False)
    for name in terms:
        game.player("discriminator").add_term(name, {"r1": R1, "r2": R2}[name](), weight=3.0, plan=plan)
    if not independent:
        game.discriminator.batch_independent = False
    start_game(game, torch.device("cpu"), precision)
    return game


def sizes(game):
    """Return the numbers of samples that the discriminator is shown from here on, pass by pass."""
    seen = []
    game.discriminator.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    return seen


def meeting(game):
    torch.manual_seed(1)
    return game.meet(Draws(N)()).detached()


@pytest.mark.parametrize(
    ("terms", "independent", "passes"),
    [
        ((), True, [2 * N]),
        (("r1", "r2"), True, [2 * N]),
        (("r1", "r2"), False, [N, N]),
        (("r1",), True, [N, N]),  # apart, so that one side alone is differentiated
        (("r2",), True, [N, N]),
    ],
)
def test_an_update_sends_each_sample_through_once(terms, independent, passes):
    game = penalised(terms, independent=independent)
    faced, seen = meeting(game), sizes(game)
    game.player("discriminator").play(faced)
    assert seen == passes and sum(seen) == 2 * N


@pytest.mark.parametrize("independent", [True, False])
@pytest.mark.parametrize("terms", [("r1",), ("r2",), ("r1", "r2")])
def test_values_and_gradients_are_those_of_passes_of_their_own(terms, independent):
    game = penalised(terms, independent=independent)
    player, faced = game.player("discriminator"), meeting(game)
    losses = player.evaluate(faced)
    gradients = torch.autograd.grad(sum(losses.values()), player.trained)

    pair = meeting(game)["main"]
    apart = {"adversarial": game.loss.discriminator(pair.real_output, pair.fake_output)}
    for name, x in (("r1", pair.real), ("r2", pair.fake)):
        if name in terms:
            slope = pair.gradient_at(x, None)
            apart[name] = 3.0 * 0.5 * slope.square().sum(1).mean()
    assert losses.keys() == apart.keys()
    for name in apart:
        torch.testing.assert_close(losses[name], apart[name], rtol=1e-6, atol=1e-6)
    expected = torch.autograd.grad(sum(apart.values()), player.trained)
    for ours, theirs in zip(gradients, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-6)


def test_an_update_in_which_they_are_not_due_costs_nothing():
    from gan_framework.core.player import TermPlan

    game = penalised(("r1", "r2"), plan=TermPlan(3.0, every=2))
    player, seen = game.player("discriminator"), sizes(game)
    differentiated = []
    for _ in range(2):
        faced = meeting(game)
        player.play(faced)
        differentiated.append(bool(faced["main"]._inputs))
    assert seen == [2 * N] * 2
    assert differentiated == [True, False]


def test_the_generators_update_is_as_it_was():
    game = penalised(("r1", "r2"))
    torch.manual_seed(1)
    faced, seen = game.meet(Draws(N)()), sizes(game)
    game.player("generator").play(faced)
    assert seen == [N]


def test_half_precision_has_passes_of_their_own_in_float32():
    game = penalised(("r1", "r2"), precision="bf16")
    faced, seen = meeting(game), sizes(game)
    kinds = []
    game.discriminator.inner.register_forward_hook(lambda *args: kinds.append(args[2].dtype))
    game.player("discriminator").play(faced)
    assert sum(seen) == 4 * N
    assert kinds.count(torch.bfloat16) == 1 and kinds.count(torch.float32) == 2


def test_what_was_asked_before_is_not_asked_again():
    """A pass that a loss has made already cannot be differentiated any more, so a penalty makes one of its own."""
    game = penalised(())
    pair, seen = meeting(game)["main"], sizes(game)
    pair.real_output  # noqa: B018
    pair.differentiate(("real",))
    value = pair.input_gradient("real")
    assert seen == [N, N]
    torch.testing.assert_close(value, pair.gradient_at(pair.real, None))
