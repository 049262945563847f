"""Further settings of spectral_norm and k_step."""

import numpy as np
import pytest
import torch
from torch import nn

from gan_zoo.strategies.k_step import KStep
from gan_zoo.strategies.spectral_norm import ClipSingularValues, SpectralNorm, clipped
from tests.helpers.small import Draws, small_game


def convolution(transposed=False):
    torch.manual_seed(0)
    layer = (nn.ConvTranspose2d(3, 5, 3) if transposed else nn.Conv2d(3, 5, 3)).double()
    game = small_game(start=False)
    game.networks["discriminator"].inner = layer
    return game, layer, layer.weight.detach().clone()


def norms(weight, transposed=False):
    w = weight.transpose(0, 1) if transposed else weight
    as_out = np.linalg.norm(w.flatten(1).numpy(), 2)
    as_in = np.linalg.norm(w.transpose(0, 1).flatten(1).numpy(), 2)
    return {"out": as_out, "in": as_in, "both": (as_out + as_in) / 2}


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("reshape", ["out", "in", "both"])
def test_weights_are_divided_by_the_norm_of_their_reshape_and_multiplied(reshape, transposed):
    game, layer, weight = convolution(transposed)
    SpectralNorm(None, 5, reshape=reshape, coefficient=3.0).apply(game)
    for _ in range(60):
        layer.weight  # noqa: B018 (each pass of training makes power iterations)
    layer.eval()
    expected = 3 * weight / norms(weight, transposed)[reshape]
    torch.testing.assert_close(layer.weight.detach(), expected, rtol=1e-6, atol=1e-9)


def test_both_ways_have_the_gradient_of_the_quotient():
    from tests.helpers.differences import by_differences

    game, layer, _ = convolution()
    SpectralNorm(None, 5, reshape="both").apply(game)
    for _ in range(60):
        layer.weight  # noqa: B018
    layer.eval()
    original = layer.parametrizations.weight.original
    probe = torch.randn(layer.weight.shape, dtype=torch.float64)
    (found,) = torch.autograd.grad((layer.weight * probe).sum(), original)

    def value():
        w = original.detach()
        return (w / norms(w)["both"] * probe).sum()

    torch.testing.assert_close(found, by_differences(value, original), rtol=1e-5, atol=1e-7)


def test_singular_values_are_clipped():
    diagonal = torch.diag(torch.tensor([2.0, 0.5], dtype=torch.float64))
    torch.testing.assert_close(clipped(diagonal, 1.0), torch.diag(torch.tensor([1.0, 0.5], dtype=torch.float64)))
    weight = torch.randn(4, 3, 2, 2, dtype=torch.float64)
    for transposed in (False, True):
        found = clipped(weight, 0.7, transposed)
        first = found.transpose(0, 1) if transposed else found
        assert found.shape == weight.shape
        assert np.linalg.norm(first.flatten(1).numpy(), 2) == pytest.approx(0.7)


def test_clipping_is_in_every_fifth_update_and_its_count_goes_on():
    game = small_game(start=False)
    SpectralNorm(None, 1, coefficient=0.01, mode="clip").apply(game)
    game.start(torch.device("cpu"))
    player = game.player("discriminator")
    (clip,) = player.after_step
    sizes = []
    for _ in range(5):
        player.play(game.meet(Draws()()).detached())
        sizes.append(np.linalg.norm(game.discriminator.inner.weight.detach().numpy(), 2))
    assert min(sizes[:4]) > 0.1 and sizes[4] == pytest.approx(0.01, rel=1e-4)
    again = ClipSingularValues([], 1.0)
    again.set_extra_state(clip.get_extra_state())
    assert again.calls == 5


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"reshape": "up"}, "reshape"),
        ({"coefficient": 0.0}, "coefficient"),
        ({"mode": "cut"}, "mode"),
        ({"mode": "clip", "reshape": "both"}, "mode=clip"),
    ],
)
def test_settings_of_spectral_norm_that_cannot_be_are_refused(settings, why):
    with pytest.raises(ValueError, match=why):
        SpectralNorm(None, 1, **settings)


def counts(steps, **settings):
    game = small_game(start=False)
    KStep(**settings).apply(game)
    game.start(torch.device("cpu"))
    found = []
    for _ in range(steps):
        before = game.player("discriminator").updates
        game.step(Draws())
        found.append(game.player("discriminator").updates - before)
    return game, found


def test_bursts_come_first_and_from_time_to_time():
    assert counts(8, k=2, g_steps=1, burst=5, first=2, every=3)[1] == [5, 5, 2, 5, 2, 2, 5, 2]
    assert counts(4, k=2, g_steps=2, burst=5, first=1, every=3)[1] == [5, 2, 2, 5]
    assert counts(3, k=2, g_steps=1)[1] == [2, 2, 2]


def test_when_a_burst_is_due_follows_from_the_generators_updates():
    game, _ = counts(2, k=1, g_steps=1, burst=4, first=2, every=100)
    other, _ = counts(0, k=1, g_steps=1, burst=4, first=2, every=100)
    other.load_state_dict(game.state_dict())
    other.step(Draws())
    assert other.player("discriminator").updates == 2 * 4 + 1


@pytest.mark.parametrize("settings", [{"burst": 1}, {"burst": -1}, {"burst": 9, "every": 0}])
def test_bursts_that_cannot_be_are_refused(settings):
    with pytest.raises(ValueError, match="burst|every"):
        KStep(k=2, g_steps=1, **settings)
