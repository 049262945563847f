"""Latents whose samples are changed under a mask."""

import pytest
import torch

from gan_framework.errors import ConfigError
from gan_framework.evaluation.inversion import edited
from tests.helpers.small import small_game


@pytest.fixture
def game():
    return small_game()


@pytest.fixture
def z():
    return torch.randn(4, 3, generator=torch.Generator().manual_seed(1))


def test_without_a_constraint_latents_stay_to_the_bit(game, z):
    assert torch.equal(edited(game, z, torch.randn(4, 2), torch.zeros(4, 2)), z)


def test_what_is_under_the_mask_becomes_what_is_wanted(game, z):
    wanted = torch.tensor([2.0, -9.0]).expand(4, 2)
    mask = torch.tensor([1.0, 0.0])
    made = game.generator(edited(game, z, wanted, mask, steps=400, stays=0.0))
    torch.testing.assert_close(made[:, 0], wanted[:, 0], atol=0.02, rtol=0)


def test_the_nearer_latents_are_to_stay_the_less_they_change(game, z):
    """Of a linear generator the best change is known: ridge regression."""
    wanted, mask, stays = torch.full((4, 2), 1.5), torch.tensor([1.0, 0.0]), 0.3
    weight = game.generator.layer.weight[0].double().detach()
    short = (1.5 - game.generator(z)[:, 0]).double().detach()
    # (w·δ - s)² + c/3 ‖δ‖² is least at δ = s w / (‖w‖² + c/3).
    expected = short[:, None] * weight / (weight.square().sum() + stays / 3)
    found = edited(game, z, wanted, mask, steps=600, lr=0.05, stays=stays)
    torch.testing.assert_close((found - z).double(), expected, atol=5e-3, rtol=0)


def test_realism_is_what_the_discriminator_says(game, z):
    nothing = torch.zeros(4, 2)
    found = edited(game, z, nothing, nothing, stays=0.0, realism=1.0)
    said = [game.discriminator(game.generator(latents)).logits for latents in (z, found)]
    assert (said[1] > said[0]).all()


def test_the_steps_are_those_of_the_authors_adam(game, z):
    wanted, moved = torch.full((4, 2), 9.0), z.clone().requires_grad_()
    adam = torch.optim.Adam([moved], lr=0.1, betas=(0.9, 0.999))
    for _ in range(5):
        adam.zero_grad()
        (game.generator(moved) - wanted).square().mean(1).sum().backward()
        adam.step()
    found = edited(game, z, wanted, torch.ones(()), steps=5, stays=0.0)
    torch.testing.assert_close(found, moved.detach())


def test_another_shape_is_refused(game, z):
    with pytest.raises(ConfigError, match=r"wanted has the shape \(4, 3\), and samples of these latents have \(4, 2\)"):
        edited(game, z, torch.zeros(4, 3), torch.ones(()))
