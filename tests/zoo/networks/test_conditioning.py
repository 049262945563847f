"""Conditional networks use the labels they are given, and refuse to do without."""

import pytest
import torch
from torch import nn

from gan_zoo.discriminators.cgan_maxout import CGANMaxoutDiscriminator
from gan_zoo.discriminators.cgan_mlp import CGANMLPDiscriminator
from gan_zoo.discriminators.cgan_vectors import CGANVectorsDiscriminator
from gan_zoo.discriminators.dcgan_conditional import DCGANConditionalDiscriminator
from gan_zoo.discriminators.resnet_projection import ResNetProjectionDiscriminator
from gan_zoo.generators.cgan_maxout import CGANMaxoutGenerator
from gan_zoo.generators.cgan_mlp import CGANMLPGenerator
from gan_zoo.generators.cgan_vectors import CGANVectorsGenerator
from gan_zoo.generators.dcgan_conditional import DCGANConditionalGenerator
from gan_zoo.generators.resnet_projection import ResNetProjectionGenerator
from gan_zoo.residual import ConditionalBatchNorm2d

GENERATORS = {
    "cgan_mlp": lambda: CGANMLPGenerator(8, 10, 28, 1, [16], "relu", "sigmoid", "he"),
    "cgan_maxout": lambda: CGANMaxoutGenerator(8, 10, 28, 1, 8, 16, 16, 0.5),
    "dcgan_conditional": lambda: DCGANConditionalGenerator(8, 10, 28, 1, 4),
    "resnet_projection": lambda: with_distinct_gains(ResNetProjectionGenerator(8, 10, 28, 1, 4)),
}
DISCRIMINATORS = {
    "cgan_mlp": lambda: CGANMLPDiscriminator(10, 28, 1, [16], "relu", "he", "unit"),
    "cgan_maxout": lambda: CGANMaxoutDiscriminator(10, 28, 1, [8, 5], [8, 5], [8, 4], 0.5, "unit"),
    "dcgan_conditional": lambda: DCGANConditionalDiscriminator(10, 28, 1, 4),
    "resnet_projection": lambda: ResNetProjectionDiscriminator(10, 1, 4),
}


def with_distinct_gains(network):
    """At the start all classes are alike: make them differ, as training does."""
    for module in network.modules():
        if isinstance(module, ConditionalBatchNorm2d):
            nn.init.normal_(module.gain.weight, 1.0)
    return network


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def all_differ(rows):
    return bool((torch.pdist(rows.flatten(1).double()) > 0).all())


@pytest.mark.parametrize("name", GENERATORS)
def test_each_class_gives_another_sample_of_the_same_latent(name):
    g = GENERATORS[name]().eval()
    z = torch.randn(1, 8).expand(10, -1)
    assert g.conditional
    assert all_differ(g(z, torch.arange(10)))
    assert torch.equal(g(z, torch.full((10,), 3))[0], g(z, torch.full((10,), 3))[9])


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_each_class_gives_another_score_of_the_same_image(name):
    d = DISCRIMINATORS[name]().eval()
    x = torch.rand(1, 1, 28, 28).expand(10, -1, -1, -1)
    assert d.conditional
    assert all_differ(d(x, torch.arange(10)).logits[:, None])


@pytest.mark.parametrize("name", GENERATORS)
def test_labels_are_demanded(name):
    with pytest.raises(ValueError, match="no labels"):
        GENERATORS[name]()(torch.randn(2, 8))
    with pytest.raises(ValueError, match="no labels"):
        DISCRIMINATORS[name]()(torch.rand(2, 1, 28, 28))


def test_vectors_depend_on_their_condition():
    g, d = CGANVectorsGenerator(4, 6, 5, 8, 16, 0.0), CGANVectorsDiscriminator(6, 5, 8, 16, [8, 3], 0.0)
    z, conditions = torch.randn(1, 4).expand(7, -1), torch.randn(7, 6)
    vectors = g(z, conditions)
    assert vectors.shape == (7, 5)
    assert all_differ(vectors)
    assert all_differ(d(vectors[:1].expand(7, -1), conditions).logits[:, None])
    with pytest.raises(ValueError, match="no labels"):
        g(z)
    with pytest.raises(ValueError, match="no labels"):
        d(vectors)


def test_label_maps_are_one_in_the_class_and_zero_elsewhere():
    seen = []
    d = DCGANConditionalDiscriminator(10, 28, 1, 4)
    d.blocks[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    x = torch.rand(2, 1, 28, 28)
    d(x, torch.tensor([3, 7]))
    expected = torch.zeros(2, 11, 28, 28)
    expected[:, :1] = x
    expected[0, 1 + 3] = 1
    expected[1, 1 + 7] = 1
    assert torch.equal(seen[0], expected)


def test_conditional_batch_norm_starts_as_plain_batch_norm_and_one_class_changes_alone():
    norm, plain = ConditionalBatchNorm2d(3, 5), nn.BatchNorm2d(3)
    x, y = torch.randn(4, 3, 2, 2), torch.tensor([0, 1, 2, 1])
    assert torch.allclose(norm(x, y), plain(x), atol=1e-6)
    before = norm(x, y)
    with torch.no_grad():
        norm.gain.weight[1] = torch.tensor([2.0, 3.0, 4.0])
        norm.bias.weight[1] = torch.tensor([0.5, 0.0, -1.0])
    after = norm(x, y)
    assert torch.equal(after[[0, 2]], before[[0, 2]])
    gain, bias = torch.tensor([2.0, 3.0, 4.0]), torch.tensor([0.5, 0.0, -1.0])
    assert torch.allclose(after[[1, 3]], before[[1, 3]] * gain[:, None, None] + bias[:, None, None], atol=1e-6)


def test_the_projection_adds_the_inner_product_with_the_classs_embedding():
    d = ResNetProjectionDiscriminator(10, 1, 4).eval()
    x, y = torch.rand(3, 1, 16, 16), torch.tensor([0, 9, 4])
    said = d(x, y)
    phi = said.features[-1]
    for i in range(3):
        v = d.projection.weight[y[i]]
        expected = phi[i] @ d.output.weight[0] + d.output.bias[0] + phi[i] @ v
        assert said.logits[i].item() == pytest.approx(expected.item(), rel=1e-5)
