"""Jets and showers: the formulas of their energies, locally connected layers, flipped sides."""

import math

import pytest
import torch

from gan_framework.api import Batch, Latent, Meeting, Pair
from gan_zoo.locally_connected import EnergyImage, LocallyConnected
from gan_zoo.metrics.showers import response
from gan_zoo.showers import layer_shares, make_jets, make_showers, observables
from gan_zoo.systems.calogan import AskedEnergy, CaloGANDiscriminator, CaloGANGenerator, closeness
from gan_zoo.systems.lagan import FlippedSides, LAGANDiscriminator, LAGANGenerator

RANDOM = torch.Generator().manual_seed(0)


def test_layers_share_the_energy_as_the_formula_says():
    found = layer_shares(torch.tensor([1.0, 10.0, 100.0], dtype=torch.float64))
    expected = [[0.264241, 0.644181, 0.091573], [0.065522, 0.668850, 0.265576], [0.011769, 0.493412, 0.494487]]
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64), atol=1e-6, rtol=0)


def test_showers_have_their_energy_and_share_it():
    showers, energy = make_showers(2000, 12, RANDOM)
    said = response(showers.double(), energy.double())
    assert said["energy_error"] < 1e-4 and said["energy_response"] == pytest.approx(1, abs=1e-4)
    assert said["layer_share_error"] < 0.02
    worse = response(showers.double().flip(1), energy.double())
    assert worse["layer_share_error"] > 0.1
    assert 0.2 < float((showers == 0).float().mean()) < 0.95


def test_jets_of_two_axes_are_heavier():
    jets, label = make_jets(400, 25, RANDOM)
    seen = observables(jets)
    assert seen["mass"][label == 1].mean() > 1.5 * seen["mass"][label == 0].mean()
    assert (jets >= 0).all() and seen["empty"].mean() > 0.9


def test_the_mass_of_two_pixels():
    jet = torch.zeros(1, 1, 25, 25)
    jet[0, 0, 12, 8], jet[0, 0, 12, 16] = 0.5, 0.5  # 0.8 apart in φ
    seen = observables(jet)
    assert seen["mass"].item() == pytest.approx(math.sqrt(1 - math.cos(0.4) ** 2), abs=1e-6)
    assert seen["pt"].item() == pytest.approx(math.cos(0.4), abs=1e-6)


def test_locally_connected_layers_have_weights_for_each_place():
    layer = LocallyConnected(2, 3, 5, 3, padding=1).double()
    x = torch.randn(2, 2, 5, 5, dtype=torch.float64)
    assert layer(x).shape == (2, 3, 5, 5)
    with torch.no_grad():
        layer.weight.copy_(layer.weight[:, :, :1].expand_as(layer.weight))
        layer.bias.zero_()
    same = torch.nn.functional.conv2d(x, layer.weight[:, :, 0].view(3, 2, 3, 3), padding=1)
    torch.testing.assert_close(layer(x), same)
    (gradient,) = torch.autograd.grad(layer(x)[0, 0, 2, 2], layer.weight)
    assert gradient[0, :, 12].ne(0).all() and gradient[:, :, torch.arange(25) != 12].eq(0).all()


@pytest.mark.parametrize("size", [12, 25, 17])
def test_energies_of_any_size(size):
    assert EnergyImage(6, size, 8)(torch.randn(2, 6)).shape == (2, 1, size, size)
    made = LAGANGenerator(6, 2, size, 8)(torch.randn(2, 6), torch.tensor([0, 1]))
    assert (made >= 0).all() and (made > 0).any()
    assert LAGANDiscriminator(size, 4)(made).logits.shape == (2,)


def test_a_share_of_the_samples_changes_sides_with_all_that_belongs_to_it():
    real, fake = torch.zeros(4000, 1), torch.ones(4000, 1)
    labels = torch.zeros(4000).long(), torch.ones(4000).long()
    pair = Pair(
        None,
        Batch(real, labels[0]),
        Latent(torch.zeros(4000, 0), labels[1]),
        fake,
        real_given=(real,),
        fake_given=(fake,),
    )
    flipped = FlippedSides(0.3)(Meeting({"main": pair}))["main"]
    assert flipped.real.mean().item() == pytest.approx(0.3, abs=0.03)
    assert torch.equal(flipped.real + flipped.fake, torch.ones(4000, 1))
    assert torch.equal(flipped.real, flipped.real_given[0]) and torch.equal(
        flipped.real[:, 0].long(), flipped.real_labels
    )
    assert torch.equal(pair.real, real)


def test_a_shower_of_no_energy_is_what_biases_make_of_it():
    prior = AskedEnergy(5)
    latent = prior.draw(500, torch.device("cpu"), torch.Generator().manual_seed(0))
    energy = latent.z[:, -1]
    assert energy.min() >= 0.01 and energy.max() <= 1 and energy.mean().item() == pytest.approx(0.505, abs=0.03)
    generator = CaloGANGenerator(5, 12, 3, 4).eval()
    silent = latent.z[:2].clone()
    silent[:, -1] = 0
    a = generator(silent)
    torch.testing.assert_close(a[0], a[1])
    assert a.shape == (2, 3, 12, 12) and not torch.allclose(generator(latent.z[:1]), generator(latent.z[1:2]))


def test_a_discriminator_of_showers_is_told_the_energy_asked_for():
    network = CaloGANDiscriminator(12, 3, 4, 5).double().eval()
    x = torch.rand(3, 3, 12, 12, dtype=torch.float64)
    said = [network(x, None, x.new_full((3, 1), energy)).logits for energy in (0.1, 0.9)]
    assert said[0].shape == (3,) and not torch.allclose(*said)
    (found,) = network.features(x, None, x.sum((1, 2, 3))[:, None] + 0.06)  # 6 GeV too little
    torch.testing.assert_close(
        found[:, 15:22],
        torch.cat(
            [
                *(10 * x.sum((2, 3)), x.sum((1, 2, 3))[:, None], x.new_full((3, 1), 6.0), x.new_full((3, 1), 10.0)),
                torch.tanh(50 * x).mean((2, 3))[:, :1],
            ],
            1,
        ),
        atol=1e-6,
        rtol=1e-7,
    )
    values = torch.tensor([[0.0], [0.0], [100.0]], dtype=torch.float64)
    expected = torch.tensor([[2 / 3], [2 / 3], [1 / 3]], dtype=torch.float64)
    torch.testing.assert_close(closeness(values), expected, atol=1e-9, rtol=0)
