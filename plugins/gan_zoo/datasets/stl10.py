"""STL-10 (Coates et al. 2011)."""

from __future__ import annotations

from typing import Any

from gan_zoo.datasets.torchvision_source import TorchvisionSource


class STL10(TorchvisionSource):
    """Animals and vehicles: 5,000 and 8,000 colour images of 96x96 pixels, 10 classes."""

    name = "stl10"
    files = "stl10_binary.tar.gz (or its unpacked folder stl10_binary)"
    classes = tuple("airplane bird car cat deer dog horse monkey ship truck".split())

    def read(self, split: str, download: bool) -> tuple[Any, Any]:
        """Return a split's images (N, 3, 96, 96) and labels (N,)."""
        from torchvision import datasets

        data = datasets.STL10(str(self.root), split, download=download)
        return data.data, data.labels
