"""Small runs of encoders, mixtures, several discriminators and other networks, and what each is compared with."""

from __future__ import annotations

from evidence.row import Row
from evidence.translation_rows import SMALL, narrow, quick

PAGE = "architectures"
NETWORKS = ("generator", "discriminator")
FID = "fid of digits of 16 pixels"
QUICK = quick(*NETWORKS, lr="5e-4")
DIGITS = (SMALL, *narrow(*NETWORKS), "train.batch_size=32", "train.steps=800", *QUICK)
DRAWN = (*DIGITS, "metrics=[fid]")
BACK = (*DIGITS, "metrics=[inversion_error]")
CODES = (
    SMALL,
    *narrow(*NETWORKS),
    "train.batch_size=32",
    "train.steps=800",
    "optimizer.generator.lr=5e-4",
    "metrics=[inversion_error]",
)
MEAN = 0.227
"""Mean square error of the mean of the training digits, of 16 pixels."""
FOUND = "mean square error of test digits that are encoded and made again; beside the mean of all digits"
ODD = "area under the curve of telling zeros from the nine digits that are known; beside chance"
KNOWN = ("game.normal_classes=[1,2,3,4,5,6,7,8,9]", "evaluate.samples=300", "metrics=[anomaly_auc]")
FAST = quick(*NETWORKS)
DELIGAN = ("networks.generator.of.width=16", "train.batch_size=32", "train.steps=1200", "metrics=[fid]")
GMAN = (
    *(SMALL, *narrow("generator", *(f"discriminator_{i}" for i in range(5))), "train.batch_size=32"),
    *("train.steps=1200", "metrics=[fid]", *FAST),
)
MGAN = (
    *(SMALL, "networks.generator.of.width=16", *narrow("discriminator"), "train.batch_size=40"),
    *("train.steps=1500", "metrics=[fid]", *FAST),
)
TOY = ("train.batch_size=128", "train.steps=1500", "train.threads=1")
MODES = "modes that samples lie on"

