"""The Inception network of the original FID, as torch-fidelity ports it from TensorFlow."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from gan_framework.api import Cache, DataSource, Extractor, Features, fingerprint, to_rgb
from gan_zoo.extractors.pretrained import checkpoints_folder, known_file, loading, refuse_code

LAYERS = ["2048", "logits_unbiased"]

SIDE = 299

ENLARGED = 128
"""Images up to this side are enlarged by products of matrices, which is faster than picking pixels; larger ones not."""

TRUNK = (
    *("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "MaxPool_1", "Conv2d_3b_1x1", "Conv2d_4a_3x3", "MaxPool_2"),
    *("Mixed_5b", "Mixed_5c", "Mixed_5d", "Mixed_6a", "Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"),
    *("Mixed_7a", "Mixed_7b", "Mixed_7c"),
)
"""The network's layers, in the order in which images go through them."""


class Inception(Extractor):
    """InceptionV3 of 2015-12-05: the pooled features (2048) and the logits (1008) that FID, KID and IS are defined by.

    Batch norm is folded into the convolutions, the layout is channels-last and small images are
    enlarged by products of matrices, which is faster and leaves the features equal to 1e-5.
    """

    name = "inception"
    dim = 2048
    resize = "bilinear as in TensorFlow 1, to 299x299"
    size = (SIDE, SIDE)
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
        images = to_rgb(samples)
        if self.precision != "fp32" or max(images.shape[2:]) > ENLARGED:
            return Features(*self.network(images))
        x = enlarged((images.float() - 128) / 128).contiguous(memory_format=torch.channels_last)
        for name in TRUNK:
            x = getattr(self.network, name)(x)
        features = x.mean((2, 3))
        return Features(features, features @ self.network.fc.weight.T)

    def fingerprint(self) -> str:
        """Return the hash of the weights as they were loaded, before folding."""
        return self._fingerprint


def enlarged(images: Tensor) -> Tensor:
    """Return images (N, C, H, W) as 299x299, bilinearly as TensorFlow 1 does: pixel i lies at i H / 299."""
    down, across = (_bilinear(size, images) for size in images.shape[2:])
    return down @ images @ across.T


def _bilinear(size: int, like: Tensor) -> Tensor:
    """Return what a row of pixels is multiplied by to have 299 of it, (299, size)."""
    rows = torch.arange(SIDE, device=like.device)
    places = rows.float() * (size / SIDE)
    first = places.floor().long()
    part = places - first
    weights = torch.zeros(SIDE, size, device=like.device)
    weights[rows, first] += 1 - part
    weights[rows, (first + 1).clamp(max=size - 1)] += part
    return weights


def fold_batch_norm(network: nn.Module) -> None:
    """Fold every `bn` into the `conv` beside it; the network must be in evaluation mode."""
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    for block in network.modules():
        conv, norm = getattr(block, "conv", None), getattr(block, "bn", None)
        if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            block.conv, block.bn = fuse_conv_bn_eval(conv, norm), nn.Identity()
