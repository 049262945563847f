"""Every installed plugin of every kind fulfils the contract of its kind."""

import pytest

from gan_framework.registry import registry
from gan_framework.registry.kinds import KINDS
from gan_framework.testing import CHECKS, check_plugin
from tests.helpers.environment import ROOT
from tests.testing import beyond

NEEDS_WEIGHTS = {"extracts_features": "its weights are downloaded; tests/evaluation tries it with weights of its own"}
NEEDS_FILES = {"loads_splits": "its files are downloaded; tests/data reads files of their true layout"}
LINE = ["data=gaussian", "model=gaussian_1d", "loss=minimax", "train.batch_size=8"]
POINTS = ["data=gaussian", "data.std=0", "model=bilinear", "optimizer=sgd"]
INFOGAN = ["model=infogan_mlp"]
CODES = ["prior=codes"]
LABELS = [
    "strategy=[train_with_labels]",
    "+terms.told={name: auxiliary_classification, player: discriminator, weight: 1}",
]
HEADS = ["strategy=[heads]"]
CLASS_HEADS = ["model=dcgan", "networks.generator.width=4", "networks.discriminator.width=4", *HEADS]
NARROW = ["networks.generator.width=4", "networks.discriminator.width=4"]
DAN = [
    "experiment=dan_s",
    "networks.generator.hidden=[16]",
    "networks.discriminator.hidden=[16]",
    "networks.set_discriminator.hidden=[8]",
]
MOMENTUM = ["optimizer=sgd", "optimizer.generator.momentum=0.5", "optimizer.discriminator.momentum=0.5"]
# A discriminator that loses what it has learnt, so that within two steps a stored one is better.
RESTLESS = ["optimizer=sgd", "optimizer.discriminator.lr=5"]
TANH_CODES = ["model=autoencoder", "networks.autoencoder.activation=tanh"]
CRAMER = ["loss=cramer"]
NO_DISCRIMINATOR = {
    name: "it solves for its own discriminator, and refuses to be one's loss"
    for name in ("gives_scalars", "stays_finite", "pulls_the_right_way", "loss_adapts_after_updates_alone")
}
TWIN = ["loss=dual_discriminator", "discriminator=twin", "networks.discriminator.of.width=4"]
VECTORS = ["data=paired_vectors", "model=cgan_vectors"]
TRIO = ("generator", "encoder", "discriminator")
BIGAN = ["experiment=bigan", "data.image_size=8", "prior.dim=4", *(f"networks.{name}.hidden=8" for name in TRIO)]
BIGAN_CONV = [
    "experiment=bigan_conv",
    "data.image_size=8",
    "prior.dim=4",
    *(f"networks.{name}.width=2" for name in TRIO),
]
VAE_GAN = [
    "experiment=vae_gan",
    "data.image_size=8",
    "prior.dim=4",
    "networks.generator.first=4",
    "networks.encoder.hidden=8",
    *(f"networks.{name}.widths=[4,4,4]" for name in TRIO),
]
CODES_OF_IMAGES = ["data.image_size=8", "prior.dim=4", "networks.generator.width=2", "networks.encoder.width=2"]
ALAE = ["experiment=alae", "data.image_size=8", "prior.dim=4", *(f"networks.{TRIO[i]}.hidden=[8]" for i in (0, 2))]
VQGAN = [
    "experiment=vqgan",
    "data.image_size=16",
    "game.start=1",
    *(f"networks.{name}.width=4" for name in TRIO),
    *(f"networks.{name}.dim=4" for name in ("generator", "encoder", "codebook")),
]
IAN = [
    "experiment=ian",
    "data.image_size=8",
    "prior.dim=4",
    "networks.generator.width=2",
    "networks.discriminator.width=2",
    "networks.discriminator.kernels=0",
    "networks.encoder.inputs=32",
    "networks.encoder.hidden=8",
]
CRVAE = [
    *("experiment=crvae_gan", "data.image_size=8", "prior.dim=16", "networks.generator.maps=4"),
    *("networks.generator.groups=2", "game.first=1", *(f"networks.{name}.widths=[4,4]" for name in TRIO)),
    *("networks.recovery.inputs=4", "networks.recovery.width=4"),
]
TRANSFORMERS = [
    *("generator=transgan", "discriminator=transgan", "data.image_size=8"),
    *("networks.generator.width=64", "networks.discriminator.width=16"),
]
FLOW = ["experiment=flow_gan", "data.image_size=8", "prior.dim=64", "networks.generator.hidden=[8]", *NARROW[1:]]
BGAN = [
    *("experiment=bgan", "data.image_size=8", "prior.dim=4", "networks.generator.first=4"),
    *("networks.encoder.hidden=8", *(f"networks.{name}.widths=[4,4,4]" for name in TRIO)),
]
ANOMALIES = ["data.image_size=8", "prior.dim=4", *NARROW[:1], "networks.discriminator.width=4"]
F_ANOGAN = [
    "experiment=f_anogan",
    "prior.dim=4",
    "networks.generator.width=8",
    "networks.discriminator.width=8",
    "networks.encoder.width=2",
    "schedule.stages=[{players:[discriminator,generator],until:1},{players:[encoder]}]",
]
ALI = ["experiment=ali", "prior.dim=4", *(f"networks.{name}.width=2" for name in TRIO)]
TURNS = ["generator=mixture", "prior=components", "prior.components=2"]
DELIGAN = ["experiment=deligan", "prior.components=3", "networks.generator.of.width=8"]
GMAN = ["data.image_size=8", "networks.generator.width=4", *(f"networks.discriminator_{i}.width=8" for i in range(5))]
COGAN = [
    "experiment=cogan",
    *(f"networks.generator_{domain}.width=16" for domain in "ab"),
    *(f"networks.discriminator_{domain}.width=2" for domain in "ab"),
]
FLOW = [
    "experiment=flow_gan",
    "data.image_size=8",
    "prior.dim=64",
    "networks.generator.hidden=[8]",
    "networks.discriminator.width=4",
]
TEXTURES = [
    "experiment=psgan",
    "data.image_size=17",
    "prior.dim=51",
    "networks.generator.field=3",
    "networks.generator.local=5",
    "networks.generator.global_dim=2",
    "networks.generator.waves=4",
    "networks.generator.widths=[4,4]",
    "networks.discriminator.widths=[4,4]",
]
APE = ["experiment=ape_gan", "data.image_size=8"]
APE += [f"networks.{name}.width=4" for name in ("generator", "discriminator", "classifier")]
S2 = ["experiment=s2gan", "data.image_size=16", "networks.reader.width=4"]
S2 += [f"networks.{team}_{part}.width=4" for team in ("generator", "discriminator") for part in ("structure", "style")]
VARI = ["experiment=varigan", "data.image_size=8", "prior.dim=3"]
VARI += [f"networks.{name}.hidden=8" for name in ("generator_coarse", "encoder")]
VARI += [f"networks.{name}.width=4" for name in ("generator", "discriminator")]
BAYESIAN = [
    "experiment=bayesian_gan",
    "data.image_size=8",
    "prior.components=2",
    "networks.generator.of.width=2",
    "networks.discriminator_0.width=2",
]
AT_ONCE = "schedule.stages=[{players:[discriminator_0,discriminator_1,generator_0,generator_1]}]"

