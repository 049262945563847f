"""Flow-GAN: invertible generators, likelihoods by the change of variables."""

import math

import pytest
import torch

from gan_framework.core.records import Batch, DataShape
from gan_framework.errors import ConfigError
from gan_zoo.priors.logistic import Logistic
from gan_zoo.systems.flow_gan import NICE, AffineCoupling, RealNVP, logistic, normal
from tests.zoo.players.playing import batch, built, play


def stirred(net):
    torch.manual_seed(1)
    for parameter in net.parameters():
        parameter.data.normal_(0, 0.3)
    return net.double()


def nice(size=2, channels=1, vectors=False, density="normal"):
    dim = 5 if vectors else channels * size * size
    shape = (None, 5) if vectors else (size, channels)
    return stirred(NICE(dim, *shape, density, 1e-3, 4, [6]))


def real_nvp(size=2, channels=1):
    return stirred(RealNVP(channels * size * size, size, channels, "normal", 1e-3, 4, 1))


NETS = {"nice": nice, "vectors": lambda: nice(vectors=True), "real_nvp": real_nvp, "coloured": lambda: real_nvp(4, 3)}


@pytest.mark.parametrize("name", NETS)
def test_what_is_made_of_a_latent_goes_back_to_it(name):
    net = NETS[name]()
    z = torch.randn(6, net.size, dtype=torch.float64)
    found, log_det = net.encode(net.decode(z))
    torch.testing.assert_close(found, z)
    y = torch.randn(6, net.size, dtype=torch.float64)
    torch.testing.assert_close(net.decode(net.encode(y)[0]), y)
    assert log_det.shape == (6,)


@pytest.mark.parametrize("name", NETS)
def test_the_likelihood_is_that_of_the_change_of_variables(name):
    """log p(x) = log p(z) + log |det dz / dx|, the determinant by autograd of the whole inverse, logit and all."""
    net = NETS[name]()
    x = torch.rand(1, *net.shape, dtype=torch.float64) * 0.98 + 0.01
    jacobian = torch.autograd.functional.jacobian(lambda x: net.inverse(x)[0], x).reshape(net.size, net.size)
    z, log_det = net.inverse(x)
    torch.testing.assert_close(log_det[0], jacobian.slogdet().logabsdet)
    images = (256 * x - 0.25) * 2 / 255 - 1 if net.logit is not None else x
    found = net.log_likelihood(images, torch.full_like(x, 0.25))
    torch.testing.assert_close(found[0], torch.distributions.Normal(0.0, 1.0).log_prob(z).sum() + log_det[0])


def test_additive_couplings_have_determinant_one():
    net = nice(vectors=True)
    with torch.no_grad():
        net.scales.zero_()
    y = torch.randn(1, 5, dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(lambda y: net.encode(y)[0], y)[0, :, 0]
    assert jacobian.det().item() == pytest.approx(1)
    assert not torch.allclose(jacobian, torch.eye(5, dtype=torch.float64))


def test_without_couplings_the_likelihood_is_the_priors():
    net = nice(vectors=True)
    for parameter in net.parameters():
        parameter.data.zero_()
    x = torch.randn(4, 5, dtype=torch.float64)
    torch.testing.assert_close(net.log_likelihood(x), normal(x))
    torch.testing.assert_close(net(x), x)


def test_a_coupling_leaves_one_half_as_it_is():
    for checkered in (True, False):
        coupling = stirred(AffineCoupling(2, checkered, False, 4, 1))
        x = torch.randn(3, 2, 4, 4, dtype=torch.float64)
        same = (coupling(x)[0] == x).all(0)
        assert same.sum() == 16


def test_the_logistic_density_is_the_derivative_of_the_sigmoid():
    z = torch.randn(5, 3, dtype=torch.float64)
    torch.testing.assert_close(logistic(z), (z.sigmoid() * (1 - z.sigmoid())).log().sum(1))
    drawn = Logistic(1).draw(20000, torch.device("cpu"), torch.Generator().manual_seed(0)).z
    assert drawn.mean().item() == pytest.approx(0, abs=0.05)
    assert drawn.var().item() == pytest.approx(math.pi**2 / 3, rel=0.05)


def test_even_noise_costs_eight_bits():
    """A density of 1 on [0, 1]^D says of each of 256 levels that it has the probability 1/256."""
    assert nice().bits(torch.tensor(0.0)).item() == 8


FLOW = ["experiment=flow_gan", "networks.generator.hidden=[6]", "networks.discriminator.width=2", "prior.dim=64"]
SHAPE = DataShape((1, 8, 8), 10)


def test_the_generator_pays_for_the_likelihood_of_real_samples(compose):
    game = built(compose, SHAPE, *FLOW, "data.image_size=8", "game.likelihood=0.5")
    assert "generator/likelihood" in play(game, range(1))[0]
    one = batch(SHAPE, 8)
    torch.manual_seed(3)
    found = game.player("generator").term("likelihood")(game.meet(one)["main"], game.player("generator"))
    per_entry = found.item() / 64
    assert -2 < per_entry < 4  # near 0 for noise that fills the range
    without = built(compose, SHAPE, *FLOW, "data.image_size=8", "game.likelihood=0")
    assert not without.player("generator").terms


def test_the_judge_sees_real_images_without_levels(compose):
    """Levels would tell them from what a flow makes, whatever it makes."""
    game = built(compose, SHAPE, *FLOW, "data.image_size=8")
    levels = torch.randint(0, 256, (4, 1, 8, 8), generator=torch.Generator().manual_seed(0)).float()
    labels = batch(SHAPE, 4).labels
    seen = (game.meet(Batch(2 * levels / 255 - 1, labels))["main"].real + 1) / 2 * 256 - levels
    assert (seen >= -1e-3).all() and (seen < 1 + 1e-3).all() and seen.std() > 0.2


def test_what_cannot_be_a_flow_is_refused(compose):
    with pytest.raises(ConfigError, match="density=logistic is not that of prior=normal"):
        built(compose, SHAPE, *FLOW, "data.image_size=8", "prior=normal")
    with pytest.raises(ConfigError, match="DCGANGenerator cannot: set generator=nice"):
        built(compose, SHAPE, "model=dcgan", "data.image_size=8", "game=flow_gan")
    with pytest.raises(ConfigError, match="latent_dim=63: a flow's latents have the size of a sample, 64"):
        built(compose, SHAPE, *FLOW[:-1], "prior.dim=63", "data.image_size=8")
