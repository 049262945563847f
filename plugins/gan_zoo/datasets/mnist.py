"""MNIST (LeCun et al. 1998) and Fashion-MNIST (Xiao et al. 2017, arXiv 1708.07747)."""

from __future__ import annotations

from typing import Any

from gan_zoo.datasets.torchvision_source import TorchvisionSource

FILES = (
    "train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz and "
    "t10k-labels-idx1-ubyte.gz (or the same unpacked, without .gz), in a folder {}/raw,"
)


class MNIST(TorchvisionSource):
    """Handwritten digits: 60,000 and 10,000 grey images of 28x28 pixels, 10 classes."""

    name = "mnist"
    files = FILES.format("MNIST")
    classes = tuple("0123456789")

    def read(self, split: str, download: bool) -> tuple[Any, Any]:
        """Return a split's images (N, 1, 28, 28) and labels (N,)."""
        from torchvision import datasets

        data = getattr(datasets, type(self).__name__)(str(self.root), split == "train", download=download)
        return data.data[:, None], data.targets


class FashionMNIST(MNIST):
    """Pieces of clothing: 60,000 and 10,000 grey images of 28x28 pixels, 10 classes."""

    name = "fashion_mnist"
    files = FILES.format("FashionMNIST")
    classes = (
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    )
