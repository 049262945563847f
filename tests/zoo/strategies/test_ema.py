"""The average of a generator's weights whose share grows: what it holds after a few steps, by hand."""

import pytest
import torch
from torch import nn

from gan_zoo.strategies.ema import Bounded


def test_the_untrained_weights_are_soon_forgotten():
    trained, average = nn.Linear(1, 1, bias=False).double(), nn.Linear(1, 1, bias=False).double()
    following = Bounded(trained, average, decay=0.15, warmup=0)
    nn.init.zeros_(average.weight)
    by_hand = 0.0
    for n, value in enumerate((1.0, 3.0, -2.0)):
        nn.init.constant_(trained.weight, value)
        following()
        share = (1 / 10, 0.15, 0.15)[n]  # 1 / 10, then 2 / 11 and 3 / 12, which are above the decay
        by_hand = share * by_hand + (1 - share) * value
        assert average.weight.item() == pytest.approx(by_hand, abs=1e-6)
    assert following.updates == 3


def test_an_average_that_began_without_the_bound_goes_on_without_it():
    trained, average = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    nn.init.zeros_(trained.weight)
    nn.init.ones_(average.weight)
    following = Bounded(trained, average, decay=0.75, warmup=0)
    following.set_extra_state({"steps": 2})
    following()
    assert average.weight.item() == 0.75 and following.get_extra_state() == {"steps": 3, "bounded": False}

    again = Bounded(trained, average, decay=0.75, warmup=0)
    again.set_extra_state({"steps": 2, "bounded": True})
    nn.init.ones_(average.weight)
    again()
    assert average.weight.item() == pytest.approx(3 / 12, abs=1e-7)


def test_after_700_steps_with_the_default_decay_nothing_is_left_of_the_start():
    trained, average = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    nn.init.zeros_(trained.weight)
    nn.init.ones_(average.weight)
    following = Bounded(trained, average, decay=0.999, warmup=0)
    for _ in range(700):
        following()
    # The product of (1 + n) / (10 + n) for n below N is 9! N! / (N + 9)!; without the bound, 0.999^700 = 0.5 is left.
    left = torch.exp(
        torch.lgamma(torch.tensor([10.0, 701.0], dtype=torch.float64)).sum()
        - torch.lgamma(torch.tensor(710.0, dtype=torch.float64))
    )
    assert average.weight.item() == pytest.approx(float(left), rel=1e-3) and left < 1e-18
