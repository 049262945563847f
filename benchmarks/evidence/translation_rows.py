"""Small runs of systems that make images of images, and what each is compared with."""

from __future__ import annotations

from evidence.row import Row

PAGE = "conditional"
SMALL = "data.image_size=16"
MADE = "dB of what is made, beside the true images"


def narrow(*networks: str, width: int = 16) -> tuple[str, ...]:
    """Return the overrides that give networks few channels."""
    return tuple(f"networks.{name}.width={width}" for name in networks)


def quick(*players: str, lr: str = "1e-3") -> tuple[str, ...]:
    """Return the overrides that give players a learning rate for short runs."""
    return tuple(f"optimizer.{player}.lr={lr}" for player in players)


OF_EDGES = (SMALL, *narrow("generator"), "train.steps=800", "metrics=[fid]")
LARGER = (SMALL, "data.amount=2", *narrow("generator"), "train.steps=1000", "metrics=[fid]")
CYCLE = (
    *(SMALL, "networks.generator_ab.blocks=2", "networks.generator_ba.blocks=2", "train.batch_size=8"),
    *("train.steps=600", "game.identity=0", "metrics=[psnr]"),
)
LEAVES = ("metrics=[leaf_count]", "optimizer.generator.lr=5e-4", "optimizer.discriminator.lr=5e-4")
TURNED = 10.13
PAIRED_OFF = (SMALL, *narrow("generator_ab"), "train.batch_size=16", "train.steps=600", "metrics=[psnr]")
BOTH = (SMALL, *narrow("generator_ab", "generator_ba", "discriminator_a", "discriminator_b"), "train.steps=600")
OF_SOURCE = (SMALL, "train.steps=1500", "optimizer.generator.lr=3e-5", "optimizer.discriminator.lr=3e-4")
SAME_CODES = (*quick("generator", "discriminator", lr="5e-4"), "train.steps=400")
FILLED = (SMALL, *narrow("generator", "discriminator"), *quick("generator"), "train.steps=600", "metrics=[psnr]")

