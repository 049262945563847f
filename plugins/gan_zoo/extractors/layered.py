"""Networks of ImageNet's classes whose activations perceptual distances compare: VGG-16 and AlexNet, of torchvision."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import Cache, ConfigError, DataShape, DataSource, Extractor, Features, fingerprint, to_rgb
from gan_zoo.extractors.pretrained import INSTEAD, SETTING, checkpoints_folder, known_file, loading

MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)
"""Of ImageNet's colours from 0 to 1, as torchvision's networks want them."""

OF_FEATURES = "features."
"""How the names of the convolutions begin in a file of a whole network."""


def activations(
    network: nn.Sequential, taps: tuple[int, ...], images: Tensor, pool: type[nn.Module] | None = None
) -> tuple[Tensor, ...]:
    """Return what images (N, 1 or 3, H, W) in [-1, 1] are after some layers of a network of ImageNet.

    Args:
        network: its layers.
        taps: the numbers of those layers.
        images: which.
        pool: another pooling, built of the number of channels; None for the network's own.
    """
    mean, deviation = (images.new_tensor(values)[:, None, None] for values in (MEAN, DEVIATION))
    x = ((to_rgb(images) + 1) / 2 - mean) / deviation
    found = []
    for number, layer in enumerate(network[: taps[-1] + 1]):
        x = pool(x.shape[1]).to(x)(x) if pool is not None and isinstance(layer, nn.MaxPool2d) else layer(x)
        if number in taps:
            found.append(x)
    return tuple(found)


class _Layered(Extractor):
    """The convolutions of a network; features are the means over places of its last activations.

    Images are taken at their own size. No published score is computed by these features: what is published are
    distances of the activations, `maps` (metrics=[lpips], [dists], [ppl]).
    """

    classifies = False
    perceives = True
    downloads = True
    taps: ClassVar[tuple[int, ...]]
    smallest: ClassVar[int]

    def __init__(self, weights: Path | None, precision: str) -> None:
        super().__init__(precision)
        self.weights = known_file(weights)
        self._fingerprint = ""

    @staticmethod
    @abstractmethod
    def build() -> tuple[nn.Sequential, str]:
        """Return the convolutions without weights, on the device `meta`, and where torchvision's weights lie."""

    @classmethod
    def convolutions(cls, weights: str | None, setting: str = SETTING, instead: str = INSTEAD) -> nn.Sequential:
        """Return the convolutions with their weights, on the CPU.

        Args:
            weights: a file of torchvision's weights; None downloads them.
            setting: what messages call the setting that names the file.
            instead: what messages propose that needs no download.

        Raises:
            RunFailed: they cannot be downloaded; the message says what to do instead.
            ConfigError: the file holds something else.
        """
        network, url = cls.build()
        remedy = f"Put the file into {checkpoints_folder()}, or name it by {setting}=PATH"
        with loading(weights, url, remedy, setting, instead):
            if weights is None:
                found = torch.hub.load_state_dict_from_url(url, map_location="cpu", progress=False, check_hash=True)
            else:
                found = torch.load(weights, map_location="cpu", weights_only=True)
            own = {
                name.removeprefix(OF_FEATURES): tensor for name, tensor in found.items() if name.startswith(OF_FEATURES)
            }
            network.load_state_dict(own, assign=True)
        return network.requires_grad_(False).eval()

    def check(self, shape: DataShape) -> None:
        """Raise ConfigError if images are smaller than the network halves them."""
        super().check(shape)
        if min(shape.sample[1:]) < self.smallest:
            raise ConfigError(
                f"extractor={self.name} needs images of at least {self.smallest}x{self.smallest} pixels, and these are "
                f"{shape.sample[1]}x{shape.sample[2]}; choose a larger data.image_size or extractor=classifier"
            )

    def prepare(self, source: DataSource, device: torch.device, cache: Cache) -> None:
        """Load the weights.

        Raises:
            RunFailed: they cannot be downloaded; the message says what to do instead.
            ConfigError: the file holds something else.
        """
        network = self.convolutions(self.weights)
        self._fingerprint = fingerprint(network.state_dict())
        self.network = network.to(device)

    def maps(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the activations of images (N, 1 or 3, H, W) in [-1, 1] before each pooling, and the last ones."""
        return self.activations(images)

    def activations(self, images: Tensor, pool: type[nn.Module] | None = None) -> tuple[Tensor, ...]:
        """Return the same, with another pooling, built of the number of channels, if one is given."""
        return activations(self.network, self.taps, images, pool)

    def extract(self, samples: Tensor) -> Features:
        """Return the means over places of the last activations."""
        return Features(self.maps(samples.float() / 127.5 - 1)[-1].mean((2, 3)))

    def fingerprint(self) -> str:
        """Return the hash of the convolutions' weights as they were loaded."""
        return self._fingerprint


class VGG16(_Layered):
    """VGG-16 (Simonyan & Zisserman 2015, arXiv 1409.1556) with torchvision's weights: relu1_2, 2_2, 3_3, 4_3, 5_3.

    Args:
        weights: a file of torchvision's weights; None downloads them.
        precision: see `Extractor`.
    """

    name = "vgg16"
    dim = 512
    taps = (3, 8, 15, 22, 29)
    smallest = 16

    @staticmethod
    def build() -> tuple[nn.Sequential, str]:
        """Return VGG-16's convolutions."""
        from torchvision.models import VGG16_Weights, vgg16

        with torch.device("meta"):
            return vgg16(weights=None, init_weights=False).features, VGG16_Weights.IMAGENET1K_V1.url

    def smooth_maps(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the activations where pooling is the root of blurred squares, as DISTS has it."""
        return self.activations(images, RootOfBlurredSquares)


class AlexNet(_Layered):
    """AlexNet (Krizhevsky 2014, arXiv 1404.5997) with torchvision's weights: after each of its five ReLUs.

    Args:
        weights: a file of torchvision's weights; None downloads them.
        precision: see `Extractor`.
    """

    name = "alexnet"
    dim = 256
    taps = (1, 4, 7, 9, 11)
    smallest = 32

    @staticmethod
    def build() -> tuple[nn.Sequential, str]:
        """Return AlexNet's convolutions."""
        from torchvision.models import AlexNet_Weights, alexnet

        with torch.device("meta"):
            return alexnet(weights=None).features, AlexNet_Weights.IMAGENET1K_V1.url


class RootOfBlurredSquares(nn.Module):
    """(g * x²)^½ at every second place, g the 3x3 Hann window (Ding et al. 2020, arXiv 2004.07728, section 3.1)."""

    window: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        line = torch.tensor([0.25, 0.5, 0.25])
        self.register_buffer("window", (line[:, None] * line).expand(channels, 1, 3, 3).clone())

    def forward(self, x: Tensor) -> Tensor:
        """Halve the height and width of maps (N, C, H, W), rounded up."""
        blurred = F.conv2d(x.square(), self.window, stride=2, padding=1, groups=x.shape[1])
        return (blurred + 1e-12).sqrt()
