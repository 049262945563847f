"""Small runs of residual networks, styles, auto-encoders and textures, and what each is compared with."""

from __future__ import annotations

from evidence.network_rows import DRAWN, FID, FOUND, MEAN, NETWORKS
from evidence.row import Row
from evidence.translation_rows import SMALL, narrow, quick

PAGE = "architectures"
SOON = ("train.batch_size=16", "train.steps=1000", *quick("generator", lr="5e-4"), *quick("discriminator"))
FOLLOWED = ("strategy.ema.decay=0.98", "strategy.ema.warmup=0")
HALVED = ("strategy.ema.half_life=500", "strategy.ema.ramp=null", "metrics=[fid]")
AT_32 = "fid of digits of 32 pixels"
ONE_FOR_ONE = "with one update of D for one of G"
RESIDUAL = (
    *(SMALL, "networks.generator.width=16", "networks.discriminator.width=32", "strategy.k_step.k=1"),
    *("train.batch_size=32", "train.steps=600", *quick(*NETWORKS, lr="2e-3")),
)
STYLES = (
    *(SMALL, "networks.generator.style_size=64", "networks.generator.mapping_layers=2", "prior.dim=64"),
    *(f"networks.{name}.{setting}" for name in NETWORKS for setting in ("base=512", "most=64")),
    *("terms.r1.weight=1.0", "train.batch_size=16", "train.steps=1000", *HALVED),
)
CODES = (SMALL, "train.steps=1000", "train.batch_size=50", "metrics=[inversion_error]")
WAE = (
    *("networks.generator.width=64", "networks.encoder.width=16", "train.batch_size=50", "train.steps=600"),
    "metrics=[inversion_error]",
)
MEAN_28 = 0.23
"""As `network_rows.MEAN`, of 28 pixels."""
TEXTURE = (
    *("data.image_size=65", "data.period=16", "networks.generator.field=3", "train.batch_size=16"),
    *("networks.generator.widths=[64,32,16,16]", "networks.discriminator.widths=[16,16,32,64]"),
    *("extractor=raw", "metrics=[spectrum_distance]"),
)
SPECTRUM = "dB by which the mean spectrum of images differs from that of stripes; beside an untrained G"

ROWS = {
    "resnet": Row(PAGE, "resnet", (*RESIDUAL, "metrics=[fid]"), "fid", None, f"{FID}, {ONE_FOR_ONE}"),
    "resnet_projection": Row(
        *(PAGE, "resnet_projection", (*RESIDUAL, "metrics=[class_accuracy]"), "class_accuracy", 0.1),
        "share of digits that are of the class asked for; beside chance",
    ),
    "sagan": Row(
        *(PAGE, "sagan", (*narrow(*NETWORKS, width=8), *SOON, "metrics=[fid]"), "fid", None),
        AT_32,
    ),
    "biggan": Row(
        PAGE,
        "biggan",
        (*narrow(*NETWORKS, width=8), "prior.dim=32", *SOON, *FOLLOWED, "strategy.k_step.k=1", "metrics=[fid]"),
        *("fid", None, f"{AT_32}, {ONE_FOR_ONE}"),
    ),
    "unet_gan": Row(
        *(PAGE, "unet_gan", (*narrow(*NETWORKS, width=8), *SOON, *FOLLOWED, "metrics=[fid]"), "fid", None),
        AT_32,
    ),
    "transgan": Row(
        PAGE,
        "transgan",
        (
            *(SMALL, *narrow(*NETWORKS, width=64), "prior.dim=64", "schedule.d_steps=1", "schedule.g_batches=1"),
            *("train.batch_size=16", "train.steps=600", *HALVED, *quick(*NETWORKS, lr="5e-4")),
        ),
        *("fid", None, f"{FID}, {ONE_FOR_ONE}"),
    ),
    "stylegan2": Row(PAGE, "stylegan2", STYLES, "fid", None, FID),
    "stylegan2_ada": Row(PAGE, "stylegan2_ada", (*STYLES, "networks.discriminator.group=8"), "fid", None, FID),
    **{
        name: Row(PAGE, name, DRAWN, "fid", "DCGAN of 16 pixels", f"{FID}; beside DCGAN, as many steps")
        for name in ("ld_gan", "lgan", "dist_gan")
    },
    "vgan": Row(*(PAGE, "vgan", (SMALL, "train.steps=1500", "metrics=[fid]"), "fid", None), FID),
    "lapgan": Row(
        PAGE,
        "lapgan",
        (
            *narrow(*(f"{network}_{level}" for network in NETWORKS for level in (1, 2))),
            *("train.batch_size=32", "train.steps=1000", "metrics=[fid]"),
        ),
        *("fid", None, f"{AT_32}, made at 8, 16 and 32"),
    ),
    "infogan": Row(
        PAGE,
        "infogan",
        ("train.batch_size=32", "train.steps=500", "metrics=[cluster_accuracy]"),
        *("cluster_accuracy", 0.1, "share of digits whose class the code of ten tells, once matched; beside chance"),
    ),
    "vqgan": Row(
        PAGE,
        "vqgan",
        (
            *(SMALL, *narrow("generator", "encoder"), "game.start=200", "train.batch_size=16", "train.steps=600"),
            *("optimizer.discriminator.lr=5e-4", "metrics=[inversion_error]"),
        ),
        *("inversion_error", MEAN, FOUND),
    ),
    **{
        name: Row(PAGE, name, WAE, "inversion_error", MEAN_28, FOUND.replace("digits", "digits of 28 pixels", 1))
        for name in ("wae_gan", "wae_mmd")
    },
    **{name: Row(PAGE, name, CODES, "inversion_error", MEAN, FOUND) for name in ("aae", "alae")},
    "bigbigan": Row(
        PAGE,
        "bigbigan",
        (
            *(SMALL, *narrow(*NETWORKS, "encoder"), "networks.discriminator.hidden=128", "prior.dim=32"),
            *("strategy.k_step.k=1", "train.batch_size=32", "train.steps=800", *quick(*NETWORKS, lr="5e-4")),
            "metrics=[inversion_error]",
        ),
        *("inversion_error", MEAN, FOUND),
    ),
    "ppgn": Row(
        PAGE,
        "ppgn",
        (
            *(SMALL, *narrow(*NETWORKS, "encoder"), "prior.dim=64", "train.batch_size=32", "train.steps=2500"),
            *("sampler.steps=100", "evaluate.samples=500", "metrics=[class_accuracy]"),
        ),
        *("class_accuracy", 0.1, "share of digits that are of the class asked for; beside chance"),
    ),
    "spatial_gan": Row(
        PAGE, "spatial_gan", (*TEXTURE, "prior.dim=900", "train.steps=1000"), "spectrum_distance", 0.48, SPECTRUM
    ),
    "psgan": Row(
        PAGE,
        "psgan",
        (*TEXTURE, "prior.dim=336", "optimizer.generator.lr=1e-3", "train.steps=400"),
        *("spectrum_distance", 0.48, SPECTRUM),
    ),
}
