"""Street View House Numbers (Netzer et al. 2011)."""

from __future__ import annotations

from typing import Any

from gan_zoo.datasets.torchvision_source import TorchvisionSource


class SVHN(TorchvisionSource):
    """Cropped house numbers: 73,257 and 26,032 colour images of 32x32 pixels, 10 classes."""

    name = "svhn"
    files = "train_32x32.mat and test_32x32.mat"
    classes = tuple("0123456789")

    def read(self, split: str, download: bool) -> tuple[Any, Any]:
        """Return a split's images (N, 3, 32, 32) and labels (N,)."""
        from torchvision import datasets

        data = datasets.SVHN(str(self.root), split, download=download)
        return data.data, data.labels
