"""The Inception network of the original FID, as torch-fidelity ports it from TensorFlow."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from gan_framework.api import Cache, DataSource, Extractor, Features, fingerprint, to_rgb
from gan_zoo.extractors.pretrained import checkpoints_folder, known_file, loading, refuse_code

LAYERS = ["2048", "logits_unbiased"]


class Inception(Extractor):
    """InceptionV3 of 2015-12-05: the pooled features (2048) and the logits (1008) that FID, KID and IS are defined by.

    Batch norm is folded into the convolutions and the layout is channels-last, which is faster and
    leaves the features equal to 1e-5.
    """

    name = "inception"
    dim = 2048
    resize = "bilinear as in TensorFlow 1, to 299x299"
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
        from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3, FeatureExtractorInceptionV3

        remedy = f"Put the file into {checkpoints_folder()}, or name it by extractor.weights=PATH"
        with loading(self.weights, URL_INCEPTION_V3, remedy):
            refuse_code(self.weights)
            network = FeatureExtractorInceptionV3(
                "inception-v3-compat", LAYERS, feature_extractor_weights_path=self.weights, verbose=False
            )
        self._fingerprint = fingerprint(network.state_dict())
        fold_batch_norm(network)
        self.network = network.to(device=device, memory_format=torch.channels_last)

    def extract(self, samples: Tensor) -> Features:
        """Return the 2048 pooled features and the 1008 logits without bias."""
        return Features(*self.network(to_rgb(samples)))

    def fingerprint(self) -> str:
        """Return the hash of the weights as they were loaded, before folding."""
        return self._fingerprint


def fold_batch_norm(network: nn.Module) -> None:
    """Fold every `bn` into the `conv` beside it; the network must be in evaluation mode."""
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    for block in network.modules():
        conv, norm = getattr(block, "conv", None), getattr(block, "bn", None)
        if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            block.conv, block.bn = fuse_conv_bn_eval(conv, norm), nn.Identity()
