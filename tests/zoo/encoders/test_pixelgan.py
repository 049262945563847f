"""PixelGAN: the decoder's order of pixels, its likelihood, and what each player pays."""

import itertools

import pytest
import torch

from gan_framework.core.records import Latent
from gan_zoo.systems.pixelgan import LIKELIHOOD, PixelCNN, levels_of, values_of
from tests.zoo.encoders.common import images, reached, small

NETWORKS = [
    *("networks.generator.width=4", "networks.generator.layers=2"),
    *("networks.encoder.hidden=[8]", "networks.discriminator.hidden=[8]"),
]


def decoder(size=4, levels=2, location="everywhere"):
    torch.manual_seed(0)
    return PixelCNN(3, size, 1, levels, 16, 2, location).double()


@pytest.mark.parametrize("location", ["everywhere", "pixel"])
def test_a_pixel_sees_those_before_it_and_no_other(location):
    net, z = decoder(location=location), torch.randn(1, 3, dtype=torch.float64)
    x = torch.randn(1, 1, 4, 4, dtype=torch.float64, requires_grad=True)
    logits = net.logits(x, z)
    for pixel in range(16):
        (gradient,) = torch.autograd.grad(logits.flatten(2)[0, :, pixel].sum(), x, retain_graph=True)
        assert not gradient.flatten()[pixel:].any()
        assert pixel == 0 or gradient.flatten()[:pixel].any()


@pytest.mark.parametrize("levels", [2, 3])
def test_the_likelihoods_of_all_images_sum_to_one(levels):
    net, z = decoder(2, levels), torch.randn(1, 3, dtype=torch.float64)
    numbers = torch.tensor([*itertools.product(range(levels), repeat=4)]).view(-1, 2, 2)
    x = values_of(numbers, levels).unsqueeze(1).double()
    log_p = net.logits(x, z.expand(len(x), -1)).log_softmax(1).gather(1, numbers.unsqueeze(1)).flatten(1).sum(1)
    assert log_p.exp().sum().item() == pytest.approx(1, abs=1e-12)


def test_levels_and_values():
    x = torch.tensor([-1.0, -0.01, 0.01, 1.0])
    assert levels_of(x, 2).tolist() == [0, 0, 1, 1] and levels_of(x, 256).tolist() == [0, 126, 129, 255]
    assert values_of(torch.tensor([0, 1, 2]), 3).tolist() == [-1, 0, 1]


def test_drawn_images_follow_the_likelihood_and_have_the_gradient_of_the_mean():
    net = decoder(2)
    with torch.no_grad():
        net.last[-1].bias[1] = 1.0
    z = torch.randn(1, 3, dtype=torch.float64).expand(4000, -1).clone().requires_grad_()
    torch.manual_seed(1)
    x = net(z)
    assert set(x.detach().round(decimals=6).unique().tolist()) == {-1, 1}
    counts = (levels_of(x[:, 0], 2).flatten(1) * torch.tensor([8, 4, 2, 1])).sum(1).bincount(minlength=16) / 4000
    numbers = torch.tensor([*itertools.product(range(2), repeat=4)]).view(-1, 2, 2)
    seen = values_of(numbers, 2).unsqueeze(1).double()
    log_p = net.logits(seen, z[:16]).log_softmax(1).gather(1, numbers.unsqueeze(1)).flatten(1).sum(1)
    assert (counts - log_p.exp()).abs().max() < 0.03
    (gradient,) = torch.autograd.grad(x.sum(), z)
    (expected,) = torch.autograd.grad(net.expected(net.logits(x.detach(), z)).sum(), z)
    assert torch.allclose(gradient, expected) and gradient.any()


def test_what_the_players_pay_and_whom_it_reaches(compose):
    game = small(compose, "pixelgan", *NETWORKS)
    batch = images()
    meeting = game.meet(batch)
    player = game.player("autoencoder")
    loss = sum(player.evaluate(meeting).values())
    assert reached(loss, game) == {"encoder", "generator"}
    pair = meeting["reconstruction"]
    seen = torch.where(batch.samples < 0, -1.0, 1.0)
    code = game.encode(batch.samples).z
    logits = game.generator.logits(seen, code)
    log_p = (logits[:, 1] - logits[:, 0]).mul(seen[:, 0]).sigmoid().log().flatten(1).sum(1)
    assert torch.allclose(pair.made[LIKELIHOOD], log_p, atol=1e-4)
    assert loss.item() == pytest.approx(-log_p.mean().item(), rel=1e-4)
    assert torch.allclose(code.sum(1), torch.ones(8)) and bool((code >= 0).all())
    assert torch.equal(meeting["codes"].fake, code)
    assert set(meeting["codes"].real.unique().tolist()) == {0, 1}
    assert game.sample(Latent(meeting["codes"].real)).shape == (8, 1, 8, 8)


def test_only_a_decoder_with_a_likelihood_will_do(compose):
    with pytest.raises(Exception, match="choose generator=pixel_cnn"):
        small(compose, "pixelgan", "generator=mlp", *NETWORKS[2:])
    with pytest.raises(Exception, match="channels=3"):
        PixelCNN(3, 4, 3, 2, 4, 1, "everywhere")
