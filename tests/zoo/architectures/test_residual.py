"""The residual networks of SNGAN at all their sizes, and what is computed twice to save memory."""

import copy
import hashlib

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations

from gan_zoo.discriminators.resnet import ResNetDiscriminator
from gan_zoo.discriminators.resnet_projection import ResNetProjectionDiscriminator
from gan_zoo.generators.resnet import ResNetGenerator
from gan_zoo.generators.resnet_projection import ResNetProjectionGenerator
from gan_zoo.recomputing import recomputed
from gan_zoo.residual import ConditionalBatchNorm2d, DownBlock, UpBlock, VectorBatchNorm2d, rising
from tests.zoo.architectures.helpers import classes, count, meta, noise

PUBLISHED = {
    48: (4_878_083, 10_141_441, False),
    64: (12_220_675, 10_141_441, True),
    128: (32_150_787, 29_017_857, False),
}
SMALLER = {48: 3, 64: 2, 128: 4}
"""The side of the maps at the end of D."""


@pytest.mark.parametrize("size", PUBLISHED)
def test_the_published_networks_have_as_many_parameters(size):
    of_g, of_d, last_down = PUBLISHED[size]
    g = meta(ResNetGenerator, 128, size, 3, 64, "by_size")
    d = meta(ResNetDiscriminator, 3, 64, size, "by_size", "inputs", last_down)
    assert (count(g), count(d)) == (of_g, of_d)
    assert g(noise(2, 128)).shape == (2, 3, size, size)
    features = d.features(noise(2, 3, size, size))
    assert features[-2].shape == (2, 1024, SMALLER[size], SMALLER[size])
    assert features[-1].shape == (2, 1024)


def test_the_networks_of_32_pixels_have_as_many_parameters():
    assert count(meta(ResNetGenerator, 128, 32, 3, 256)) == 4_276_739
    assert count(meta(ResNetDiscriminator, 3, 128)) == 1_053_825


def test_blocks_as_wide_inside_as_their_outputs_are_sagan_s():
    assert count(meta(ResNetDiscriminator, 3, 64, 128, "by_size", "outputs")) == 38_419_137


@pytest.mark.parametrize(
    ("network", "settings", "expected"),
    [
        (ResNetGenerator, (8, 32, 1, 8), "575212b5a25538ac"),
        (ResNetProjectionGenerator, (8, 10, 32, 1, 8), "659fb35feaf44f68"),
        (ResNetDiscriminator, (1, 8), "efe7ddf2aa155b40"),
        (ResNetProjectionDiscriminator, (10, 1, 8), "06bb00a16b795ec9"),
    ],
)
def test_the_first_settings_still_give_the_same_weights_under_the_same_names(network, settings, expected):
    torch.manual_seed(0)
    digest = hashlib.sha256()
    for name, value in network(*settings).state_dict().items():
        digest.update(name.encode() + value.numpy().tobytes())
    assert digest.hexdigest()[:16] == expected


@pytest.mark.parametrize("size", [8, 20, 28, 33, (20, 36)])
def test_any_size_has_networks(size):
    height, width = (size, size) if isinstance(size, int) else size
    g = meta(ResNetProjectionGenerator, 8, 10, size, 1, 4, "by_size")
    d = meta(ResNetProjectionDiscriminator, 10, 1, 4, size, "by_size", "inputs")
    x = g(noise(2, 8), classes())
    assert x.shape == (2, 1, height, width)
    assert d(x, classes()).logits.shape == (2,)


