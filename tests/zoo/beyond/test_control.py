"""Imitation and made experience: the best steering of a point mass, rewards, policies and options."""

import math

import pytest
import torch
from torch.nn import functional as F

from gan_framework.api import MAIN, Batch, DiscriminatorOutput, Latent, Pair
from gan_framework.build import build_game
from gan_framework.data import Sources
from gan_zoo.datasets.transitions import Transitions
from gan_zoo.simulators import best_gain, cost, moved, starts, steered, trajectory_costs
from gan_zoo.systems.egan import one_step_error
from gan_zoo.systems.gail import Policy, PolicyGradient, StartsAndNoise, StepDiscriminator, divided, rewards
from tests.testing.beyond import OPTIONS


def test_the_best_steering_is_known():
    gain, costs = best_gain()
    torch.testing.assert_close(gain, torch.tensor([2.5853073, 3.5747171], dtype=torch.float64), atol=1e-6, rtol=0)
    assert costs[0, 0].item() == pytest.approx(13.8270493, abs=1e-6)
    state, total = torch.tensor([[1.0, 0.0]], dtype=torch.float64), 0.0
    for _ in range(400):
        action = steered(state)
        total += cost(state, action).item()
        state = moved(state, action)
    assert total == pytest.approx(13.8270493, abs=1e-5)


def test_experts_do_better_than_nobody():
    data = Transitions("trajectory", 40, 1, 0.0, 30, None).load("train")
    idle, state = [], starts(30, torch.Generator().manual_seed(0))
    for _ in range(40):
        idle.append(torch.cat([state, torch.zeros(30, 1)], 1))
        state = moved(state, torch.zeros(30, 1))
    assert trajectory_costs(data.samples, 1).mean() < 0.5 * trajectory_costs(torch.stack(idle, 2), 1).mean()
    both = Transitions("trajectory", 60, 2, 0.0, 30, None).load("train").samples
    assert ((both[:, 0, -1] - both[:, 0, 0].sign()).abs() < 0.2).all()
    assert trajectory_costs(both, 2).mean() < 0.5 * trajectory_costs(both, 1).mean()


def test_transitions_are_those_of_the_simulator():
    rows = Transitions("transition", 10, 1, 0.5, 50, None).load("train").samples
    assert one_step_error(rows).max() < 1e-6
    wrong = rows.clone()
    wrong[:, 3] += 0.2
    torch.testing.assert_close(one_step_error(wrong), torch.full((50,), 0.1))


def test_rewards_of_an_undecided_discriminator():
    zero = torch.zeros(1, dtype=torch.float64)
    assert rewards(zero, "positive").item() == pytest.approx(0.6931472, abs=1e-7)
    assert rewards(zero, "negative").item() == pytest.approx(-0.6931472, abs=1e-7)


@pytest.mark.parametrize("options", [1, 3])
def test_a_policy_says_how_likely_its_actions_are(options):
    policy = Policy(8, options, 0.5)
    latent = StartsAndNoise(5).draw(4, torch.device("cpu"), torch.Generator().manual_seed(0))
    made = policy.everything(latent.z)
    seen, said = made["samples"], made["log_probability"]
    assert seen.shape == (4, 3, 5) and not seen.requires_grad and said.requires_grad
    torch.testing.assert_close(moved(seen[:, :2, 0], seen[:, 2:, 0]), seen[:, :2, 1])
    states, actions = seen[:, :2].transpose(1, 2), seen[:, 2]
    density = torch.distributions.Normal(policy.means(states), 0.5).log_prob(actions[..., None])
    expected = (density + policy.gates(states).log()).logsumexp(2)
    torch.testing.assert_close(said, expected)
    torch.testing.assert_close(policy.gates(states).sum(2), torch.ones(4, 5))
    policy.eval()
    quiet = latent.z.clone()
    quiet[:, 2:] = 0
    torch.testing.assert_close(policy(latent.z), policy(quiet))


def test_an_action_that_is_paid_more_becomes_likelier():
    said = torch.zeros(2, 2, requires_grad=True)
    pair = Pair(
        None,
        Batch(torch.zeros(2, 3, 2)),
        Latent(torch.zeros(2, 0)),
        torch.zeros(2, 3, 2),
        made={"log_probability": said},
    )
    pair.__dict__["fake_output"] = DiscriminatorOutput(torch.tensor([[0.0, 3.0], [0.0, -3.0]]))
    term = PolicyGradient("positive", 0.5, 0.0)
    term.attach(type("AGame", (), {"generator": None})())
    (gradient,) = torch.autograd.grad(term(pair, None), said)
    high, low = (math.log1p(math.exp(logit)) for logit in (3.0, -3.0))
    ratio = 0.5  # the first step's return has half of what is paid in the second
    assert gradient[0, 1] < 0 < gradient[1, 1] and high > low
    torch.testing.assert_close(gradient[:, 0], ratio * gradient[:, 1])
    torch.testing.assert_close(gradient.sum(0), torch.zeros(2), atol=1e-6, rtol=0)


def test_options_are_to_be_sure_and_all_to_be_used():
    def of(gates):
        return divided(torch.tensor(gates, dtype=torch.float64), 1.0, 1.0).item()

    assert of([[1.0, 0.0], [0.0, 1.0]]) == pytest.approx(-math.log(2), abs=1e-6)
    assert of([[0.5, 0.5]] * 2) == pytest.approx(0, abs=1e-6) and of([[1.0, 0.0]] * 2) == pytest.approx(0, abs=1e-6)


def test_what_divides_options_is_trained_by_their_losses_and_not_by_what_the_policy_is_paid(compose):
    config = compose(*OPTIONS, "train.device=cpu", "metrics=[]", "game.sparsity=0", "game.information=0")
    sources = Sources(config["data"], config["sources"])
    game, batch = build_game(config, sources.shape, torch.device("cpu")), sources.batches(4, 0, "cpu")()
    gate, pair = game.network("gate"), game.meet(batch)[MAIN]
    loss = game.player("discriminator").terms["options"](pair, game.player("discriminator"))
    expected = 0.0
    for x, label in ((pair.real, 1.0), (pair.fake, 0.0)):
        logits = game.discriminator.output(game.discriminator.features(x)[0])
        each = F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label), reduction="none")
        expected = expected + (gate(x[:, :2].transpose(1, 2)) * each).sum(2).mean()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    weights = [*gate.parameters()]
    assert any(gradient.any() for gradient in torch.autograd.grad(loss, weights, retain_graph=True))
    paid = game.player("generator").terms["policy_gradient"](pair, game.player("generator"))
    assert all(gradient is None for gradient in torch.autograd.grad(paid, weights, allow_unused=True))
    states = batch.samples[:, :2].transpose(1, 2)
    torch.testing.assert_close(game.generator.gates(states), gate(states).detach())


def test_a_discriminator_of_steps_weighs_its_options():
    network = StepDiscriminator(8, 2)
    x = torch.randn(3, 3, 4)
    first, second = (network(x, None, torch.eye(2)[i].expand(3, 4, 2)).logits for i in (0, 1))
    half = network(x, None, torch.full((3, 4, 2), 0.5)).logits
    assert half.shape == (3, 4)
    torch.testing.assert_close(half, (first + second) / 2)
