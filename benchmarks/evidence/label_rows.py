"""Small runs of systems that are given classes, few labels or none, and what each is compared with."""

from __future__ import annotations

from evidence.row import Row
from evidence.translation_rows import SMALL, narrow, quick

PAGE = "conditional"
OF_CLASS = "share of digits that are of the class asked for; beside chance"
CHANCE = 0.1
BOTH = (*narrow("generator", "discriminator"), "train.batch_size=32")
CLASSES = (SMALL, *BOTH, "train.steps=800", "metrics=[class_accuracy]")
MAXOUT = (
    *(
        "networks.generator.latent_units=100",
        "networks.generator.label_units=300",
        "networks.generator.joint_units=400",
    ),
    *("networks.discriminator.image_units=[80,5]", "networks.discriminator.label_units=[20,5]"),
    *("networks.discriminator.joint_units=[80,4]", SMALL, "train.steps=4000", "metrics=[class_accuracy]"),
)
CAT = ("train.steps=400", "metrics=[label_accuracy]")
SEMI = (*CAT, "data.image_size=16")
TRIPLE = ("data.image_size=16", "train.steps=600", "metrics=[label_accuracy]")
CODES = ("train.batch_size=64", "train.steps=300", "metrics=[cluster_accuracy]")
SHAPES = (SMALL, *BOTH, "train.steps=800", "metrics=[attribute_accuracy]")

ROWS = {
    "acgan": Row(PAGE, "acgan", CLASSES, "class_accuracy", CHANCE, OF_CLASS),
    "cgan_mlp": Row(
        *(PAGE, "cgan_mlp", (SMALL, "train.steps=4000", "metrics=[class_accuracy]"), "class_accuracy", CHANCE),
        OF_CLASS,
    ),
    "cgan_maxout": Row(PAGE, "cgan_maxout", MAXOUT, "class_accuracy", CHANCE, OF_CLASS),
    "artgan": Row(PAGE, "artgan", CLASSES, "class_accuracy", CHANCE, OF_CLASS),
    "controlgan": Row(PAGE, "controlgan", CLASSES, "class_accuracy", CHANCE, OF_CLASS),
    "cvae_gan": Row(
        PAGE,
        "cvae_gan",
        (*CLASSES, "networks.encoder.widths=[16,32,64]", *quick("generator", "discriminator", lr="5e-4")),
        *("class_accuracy", CHANCE, OF_CLASS),
    ),
    "splitting_gan": Row(
        PAGE,
        "splitting_gan",
        (
            *(SMALL, *BOTH, "game.steps=[300]", "schedule.d_steps=2", "train.steps=900", "metrics=[class_accuracy]"),
            "game.generator_weight=1",
            *quick("generator", "discriminator", lr="5e-4"),
        ),
        *("class_accuracy", CHANCE, OF_CLASS),
    ),
    "can": Row(
        PAGE,
        "can",
        (SMALL, *BOTH, "train.steps=800", "metrics=[fid]", *quick("generator", "discriminator", lr="5e-4")),
        *("fid", "of any class", "fid of digits that are to be of no class in particular; beside the plain game"),
    ),
    "of any class": Row(
        PAGE,
        "can",
        (
            *(SMALL, *BOTH, "train.steps=800", "metrics=[fid]", *quick("generator", "discriminator", lr="5e-4")),
            "game.weight=0",
        ),
        *("fid", None, "fid of digits"),
    ),
    "catgan": Row(
        *(PAGE, "catgan", (*SEMI, "train.steps=600"), "label_accuracy", CHANCE),
        "accuracy of 20 categories that are found without labels, each for its most frequent class; beside chance",
    ),
    "catgan_semi": Row(
        *(PAGE, "catgan_semi", SEMI, "label_accuracy", "labels alone"),
        "accuracy on test images, 10 labels a class; beside the labelled images alone, as many steps",
    ),
    "labels alone": Row(
        *(PAGE, "catgan_semi", (*SEMI, "game.supervised=true"), "label_accuracy", None),
        "accuracy on test images, of the 10 labels a class alone",
    ),
    "triple_gan": Row(
        *(PAGE, "triple_gan", TRIPLE, "label_accuracy", "classifier alone"),
        "accuracy on test images, 10 labels a class; beside the labelled images alone, as many steps",
    ),
    "classifier alone": Row(
        *(PAGE, "triple_gan", (*TRIPLE, "game.supervised=true"), "label_accuracy", None),
        "accuracy on test images, of the 10 labels a class alone",
    ),
    "ss_infogan": Row(
        *(PAGE, "ss_infogan", CODES, "cluster_accuracy", "codes without labels"),
        "accuracy of ten codes on test images, 13 labels a class; beside codes that are found without labels",
    ),
    "codes without labels": Row(
        *(PAGE, "ss_infogan", (*CODES, "game.labelled_weight=0"), "cluster_accuracy", None),
        "accuracy of ten codes that are found without labels",
    ),
    "vigan_info": Row(
        *(PAGE, "vigan_info", CODES, "cluster_accuracy", CHANCE),
        "accuracy of ten codes that are found without labels; beside chance",
    ),
    "causalgan": Row(
        PAGE,
        "causalgan",
        (
            *(SMALL, *BOTH, *narrow("labeler", "anti_labeler", "finder"), "train.steps=500", "game.anti_decay=100"),
            *quick("generator", "discriminator", lr="5e-4"),
            "schedule.stages=[{players:[discriminator_labels,generator_labels],updates:[10,1],until:150},"
            "{players:[discriminator,labeler,anti_labeler,finder,generator],updates:[1,1,1,1,2]}]",
        ),
        *("attribute_accuracy", 0.5, "share of attributes that are as the controller's bits say; beside chance"),
    ),
    "sl_gan": Row(
        PAGE,
        "sl_gan",
        (*SHAPES, *narrow("encoder"), *quick("generator", "discriminator", lr="5e-4")),
        *("attribute_accuracy", None, "share of attributes that are as asked in images whose colour is changed"),
    ),
    "exprgan": Row(
        PAGE,
        "exprgan",
        (
            *(SMALL, *BOTH, *narrow("encoder", "q"), "train.steps=4000", "metrics=[target_accuracy]"),
            "schedule.stages=[{players:[discriminator,controller],until:1000},"
            "{players:[discriminator_code,autoencoder],until:1500},"
            "{players:[discriminator,discriminator_code,generator]}]",
            *quick("generator", "discriminator", lr="5e-4"),
        ),
        *("target_accuracy", 0.25, "share of digits that are of the thickness asked for; beside chance"),
    ),
    "sd_gan": Row(
        *(PAGE, "sd_gan", (SMALL, *BOTH, "train.steps=800", "metrics=[fid]"), "fid", None),
        "fid of digits, turned and moved, of pairs that D sees together",
    ),
    "gan_int": Row(
        *(PAGE, "gan_int", (SMALL, *BOTH, "train.steps=1500", "metrics=[attribute_accuracy]")),
        *(
            "attribute_accuracy",
            "gan_cls",
            "share of attributes that are as the text says, with texts between two; beside no such texts",
        ),
    ),
    "gawwn_box": Row(
        PAGE,
        "gawwn_box",
        (SMALL, *BOTH, "train.steps=1500", "metrics=[object_place]"),
        *("placed", None, "share of objects whose middle is at most 2 of 16 pixels from where the box has it"),
    ),
}
