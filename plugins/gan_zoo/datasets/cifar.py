"""CIFAR-10 and CIFAR-100 (Krizhevsky 2009)."""

from __future__ import annotations

from typing import Any

from gan_zoo.datasets.torchvision_source import TorchvisionSource


class CIFAR10(TorchvisionSource):
    """Animals and vehicles: 50,000 and 10,000 colour images of 32x32 pixels, 10 classes."""

    name = "cifar10"
    files = "cifar-10-python.tar.gz (or its unpacked folder cifar-10-batches-py)"
    classes = tuple("airplane automobile bird cat deer dog frog horse ship truck".split())

    def read(self, split: str, download: bool) -> tuple[Any, Any]:
        """Return a split's images (N, 3, 32, 32) and labels (N,)."""
        from torchvision import datasets

        data = getattr(datasets, type(self).__name__)(str(self.root), split == "train", download=download)
        return data.data.transpose(0, 3, 1, 2), data.targets


class CIFAR100(CIFAR10):
    """100 kinds of things: 50,000 and 10,000 colour images of 32x32 pixels, 100 fine classes."""

    name = "cifar100"
    files = "cifar-100-python.tar.gz (or its unpacked folder cifar-100-python)"
    classes = tuple(
        """apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly
        camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup
        dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower
        leopard lion lizard lobster man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid
        otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray
        road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar
        sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle
        wardrobe whale willow_tree wolf woman worm""".split()
    )
