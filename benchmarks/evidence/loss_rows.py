"""Small runs of objectives and of ways to train, all on DCGAN's networks at one learning rate, beside DCGAN itself."""

from __future__ import annotations

from evidence.network_rows import DIGITS, DRAWN, FID
from evidence.row import Row
from evidence.translation_rows import SMALL, quick

PAGE = "losses"
DRAWING = (
    *("am_gan", "apa", "b_gan", "bs_gan", "consensus", "coulomb_gan", "cr_gan", "cramer_gan", "dcgan_r3gan"),
    *("diffaugment", "dragan", "ebgan", "extragradient", "f_gan", "fisher_gan", "gamn", "gan_qp", "geometric_gan"),
    *("gls_gan", "gogan", "icr_gan", "improved_gan", "infomax_gan", "instance_noise", "iwgan", "la_gan", "lecam_gan"),
    *("logan", "ls_gan", "lsgan", "lsgan_pearson", "magan", "mcgan_covariance", "mcgan_mean", "mmd_gan", "mmgan"),
    *("omd_gan", "pgan", "ra_gan", "rahingegan", "ralsgan", "realness_gan", "roth_gan", "rpgan", "rsgan", "rwgan_kl"),
    *("sobolev_gan", "softmax_gan", "ssgan", "swg", "top_k", "ttur", "vral", "wgan", "wgan_ct", "wgan_div"),
    *("wgan_gp", "wgan_lp"),
)
OF_CLASSES = ("adc_gan", "contra_gan", "dcgan_conditional", "mhgan", "omni_gan", "reac_gan", "twin_ac_gan")
FURTHER = {
    **dict.fromkeys(("diffaugment", "apa", "la_gan", "dcgan_r3gan"), ("strategy.ema.decay=0.99",)),
    "infomax_gan": ("strategy.k_step.k=1",),
    "rpgan": ("networks.discriminator.stride=1",),
}
"""Averaged weights follow as fast as short runs change them; five updates of a D that compares places take too long;
halved projections of 16 pixels are too small."""
PERCEPTRONS = ("dan_2s", "dan_s", "gmmn", "mlp", "vae", "vae_gan_start")

ROWS = {
    **{
        name: Row(
            *(PAGE, name, (*DRAWN, *FURTHER.get(name, ())), "fid", "DCGAN of 16 pixels"),
            f"{FID}; beside DCGAN, as many updates of G",
        )
        for name in DRAWING
    },
    "d2gan": Row(
        PAGE,
        "d2gan",
        tuple(setting for setting in DRAWN if not setting.startswith("networks.discriminator")),
        *("fid", "DCGAN of 16 pixels", f"{FID}; beside DCGAN, as many updates of G"),
    ),
    **{
        name: Row(
            *(PAGE, name, (*DIGITS, "metrics=[class_accuracy]"), "class_accuracy", 0.1),
            "share of digits that are of the class asked for; beside chance",
        )
        for name in OF_CLASSES
    },
    **{
        name: Row(PAGE, name, (SMALL, "train.batch_size=64", "train.steps=1500", "metrics=[fid]"), "fid", None, FID)
        for name in PERCEPTRONS
    },
    "conv": Row(
        *(PAGE, "conv", ("train.steps=1000", *quick("generator", "discriminator"), "metrics=[fid]"), "fid", None),
        "fid of digits of 28 pixels",
    ),
}
