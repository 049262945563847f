"""ImageNet features without a download: EfficientNet-Lite0, whose weights a package ships."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import Cache, DataSource, Extractor, Features, fingerprint, to_rgb
from gan_zoo.efficientnet_lite0 import WIDTH, enlarged, load
from gan_zoo.extractors.inception import fold_batch_norm


class EfficientNetLite0Features(Extractor):
    """EfficientNet-Lite0 (Tan & Le 2019, arXiv 1905.11946): the pooled features (1280) and the logits (1000).

    No published score was computed by it: it compares models of this program, of photographs in colour. A model that
    was trained against this network must not be scored by it.
    """

    name = "efficientnet_lite0"
    dim = WIDTH
    resize = "bilinear, antialiased, to 224x224"
    size = (224, 224)
    classifies = True
    perceives = True

    def __init__(self, precision: str) -> None:
        super().__init__(precision)
        self._fingerprint = ""

    def prepare(self, source: DataSource, device: torch.device, cache: Cache) -> None:
        """Load the weights.

        Raises:
            ConfigError: the package that ships them is not installed.
        """
        network = load()
        self._fingerprint = fingerprint(network.state_dict())
        fold_batch_norm(network)
        self.network = network.to(device).to(memory_format=torch.channels_last)

    def extract(self, samples: Tensor) -> Features:
        """Return the 1280 pooled features and the 1000 logits."""
        images = F.interpolate(to_rgb(samples).float(), size=(224, 224), mode="bilinear", antialias=True)
        return Features(*self.network(images / 127.5 - 1))

    def maps(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return four maps, from a 4th to a 32nd of the size of images, which are enlarged to at least 32 pixels."""
        return self.network.maps(to_rgb(enlarged(images)))

    def fingerprint(self) -> str:
        """Return the hash of the weights as they were loaded, before folding."""
        return self._fingerprint