def test_widths_double_up_to_sixteen_times_the_first():
    assert rising(4, "by_size", 7) == [4, 8, 16, 32, 64, 64, 64]
    assert rising(4, None, 3) == [4, 4, 4]
    assert rising(4, [5, 6, 7], 3) == [5, 6, 7]
    g = meta(ResNetGenerator, 8, 16, 1, 4, [6, 5, 3])
    assert [(block.conv1.in_channels, block.conv1.out_channels) for block in g.blocks] == [(6, 5), (5, 3)]
    d = meta(ResNetDiscriminator, 1, 4, 16, [3, 5], "inputs")
    assert [(block.conv1.out_channels, block.conv2.out_channels) for block in d.blocks] == [(3, 3), (3, 5)]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: ResNetGenerator(8, 16, 1, 4, "doubling"), "widths='doubling': write by_size, one width for each of"),
        (lambda: ResNetGenerator(8, 16, 1, 4, [4, 4]), r"widths=\[4, 4\]: at this image size 3 of at least 1"),
        (lambda: ResNetGenerator(8, 7, 1, 4, "by_size"), "image_size=7: the sizes that fit have at least 8 pixels"),
        (lambda: ResNetDiscriminator(1, 4, None, "by_size"), "image_size=null: widths and attention follow from it"),
        (lambda: ResNetDiscriminator(1, 4, 4, [4, 4, 4, 4]), "image_size=4: the sizes that fit have at least 8"),
        (lambda: ResNetDiscriminator(1, 4, 32, None, "wide"), "hidden='wide': choose outputs or inputs"),
        (lambda: ResNetDiscriminator(1, 4, 32, last_down=True), "last_down=true: the four blocks of one width"),
        (lambda: ResNetDiscriminator(1, 4, 32, attention=5), "attention=5: the blocks make maps of 16, 8 pixels"),
        (lambda: ResNetGenerator(8, 32, 1, 4, attention="on"), "attention='on': write by_size, a size of maps"),
    ],
)
def test_what_cannot_be_is_refused_in_words(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_a_block_that_narrows_is_upsampling_before_both_paths_convolutions():
    torch.manual_seed(0)
    block, x = UpBlock(6, 2).double(), torch.randn(2, 6, 4, 4, dtype=torch.float64)
    h = block.conv1(F.interpolate(F.relu(nn.BatchNorm2d(6, dtype=torch.float64)(x)), scale_factor=2))
    h = block.conv2(F.relu(nn.BatchNorm2d(2, dtype=torch.float64)(h)))
    torch.testing.assert_close(block(x, None), h + block.shortcut(F.interpolate(x, scale_factor=2)))


def test_a_norm_of_vectors_without_weights_is_plain_batch_norm():
    torch.manual_seed(0)
    norm, x, c = VectorBatchNorm2d(5, 3), torch.randn(4, 5, 3, 3), torch.randn(4, 3)
    assert not torch.allclose(norm(x, c), nn.BatchNorm2d(5)(x))
    for layer in (norm.gain, norm.bias):
        nn.init.zeros_(layer.weight)
    assert torch.equal(norm(x, c), nn.BatchNorm2d(5, affine=False)(x))


def stateful_blocks(kind):
    """Return a block with running statistics and one with a power iteration, and their inputs."""
    torch.manual_seed(0)
    if kind == "up":
        block = UpBlock(4, 3, lambda features: ConditionalBatchNorm2d(features, 10))
        return block, (torch.randn(5, 4, 4, 4, requires_grad=True), torch.arange(5))
    block = DownBlock(4, 6, True)
    for layer in (block.conv1, block.conv2, block.shortcut):
        parametrizations.spectral_norm(layer)
    return block, (torch.randn(5, 4, 4, 4, requires_grad=True),)


@pytest.mark.parametrize("kind", ["up", "down"])
def test_recomputing_changes_neither_gradients_nor_running_state(kind):
    block, inputs = stateful_blocks(kind)
    twin = copy.deepcopy(block)
    found = []
    for one, call in ((block, recomputed), (twin, lambda network, *given: network(*given))):
        inputs[0].grad = None
        # Two passes before the gradient of either, as a discriminator of real and generated samples has.
        first = call(one, *inputs)
        second = call(one, inputs[0] * 2, *inputs[1:])
        (first.square().sum() + second.sin().sum()).backward()
        found.append([first, inputs[0].grad, *(p.grad for p in one.parameters()), *one.buffers()])
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b)


def test_a_recomputed_block_can_be_differentiated_twice():
    block, (x,) = stateful_blocks("down")
    twin = copy.deepcopy(block)
    penalties = []
    for one, call in ((block, recomputed), (twin, lambda network, *given: network(*given))):
        (gradient,) = torch.autograd.grad(call(one, x).sin().sum(), x, create_graph=True)
        gradient.square().sum().backward()
        penalties.append([gradient, *(p.grad for p in one.parameters() if p.grad is not None), *one.buffers()])
    for a, b in zip(*penalties, strict=True):
        torch.testing.assert_close(a, b)


def test_networks_that_recompute_learn_as_those_that_do_not():
    logits = []
    for recompute in (False, True):
        torch.manual_seed(0)
        g = ResNetProjectionGenerator(4, 10, 16, 1, 4, "by_size", None, recompute)
        d = ResNetProjectionDiscriminator(10, 1, 4, 16, "by_size", checkpoint_activations=recompute)
        z, y = torch.randn(3, 4), torch.arange(3)
        parameters = [*g.parameters(), *d.parameters()]
        optimizer = torch.optim.SGD(parameters, 0.01)
        for _ in range(2):
            optimizer.zero_grad()
            said = d(g(z, y), y).logits
            said.square().sum().backward()
            optimizer.step()
        logits.append((said, *g.buffers()))
    for a, b in zip(*logits, strict=True):
        torch.testing.assert_close(a, b)


def kept_for_the_gradient(network, x):
    """Return how many numbers a pass keeps for the gradient."""
    size = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: size.append(t.numel()) or t, lambda t: t):
        network(x)
    return sum(size)


def test_recomputing_keeps_less_for_the_gradient():
    plain, recomputing = (ResNetDiscriminator(1, 4, checkpoint_activations=one) for one in (False, True))
    x = torch.randn(2, 1, 32, 32)
    assert kept_for_the_gradient(recomputing, x) < 0.5 * kept_for_the_gradient(plain, x)
