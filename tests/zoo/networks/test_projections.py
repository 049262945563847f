"""A discriminator for each of many projections, and one whose score is a likelihood."""

import math

import pytest
import torch

from gan_framework.core.records import DiscriminatorOutput
from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_zoo.discriminators.dcgan import DCGANDiscriminator


def build(name, kind="discriminators", **settings):
    return registry.build(kind, {"name": name, **settings})


def projections(**settings):
    usual = {"image_size": 16, "channels": 3, "count": 3, "kernel": 4, "stride": 1, "width": 4, "norm": "none"}
    return build("projections", **usual | settings)


def test_every_projection_has_a_filter_of_norm_1_and_a_logit():
    network = projections()
    norms = network.filters.flatten(1).norm(dim=1)
    torch.testing.assert_close(norms, torch.ones(3))
    assert network(torch.randn(5, 3, 16, 16)).logits.shape == (5, 3)


def test_one_projection_that_changes_nothing_is_the_base_discriminator():
    torch.manual_seed(0)
    network = projections(channels=1, count=1, kernel=1)
    base = DCGANDiscriminator(16, 1, 4, "none")
    base.blocks.load_state_dict(network.blocks[0].state_dict())
    base.output.load_state_dict(network.output.layers[0].state_dict())
    network.filters.fill_(1.0)
    x = torch.randn(4, 1, 16, 16)
    found, expected = network(x), base(x)
    torch.testing.assert_close(found.logits[:, 0], expected.logits)
    for one, other in zip(found.features, expected.features, strict=True):
        torch.testing.assert_close(one, other)


def test_each_logit_is_of_a_network_of_its_own():
    torch.manual_seed(0)
    network = projections()
    x = torch.randn(2, 3, 16, 16)
    before = network(x).logits
    with torch.no_grad():
        for parameter in (*network.blocks[1].parameters(), *network.output.layers[1].parameters()):
            parameter.add_(0.1 * torch.randn_like(parameter))
        after = network(x).logits
        network.filters[2].neg_()
        turned = network(x).logits
    assert torch.equal(before[:, [0, 2]], after[:, [0, 2]]) and not torch.equal(before[:, 1], after[:, 1])
    assert torch.equal(after[:, :2], turned[:, :2]) and not torch.equal(after[:, 2], turned[:, 2])


def test_the_generators_loss_is_the_mean_over_projections():
    logits = torch.tensor([[0.2, -1.0], [1.5, 0.0]], dtype=torch.float64)
    expected = sum(math.log1p(math.exp(-f)) for f in (0.2, -1.0, 1.5, 0.0)) / 4
    assert build("nonsaturating", "losses").generator(DiscriminatorOutput(logits)).item() == pytest.approx(expected)


def test_filters_are_kept_bit_for_bit():
    first, second = projections(), projections()
    assert not torch.equal(first.filters, second.filters)
    second.load_state_dict(first.state_dict())
    assert torch.equal(first.filters, second.filters)
    assert not any(name == "filters" for name, _ in first.named_parameters())


def test_projections_that_are_too_small_are_refused():
    with pytest.raises(ConfigError, match=r"kernel=8, stride=2: they project .* to 5x5 pixels"):
        projections(kernel=8, stride=2)


# -- a likelihood ----------------------------------------------------------------------------------


def mixture(components=1, size=3):
    torch.manual_seed(0)
    settings = {"image_size": 8, "channels": 1, "width": 2, "norm": "none", "size": size, "components": components}
    return build("mixture_likelihood", **settings).double()


def score(network, embedding):
    found = network.log_likelihood(embedding) - network.log_likelihood(network.means).amax()
    return found.exp()


def test_the_likelihood_at_the_mean_and_one_deviation_away():
    network = mixture()
    with torch.no_grad():
        network.log_std.copy_(torch.tensor([[0.5, -0.3, 0.0]]))
    mean, std = network.means[0], network.log_std[0].exp()
    away = mean + torch.tensor([0.0, 1.0, 0.0]) * std
    assert score(network, torch.stack([mean, away])).tolist() == pytest.approx([1, 0.6065306597], abs=1e-9)


def test_the_density_is_that_of_a_mixture():
    network = mixture(components=2)
    with torch.no_grad():
        network.log_std.normal_()
        network.log_shares.copy_(torch.tensor([0.3, -0.7]))
    parts = torch.distributions.Independent(torch.distributions.Normal(network.means, network.log_std.exp()), 1)
    shares = torch.distributions.Categorical(logits=network.log_shares)
    expected = torch.distributions.MixtureSameFamily(shares, parts)
    points = torch.randn(5, 3, dtype=torch.float64)
    torch.testing.assert_close(network.log_likelihood(points), expected.log_prob(points))


def test_the_logit_is_a_share_of_the_greatest_likelihood_at_a_mean():
    network = mixture(components=3)
    said = network(torch.randn(6, 1, 8, 8, dtype=torch.float64))
    torch.testing.assert_close(said.logits, score(network, said.heads["vector"]))
    torch.testing.assert_close(said.heads["log_likelihood"][:, 0], network.log_likelihood(said.heads["vector"]))
    said.logits.sum().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in network.parameters())
    assert network.means.grad.abs().sum() > 0