ROWS = {
    "DCGAN of 16 pixels": Row(PAGE, "dcgan", DRAWN, "fid", None, FID),
    "abc_gan": Row(*(PAGE, "abc_gan", DRAWN, "fid", "DCGAN of 16 pixels"), f"{FID}; beside the same without blur"),
    "mdgan": Row(*(PAGE, "mdgan", DRAWN, "fid", "DCGAN of 16 pixels"), f"{FID}; beside DCGAN, as many steps"),
    "reg_gan": Row(*(PAGE, "reg_gan", DRAWN, "fid", "DCGAN of 16 pixels"), f"{FID}; beside DCGAN, as many steps"),
    "aegan": Row(PAGE, "aegan", BACK, "inversion_error", MEAN, FOUND),
    "alpha_gan": Row(PAGE, "alpha_gan", CODES, "inversion_error", MEAN, FOUND),
    "bigan": Row(
        *(PAGE, "bigan", (SMALL, "train.batch_size=64", "train.steps=1200", "metrics=[inversion_error]", *QUICK)),
        *("inversion_error", MEAN, FOUND),
    ),
    "bigan_conv": Row(PAGE, "bigan_conv", BACK, "inversion_error", MEAN, FOUND),
    "ali": Row(
        PAGE,
        "ali",
        (
            *(*narrow(*NETWORKS, "encoder", width=8), "train.batch_size=16", "train.steps=1500", *QUICK),
            "metrics=[inversion_error]",
        ),
        *("inversion_error", MEAN, FOUND.replace("digits", "digits of 32 pixels", 1)),
    ),
    "ian": Row(
        PAGE,
        "ian",
        (
            *(*narrow(*NETWORKS), "networks.encoder.inputs=1024", "train.batch_size=16", "train.steps=300", *QUICK),
            "metrics=[inversion_error]",
        ),
        *("inversion_error", MEAN, FOUND.replace("digits", "digits of 32 pixels", 1)),
    ),
    "igan": Row(
        PAGE,
        "igan",
        (
            *BACK,
            "schedule.stages=[{players:[discriminator,generator],until:600},{players:[encoder]}]",
        ),
        *("inversion_error", MEAN, FOUND),
    ),
    "anogan": Row(
        PAGE,
        "anogan",
        (*DIGITS, *KNOWN),
        *("anomaly_auc", 0.5, ODD),
    ),
    "f_anogan": Row(
        PAGE,
        "f_anogan",
        (
            *(*narrow(*NETWORKS), "train.batch_size=16", "train.steps=900", "optimizer.encoder.lr=1e-3", *QUICK),
            "schedule.stages=[{players:[discriminator,generator],updates:[2,1],until:500},{players:[encoder]}]",
            *KNOWN,
        ),
        *("anomaly_auc", 0.5, ODD),
    ),
    "ape_gan": Row(
        PAGE,
        "ape_gan",
        (
            *(*narrow(*NETWORKS), "train.batch_size=32", "game.classifier_steps=150", "train.steps=3000"),
            *(*quick("generator"), "metrics=[attack_accuracy]"),
        ),
        *("accuracy_restored", 0.05, "accuracy on attacked digits that are restored; beside attacked ones"),
    ),
    "veegan": Row(
        *(PAGE, "veegan", ("train.steps=6000",), "modes_covered", "one generator without F"),
        f"{MODES}, of eight; beside a generator without reconstructor, as many steps",
    ),
    "one generator without F": Row(
        *(PAGE, "mixture_2d", ("train.steps=6000", "train.batch_size=500", *FAST), "modes_covered", None),
        f"{MODES}, of eight",
    ),
    "mad_gan": Row(
        *(PAGE, "mad_gan", (*TOY, *FAST), "modes_covered", "eight Gaussians, one generator"),
        f"{MODES}, of eight; beside one generator",
    ),
    "mad_gan_sim": Row(
        *(PAGE, "mad_gan_sim", (*TOY, *FAST), "modes_covered", "eight Gaussians, one generator"),
        f"{MODES}, of eight; beside one generator",
    ),
    "eight Gaussians, one generator": Row(
        *(PAGE, "mixture_2d", (*TOY, *FAST), "modes_covered", None), f"{MODES}, of eight"
    ),
    "adagan": Row(
        *(PAGE, "adagan", ("game.stage_steps=300", "train.steps=2400"), "modes_covered", None),
        f"{MODES}, of 25, after eight generators",
    ),
    "mix_gan": Row(*(PAGE, "mix_gan", (*TOY, *FAST), "modes_covered", None), f"{MODES}, of 25, of three generators"),
    "pixelgan": Row(
        *(PAGE, "pixelgan", ("train.steps=500",), "label_accuracy", 0.1),
        "accuracy of ten categories that are found without labels; beside chance",
    ),
    "deligan": Row(
        *(PAGE, "deligan", DELIGAN, "fid", "DeLiGAN of one component"),
        "fid of digits of 28 pixels; beside one component in the place of fifty",
    ),
    "DeLiGAN of one component": Row(
        *(PAGE, "deligan", (*DELIGAN, "prior.components=1", "prior.dim=31"), "fid", None), "fid of digits of 28 pixels"
    ),
    "gman": Row(*(PAGE, "gman", GMAN, "fid", "mean of five D's"), f"{FID}; beside the mean of the losses before D's"),
    "mean of five D's": Row(PAGE, "gman", (*GMAN, "game.softness=0"), "fid", None, FID),
    "mgan": Row(*(PAGE, "mgan", MGAN, "fid", "G's that nobody tells apart"), f"{FID}; beside none paid for differing"),
    "G's that nobody tells apart": Row(PAGE, "mgan", (*MGAN, "game.diversity=0"), "fid", None, FID),
    "bayesian_gan": Row(
        PAGE,
        "bayesian_gan",
        (
            *(SMALL, "networks.generator.of.width=16", *narrow("discriminator_0"), "train.batch_size=40"),
            *("train.steps=1000", "metrics=[fid]"),
        ),
        *("fid", None, FID),
    ),
    "gran": Row(
        *(PAGE, "gran", (*DIGITS, "optimizer.discriminator.lr=3e-4", "train.steps=1500", "metrics=[fid]"), "fid"),
        *(None, f"{FID} that are drawn in three strokes"),
    ),
    "crvae_gan": Row(
        PAGE,
        "crvae_gan",
        (
            *(
                "networks.generator.widths=[32,16,16]",
                "networks.encoder.widths=[8,16,32]",
                "optimizer.generator.lr=1e-3",
            ),
            *("networks.discriminator.widths=[16,32,64]", "networks.recovery.inputs=64", "train.batch_size=16"),
            *("train.steps=400", "metrics=[inversion_error]"),
        ),
        *("inversion_error", MEAN, FOUND.replace("digits", "digits of 32 pixels", 1)),
    ),
    "bcgan": Row(
        *(PAGE, "bcgan", ("train.steps=1500", "metrics=[class_accuracy]"), "class_accuracy", 0.1),
        "share of digits that are of the class asked for; beside chance",
    ),
    "flow_gan": Row(
        PAGE,
        "flow_gan",
        (
            *(SMALL, "prior.dim=256", *narrow("discriminator"), "train.batch_size=32", "schedule.d_steps=2"),
            *("train.steps=500", "metrics=[fid]", *quick(*NETWORKS, lr="2e-4")),
        ),
        *("fid", None, FID),
    ),
    "lr_gan": Row(
        PAGE,
        "lr_gan",
        (*narrow(*NETWORKS), "train.batch_size=16", "train.steps=400", "metrics=[fid]", *QUICK),
        *("fid", None, "fid of digits of 32 pixels"),
    ),
    "s2gan": Row(
        PAGE,
        "s2gan",
        (
            *narrow("generator_structure", "generator_style", "discriminator_structure", "discriminator_style"),
            *(*narrow("reader"), "train.batch_size=16", "train.steps=300", "metrics=[fid]"),
        ),
        *("fid", None, "fid of digits of 32 pixels"),
    ),
    "stackgan": Row(
        PAGE,
        "stackgan",
        (
            *(*narrow("generator_0", "discriminator_0", "generator_1", "discriminator_1"), "train.batch_size=32"),
            "schedule.stages=[{players:[discriminator_0,generator_0],until:400},"
            "{players:[discriminator_1,generator_1]}]",
            *("train.steps=700", "metrics=[class_accuracy]"),
        ),
        *("class_accuracy", 0.1, "share of digits that are of the class asked for; beside chance"),
    ),
    "varigan": Row(
        PAGE,
        "varigan",
        (*narrow(*NETWORKS), "train.batch_size=16", "train.steps=400", "metrics=[fid]"),
        *("fid", None, "fid of digits that are turned"),
    ),
}
