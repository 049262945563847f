"""The settings in which the papers' claims on objectives are compared: small data, small networks, few steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from evidence import measures
from evidence.job import ROOT

LINE_DATA = ROOT / "outputs" / "objectives" / "line.npz"
"""2,000 points of two modes on a line, four to six."""

OUTLIER_DATA = ROOT / "outputs" / "objectives" / "outliers.npz"
"""4,000 points of the ring of eight Gaussians, and 40 far outside."""

Measure = Callable[[Path], dict[str, float]]


@dataclass(frozen=True)
class Setting:
    """What the runs of a family have in common.

    Attributes:
        overrides: what follows `python run.py`.
        measure: what gives further figures of a run's folder.
    """

    overrides: tuple[str, ...]
    measure: Measure | None = None


RATES = tuple(f"optimizer.{player}.lr=1e-3" for player in ("generator", "discriminator"))
BETAS = tuple(f"optimizer.{player}.betas=[0.5,0.999]" for player in ("generator", "discriminator"))
HE = ("networks.generator.init=he", "networks.discriminator.init=he")

PLANE = ("experiment=mixture_2d", "prior.dim=2", "train.batch_size=128", *HE, "train.log_every=100", "evaluate.every=0")

RING = Setting((*PLANE, *RATES, *BETAS, "train.steps=2500"), measures.mode_shares)
RING_PLAIN = Setting((*PLANE, "train.steps=2500"), measures.mode_shares)
BARE = (
    *("model=null", "generator=mlp", "prior=normal", "data=mixture", "extractor=raw", "metrics=[mode_coverage]"),
    *("networks.generator.hidden=[128,128]", "networks.generator.activation=relu", "networks.generator.output=linear"),
    *("networks.generator.init=he", "networks.generator.init_bias=0", "strategy=[lr_decay]", "prior.dim=2"),
    *("train.batch_size=128", "train.log_every=100", "train.steps=2500", "evaluate.samples=2000"),
    *("optimizer.generator.lr=1e-3", "optimizer.generator.betas=[0.5,0.999]"),
)
"""The ring's generator, for other discriminators than the plane's."""

TWINS = Setting(
    (
        *(*BARE, RATES[1], BETAS[1], "discriminator=twin", "networks.discriminator.of.name=mlp"),
        *("~networks.discriminator.of.width", "~networks.discriminator.of.norm"),
        *("+networks.discriminator.of.hidden=[128,128]", "+networks.discriminator.of.activation=relu"),
        *("+networks.discriminator.of.init=he", "+networks.discriminator.of.pixels=symmetric"),
        *("+networks.discriminator.of.init_std=0.1", "+networks.discriminator.of.init_bias=0"),
    ),
    measures.mode_shares,
)
NO_DISCRIMINATOR = Setting((*BARE, "discriminator=null", "game=moment_matching"), measures.mode_shares)
OUTLIERS = Setting(
    (
        *("model=plane", "game=two_player", "data=npz", f"data.path={OUTLIER_DATA}", "data.y=null", "extractor=raw"),
        *("metrics=[]", "prior.dim=2", "train.batch_size=128", "train.steps=2500", "train.log_every=100", *HE),
        *("strategy=[lr_decay]", *RATES, *BETAS),
    ),
    measures.outliers,
)
GRID = Setting((*PLANE, *RATES, *BETAS, "data.arrangement=grid", "train.steps=4000"))
SPIRAL = Setting(
    (*PLANE, *RATES, "data.arrangement=spiral", "train.steps=1000", "train.log_every=5"), measures.roughness
)
LINE = Setting(
    (
        *("model=gaussian_1d", "game=two_player", "data=npz", f"data.path={LINE_DATA}", "data.y=null", "extractor=raw"),
        *("metrics=[]", "loss=f_gan", "networks.generator.mean=1", "train.steps=1500", "train.batch_size=256"),
        *("schedule.d_steps=3", "train.log_every=100"),
        *(f"optimizer.{player}.lr=5e-3" for player in ("generator", "discriminator")),
    ),
    measures.gaussian,
)
DIRAC = Setting(
    (
        *("model=bilinear", "game=two_player", "generator=point", "discriminator=linear", "data=gaussian"),
        *("data.mean=0", "data.std=0", "data.samples=64", "optimizer=sgd", "metrics=[]", "train.batch_size=1"),
        *("train.steps=500", "train.log_every=100"),
        *(f"optimizer.{player}.lr=0.1" for player in ("generator", "discriminator")),
    ),
    measures.distance_to_zero,
)
MOMENTS = Setting(
    (
        *("model=null", "generator=gaussian", "prior=normal", "prior.dim=1", "data=gaussian", "metrics=[]"),
        *("optimizer.generator.lr=1e-2", "train.batch_size=512", "train.steps=2000", "train.log_every=100"),
    ),
    measures.distance_to_data,
)
INTERVALS = Setting(
    (
        *("model=null", "generator=point", "discriminator=intervals", "prior=uniform", "prior.dim=1"),
        *("game=mixture_intervals", "loss=wasserstein_plain", "data=gaussian", "data.channels=2", "data.mean=0"),
        *("data.std=0", "data.samples=64", "optimizer=sgd", "metrics=[]", "train.batch_size=1", "train.steps=500"),
        *("train.log_every=100", *(f"optimizer.{player}.lr=0.3" for player in ("generator", "discriminator"))),
    ),
    measures.total_variation,
)
DIGITS = Setting(
    (
        *("model=dcgan", "data.image_size=16", "networks.generator.width=16"),
        *("networks.discriminator.width=16", "train.steps=400", "metrics=[fid]", "train.log_every=50"),
    ),
    measures.last_logged,
)
DIGITS_ALONE = Setting(
    tuple(override for override in DIGITS.overrides if not override.startswith("networks.discriminator")),
    DIGITS.measure,
)
"""The generator of digits without a discriminator."""

LARGER_DIGITS = Setting(
    (
        *("model=dcgan", "prior=normal", "optimizer=rmsprop", "train.batch_size=64", "train.steps=400"),
        *("metrics=[fid]", "train.log_every=50"),
    ),
    DIGITS.measure,
)
"""The digits as GAMN's experiment has them: of 32 pixels, by networks that are not made small."""

CLASSES = Setting(
    (
        *("model=dcgan_conditional", "discriminator=dcgan", "strategy=[heads]", "data.image_size=16"),
        *("networks.generator.width=16", "networks.discriminator.width=16", "train.steps=400"),
        *("metrics=[fid,class_accuracy]", "train.log_every=50"),
    ),
    measures.last_logged,
)
CLASS_GENERATOR = Setting(("model=dcgan_conditional", *CLASSES.overrides[3:]), measures.last_logged)
ACGAN = Setting(("model=acgan", "loss=hinge", *CLASSES.overrides[3:]), measures.last_logged)
ENERGY = Setting((*DIGITS.overrides, "discriminator=autoencoder", "networks.discriminator.width=16"), DIGITS.measure)
