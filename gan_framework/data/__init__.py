"""Real data: what a source gives, in memory or streamed, and the batches a run draws from it."""

from gan_framework.data.batches import Batches, images
from gan_framework.data.memory import InMemory
from gan_framework.data.source import COMMON_SETTINGS, Data, DataSource, build_source

__all__ = ["COMMON_SETTINGS", "Batches", "Data", "DataSource", "InMemory", "build_source", "images"]