ROWS = {
    "pix2pix": Row(
        *(PAGE, "pix2pix", (*OF_EDGES, *narrow("discriminator")), "fid", "edges by distance alone"),
        "fid of digits made of their edges; beside the distance of pixels alone",
    ),
    "pan": Row(
        *(PAGE, "pan", OF_EDGES, "fid", "edges by distance alone"),
        "fid of digits made of their edges; beside the distance of pixels alone",
    ),
    "edges by distance alone": Row(
        *(PAGE, "pix2pix", (*OF_EDGES, *narrow("discriminator"), "game.adversarial_weight=0"), "fid", None),
        "fid of digits made of their edges",
    ),
    "srgan": Row(
        *(PAGE, "srgan", (*LARGER, *quick("generator", "discriminator")), "fid", "srresnet"),
        "fid of digits of twice their size; beside the distance of pixels alone",
    ),
    "srresnet": Row(
        *(PAGE, "srresnet", (*LARGER, *quick("generator")), "fid", None), "fid of digits of twice their size"
    ),
    "cyclegan": Row(
        *(PAGE, "cyclegan", (*CYCLE, *quick("generator", "discriminator")), "psnr", "no cycle"),
        "dB of negatives made without pairs, beside the true ones; beside G's that need not find back",
    ),
    "no cycle": Row(
        PAGE,
        "cyclegan",
        (*CYCLE, *quick("generator", "discriminator"), "game.cycle=0"),
        *("psnr", None, "dB of negatives made without pairs, beside the true ones"),
    ),
    "discogan": Row(
        *(PAGE, "discogan", (*BOTH, "metrics=[psnr]"), "psnr", "no way back"),
        "dB of negatives made without pairs, beside the true ones; beside G's that need not find back",
    ),
    "no way back": Row(
        *(PAGE, "discogan", (*BOTH, "metrics=[psnr]", "game.cycle=0"), "psnr", None),
        "dB of negatives made without pairs, beside the true ones",
    ),
    "distancegan": Row(
        *(PAGE, "distancegan", PAIRED_OFF, "psnr", "no distances"),
        "dB of negatives made without pairs, beside the true ones; beside G that need not keep distances",
    ),
    "no distances": Row(
        *(PAGE, "distancegan", (*PAIRED_OFF, "game.preservation=0"), "psnr", None),
        "dB of negatives made without pairs, beside the true ones",
    ),
    "dualgan": Row(
        PAGE,
        "dualgan",
        (*BOTH, *quick("generator", "discriminator"), "metrics=[psnr]"),
        *("psnr", 2.02, "dB of negatives made without pairs, beside the true ones; beside digits as they are"),
    ),
    "dtn": Row(
        *(PAGE, "dtn", (SMALL, "train.steps=500", "metrics=[psnr]", *quick("generator", "discriminator")), "psnr"),
        *(14.06, "dB of sharp digits made of coarse ones without pairs; beside coarse ones as they are"),
    ),
    "conditional_cyclegan": Row(
        PAGE,
        "conditional_cyclegan",
        (SMALL, "train.steps=500", "metrics=[psnr]", *quick("generator", "discriminator")),
        *("psnr", 14.06, "dB of sharp digits made of coarse ones and a class; beside coarse ones as they are"),
    ),
    "id_cgan": Row(
        *(PAGE, "id_cgan", (SMALL, *narrow("discriminator"), "train.steps=400", "metrics=[psnr]"), "psnr", 14.91),
        "dB of digits whose rain is taken off; beside digits in the rain",
    ),
    "gancs": Row(
        PAGE,
        "gancs",
        (SMALL, *narrow("generator", "discriminator"), "train.steps=600", "metrics=[psnr]"),
        *("psnr", 13.98, "dB of digits of 30 % of the rows of their spectrum; beside zeros for the others"),
    ),
    "refinegan": Row(
        PAGE,
        "refinegan",
        (SMALL, "train.steps=500", "metrics=[psnr]", *quick("generator", "discriminator", lr="5e-4")),
        *("psnr", 13.98, "dB of digits of 30 % of the rows of their spectrum; beside zeros for the others"),
    ),
    "resgan": Row(
        *(PAGE, "resgan", (SMALL, *narrow("discriminator"), "train.steps=500", "metrics=[psnr]"), "psnr", 9.33),
        "dB of digits whose noise is taken off; beside digits in the noise",
    ),
    "gan_vfs": Row(
        PAGE,
        "gan_vfs",
        (SMALL, *narrow("generator", "discriminator"), "train.steps=400", "metrics=[psnr]"),
        *("psnr", 11.65, "dB of digits made of thermal-like ones; beside these as they are"),
    ),
    "segan_segmentation": Row(
        PAGE,
        "segan_segmentation",
        (SMALL, *narrow("discriminator"), "train.steps=400", "metrics=[overlap]"),
        *("iou", 0.312, "intersection over union of the digit that is found; beside all of the image"),
    ),
    "salgan": Row(
        *(PAGE, "salgan", (SMALL, *narrow("discriminator"), "train.steps=400", "metrics=[psnr]"), "psnr", 17.21),
        "dB of where one looks; beside the mean of all digits",
    ),
    "segan_invisible": Row(
        *(PAGE, "segan_invisible", ("train.steps=500", "metrics=[psnr]"), "psnr", 11.74),
        "dB of shapes with their hidden parts; beside shapes whose hidden parts are not painted",
    ),
    "gpgan_blending": Row(
        PAGE,
        "gpgan_blending",
        (*narrow("generator", "discriminator"), "train.batch_size=16", "train.steps=400", "metrics=[psnr]"),
        *("psnr", 23.0, "dB of blended objects; beside pasted ones"),
    ),
    "fila_gan": Row(
        *(PAGE, "fila_gan", ("train.steps=400", "metrics=[psnr]"), "psnr", 3.78),
        "dB of images of filaments made of their lines, learnt of 20 pairs; beside the lines as they are",
    ),
    "perceptual_gan": Row(
        PAGE,
        "perceptual_gan",
        (),
        *("label_accuracy", "features as they are", "accuracy on coarse digits; beside G that is taught by nobody"),
    ),
    "features as they are": Row(
        PAGE,
        "perceptual_gan",
        ("schedule.stages=[{players:[classifier]}]",),
        *("label_accuracy", None, "accuracy on coarse digits of a classifier of sharp ones"),
    ),
    "sbada_gan": Row(
        PAGE,
        "sbada_gan",
        (SMALL, "train.batch_size=16", "train.steps=500", "metrics=[label_accuracy]"),
        *("label_accuracy", 0.1, "accuracy on negatives, whose labels nobody sees; beside chance"),
    ),
    "stegano_gan": Row(
        PAGE,
        "stegano_gan",
        ("train.steps=1000", "metrics=[detection_accuracy]"),
        *("detection_accuracy", 1.0, "accuracy of a fresh steganalyser of made images; beside that of real ones"),
    ),
    "ssgan_stegano": Row(
        PAGE,
        "ssgan_stegano",
        ("train.steps=500", "metrics=[detection_accuracy]"),
        *("detection_accuracy", 1.0, "accuracy of a fresh steganalyser of made images; beside that of real ones"),
    ),
    "tan": Row(
        PAGE,
        "tan",
        (
            *(SMALL, "train.steps=500", "metrics=[psnr]"),
            *narrow("generator_hints", "generator_paint", "discriminator_hints", "discriminator_paint", width=8),
        ),
        *("psnr", None, "dB of coloured shapes made of their outlines by guessed colours, beside the true ones"),
    ),
    "texturegan": Row(
        PAGE,
        "texturegan",
        (
            "train.steps=300",
            "schedule.stages=[{players:[discriminator,generator],until:200},"
            "{players:[discriminator,discriminator_local,refiner]}]",
            *(*narrow("generator", "discriminator", "discriminator_local", width=8), "metrics=[psnr]"),
        ),
        *("psnr", None, "dB of outlines filled with a texture, beside the true ones"),
    ),
    "watergan": Row(
        PAGE,
        "watergan",
        (*narrow("generator", "discriminator", width=8), "train.batch_size=32", "train.steps=300", "metrics=[psnr]"),
        *("psnr", 10.7, "dB of scenes put under water without pairs, beside the true ones; beside scenes in air"),
    ),
    "aligngan": Row(
        *(PAGE, "aligngan", ("train.steps=500", "metrics=[fid]"), "fid", None),
        "fid of digits and their negatives that are made of one z",
    ),
    "cdcgan": Row(
        *(PAGE, "cdcgan", (SMALL, "train.steps=400", "metrics=[psnr]"), "psnr", None),
        "dB of depth and colours of twice their size, beside the true ones",
    ),
    "dsp_gan": Row(
        *(PAGE, "dsp_gan", (SMALL, "train.steps=400", "metrics=[fid]"), "fid", None),
        "fid of scenes of three layers",
    ),
    "arigan": Row(
        PAGE,
        "arigan",
        (*narrow("generator", "discriminator", width=16), "train.batch_size=32", "train.steps=600", *LEAVES),
        *("leaves_near", 0.227, "share of rosettes with as many leaves as asked, give or take one; beside noise"),
    ),
    "ff_gan": Row(
        PAGE,
        "ff_gan",
        (
            *(SMALL, "networks.generator.levels=3", *narrow("generator", "discriminator")),
            *("train.steps=500", "metrics=[psnr]", *quick("generator", "discriminator")),
        ),
        *("psnr", TURNED, "dB of digits turned to the front, beside the true ones; beside digits as they are"),
    ),
    "tp_gan": Row(
        PAGE,
        "tp_gan",
        ("train.steps=200", *narrow("generator", "discriminator", width=8), "metrics=[psnr]", *quick("generator")),
        *("psnr", TURNED, "dB of digits turned to the front, beside the true ones; beside digits as they are"),
    ),
    "vigan_views": Row(
        PAGE,
        "vigan_views",
        (
            *(SMALL, "networks.generator_ab.blocks=2", "networks.generator_ba.blocks=2", "train.steps=500"),
            "schedule.stages=[{players:[generator,discriminator_a,discriminator_b],until:250},"
            "{players:[autoencoder],until:100},"
            "{players:[joint,discriminator_a_joint,discriminator_b_joint],updates:[2,1,1]}]",
            "metrics=[psnr]",
        ),
        *("psnr", 2.02, "dB of negatives, of three in ten both known, beside the true ones; beside digits as they are"),
    ),
    "mgan_texture": Row(
        *(PAGE, "mgan_texture", ("train.batch_size=16", "train.steps=500"), "spectrum_distance", None),
        "dB by which the mean spectrum of painted digits differs from the pattern's",
    ),
    "gap_binary": Row(
        *(PAGE, "gap_binary", (), "adversary_accuracy", 0.902),
        "accuracy of a fresh adversary on a bit that may be flipped; beside the bit as it is",
    ),
    "gap_gaussian": Row(
        *(PAGE, "gap_gaussian", (), "adversary_accuracy", 0.84),
        "accuracy of a fresh adversary on numbers that are moved; beside these as they are",
    ),
    "gpgan_landmarks": Row(
        *(PAGE, "gpgan_landmarks", (SMALL, "train.steps=500", "metrics=[psnr]"), "psnr", None),
        "dB of coloured shapes made of their key points, beside the true ones",
    ),
    "adda": Row(
        PAGE,
        "adda",
        (*OF_SOURCE, "schedule.stages=[{players:[classifier],until:500},{players:[discriminator,generator]}]"),
        *("label_accuracy", "adda, source alone", "accuracy on edges, which have no labels; beside the source alone"),
    ),
    "adda, source alone": Row(
        PAGE,
        "adda",
        (*OF_SOURCE, "schedule.stages=[{players:[classifier]}]"),
        *("label_accuracy", None, "accuracy on the edges of digits of a classifier of digits"),
    ),
    "pixelda": Row(
        PAGE,
        "pixelda",
        (SMALL, *narrow("generator", "classifier", width=8), "train.steps=1000", "metrics=[label_accuracy]"),
        *("label_accuracy", 0.1, "accuracy on edges, whose labels nobody sees; beside chance"),
    ),
    "bicyclegan": Row(
        *(PAGE, "bicyclegan", (SMALL, "networks.generator.levels=3", "train.steps=2000", "metrics=[fid]"), "fid", None),
        "fid of coloured shapes made of their outlines and a code of colours",
    ),
    "unit": Row(
        PAGE,
        "unit",
        (SMALL, *narrow("autoencoder_a", "autoencoder_b", width=8), *SAME_CODES, "metrics=[psnr]"),
        *("psnr", 2.02, "dB of negatives made without pairs, beside the true ones; beside digits as they are"),
    ),
    "munit": Row(
        PAGE,
        "munit",
        (SMALL, *narrow("autoencoder_a", "autoencoder_b", width=8), *SAME_CODES, "metrics=[fid]"),
        *("fid", None, "fid of digits that are given a colour of many"),
    ),
    "stargan": Row(
        PAGE,
        "stargan",
        (
            *(SMALL, *narrow("generator", width=8), *narrow("discriminator"), "networks.discriminator.layers=3"),
            *("schedule.d_steps=2", "train.steps=600", *quick("generator", "discriminator", lr="5e-4")),
            "metrics=[target_accuracy]",
        ),
        *("target_accuracy", 0.25, "share of digits that are of the thickness asked for; beside chance"),
    ),
    "pix2pixhd": Row(
        PAGE,
        "pix2pixhd",
        (
            "schedule.stages=[{players:[discriminator_coarse,generator_coarse],until:200},"
            "{players:[discriminator_fine,generator_fine]}]",
            *(SMALL, "train.steps=500", "metrics=[psnr]"),
        ),
        *("psnr", None, "dB of coloured shapes made of their masks, beside the true ones"),
    ),
    "spade": Row(
        PAGE,
        "spade",
        (
            SMALL,
            "networks.discriminator.of.layers=1",
            *quick("generator", "discriminator"),
            "train.steps=400",
            "metrics=[psnr]",
        ),
        *("psnr", None, "dB of coloured shapes made of their masks, beside the true ones"),
    ),
    "esrgan": Row(
        PAGE,
        "esrgan",
        (
            *(*LARGER, "networks.generator.growth=8", "networks.generator.blocks=1", "networks.generator.scale=2"),
            *quick("generator", "discriminator"),
        ),
        *("fid", "srresnet", "fid of digits of twice their size; beside SRResNet by the distance of pixels alone"),
    ),
    "context_encoder": Row(
        *(PAGE, "context_encoder", FILLED, "psnr", 11.37),
        "dB of digits whose hole is filled, beside the true ones; beside holes as they are",
    ),
}