MSG = [
    *("experiment=msg_gan", "prior.dim=8", "data.image_size=8"),
    *(f"networks.{name}.base=64" for name in ("generator", "discriminator")),
]
STAR = ["experiment=stargan", "data.image_size=16", "networks.generator.width=4", "networks.generator.blocks=1"]
STAR += ["networks.discriminator.width=4"]
STAR_2 = ["experiment=starganv2", "data.image_size=16", "networks.mapping.hidden=8", "strategy=[]", "~strategy.ema"]
STAR_2 += [f"networks.{name}.width=4" for name in ("generator", "style_encoder", "discriminator")]
GENE = ["experiment=genegan", "data.image_size=16", "networks.generator.width=4"]
GENE += [f"networks.discriminator_{kind}.width=4" for kind in ("marked", "plain")]
IC = ["experiment=icgan", "data.image_size=16", "prior.dim=4", *NARROW]
IC += ["schedule.stages=[{players:[discriminator,generator,encoder_z,encoder_y]}]"]
IC += [f"networks.encoder_{of}.{size}=4" for of in "zy" for size in ("width", "hidden")]
DR = ["experiment=dr_gan", "data.image_size=16", "prior.dim=4", "networks.generator.feature_dim=8", *NARROW]
SD = ["experiment=sd_gan", "data.image_size=16", "prior.dim=4", "game.identity_dim=2", *NARROW]
FRONTS = ["data.image_size=16", *NARROW, "networks.discriminator.layers=1"]
FRONTS += ["terms.feature_distance.steps=1", "terms.feature_distance.width=2"]
TP = ["experiment=tp_gan", *FRONTS, "networks.generator.patch=8"]
FF = ["experiment=ff_gan", *FRONTS, "networks.regressor.width=4"]
TRAINED_FIRST = {"players_move": "its classifier, the network `identity`, is trained before the first step"}
AGE = ["experiment=age_cgan", "data.image_size=16", "prior.dim=4", *NARROW, "game.refinement=1"]
AGE += ["schedule.stages=[{players:[discriminator,generator,encoder_z]}]", "game.identity_steps=1"]
AGE += [f"networks.encoder_z.{size}=4" for size in ("width", "hidden")]
EXPR = ["experiment=exprgan", "data.image_size=16", "networks.encoder.width=4", "networks.q.width=4", *NARROW]
EXPR += ["schedule.stages=[{players:[discriminator,discriminator_code,controller,autoencoder,generator]}]"]
FEW_MLP = ["data.image_size=8", "networks.discriminator.hidden=[8]"]
TRIPLE = ["experiment=triple_gan", *FEW_MLP, "networks.generator.hidden=[8]", "networks.classifier.hidden=[8]"]
CONTROL = ["experiment=controlgan", "data.image_size=8", *NARROW, "networks.classifier.width=4"]
WITH_Q = [f"networks.{name}.{key}" for name in ("generator", "discriminator", "q") for key in ("width=2", "hidden=8")]
SMALL_ENCODER = ["networks.encoder.widths=[4,4,4]", "networks.encoder.hidden=8"]
ATTRIBUTE = ["experiment=conditional_cyclegan", "data.image_size=16", "sources.a.image_size=16"]
ATTRIBUTE += [f"networks.generator_{way}.{size}" for way in ("ab", "ba") for size in ("width=4", "blocks=1")]
ATTRIBUTE += ["networks.discriminator_a.layers=1"]
ATTRIBUTE += [f"networks.discriminator_{domain}.width=4" for domain in "ab"]
CONTRAST = ["experiment=contrast_gan", "data.image_size=16", "data.samples=20", *NARROW]
CONTRAST += ["networks.generator.blocks=1"]
ASKS_EVERYTHING = {
    name: "its game asks it for all that it makes, which no hook sees; tests of its own try it"
    for name in (
        *("makes_samples", "depends_on_latents", "samples_alone", "generator_is_conditional"),
        *("trains_generator", "keeps_generator_state"),
    )
}

