"""What stands before the judges: in training, real and generated samples go through it alike, whoever asks."""

import pytest
import torch
from torch import nn

from gan_framework.core.game import Game
from gan_framework.core.records import DiscriminatorOutput
from gan_zoo.losses.wasserstein import Wasserstein
from gan_zoo.terms.zero_centered import R1
from tests.core.abilities import alternating, drawn, experiment, make, noise, play, same_state, through_a_file

from gan_probe.ada import ADA  # isort: skip
from gan_probe.layers import Dense  # isort: skip

pytestmark = pytest.mark.usefixtures("probe")


class Linear(nn.Module):
    """Scores w·x + b, and keeps what it was shown."""

    def __init__(self, bias=0.0):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([1.0, -2.0, 0.5]))
        self.bias = nn.Parameter(torch.tensor(bias))
        self.shown = []

    def forward(self, x, labels=None):
        self.shown.append(x.detach())
        return DiscriminatorOutput(x @ self.weight + self.bias)


class Shift(nn.Module):
    def forward(self, x):
        return x + 1


class Double(nn.Module):
    def forward(self, x):
        return 2 * x


def game(*transforms, judge=None, edit=None, **parts):
    torch.manual_seed(0)
    networks = {"generator": Dense(2, [3], 4, None), "discriminator": judge or Linear()}

    def edits(made):
        made.transforms.extend(transforms)
        if edit is not None:
            edit(made)

    made = make(Game, networks, (3,), loss=Wasserstein(), edit=edits, **parts)
    made.discriminator.shown.clear()
    return made


def test_both_sides_go_through_all_of_them_in_their_order_and_the_samples_stay_what_they_are():
    made = game(Shift(), Double())
    batch = noise(4, 3)
    pair = made.meet(batch)["main"]
    real, fake = pair.real_output, pair.fake_output
    seen_real, seen_fake = made.discriminator.shown
    assert torch.equal(seen_real, 2 * (batch.samples + 1))
    assert torch.equal(seen_fake, 2 * (pair.fake.detach() + 1))
    assert real.samples is pair.real and fake.samples is pair.fake
    assert torch.equal(pair.real, batch.samples)


def test_a_pass_over_both_sides_goes_through_them_once():
    made = game(Shift())
    batch = noise(4, 3)
    pair = made.meet(batch).detached()["main"]
    made.discriminator.shown.clear()
    pair.outputs  # noqa: B018
    (seen,) = made.discriminator.shown
    assert torch.equal(seen, torch.cat([batch.samples, pair.fake]) + 1)


def test_nothing_stands_before_a_judge_that_is_not_in_training():
    made = game(Shift())
    x = noise(4, 3).samples
    made.discriminator.eval()
    made.judge("discriminator")(x)
    assert torch.equal(made.discriminator.shown[-1], x)


def test_the_generator_learns_and_penalties_measure_through_them():
    plain, doubled = game(), game(Double())
    latent = drawn(5, 2)
    gradients = []
    for made in (plain, doubled):
        pair = made.pair_up(noise(5, 3), latent)["main"]
        gradients.append(torch.autograd.grad(pair.fake_output.logits.mean(), pair.fake)[0])
    assert torch.allclose(gradients[1], 2 * gradients[0])
    w = plain.discriminator.weight
    for made, factor in ((plain, 1), (doubled, 4)):  # |∂(w·2x)/∂x|² = 4 |w|²
        penalty = R1()(made.meet(noise(5, 3)).detached()["main"], made.player("discriminator"))
        assert penalty.item() == pytest.approx(factor * w.square().sum().item() / 2)


@pytest.mark.parametrize("d_steps", [1, 3])
@pytest.mark.parametrize(("bias", "expected"), [(100.0, 0.05), (-100.0, 0.0)])
def test_the_probability_of_ada_moves_once_for_each_update_of_the_discriminator(d_steps, bias, expected):
    """A discriminator that is sure of all real samples raises it by the rate; one that errs leaves it at zero."""
    made = game(judge=Linear(bias), edit=ADA(0.6, 0.05).apply, schedule=alternating(d_steps))
    play(made, lambda: noise(6, 3), range(4))
    (augment,) = made.transforms
    assert augment.p.item() == pytest.approx(4 * d_steps * expected)


def test_ada_goes_on_exactly_where_it_was(compose):
    settings = ["strategy.probe_ada.rate=0.2", "strategy.probe_ada.target=-1.1"]

    def batch():
        return noise(8, 1, 4, 4)

    one, _ = experiment(compose, "ada", *settings)
    play(one, batch, range(3))
    assert one.transforms[0].p.item() == pytest.approx(0.6)
    two, _ = experiment(compose, "ada", *settings)
    two.load_state_dict(through_a_file(one.state_dict()))
    play(one, batch, range(3, 5))
    play(two, batch, range(3, 5))
    assert one.transforms[0].p.item() == pytest.approx(1.0)
    assert same_state(one, two)
