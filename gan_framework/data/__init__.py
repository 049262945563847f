"""Real data: what a source gives, in memory or streamed, and the batches a run draws from it."""

from gan_framework.data.batches import Batches, images
from gan_framework.data.encoding import encoded, one_hot
from gan_framework.data.memory import InMemory
from gan_framework.data.source import Data, DataSource, build_source, check_classes, identity
from gan_framework.data.sources import Sources, shape_of

__all__ = [
    "Batches",
    "Data",
    "DataSource",
    "InMemory",
    "Sources",
    "build_source",
    "check_classes",
    "encoded",
    "identity",
    "images",
    "one_hot",
    "shape_of",
]
