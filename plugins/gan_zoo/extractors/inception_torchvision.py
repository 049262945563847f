"""The Inception network of torchvision."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import Cache, DataSource, Extractor, Features, fingerprint, to_rgb
from gan_zoo.extractors.inception import fold_batch_norm
from gan_zoo.extractors.pretrained import checkpoints_folder, known_file, loading


class InceptionTorchvision(Extractor):
    """InceptionV3 with torchvision's ImageNet weights: the pooled features (2048) and the logits (1000).

    Not the network of the original FID: its scores are not comparable with published ones.
    """

    name = "inception_torchvision"
    dim = 2048
    resize = "bilinear, antialiased, to 299x299"
    size = (299, 299)
    downloads = True
    classifies = True

    def __init__(self, weights: Path | None, precision: str) -> None:
        super().__init__(precision)
        self.weights = known_file(weights)
        self._fingerprint = ""

    def prepare(self, source: DataSource, device: torch.device, cache: Cache) -> None:
        """Load the weights.

        Raises:
            RunFailed: they cannot be downloaded; the message says what to do instead.
            ConfigError: the file holds something else.
        """
        from torchvision.models import Inception_V3_Weights, inception_v3

        url = Inception_V3_Weights.IMAGENET1K_V1.url
        remedy = f"Put the file into {checkpoints_folder()}, or name it by extractor.weights=PATH"
        network = inception_v3(weights=None, init_weights=False).eval()
        with loading(self.weights, url, remedy):
            if self.weights is None:
                weights = torch.hub.load_state_dict_from_url(url, map_location="cpu", progress=False, check_hash=True)
            else:
                weights = torch.load(self.weights, map_location="cpu", weights_only=True)
            network.load_state_dict(weights)
        self._fingerprint = fingerprint(network.state_dict())
        fold_batch_norm(network)
        self.classify = network.fc.to(device)
        network.fc = nn.Identity()
        self.network = network.to(device=device, memory_format=torch.channels_last)

    def extract(self, samples: Tensor) -> Features:
        """Return the 2048 pooled features and the 1000 logits."""
        images = F.interpolate(to_rgb(samples).float(), size=(299, 299), mode="bilinear", antialias=True)
        features = self.network(images / 127.5 - 1)
        return Features(features, self.classify(features))

    def fingerprint(self) -> str:
        """Return the hash of the weights as they were loaded, before folding."""
        return self._fingerprint
