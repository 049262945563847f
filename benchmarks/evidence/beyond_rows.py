"""Small runs of systems of solids, videos, music, tables of bits and the like, and what each is compared with."""

from __future__ import annotations

from evidence.row import Row
from evidence.translation_rows import narrow, quick

PAGE = "beyond_images"
NETWORKS = ("generator", "discriminator")
MOVING = ("data.image_size=16", "data.size=5", "data.speed=2", "data.samples=1500", "train.batch_size=16")
VIDEOS = (*MOVING, *narrow(*NETWORKS, width=8), "metrics=[video_motion]", "train.steps=600")
EVEN = "pixels by which a shape is off an even track; beside none that can be seen"
UNSEEN = 8.0
SOLIDS = ("data.samples=1500", *narrow(*NETWORKS, width=8), "train.batch_size=16")
MUSIC = ("data.samples=1500", *narrow(*NETWORKS, width=16), "train.batch_size=32", "schedule.d_steps=2")
NEXT = (*MOVING, *narrow(*NETWORKS, "discriminator_flow", width=8), "train.steps=500", *quick(*NETWORKS))
SPECTRA = (
    *("data.samples=1500", *narrow("encoder", *NETWORKS, width=8), "schedule.d_steps=1", "train.steps=300"),
    "game.vae_steps=100",
)
WHOLE = (*SOLIDS, "train.steps=250", *quick("generator"))
EXPERIENCE = ("train.steps=1500", *quick(*NETWORKS))
SHOWERS = (
    *("data.samples=1500", *narrow(*NETWORKS, width=8), "prior.noise=64", "train.batch_size=32", "train.steps=400"),
    *(*quick("generator"), *quick("discriminator", lr="1e-4")),
)