PIX2PIXHD = [
    "experiment=pix2pixhd",
    "terms.perceptual.steps=2",
    "schedule.stages=[{players:[discriminator_coarse,discriminator_fine,generator_fine,generator_coarse]}]",
]

ADAPTED = "schedule.stages=[{players:[classifier],until:1},{players:[discriminator,generator]}]"
SMALL_FEATURES = ["data.image_size=8", "networks.features.width=2"]
LDAN = ["experiment=ldan", "data.image_size=8", "data.samples=64", ADAPTED.replace("classifier", "lighting")]
PIXELDA = ["experiment=pixelda", "data.image_size=8", *NARROW, "networks.classifier.width=4"]
PIXELDA += ["networks.generator.blocks=1", "networks.discriminator.layers=1"]
SBADA = ["experiment=sbada_gan", "data.image_size=8", "game.pool=2"]
SBADA += [f"networks.{name}.width=2" for name in ("generator_ab", "generator_ba", "classifier_a", "classifier_b")]
SBADA += [f"networks.discriminator_{domain}.{setting}" for domain in "ab" for setting in ("width=2", "layers=1")]
SIMGAN = ["experiment=simgan", "data.image_size=8", "data.samples=64", *NARROW]
SIMGAN += ["schedule.stages=[{players:[generator],until:1},{players:[discriminator,generator]}]"]
WATER = ["experiment=watergan", "data.image_size=8", "data.samples=64", "prior.dim=4", *NARROW]
TAGS = ["experiment=rendergan", "data.image_size=16", "data.samples=64", "prior.dim=4", *NARROW]
STEGO = ["experiment=stegano_gan", "data.image_size=8", "prior.dim=4", *NARROW, "networks.discriminator_stego.width=4"]
CELLS = ["experiment=gan_sep", "data.image_size=16", "data.samples=64", "prior.dim=4", "networks.generator.width=4"]
CELLS += ["networks.discriminator_1.width=4"]

MADE_OF_MORE = "its game asks it in other ways than by a call alone, which no hook sees; tests/zoo/translation tries it"
GENERATED = (
    *("makes_samples", "depends_on_latents", "samples_alone", "generator_is_conditional"),
    *("trains_generator", "keeps_generator_state"),
)
TRANSLATED = {
    "vigan_views": [
        "experiment=vigan_views",
        "schedule.stages=[{players:[discriminator_a,discriminator_b,generator,autoencoder,joint,discriminator_a_joint,"
        "discriminator_b_joint]}]",
        *(f"networks.generator_{way}.width=4" for way in ("ab", "ba")),
    ],
    "texturegan": [
        "experiment=texturegan",
        "terms.features.steps=2",
        "schedule.stages=[{players:[discriminator,discriminator_local,generator,refiner]}]",
    ],
    "gan_vfs": ["experiment=gan_vfs", "terms.perceptual.steps=2", "terms.identity.steps=2"],
    "gpgan_landmarks": ["experiment=gpgan_landmarks", "terms.feature_distance.steps=2", "game.classifier_steps=2"],
    "dsp_gan": ["experiment=dsp_gan", "game.batches=2"],
}

# What a plugin needs around it, its settings that make it quick, and what it is exempt from, with the reason.
TOKENS = (
    "schedule.stages=[{players:[likelihood],until:1},{players:[discriminator],until:1},"
    "{players:[generator,discriminator]}]"
)
"""A step of each stage of systems that write tokens."""
MELODIES = "schedule.stages=[{players:[predictor],until:1},{players:[discriminator,generator]}]"
STEPS = (
    "schedule.stages=[{players:[embedding],until:1},{players:[supervisor],until:1},"
    "{players:[generator,autoencoder,discriminator]}]"
)
SOFT = [
    "experiment=passgan",
    "networks.generator.name=soft_gru",
    "+networks.generator.way=softmax",
    "+networks.generator.temperature=1.0",
]
PICKS = "schedule.stages=[{players:[start],until:1},{players:[discriminator,generator]}]"
DECODED = {"draws_pictures": "its samples are decoded from codes, and what its pairs compare are codes"}

