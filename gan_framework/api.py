"""All that the author of a plugin imports: `from gan_framework.api import Game, Player, Term`.

Importing this module costs nothing; each name is looked up when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gan_framework.core import distributed as distributed
    from gan_framework.core import seeding as seeding
    from gan_framework.core.checks import blank as blank
    from gan_framework.core.checks import check_pairs as check_pairs
    from gan_framework.core.checks import evaluation_mode as evaluation_mode
    from gan_framework.core.checks import try_meeting as try_meeting
    from gan_framework.core.contracts.loss import AdversarialLoss as AdversarialLoss
    from gan_framework.core.contracts.loss import SeparableLoss as SeparableLoss
    from gan_framework.core.contracts.networks import SAMPLES as SAMPLES
    from gan_framework.core.contracts.networks import Discriminator as Discriminator
    from gan_framework.core.contracts.networks import Generator as Generator
    from gan_framework.core.contracts.prior import Prior as Prior
    from gan_framework.core.contracts.schedule import BeforeFirstStep as BeforeFirstStep
    from gan_framework.core.contracts.schedule import Schedule as Schedule
    from gan_framework.core.contracts.strategy import Strategy as Strategy
    from gan_framework.core.contracts.term import Term as Term
    from gan_framework.core.game import Components as Components
    from gan_framework.core.game import Game as Game
    from gan_framework.core.judge import Judge as Judge
    from gan_framework.core.pair import MAIN as MAIN
    from gan_framework.core.pair import Meeting as Meeting
    from gan_framework.core.pair import Pair as Pair
    from gan_framework.core.pair import nobody as nobody
    from gan_framework.core.player import Player as Player
    from gan_framework.core.player import Ramp as Ramp
    from gan_framework.core.player import TermPlan as TermPlan
    from gan_framework.core.records import EMPTY as EMPTY
    from gan_framework.core.records import Batch as Batch
    from gan_framework.core.records import DataShape as DataShape
    from gan_framework.core.records import DiscriminatorOutput as DiscriminatorOutput
    from gan_framework.core.records import Latent as Latent
    from gan_framework.core.records import NextBatch as NextBatch
    from gan_framework.data import Data as Data
    from gan_framework.data import DataSource as DataSource
    from gan_framework.data import InMemory as InMemory
    from gan_framework.data import build_source as build_source
    from gan_framework.data import encoded as encoded
    from gan_framework.data import one_hot as one_hot
    from gan_framework.data.decoding import FORMATS as FORMATS
    from gan_framework.data.decoding import decode as decode
    from gan_framework.data.decoding import holds_several as holds_several
    from gan_framework.data.decoding import measure as measure
    from gan_framework.data.decoding import read_limited as read_limited
    from gan_framework.data.image_names import SUFFIXES as SUFFIXES
    from gan_framework.data.image_names import Listing as Listing
    from gan_framework.data.image_names import describe_bad as describe_bad
    from gan_framework.data.image_names import describe_left_out as describe_left_out
    from gan_framework.data.image_names import is_hidden as is_hidden
    from gan_framework.data.image_names import is_image as is_image
    from gan_framework.data.image_names import list_images as list_images
    from gan_framework.data.joining import joined as joined
    from gan_framework.data.pixels import Fit as Fit
    from gan_framework.data.pixels import fit as fit
    from gan_framework.data.pixels import named_sizes as named_sizes
    from gan_framework.data.pixels import used as used
    from gan_framework.errors import ConfigError as ConfigError
    from gan_framework.errors import RunFailed as RunFailed
    from gan_framework.evaluation import inversion as inversion
    from gan_framework.evaluation.cache import Cache as Cache
    from gan_framework.evaluation.extractor import Extractor as Extractor
    from gan_framework.evaluation.extractor import Features as Features
    from gan_framework.evaluation.extractor import fingerprint as fingerprint
    from gan_framework.evaluation.extractor import to_rgb as to_rgb
    from gan_framework.evaluation.metric import Comparison as Comparison
    from gan_framework.evaluation.metric import FeatureSet as FeatureSet
    from gan_framework.evaluation.metric import Metric as Metric
    from gan_framework.evaluation.metric import PairedSamples as PairedSamples
    from gan_framework.evaluation.sampler import Sampler as Sampler
    from gan_framework.evaluation.sampler import pairs_of as pairs_of
    from gan_framework.evaluation.statistics import mean_and_covariance as mean_and_covariance
    from gan_framework.evaluation.stopping import stop_point as stop_point
    from gan_framework.runs.choosing import Choice as Choice
    from gan_framework.runs.choosing import Chooser as Chooser
    from gan_framework.runs.choosing import Facts as Facts
    from gan_framework.runs.columns import AXES as AXES
    from gan_framework.runs.columns import RESOLVED as RESOLVED
    from gan_framework.runs.columns import UPDATES as UPDATES
    from gan_framework.runs.columns import columns as columns
    from gan_framework.runs.columns import tags_of as tags_of
    from gan_framework.runs.restore import load_game as load_game
    from gan_framework.runs.tracker import RunInfo as RunInfo
    from gan_framework.runs.tracker import Tracker as Tracker
    from gan_framework.storage.figures import panels as panels
    from gan_framework.storage.figures import rendered as rendered
    from gan_framework.storage.files import atomic as atomic
    from gan_framework.storage.files import refuse_link as refuse_link
    from gan_framework.storage.images import to_uint8 as to_uint8
    from gan_framework.storage.pictures import grid as grid
    from gan_framework.storage.secrets import mask as mask
    from gan_framework.storage.text import harmless as harmless
    from gan_framework.weights.pretrained import mark_pretrained as mark_pretrained

_MODULES = {
    "core": "distributed seeding",
    "core.checks": "blank check_pairs evaluation_mode try_meeting",
    "core.contracts.loss": "AdversarialLoss SeparableLoss",
    "core.contracts.networks": "SAMPLES Discriminator Generator",
    "core.contracts.prior": "Prior",
    "core.contracts.schedule": "BeforeFirstStep Schedule",
    "core.contracts.strategy": "Strategy",
    "core.contracts.term": "Term",
    "core.game": "Components Game",
    "core.judge": "Judge",
    "core.pair": "MAIN Meeting Pair nobody",
    "core.player": "Player Ramp TermPlan",
    "core.records": "EMPTY Batch DataShape DiscriminatorOutput Latent NextBatch",
    "data": "Data DataSource InMemory build_source encoded one_hot",
    "data.decoding": "FORMATS decode holds_several measure read_limited",
    "data.image_names": "SUFFIXES Listing describe_bad describe_left_out is_hidden is_image list_images",
    "data.joining": "joined",
    "data.pixels": "Fit fit named_sizes used",
    "errors": "ConfigError RunFailed",
    "evaluation": "inversion",
    "evaluation.cache": "Cache",
    "evaluation.extractor": "Extractor Features fingerprint to_rgb",
    "evaluation.metric": "Comparison FeatureSet Metric PairedSamples",
    "evaluation.sampler": "Sampler pairs_of",
    "evaluation.statistics": "mean_and_covariance",
    "evaluation.stopping": "stop_point",
    "runs.choosing": "Choice Chooser Facts",
    "runs.columns": "AXES RESOLVED UPDATES columns tags_of",
    "runs.restore": "load_game",
    "runs.tracker": "RunInfo Tracker",
    "storage.figures": "panels rendered",
    "storage.files": "atomic refuse_link",
    "storage.images": "to_uint8",
    "storage.pictures": "grid",
    "storage.secrets": "mask",
    "storage.text": "harmless",
    "weights.pretrained": "mark_pretrained",
}

_PLACES = {name: f"gan_framework.{module}" for module, names in _MODULES.items() for name in names.split()}

__all__ = sorted(_PLACES)  # noqa: PLE0605 (one table says what there is)


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"gan_framework.api has no {name!r}; it has {', '.join(__all__)}")
    place = _PLACES[name]
    found = getattr(import_module(place), name, None)
    return found if found is not None else import_module(f"{place}.{name}")