ROWS = {
    "gan_3d": Row(
        PAGE,
        "gan_3d",
        (*SOLIDS, "prior.dim=32", "train.steps=400", *quick("discriminator", lr="5e-4")),
        *("fid", 5163.0, "fid of cells of solids; beside noise"),
    ),
    "iwgan_3d": Row(
        PAGE,
        "iwgan_3d",
        (*SOLIDS, "prior.dim=32", "schedule.d_steps=2", "train.steps=250", *quick(*NETWORKS)),
        *("fid", 5163.0, "fid of cells of solids; beside noise"),
    ),
    "iwgan_3d_vae": Row(
        PAGE,
        "iwgan_3d_vae",
        (
            *(*SOLIDS, *narrow("encoder", width=8), "prior.dim=32", "networks.encoder.outputs=64"),
            *("schedule.d_steps=2", "train.steps=250", *quick(*NETWORKS)),
        ),
        *("fid", 5163.0, "fid of cells of solids; beside noise"),
    ),
    "recgan_3d": Row(
        *(PAGE, "recgan_3d", WHOLE, "voxel_iou", "cells without D"),
        "intersection over union of solids made of the cells that are seen from above; beside G without D",
    ),
    "cells without D": Row(
        *(PAGE, "recgan_3d", (*WHOLE, "game.adversarial=0"), "voxel_iou", None),
        "intersection over union of solids made of the cells that are seen from above",
    ),
    "ws_gan": Row(
        *(PAGE, "ws_gan", (*WHOLE, "networks.generator.code=32"), "voxel_iou", None),
        "intersection over union of solids made of a silhouette, of which no solid is known",
    ),
    "calogan": Row(
        *(PAGE, "calogan", SHOWERS, "energy_error", "energy that nobody asks for"),
        "error of a shower's energy, as a share of what is asked; beside G that is not asked for it",
    ),
    "energy that nobody asks for": Row(
        *(PAGE, "calogan", (*SHOWERS, "game.energy=0"), "energy_error", None),
        "error of a shower's energy, as a share of what is asked",
    ),
    "lagan": Row(
        PAGE,
        "lagan",
        (
            *("data.samples=1500", "prior.dim=32", "networks.generator.width=16", "networks.discriminator.width=8"),
            *("train.batch_size=32", "train.steps=250", *quick(*NETWORKS)),
        ),
        *("jet_pt_ks", 1.0, "Kolmogorov-Smirnov distance of jets' transverse momenta; beside noise"),
    ),
    "cm_gan": Row(
        *(PAGE, "cm_gan", (), "cross_modal_map", 0.1),
        "mean average precision of texts that are found by images, and back; beside chance",
    ),
    "dual_motion_gan": Row(
        *(PAGE, "dual_motion_gan", NEXT, "psnr", "frames and flows apart"),
        "dB of the next frame, beside the true one; beside frames that need not agree with the flow",
    ),
    "frames and flows apart": Row(
        *(PAGE, "dual_motion_gan", (*NEXT, "game.agreement=0"), "psnr", None),
        "dB of the next frame, beside the true one",
    ),
    "egan": Row(
        *(PAGE, "egan", EXPERIENCE, "transition_error", "experience that agrees with nothing"),
        "error of made transitions of a point mass; beside ones that need not agree with a prediction",
    ),
    "experience that agrees with nothing": Row(
        *(PAGE, "egan", (*EXPERIENCE, "game.agreement=0"), "transition_error", None),
        "error of made transitions of a point mass",
    ),
    "malgan": Row(
        *(PAGE, "malgan", (), "detection_rate", None), "share of changed examples that the black box still detects"
    ),
    "mocogan": Row(
        PAGE,
        "mocogan",
        (*VIDEOS, *narrow("discriminator_frames", width=8), *quick(*NETWORKS)),
        *("position_error", UNSEEN, EVEN),
    ),
    "tgan": Row(
        PAGE,
        "tgan",
        (*VIDEOS, "networks.generator.hidden=128", *quick(*NETWORKS, lr="5e-4")),
        *("position_error", UNSEEN, EVEN),
    ),
    "md_gan": Row(
        PAGE,
        "md_gan",
        (
            *(*VIDEOS, *narrow("generator_refine", width=8), *quick("generator")),
            "schedule.stages=[{players:[discriminator,generator],until:350},"
            "{players:[discriminator_refine,generator_refine]}]",
        ),
        *("position_error", UNSEEN, EVEN),
    ),
    "musegan": Row(
        *(PAGE, "musegan", (*MUSIC, "train.steps=800"), "tonal_distance_gap", 1.068),
        "gap of the distance in harmony of two tracks from the data's; beside noise",
    ),
    "musegan_accompany": Row(
        *(PAGE, "musegan_accompany", (*MUSIC, "train.steps=250"), "tonal_distance_gap", None),
        "gap of the distance in harmony of a melody and the bass that is made to it from the data's",
    ),
    "optiongan": Row(
        *(PAGE, "optiongan", ("train.steps=700",), "return_share", 1.0),
        "return of the policy as a share of two experts'",
    ),
    "pose_gan": Row(
        PAGE,
        "pose_gan",
        ("data.samples=1000", *narrow(*NETWORKS, width=8), "train.batch_size=8", "train.steps=250", *quick(*NETWORKS)),
        *("fid", 9360.0, "fid of videos of stick figures; beside noise"),
    ),
    "prgan": Row(
        PAGE,
        "prgan",
        ("data.samples=1500", *narrow(*NETWORKS, width=8), "train.batch_size=16", "train.steps=500"),
        *("fid", 263.9, "fid of silhouettes of solids that nobody sees; beside noise"),
    ),
    "rtt_gan": Row(
        PAGE,
        "rtt_gan",
        (*narrow(*NETWORKS, width=32), "train.batch_size=32", "train.steps=400", "metrics=[exact_match]"),
        *("token_match", 0.116, "share of words that are as in the true paragraph; beside an untrained network"),
    ),
    "stacked_gan": Row(
        PAGE,
        "stacked_gan",
        (
            *("game.classifier_steps=200", "game.apart=150", "train.batch_size=32", "train.steps=300"),
            "metrics=[class_accuracy]",
        ),
        *("class_accuracy", 0.1, "share of digits that are of the class asked for; beside chance"),
    ),
    "vaw_gan": Row(
        *(PAGE, "vaw_gan", (*SPECTRA, *quick(*NETWORKS, lr="5e-4")), "spectral_distance", "voices without D"),
        "distance of spectra in another voice from the true ones; beside a weight of D that is too small to be noticed",
    ),
    "voices without D": Row(
        PAGE,
        "vaw_gan",
        (*SPECTRA, *quick(*NETWORKS, lr="5e-4"), "game.adversarial=1e-6"),
        *("spectral_distance", None, "distance of spectra in another voice from the true ones"),
    ),
    "latent_wgan": Row(
        PAGE,
        "latent_wgan",
        (
            *("data.points=64", "data.samples=1000", "train.batch_size=32", "train.steps=700", *quick(*NETWORKS)),
            "schedule.stages=[{players:[autoencoder],until:400},{players:[discriminator,generator],updates:[2,1]}]",
        ),
        *("mmd_chamfer", "point_gan", "distance of real clouds to the nearest made one; beside a GAN of raw clouds"),
    ),
    "arae_transfer": Row(
        *(PAGE, "arae_transfer", ("train.steps=800", "train.batch_size=32"), "token_match", 0.053),
        "share of symbols that are right in sequences put into another style; beside an untrained network",
    ),
}