SPECIAL = {
    **beyond.SPECIAL,
    **{
        ("games", name): {"overrides": [f"experiment={name}", "game.rollouts=2", TOKENS]}
        for name in ("seqgan", "rankgan", "organ", "csgan_translation", "leakgan")
    },
    ("games", "maligan"): {"overrides": ["experiment=maligan", TOKENS]},
    ("games", "irgan"): {"overrides": ["experiment=irgan", PICKS]},
    ("generators", "lstm_tokens"): {"overrides": ["experiment=seqgan", "game.rollouts=1"]},
    ("generators", "soft_gru"): {"overrides": SOFT},
    ("metrics", "series_scores"): {"overrides": ["experiment=rgan"], "steps": 5},
    ("metrics", "series_classes"): {"overrides": ["experiment=rcgan"], "steps": 5},
    ("games", "c_rnn_gan"): {"overrides": ["experiment=c_rnn_gan", MELODIES]},
    ("games", "timegan"): {"overrides": ["experiment=timegan", STEPS], "exempt": DECODED},
    ("games", "arae"): {"overrides": ["experiment=arae"], "exempt": DECODED},
    ("games", "arae_transfer"): {"overrides": ["experiment=arae_transfer"], "exempt": DECODED},
    **{(kind, "biggan"): {"width": 2} for kind in ("generators", "discriminators")},
    **{(kind, "biggan_deep"): {"width": 4} for kind in ("generators", "discriminators")},
    ("discriminators", "unet"): {"width": 4},
    ("strategies", "cutmix"): {"overrides": ["experiment=unet_gan", "strategy.spectral_norm.networks=null", *NARROW]},
    **{("games", name): {"overrides": overrides} for name, overrides in TRANSLATED.items()},
    ("games", "dtn"): {
        "overrides": ["experiment=dtn", "game.classifier_steps=2"],
        "exempt": {"players_move": "f is trained before the first step"},
    },
    **{
        ("generators", name): {
            "exempt": {"makes_samples": "it keeps what was given, so that its images have no bounds"}
        }
        for name in ("affine_projection", "residual_of")
    },
    **{
        ("generators", name): {"exempt": dict.fromkeys(GENERATED, MADE_OF_MORE)}
        for name in ("aligned", "guided", "refinegan", "two_outputs")
    },
    ("games", "pix2pixhd"): {"overrides": PIX2PIXHD},
    ("generators", "pix2pixhd_fine"): {"overrides": PIX2PIXHD},
    ("generators", "pix2pixhd_coarse"): {
        "overrides": PIX2PIXHD,
        "exempt": dict.fromkeys(GENERATED, MADE_OF_MORE),
    },
    ("datasets", "few_labels"): {"of": {"name": "digits", "image_size": 8, "channels": 1, "num_classes": 10}},
    ("games", "semi_kplus1"): {"overrides": ["experiment=semi_kplus1", *FEW_MLP, "networks.generator.hidden=8"]},
    ("games", "catgan"): {"overrides": ["experiment=catgan_semi", *FEW_MLP, "networks.generator.hidden=8"]},
    ("games", "triple_gan"): {"overrides": TRIPLE},
    ("discriminators", "noisy_mlp"): {"hidden": [8]},
    ("networks", "noisy_mlp"): {"overrides": TRIPLE, "hidden": [8]},
    ("games", "ccgan"): {"overrides": ["experiment=ccgan", *NARROW]},
    ("games", "controlgan"): {"overrides": CONTROL},
    ("networks", "dcgan"): {"overrides": CONTROL, "width": 4},
    ("games", "can"): {"overrides": ["experiment=can", *NARROW]},
    **{(kind, "artgan"): {"overrides": ["experiment=artgan", *NARROW]} for kind in ("games", "generators")},
    ("games", "cvae_gan"): {
        "overrides": ["experiment=cvae_gan", *NARROW, "networks.classifier.width=4", *SMALL_ENCODER]
    },
    ("games", "ss_infogan"): {"overrides": ["experiment=ss_infogan", *WITH_Q]},
    ("games", "vigan_info"): {"overrides": ["experiment=vigan_info", *WITH_Q, *SMALL_ENCODER]},
    ("games", "splitting_gan"): {"overrides": ["experiment=splitting_gan", *NARROW]},
    ("games", "lapgan"): {"overrides": ["experiment=lapgan"]},
    **{
        kind_and_name: {"overrides": ["experiment=stackgan", AT_ONCE]}
        for kind_and_name in (("games", "stackgan"), ("generators", "stackgan_one"), ("generators", "stackgan_two"))
    },
    ("games", "stacked_gan"): {
        "overrides": ["experiment=stacked_gan"],
        "classifier_steps": 2,
        "apart": 1,
        "exempt": {"players_move": "its classifier, the encoder, is trained before the first step"},
    },
    ("games", "msg_gan"): {"overrides": MSG},
    ("discriminators", "msg_gan"): {"overrides": MSG, "base": 64, "most": 16},
    ("generators", "msg_gan"): {"overrides": MSG, "base": 64, "most": 16, "exempt": ASKS_EVERYTHING},
    ("generators", "unrolled_fourier"): {
        "exempt": {"makes_samples": "it keeps what was measured, so that its images have no bounds"}
    },
    ("generators", "cgan_vectors"): {"overrides": VECTORS},
    ("generators", "described"): {
        "overrides": ["experiment=gan_cls", "networks.generator.width=4", "networks.discriminator.width=4"],
        **{"given": "text", "given_dim": 64, "width": 4},
    },
    ("generators", "pixel_cnn"): {
        "overrides": ["data.image_size=4"],
        **{"image_size": 4, "width": 4, "layers": 1},
    },
    ("generators", "dcgan_conditional"): {"width": 8},
    ("generators", "infogan"): {"hidden": 32, "width": 8},
    ("discriminators", "infogan"): {"hidden": 32, "width": 8},
    ("generators", "gaussian"): {"overrides": LINE},
    ("generators", "point"): {"exempt": {"depends_on_latents": "it makes one point, whatever the latent"}},
    ("generators", "mixture"): {"overrides": ["prior=components"]},
    ("generators", "mgan"): {"width": 4},
    ("discriminators", "mgan"): {"width": 4},
    ("generators", "deligan"): {"overrides": ["data.image_size=28"], "width": 8},
    ("discriminators", "deligan"): {"overrides": ["data.image_size=28"], "width": 4},
    ("generators", "class_alone"): {"hidden": [8]},
    ("generators", "delta_mixture"): {"overrides": DELIGAN},
    ("games", "deligan"): {"overrides": DELIGAN},
    ("networks", "softness"): {"overrides": ["experiment=gman", "+network=softness", *GMAN]},
    ("games", "gman"): {"overrides": ["experiment=gman", *GMAN]},
    ("games", "cogan"): {"overrides": COGAN},
    **{(kind, "cogan"): {"overrides": COGAN} for kind in ("generators", "discriminators")},
    ("games", "bayesian_gan"): {"overrides": BAYESIAN},
    ("games", "genegan"): {"overrides": GENE},
    ("generators", "genegan"): {"overrides": GENE, "exempt": ASKS_EVERYTHING},
    **{(kind, "icgan"): {"overrides": IC} for kind in ("games", "discriminators", "networks")},
    **{(kind, "dr_gan"): {"overrides": DR} for kind in ("games", "generators", "discriminators")},
    ("games", "sd_gan"): {"overrides": SD, "identity_dim": 2},
    ("discriminators", "siamese"): {"overrides": SD},
    ("games", "tp_gan"): {"overrides": TP},
    ("generators", "tp_gan"): {"overrides": TP, "exempt": ASKS_EVERYTHING},
    **{(kind, "ff_gan"): {"overrides": FF} for kind in ("games", "generators")},
    ("games", "age_cgan"): {"overrides": AGE, "refinement": 1, "identity_steps": 1, "exempt": TRAINED_FIRST},
    ("games", "exprgan"): {"overrides": EXPR, "identity_steps": 1, "exempt": TRAINED_FIRST},
    ("games", "conditional_cyclegan"): {"overrides": ATTRIBUTE, "identity_steps": 1, "exempt": TRAINED_FIRST},
    **{(kind, "contrast_gan"): {"overrides": CONTRAST} for kind in ("games", "generators", "discriminators")},
    **{(kind, "stargan"): {"overrides": STAR} for kind in ("games", "generators", "discriminators")},
    **{(kind, "starganv2"): {"overrides": STAR_2} for kind in ("games", "generators", "discriminators")},
    **{("networks", f"starganv2_{part}"): {"overrides": STAR_2} for part in ("encoder", "mapping")},
    ("samplers", "reference_style"): {"overrides": STAR_2},
    ("games", "adagan"): {
        "overrides": ["experiment=adagan", "prior.components=2", "prior.dim=6", "game.stage_steps=1"],
        "classifier_steps": 1,
        "weighed": 16,
        "exempt": {"players_move": "one generator after another is trained, each in its stage"},
    },
    ("games", "abc_gan"): {"overrides": ["model=mlp", "data.image_size=8"]},
    ("games", "flow_gan"): {"overrides": FLOW},
    ("generators", "nice"): {"overrides": FLOW},
    ("generators", "real_nvp"): {
        "overrides": ["data.image_size=8", "prior=normal", "prior.dim=64", "game=two_player"],
        "width": 4,
        "blocks": 1,
    },
    ("generators", "gran"): {"width": 8, "hidden": 6},
    ("discriminators", "gran"): {"width": 8, "hidden": 6},
    ("generators", "lr_gan"): {"width": 4},
    ("games", "spatial_gan"): {"overrides": TEXTURES},
    **{(kind, "spatial"): {"overrides": TEXTURES} for kind in ("generators", "discriminators")},
    ("datasets", "texture"): {"image_size": 16, "samples": 20},
    ("datasets", "cross_2d"): {"samples": 100},
    ("games", "ape_gan"): {"overrides": [*APE, "game.classifier_steps=1"]},
    ("generators", "eliminator"): {"overrides": APE},
    ("discriminators", "ape_gan"): {"overrides": APE},
    ("metrics", "attack_accuracy"): {"overrides": [*APE, "game.classifier_steps=1"]},
    ("networks", "small_classifier"): {"overrides": APE},
    ("games", "s2gan"): {"overrides": S2},
    **{("generators", name): {"overrides": S2} for name in ("structure", "style")},
    ("discriminators", "s2gan"): {"overrides": S2},
    ("networks", "normals_reader"): {"overrides": S2},
    ("games", "varigan"): {"overrides": VARI},
    **{("generators", name): {"overrides": VARI} for name in ("coarse_view", "dual_path")},
    ("discriminators", "varigan"): {"overrides": VARI},
    ("networks", "coarse_encoder"): {"overrides": VARI},
    ("games", "mv_bigan"): {"overrides": ["experiment=mv_bigan", "data.image_size=8", "prior.dim=4"]},
    ("generators", "resnet"): {"width": 8},
    ("generators", "resnet_projection"): {"width": 8},
    ("discriminators", "cgan_vectors"): {"overrides": VECTORS},
    ("discriminators", "conv"): {"widths": [4, 8], "hidden": 16},
    ("discriminators", "dcgan_conditional"): {"width": 8},
    ("discriminators", "mixture_likelihood"): {"width": 4},
    ("discriminators", "patch"): {"layers": 1, "width": 4},
    ("discriminators", "projections"): {"count": 2, "width": 4},
    ("discriminators", "resnet"): {"width": 8},
    ("discriminators", "resnet_projection"): {"width": 8},
    ("networks", "conv_autoencoder"): {"overrides": ["model=autoencoder", "network=conv_autoencoder"], "width": 4},
    ("networks", "mlp_autoencoder"): {"overrides": ["model=autoencoder"]},
    ("networks", "mlp_encoder"): {"overrides": ["model=vae"]},
    ("networks", "q_mlp"): {"overrides": INFOGAN},
    ("networks", "set_discriminator"): {"overrides": DAN, "hidden": [8], "head": [4]},
    **{("losses", name): {"overrides": HEADS} for name in ("class_softmax", "multi_hinge", "omni")},
    ("terms", "auxiliary_classification"): {"overrides": LABELS},
    **{
        ("terms", name): {"overrides": CLASS_HEADS}
        for name in ("twin_classification", "discriminative_classification", "class_contrast", "rotation")
    },
    ("terms", "infomax"): {"overrides": CLASS_HEADS, "size": 8},
    ("terms", "mutual_information"): {"overrides": INFOGAN},
    ("terms", "set_adversarial"): {"overrides": DAN},
    ("strategies", "margin_adaptation"): {
        "overrides": ["experiment=magan", *NARROW],
        "epoch_steps": 2,
    },
    ("strategies", "momentum_ramp"): {"overrides": MOMENTUM},
    ("strategies", "pretrain_discriminator"): {"steps": 2},
    ("strategies", "q_head"): {"overrides": CODES},
    ("strategies", "rbm_pretraining"): {"overrides": TANH_CODES, "steps": 2},
    ("strategies", "stored_discriminators"): {"overrides": RESTLESS, "every": 1},
    ("strategies", "top_k"): {"exempt": {"has_effect": "in the first epoch the whole batch is learnt of"}},
    ("strategies", "virtual_batch_norm"): {"overrides": ["generator=dcgan", "networks.generator.width=8"]},
    ("games", "autoencoder"): {"overrides": ["model=autoencoder"]},
    ("games", "vae"): {"overrides": ["model=vae"]},
    ("games", "vae_gan_start"): {"overrides": ["model=vae_gan_start"], "vae_steps": 1},
    ("terms", "kl_divergence"): {"overrides": ["model=vae"]},
    ("terms", "reconstruction"): {"overrides": ["model=autoencoder"]},
    ("games", "bilinear"): {"overrides": POINTS},
    ("games", "gaussian_1d"): {"overrides": LINE},
    ("games", "bigan"): {"overrides": BIGAN},
    ("discriminators", "joint_conv"): {"overrides": BIGAN_CONV, "hidden": 8},
    ("networks", "conv_encoder"): {"overrides": BIGAN_CONV},
    **{(kind, "vae_gan"): {"overrides": VAE_GAN} for kind in ("games", "generators", "discriminators", "networks")},
    **{(kind, "alae"): {"overrides": ALAE} for kind in ("games", "generators", "discriminators")},
    **{(kind, "vqgan"): {"overrides": VQGAN} for kind in ("games", "networks")},
    ("generators", "vqgan"): {
        "overrides": VQGAN,
        "exempt": {"makes_samples": "it has no bound, as published; what its game samples is cut off at -1 and 1"},
    },
    ("networks", "vqgan_codebook"): {"overrides": VQGAN},
    ("games", "bigbigan"): {"overrides": ["experiment=bigbigan", *CODES_OF_IMAGES, "networks.discriminator.width=2"]},
    ("discriminators", "bigbigan"): {
        "overrides": ["experiment=bigbigan", *CODES_OF_IMAGES, "networks.discriminator.width=2"],
        "hidden": 8,
    },
    **{(kind, "ian"): {"overrides": IAN} for kind in ("games", "discriminators")},
    **{(kind, "crvae_gan"): {"overrides": CRVAE} for kind in ("games", "generators", "discriminators", "networks")},
    ("networks", "crvae_gan_recovery"): {"overrides": CRVAE},
    ("games", "bgan"): {"overrides": BGAN},
    ("metrics", "hamming_map"): {"overrides": BGAN},
    ("games", "anogan"): {"overrides": ["experiment=anogan", *ANOMALIES]},
    ("games", "f_anogan"): {"overrides": F_ANOGAN},
    ("metrics", "anomaly_auc"): {"overrides": ["experiment=aegan", *CODES_OF_IMAGES], "samples": 50},
    ("metrics", "latent_probe"): {"overrides": BIGAN},
    ("metrics", "inversion_error"): {"overrides": BIGAN},
    ("samplers", "standing_statistics"): {"overrides": CLASS_HEADS[:3]},
    ("generators", "transgan"): {"overrides": TRANSFORMERS},
    ("discriminators", "transgan"): {"overrides": TRANSFORMERS},
    ("metrics", "gam"): {"overrides": ["data.image_size=8"], "against": str(ROOT / "tests/fixtures/run_0_1_0")},
    ("metrics", "nll"): {"overrides": FLOW},
    ("games", "wae"): {"overrides": ["experiment=wae_gan", *CODES_OF_IMAGES], "pretraining": 2},
    **{(kind, "wae"): {"overrides": ["experiment=wae_gan", *CODES_OF_IMAGES]} for kind in ("generators", "networks")},
    **{
        ("games", name): {"overrides": [f"experiment={name}", *CODES_OF_IMAGES]}
        for name in ("aegan", "alpha_gan", "mdgan", "reg_gan")
    },
    **{(kind, "bigan"): {"overrides": BIGAN} for kind in ("generators", "discriminators", "networks")},
    **{(kind, "ali"): {"overrides": ALI} for kind in ("generators", "discriminators", "networks")},
    ("games", "dan"): {"overrides": DAN, "every": 2},
    ("games", "dist_gan"): {"overrides": ["experiment=dist_gan", *NARROW]},
    ("games", "infogan"): {"overrides": INFOGAN},
    ("games", "mgan"): {"overrides": TURNS},
    ("games", "mad_gan"): {"overrides": TURNS},
    ("games", "mad_gan_sim"): {"overrides": TURNS},
    ("games", "causalgan"): {
        "overrides": [
            "experiment=causalgan",
            "schedule.stages=[{players:[discriminator_labels,generator_labels,discriminator,labeler,anti_labeler,finder,"
            "generator]}]",
        ]
    },
    ("games", "plane"): {"overrides": ["data=mixture", "networks.generator.output=linear"]},
    ("games", "variance_regularised"): {"overrides": ["experiment=vral", *NARROW]},
    ("datasets", "digit_domains"): {"image_size": 8},
    **{("datasets", f"digit_{kind}"): {"image_size": 8} for kind in ("fronts", "marks", "strokes", "views")},
    ("datasets", "digit_pairs"): {"image_size": 8},
    ("datasets", "digits"): {"image_size": 8},
    ("datasets", "gaussian"): {"samples": 100},
    ("datasets", "mixture"): {"samples": 100},
    ("datasets", "shapes"): {"samples": 50},
    **{
        ("datasets", name): {"samples": 50}
        for name in ("shape_pairs", "filaments", "textured_shapes", "composites", "occluded_shapes", "depth_layers")
    },
    ("datasets", "causal_shapes"): {"samples": 50},
    ("datasets", "rosettes"): {"samples": 50},
    ("datasets", "gaze_like"): {"image_size": 16, "samples": 20},
    ("datasets", "tags"): {"image_size": 16, "samples": 20},
    ("datasets", "underwater"): {"image_size": 16, "samples": 20},
    ("datasets", "lit_spheres"): {"image_size": 8, "samples": 20},
    ("datasets", "two_channel_cells"): {"image_size": 16, "samples": 20},
    ("datasets", "sketches"): {"image_size": 16},
    ("datasets", "private"): {"samples": 100},
    ("datasets", "feature_bits"): {"samples": 100},
    ("games", "feature_adaptation"): {
        "overrides": ["experiment=dann", "data.image_size=8", "networks.features.width=2"]
    },
    ("games", "adda"): {"overrides": ["experiment=adda", "data.image_size=8", "networks.features.width=2", ADAPTED]},
    ("games", "ldan"): {"overrides": LDAN},
    ("metrics", "label_error"): {"overrides": LDAN},
    ("games", "perceptual_gan"): {"overrides": ["experiment=perceptual_gan", "networks.features.width=2", ADAPTED]},
    ("games", "pixelda"): {"overrides": PIXELDA},
    ("generators", "refiner"): {"overrides": PIXELDA, "width": 2, "blocks": 1},
    ("games", "sbada_gan"): {"overrides": SBADA},
    ("games", "simgan"): {"overrides": SIMGAN, "pool": 4},
    ("metrics", "label_transfer"): {"overrides": SIMGAN},
    **{kind_and_name: {"overrides": WATER} for kind_and_name in (("games", "watergan"), ("generators", "water"))},
    **{
        kind_and_name: {"overrides": TAGS}
        for kind_and_name in (("games", "rendergan"), ("generators", "tag_augmenter"))
    },
    ("games", "stegano_gan"): {"overrides": STEGO},
    ("discriminators", "steganalyser"): {"overrides": STEGO},
    ("metrics", "detection_accuracy"): {"overrides": ["data.image_size=16"]},
    ("generators", "bit_flipper"): {"overrides": ["experiment=gap_binary"]},
    ("generators", "privatiser"): {"overrides": ["experiment=gap_gaussian"], "hidden": [8]},
    ("games", "gap"): {"overrides": ["experiment=gap_gaussian", "data.samples=400"]},
    ("metrics", "adversary_accuracy"): {"overrides": ["experiment=gap_gaussian", "data.samples=400"], "samples": 50},
    ("games", "malgan"): {"overrides": ["experiment=malgan", "data.samples=400"], "fitting": 2},
    ("metrics", "evasion"): {"overrides": ["experiment=malgan", "data.samples=400"]},
    ("generators", "separable"): {"overrides": CELLS, "width": 2},
    ("games", "gan_sep"): {"overrides": CELLS},
    ("metrics", "cell_rule"): {"overrides": CELLS},
    **{
        kind_and_name: {"overrides": ["experiment=mgan_texture", "data.samples=64"]}
        for kind_and_name in (
            *(("games", "mgan_texture"), ("generators", "texture_decoder")),
            *(("discriminators", "feature_patches"), ("networks", "random_filters")),
        )
    },
    ("extractors", "classifier"): {"epochs": 5, "width": 8},
    **{
        ("extractors", name): {"exempt": NEEDS_WEIGHTS}
        for name in ("alexnet", "clip", "dinov2", "inception", "inception_torchvision", "vgg16")
    },
    ("discriminators", "twin"): {"overrides": TWIN},
    ("losses", "cramer"): {"overrides": CRAMER},
    ("losses", "dual_discriminator"): {"overrides": TWIN},
    ("losses", "dualing"): {"exempt": NO_DISCRIMINATOR},
    ("strategies", "transport_cost"): {"overrides": ["experiment=uotm"]},
    ("terms", "cramer_penalty"): {"overrides": CRAMER},
    ("samplers", "discriminator_transport"): {"steps": 2},
    ("samplers", "langevin"): {"steps": 2, "overrides": ["prior=normal"]},
    ("samplers", "metropolis_hastings"): {"proposals": 2},
    ("samplers", "rejection"): {"burn_in": 100},
    ("samplers", "style_truncation"): {"overrides": ["prior=normal", "generator=stylegan2"]},
    ("strategies", "style_mixing"): {"overrides": ["prior=normal", "generator=stylegan2"]},
    ("strategies", "progressive_growing"): {
        "overrides": ["generator=pggan", "discriminator=pggan"],
        "train_images": 8,
        "fade_images": 8,
    },
    ("terms", "self_supervision"): {"overrides": ["generator=fastgan", "discriminator=fastgan"]},
    ("discriminators", "projected"): {
        "overrides": ["experiment=projected_gan", "networks.generator.width=4"],
        "resolution": 32,
        "width": 8,
    },
    ("strategies", "lookahead"): {"k": 1},
    ("strategies", "heads"): {"overrides": ["loss=omni"]},
    ("strategies", "vector_head"): {"overrides": ["loss=mmd"]},
    ("metrics", "leaf_count"): {"overrides": ["experiment=arigan", "networks.generator.width=8"]},
    ("metrics", "target_accuracy"): {"overrides": STAR},
    ("metrics", "class_accuracy"): {"overrides": ["model=cgan_mlp"]},
    ("metrics", "cluster_accuracy"): {"overrides": INFOGAN},
    ("metrics", "intra_fid"): {"overrides": ["model=cgan_mlp"]},
    ("metrics", "mode_coverage"): {"overrides": ["data=mixture", "networks.generator.output=linear"]},
    ("metrics", "mutual_information"): {"overrides": INFOGAN},
    ("trackers", "wandb"): {"mode": "offline"},
    **{
        ("datasets", name): {"exempt": NEEDS_FILES}
        for name in ("celeba", "cifar10", "cifar100", "fashion_mnist", "mnist", "stl10", "svhn")
    },
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Images in folders and arrays in a file, for the sources that read the user's own."""
    import datasets
    import numpy as np
    from PIL import Image

    folder = tmp_path_factory.mktemp("files")
    random = np.random.default_rng(0)
    for kind in ("cat", "dog"):
        (folder / "images" / kind).mkdir(parents=True)
        for number in range(10):
            pixels = random.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "images" / kind / f"{number}.png")
    (folder / "lines.txt").write_text("".join(f"line {number}\n" for number in range(50)))
    np.savez(folder / "arrays.npz", x=random.integers(0, 256, (20, 8, 8), dtype=np.uint8), y=np.arange(20) % 3)
    pictures = [Image.fromarray(random.integers(0, 256, (8, 8, 3), dtype=np.uint8)) for _ in range(20)]
    features = datasets.Features({"image": datasets.Image(), "kind": datasets.ClassLabel(names=["cat", "dog"])})
    table = datasets.Dataset.from_dict({"image": pictures, "kind": [0, 1] * 10}, features=features)
    table.save_to_disk(folder / "table")
    return {
        **beyond.files(folder),
        ("datasets", "huggingface"): {"path": str(folder / "table"), "image_size": 8},
        ("datasets", "folder"): {"path": str(folder / "images"), "image_size": 8},
        ("datasets", "npz"): {"path": str(folder / "arrays.npz"), "image_size": 8},
        ("datasets", "tokens"): {"path": str(folder / "lines.txt")},
        ("datasets", "degraded"): {"path": str(folder / "images"), "image_size": 8, "source_channels": 3},
        ("datasets", "paired"): {
            "path": str(folder / "images"),
            "source_side": "left",
            "image_size": [8, 4],
            "source_channels": 3,
        },
    }


SLOW = {
    "generators": "biggan_deep fastgan mixture r3gan resnet_translator stackgan_one stackgan_two unrolled_fourier",
    "discriminators": "fastgan gman lapgan_band lapgan_coarse projected r3gan",
    "networks": "feature_classifier q_conv stacked_encoder",
    "terms": "feature_distance reconstruction_error self_supervision",
    "strategies": "cutmix style_mixing",
    "games": "cut cycle lapgan munit pix2pixhd refinegan salgan segan stacked_gan stackgan tan texturegan triangle_gan "
    "vigan_views",
    "metrics": "ms_ssim",
    "samplers": "style_truncation",
}
"""Plugins whose contract takes three seconds or more; those of systems are all slow, which have tests of their own."""


def plugins():
    for kind in KINDS:
        for plugin in registry.installed(kind):
            of_a_system = plugin.entry_point.value.startswith("gan_zoo.systems.")
            slow = of_a_system or plugin.name in SLOW.get(kind, "").split()
            yield pytest.param(kind, plugin.name, marks=pytest.mark.slow if slow else ())


@pytest.mark.parametrize(("kind", "name"), [*plugins()])
def test_the_plugin_fulfils_its_contract(kind, name, files):
    check_plugin(kind, name, **SPECIAL.get((kind, name), {}), **files.get((kind, name), {}))


def test_there_is_a_suite_for_every_kind():
    assert CHECKS.keys() == set(KINDS)


def test_nothing_is_listed_that_is_not_installed():
    installed = {(kind, plugin.name) for kind in KINDS for plugin in registry.installed(kind)}
    assert SPECIAL.keys() <= installed
    assert {(kind, name) for kind, names in SLOW.items() for name in names.split()} <= installed
