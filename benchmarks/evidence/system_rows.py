"""Small runs of systems on data whose truth is known, and what each is compared with."""

from __future__ import annotations

from evidence import beyond_rows, image_rows, label_rows, loss_rows, network_rows, translation_rows
from evidence.row import Row
from evidence.translation_rows import quick

NETWORKS = ("generator", "discriminator")
SMALL = ("data.image_size=16", "train.batch_size=32")
WIDTHS = ("networks.generator.width=16", "networks.discriminator.width=16")
LABELS = (
    "data.image_size=8",
    "networks.generator.hidden=100",
    "networks.discriminator.hidden=[200,100]",
    "metrics=[label_accuracy]",
)


CLASSIFIED = "accuracy on test images, 10 labels a class; beside the labelled images alone, as many steps"
ADAPTED = "accuracy on the other domain, whose labels nobody sees; beside the source alone"
SHORT_LIKELIHOOD = (
    "schedule.stages=[{players:[likelihood],until:60},{players:[discriminator],until:100},"
    "{players:[generator,discriminator],updates:[1,2]}]"
)
EDGES = ("data.image_size=16", "data.map=edges", "networks.generator_ab.blocks=2")
MARTA = (*SMALL, *WIDTHS, "metrics=[fid]")
VAE_GAN = (
    *("data.image_size=16", "train.batch_size=32", "prior.dim=32", "train.steps=600", "metrics=[fid]"),
    *("networks.encoder.widths=[16,32,64]", "networks.encoder.hidden=128", "networks.generator.first=64"),
    *("networks.generator.widths=[48,32,16]", "networks.discriminator.first=16"),
    *("networks.discriminator.widths=[32,48,64]", "networks.discriminator.hidden=128"),
)
LIGHTS = (
    *("data.image_size=16", "data.samples=100", "networks.features.width=8", "networks.features_synthetic.width=8"),
    *("train.steps=1600", "optimizer.generator.lr=5e-4"),
    "schedule.stages=[{players:[lighting],until:600},{players:[discriminator,generator]}]",
)
PLAIN = ("data.image_size=16", "train.steps=1500", "metrics=[fid]")
COGAN = (
    *(f"networks.generator_{domain}.width=64" for domain in "ab"),
    *(f"networks.discriminator_{domain}.width=8" for domain in "ab"),
)
CLOUDS = (
    *("data.points=64", "data.samples=1000", "train.batch_size=32"),
    *("optimizer.generator.lr=5e-4", "optimizer.discriminator.lr=5e-4"),
)
HOLES = ("data.image_size=16", "game.hole=8", "train.batch_size=50", *WIDTHS, "metrics=[label_accuracy]")
OLDER = (
    *(*SMALL, *WIDTHS),
    *("networks.encoder_z.width=16", "networks.encoder_z.hidden=256", "networks.identity.width=8"),
    "schedule.stages=[{players:[discriminator,generator],until:600},{players:[encoder_z]}]",
    *("train.steps=900", "optimizer.encoder_z.lr=1e-3", "metrics=[psnr]", "evaluate.samples=300"),
)
ROLLOUTS = ("game.rollouts=4", "game.baseline=batch")
PAID = (*ROLLOUTS, SHORT_LIKELIHOOD, "train.steps=400", "metrics=[token_objective]")
TIMEGAN = ("embedder", "recovery", "supervisor", "generator", "discriminator")
SOON = ("strategy.k_step.k=1", "optimizer.generator.lr=1e-3", "optimizer.discriminator.lr=1e-3", "metrics=[fid]")
SOON_AVERAGED = (
    *("strategy.ema.decay=0.98", "strategy.ema.warmup=0", "strategy.k_step.k=1", "metrics=[fid]"),
    *("optimizer.generator.lr=5e-4", "optimizer.discriminator.lr=1e-3"),
)
AVERAGED = ("strategy.ema.decay=0.99", "metrics=[fid]")
DIAGRAMS = ("data.image_size=16", *(f"networks.{name}.width=8" for name in ("generator", "discriminator")))
NEW = "share of sequences that the grammar can make and that are not in the training data"
DIGITS = ("data.image_size=16", "metrics=[label_accuracy]")
COARSE = (*DIGITS, "data.map=lowres", "train.steps=1000")
LINEAR = (*DIGITS, "train.steps=1000", "networks.features.output=linear", "optimizer.classifier.lr=1e-4")

ROWS: dict[str, Row] = {
    "semi_kplus1": Row(
        "conditional", "semi_kplus1", (*LABELS, "train.steps=3000"), "label_accuracy", "labelled alone", CLASSIFIED
    ),
    "labelled alone": Row(
        *("conditional", "semi_kplus1", (*LABELS, "train.steps=3000", "game.supervised=true"), "label_accuracy", None),
        "accuracy on test images, of the 10 labels a class alone",
    ),
    "ccgan": Row(
        "conditional",
        "ccgan",
        (*HOLES, "train.steps=1000"),
        "label_accuracy",
        "labelled alone, without holes",
        CLASSIFIED,
    ),
    "labelled alone, without holes": Row(
        *("conditional", "ccgan", (*HOLES, "train.steps=1000", "game.supervised=true"), "label_accuracy", None),
        "accuracy on test images, of the 10 labels a class alone",
    ),
    "dann": Row("conditional", "dann", COARSE, "label_accuracy", "source alone, coarse", ADAPTED),
    "source alone, coarse": Row(
        *("conditional", "dann", (*COARSE, "game.confusion=0"), "label_accuracy", None),
        "accuracy on coarse digits of a classifier of digits",
    ),
    "dann, features without bounds": Row("conditional", "dann", LINEAR, "label_accuracy", "source alone", ADAPTED),
    "arda": Row("conditional", "arda", (*DIGITS, "train.steps=1000"), "label_accuracy", "source alone", ADAPTED),
    "source alone": Row(
        *("conditional", "dann", (*LINEAR, "game.confusion=0"), "label_accuracy", None),
        "accuracy on the edges of digits of a classifier of digits",
    ),
    "ldan": Row(
        *("conditional", "ldan", (*LIGHTS, "game.adversarial=0.1"), "label_error", "noisy labels alone"),
        "error of nine coefficients of light, learnt of a hundred noisy labels; beside these alone",
    ),
    "noisy labels alone": Row(
        *("conditional", "ldan", (*LIGHTS, "game.adversarial=0"), "label_error", None),
        "error of nine coefficients of light, learnt of a hundred noisy labels",
    ),
    "gan_cls": Row(
        *("conditional", "gan_cls"),
        (*SMALL, *WIDTHS, "train.steps=1500"),
        *("attribute_accuracy", "no wrong texts", "share of attributes that are as the text says"),
    ),
    "tac_gan": Row(
        "conditional",
        "tac_gan",
        (*SMALL, *WIDTHS, "train.steps=3000", "metrics=[attribute_accuracy]"),
        *("attribute_accuracy", 0.4, "share of attributes that are as the text says; beside chance"),
    ),
    "ssgan_stacked": Row(
        "conditional",
        "ssgan_stacked",
        (
            *(*SMALL, *WIDTHS, "networks.discriminator_pairs.maps=32", "networks.discriminator_pairs.width=64"),
            *("train.steps=4500", "metrics=[attribute_accuracy]", *quick("generator", "discriminator")),
        ),
        *("attribute_accuracy", 0.4, "share of attributes that are as asked, 240 images with any; beside chance"),
    ),
    "no wrong texts": Row(
        "conditional",
        "gan_cls",
        (*SMALL, *WIDTHS, "train.steps=1500", "game.wrong=0", "game.made=1"),
        *("attribute_accuracy", None, "share of attributes that are as the text says"),
    ),
    "al_cgan": Row(
        "conditional",
        "al_cgan",
        (*SMALL, *WIDTHS, "train.steps=2000", "metrics=[object_place]"),
        *("placed", None, "share of objects whose middle is at most 2 of 16 pixels from where the layout has it"),
    ),
    "gawwn_keypoints": Row(
        "conditional",
        "gawwn_keypoints",
        (*SMALL, *WIDTHS, "train.steps=1500", "metrics=[object_place]"),
        *("placed", None, "share of objects whose middle is at most 2 of 16 pixels from where key points have it"),
    ),
    "genegan": Row(
        *("conditional", "genegan", (*SMALL, "train.steps=600", "metrics=[psnr]"), "psnr", None),
        "dB of digits whose bar was taken, beside the true ones",
    ),
    "starganv2": Row(
        "conditional",
        "starganv2",
        (
            *(f"networks.{name}.width=8" for name in ("generator", "style_encoder", "discriminator")),
            *("optimizer.generator.lr=4e-4", "optimizer.discriminator.lr=4e-4", "optimizer.mapping.lr=4e-6"),
            *("train.steps=1000", "metrics=[target_accuracy]"),
        ),
        *("target_accuracy", 0.25, "share of digits that are of the thickness asked for, kept or not; beside chance"),
    ),
    "icgan": Row(
        "conditional",
        "icgan",
        (
            *("data.image_size=16", "train.batch_size=32", "networks.generator.width=16"),
            *("networks.discriminator.width=16", "networks.encoder_z.width=16", "networks.encoder_y.width=16"),
            *("networks.encoder_z.hidden=256", "networks.encoder_y.hidden=256"),
            *("optimizer.encoder_z.lr=1e-3", "optimizer.encoder_y.lr=1e-3"),
            "schedule.stages=[{players:[discriminator,generator],until:700},{players:[encoder_z,encoder_y]}]",
            *("train.steps=1200", "metrics=[class_accuracy]"),
        ),
        *("class_accuracy", None, "share of digits that are of the class that they are edited to"),
    ),
    "cut": Row(
        "conditional",
        "cut",
        (*EDGES, "train.steps=800", "metrics=[psnr]"),
        *("psnr", 5.69, "dB of edges made of digits without pairs, beside the true ones; beside digits as they are"),
    ),
    "gap_images": Row(
        "conditional",
        "gap_images",
        (
            *("game.budget=0.3", "game.penalty_steps=300", "optimizer.generator.lr=1e-3", "schedule.d_steps=1"),
            *("train.batch_size=32", "train.steps=1200"),
        ),
        *("adversary_accuracy", 0.986, "accuracy of a fresh adversary on changed digits; beside digits as they are"),
    ),
    "fastcut": Row(
        "conditional",
        "fastcut",
        (*EDGES, "train.steps=800", "metrics=[psnr]"),
        *("psnr", 5.69, "dB of edges made of digits without pairs, beside the true ones; beside digits as they are"),
    ),
    "age_cgan": Row(
        *("conditional", "age_cgan", OLDER, "psnr", "encoder alone"),
        "dB of digits of another thickness, beside the true ones; beside the encoder's codes without refinement",
    ),
    "encoder alone": Row(
        *("conditional", "age_cgan", (*OLDER, "game.refinement=0"), "psnr", None),
        "dB of digits of another thickness, beside the true ones",
    ),
    "marta_gan": Row(
        *("conditional", "marta_gan", (*MARTA, "train.steps=800"), "fid", "no distance of layers"),
        "fid of digits; beside a generator that is not asked for D's mean layers",
    ),
    "marta_gan, its layers": Row(
        "conditional",
        "marta_gan",
        (*SMALL, *WIDTHS, "metrics=[latent_probe]", "train.steps=500"),
        *(
            "latent_probe",
            "layers before training",
            "accuracy of a linear classifier of the layers; beside untrained ones",
        ),
    ),
    "contrast_gan": Row(
        "conditional",
        "contrast_gan",
        (
            *("data.image_size=16", "networks.generator.width=8", "networks.generator.blocks=2"),
            *("networks.discriminator.width=16", "optimizer.generator.lr=1e-3", "optimizer.discriminator.lr=5e-4"),
            *("game.cycle=1", "game.identity=2", "train.steps=2000", "metrics=[attribute_accuracy]"),
            "metrics.attribute_accuracy.of=[shape]",
        ),
        *("attribute_accuracy", 0.333, "share of objects that are of the shape that they are edited to; beside chance"),
    ),
    "sketch_gan": Row(
        "conditional",
        "sketch_gan",
        (*SMALL, WIDTHS[0], "optimizer.generator.lr=1e-3", "train.steps=800", "metrics=[instance_retrieval]"),
        *("instance_retrieval", 0.678, "mean average precision of turned sketches by D's layers; beside their pixels"),
    ),
    "layers before training": Row(
        *("conditional", "marta_gan", (*SMALL, *WIDTHS, "metrics=[latent_probe]", "train.steps=1"), "latent_probe"),
        *(None, "accuracy of a linear classifier of the layers of a D that has seen one batch"),
    ),
    "no distance of layers": Row(
        *("conditional", "marta_gan", (*MARTA, "train.steps=800", "game.features=0"), "fid", None), "fid of digits"
    ),
    "gan_sep": Row(
        "conditional",
        "gan_sep",
        (
            *("data.image_size=16", "networks.generator.width=8", "networks.discriminator_1.width=8"),
            *("optimizer.generator.lr=5e-4", "optimizer.discriminator.lr=5e-4", "train.batch_size=32"),
            *("train.steps=1500", "metrics=[cell_rule]"),
        ),
        *("cell_rule_error", None, "share of cells whose green is not where their red says"),
    ),
    "dr_gan": Row(
        "conditional",
        "dr_gan",
        (
            *("data.image_size=16", "data.digits=100", "networks.discriminator.identities=100", "train.batch_size=32"),
            *("networks.generator.width=16", "networks.discriminator.width=16", "networks.generator.feature_dim=128"),
            *("train.steps=2000", "metrics=[target_accuracy]"),
        ),
        *(
            "target_accuracy",
            None,
            "share of a hundred digits that are turned as asked, in one of eight ways",
        ),
    ),
    "simgan": Row(
        "conditional",
        "simgan",
        (
            *("data.image_size=16", "train.batch_size=16", "networks.generator.width=16"),
            *("networks.discriminator.width=16", "train.steps=800", "metrics=[label_transfer]"),
        ),
        *(
            "transfer_error",
            0.794,
            "error of the gaze read from real eyes, learnt of refined ones; beside drawn ones",
        ),
    ),
    "rendergan": Row(
        *("conditional", "rendergan", ("train.steps=600", "metrics=[label_transfer]"), "transfer_error", None),
        "error of the bits that a network trained on made tags reads from real ones",
    ),
    "gail": Row(
        *("beyond_images", "gail", ("train.steps=700",), "return_share", 1.0),
        "return of the policy as a share of the expert's",
    ),
    "irgan": Row(
        *("beyond_images", "irgan", ("train.steps=3000",), "precision", None),
        "share of relevant items among the first five",
    ),
    "vgan_video": Row(
        "beyond_images",
        "vgan_video",
        (
            *("data.image_size=16", "data.size=5", "data.speed=2", "data.samples=2000", "train.batch_size=32"),
            *("networks.generator.width=16", "networks.discriminator.width=16", "train.steps=1500"),
            "metrics=[video_motion]",
        ),
        *("position_error", 8.0, "pixels by which a shape is off an even track; beside none that can be seen"),
    ),
    "rcgan": Row(
        "beyond_images",
        "rcgan",
        (*(f"networks.{name}.width=32" for name in ("generator", "discriminator")), "train.steps=800"),
        *("tstr_accuracy", None, "accuracy on real series of a classifier of generated ones"),
    ),
    "arae": Row(
        *("beyond_images", "arae", ("train.steps=900", "metrics=[grammar]"), "new_valid", None, NEW),
    ),
    "csgan_translation": Row(
        "beyond_images",
        "csgan_translation",
        ("train.steps=1000", "schedule.stages=[{players:[likelihood]}]"),
        *("exact_match", None, "share of sequences that are translated exactly, by likelihood alone"),
    ),
    "sixty steps of likelihood": Row(
        "beyond_images",
        "seqgan",
        ("train.steps=60", "schedule.stages=[{players:[likelihood]}]", "metrics=[grammar]"),
        *("new_valid", None, NEW),
    ),
    "maligan": Row(
        "beyond_images",
        "maligan",
        ("game.mixed_every=null", SHORT_LIKELIHOOD, "train.steps=560", "metrics=[grammar]"),
        *("new_valid", "sixty steps of likelihood", f"{NEW}; beside the start"),
    ),
    "rankgan": Row(
        "beyond_images",
        "rankgan",
        (*ROLLOUTS, SHORT_LIKELIHOOD, "train.steps=400", "metrics=[grammar]"),
        *("new_valid", "sixty steps of likelihood", f"{NEW}; beside the start"),
    ),
    "organ": Row(
        "beyond_images",
        "organ",
        (*ROLLOUTS, SHORT_LIKELIHOOD, "train.steps=400", "metrics=[grammar]"),
        *("new_valid", "sixty steps of likelihood", f"{NEW}; beside the start"),
    ),
    "organ's objective": Row(
        *("beyond_images", "organ", PAID, "objective", "organ without its objective"),
        "share of the symbol 3 in sequences; 0.10 in the data",
    ),
    "organ without its objective": Row(
        *("beyond_images", "organ", (*PAID, "game.share=1.0"), "objective", None),
        "share of the symbol 3 in sequences, paid by D alone",
    ),
    "c_rnn_gan": Row(
        "beyond_images",
        "c_rnn_gan",
        (
            *("data.length=8", "prior.dim=32", "networks.generator.width=64", "networks.discriminator.width=64"),
            *("networks.discriminator.dropout=0", "train.batch_size=32", "train.steps=2600", "metrics=[melody]"),
            "schedule.stages=[{players:[predictor],until:200},{players:[discriminator,generator]}]",
        ),
        *("interval_distance", 0.619),
        "distance of steps from note to note from the data's; beside its notes in any order; they are in no scale yet",
    ),
    "context_rnn_gan": Row(
        *("beyond_images", "context_rnn_gan", (*DIAGRAMS, "train.steps=1000"), "diagram_accuracy", "distance alone"),
        "share of sequences whose sixth image is nearest to the right one of five; beside G without D",
    ),
    "distance alone": Row(
        "beyond_images",
        "context_rnn_gan",
        (*DIAGRAMS, "train.steps=1000", "game.adversarial_weight=0"),
        *("diagram_accuracy", 0.2, "share of sequences whose sixth image is nearest to the right one; beside chance"),
    ),
    "timegan": Row(
        "beyond_images",
        "timegan",
        (
            *("data.length=12", "data.samples=3000", "prior.dim=60", "train.batch_size=64", "train.steps=1600"),
            *(f"networks.{name}.layers=1" for name in TIMEGAN),
            "schedule.stages=[{players:[embedding],until:400},{players:[supervisor],until:200},"
            "{players:[generator,autoencoder,discriminator],updates:[2,2,1]}]",
            "metrics=[series_statistics]",
        ),
        *(
            "autocorrelation_error",
            "rgan",
            "difference of autocorrelations from the data's; beside RGAN in like time",
        ),
    ),
    "rgan": Row(
        "beyond_images",
        "rgan",
        (
            *("data.kind=slow_sines", "data.channels=5", "data.length=12", "data.samples=3000", "prior.dim=60"),
            *("networks.generator.output=sigmoid", "train.batch_size=64", "train.steps=700"),
            "metrics=[series_statistics]",
        ),
        *("autocorrelation_error", None, "difference of autocorrelations from the data's, of TimeGAN's slow sines"),
    ),
    "wavegan": Row(
        "beyond_images",
        "wavegan",
        (
            *("data.length=256", "networks.generator.width=16", "networks.discriminator.width=16"),
            *("optimizer.generator.lr=5e-4", "optimizer.discriminator.lr=5e-4"),
            *("train.batch_size=32", "train.steps=600", "metrics=[spectrum_distance]"),
        ),
        *("spectrum_distance", 9.22, "dB by which the mean spectrum differs from the data's; beside white noise"),
    ),
    "passgan": Row(
        "beyond_images",
        "passgan",
        (
            *("data=token_grammar", "networks.generator.width=32", "networks.discriminator.width=32", "prior.dim=32"),
            *("schedule.d_steps=5", "optimizer.generator.lr=5e-4", "optimizer.discriminator.lr=5e-4"),
            *("train.batch_size=32", "train.steps=350", "metrics=[grammar]"),
        ),
        *("validity", 1.77e-6, "share of sequences of twelve tokens that the source can make; beside chance"),
    ),
    "segan_speech": Row(
        "beyond_images",
        "segan_speech",
        (
            *(
                "train.batch_size=10",
                "train.steps=800",
                "prior.dim=1024",
                "networks.generator.widths=[8,16,16,32,32,64]",
            ),
            *("networks.discriminator.width=4", "optimizer.generator.lr=1e-3", "optimizer.discriminator.lr=1e-3"),
        ),
        *("snr_gain", None, "dB by which tones are cleaner than in noise as loud as they are"),
    ),
    "leakgan": Row(
        "beyond_images",
        "leakgan",
        (
            *("game.rollouts=2", "networks.discriminator.filters=16", "networks.generator.features=64"),
            "schedule.stages=[{players:[discriminator],until:50},{players:[likelihood],until:30},"
            "{players:[discriminator],until:50},{players:[likelihood],until:30},"
            "{players:[generator,likelihood,discriminator],updates:[1,1,2]}]",
            *("train.batch_size=32", "train.steps=300", "metrics=[grammar]"),
        ),
        *("new_valid", None, NEW),
    ),
    "rnn_wgan": Row(
        "beyond_images",
        "rnn_wgan",
        (
            *("data.length=6", "game.grow_every=60", "game.teacher=false", "schedule.d_steps=5", "schedule.g_steps=1"),
            *("train.batch_size=32", "train.steps=900", "metrics=[grammar]"),
        ),
        *("validity", 0.00243, "share of sequences of six tokens that the source can make; beside chance"),
    ),
    "latent_gan": Row(
        "beyond_images",
        "latent_gan",
        (
            *(*CLOUDS, "train.steps=900"),
            "schedule.stages=[{players:[autoencoder],until:400},{players:[discriminator,generator]}]",
        ),
        *("mmd_chamfer", "point_gan", "distance of real clouds to the nearest made one; beside a GAN of raw clouds"),
    ),
    "point_gan": Row(
        "beyond_images",
        "point_gan",
        (
            *(*CLOUDS, "train.steps=500", "prior.dim=32"),
            *("networks.generator.hidden=[64,128,256]", "networks.discriminator.widths=[64,128,128]"),
        ),
        *("mmd_chamfer", None, "distance of real clouds to the nearest made one"),
    ),
    "medgan": Row(
        "beyond_images",
        "medgan",
        (
            *("train.batch_size=200", "prior.dim=64", "train.steps=2000", "metrics=[pair_dependencies]"),
            "schedule.stages=[{players:[autoencoder],until:500},{players:[discriminator,generator],updates:[2,1]}]",
        ),
        *(
            "dependency_error",
            0.135,
            "how far pairs of bits depend on each other otherwise than real ones; beside none at all",
        ),
    ),
    "ctgan": Row(
        *("beyond_images", "ctgan", ("train.steps=1500", "metrics=[ml_efficacy]"), "efficacy", None),
        "accuracy on real rows of a classifier trained on generated ones",
    ),
    "bgan": Row(
        "architectures",
        "bgan",
        (
            *("data.image_size=16", "networks.generator.widths=[64,32,16]", "networks.encoder.widths=[16,32,64]"),
            *("networks.discriminator.first=16", "networks.discriminator.widths=[32,64,64]", "train.batch_size=50"),
            "networks.discriminator.hidden=256",
            *("train.steps=600", "game.stage_steps=150"),
        ),
        *("hamming_map", None, "mean average precision of a ranking by differing bits"),
    ),
    "vae_gan": Row(
        *("architectures", "vae_gan", (*VAE_GAN, "game.gamma=0.01"), "fid", "G unmoved by reconstructions"),
        "fid of digits; beside a weight of reconstructions in G's loss that is too small to be noticed",
    ),
    "G unmoved by reconstructions": Row("architectures", "vae_gan", VAE_GAN, "fid", None, "fid of digits"),
    "mpm_gan": Row("architectures", "mpm_gan", PLAIN, "fid", None, "fid of digits"),
    "implicit_models_gan": Row("architectures", "implicit_models_gan", PLAIN, "fid", None, "fid of digits"),
    "cogan": Row(
        "architectures",
        "cogan",
        (*COGAN, "train.batch_size=32", "train.steps=800", "metrics=[fid]"),
        *("fid", None, "fid of digits that are made together with edges"),
    ),
    "pggan": Row(
        "architectures",
        "pggan",
        (
            *(f"networks.{name}.{setting}" for name in NETWORKS for setting in ("base=256", "most=32")),
            *("data.image_size=16", "prior.dim=32", "train.batch_size=8", "train.steps=1500", *AVERAGED),
            *(f"strategy.progressive_growing.{setting}" for setting in ("train_images=1200", "fade_images=800")),
        ),
        *("fid", None, "fid of digits, which grow from 4 to 16 pixels"),
    ),
    "fastgan": Row(
        "architectures",
        "fastgan",
        (*(f"networks.{name}.width=8" for name in NETWORKS), "prior.dim=64", "train.steps=500", *AVERAGED),
        *("fid", None, "fid of digits at 64 pixels"),
    ),
    "projected_gan": Row(
        "architectures",
        "projected_gan",
        (
            *("networks.generator.width=8", "networks.discriminator.resolution=64", "networks.discriminator.width=16"),
            *("data.image_size=32", "prior.dim=64", "train.batch_size=8", "train.steps=300", *AVERAGED),
        ),
        *("fid", None, "fid of digits at 32 pixels"),
    ),
    "msg_gan": Row(
        "architectures",
        "msg_gan",
        (
            *(f"networks.{name}.{setting}" for name in NETWORKS for setting in ("base=256", "most=32")),
            *("data.image_size=16", "prior.dim=32", "train.batch_size=16", "train.steps=2000", "metrics=[fid]"),
            *("optimizer.generator.lr=5e-4", "optimizer.discriminator.lr=2e-3"),
        ),
        *("fid", None, "fid of digits at 16 pixels, made at 4, 8 and 16"),
    ),
    **{
        f"sngan_{size}": Row(
            "architectures",
            f"sngan_{size}",
            (
                *(f"networks.{name}.width={width}" for name in NETWORKS),
                *(f"train.batch_size={batch}", "train.steps=1000", *SOON),
            ),
            *("fid", None, f"fid of digits at {size} pixels, with one update of D for one of G"),
        )
        for size, width, batch in ((48, 4, 16), (64, 4, 16), (128, 2, 8))
    },
    **{
        name: Row(
            "architectures",
            name,
            (
                *(f"networks.{network}.width={width}" for network in NETWORKS),
                *(f"networks.generator.shared_dim={shared}", f"prior.dim={latent}"),
                *("train.batch_size=16", "train.steps=800", *SOON_AVERAGED),
            ),
            *("fid", None, f"fid of digits at {size} pixels, with one update of D for one of G"),
        )
        for name, size, width, shared, latent in (("biggan_64", 64, 4, 32, 50), ("biggan_deep", 32, 8, 16, 32))
    },
    **translation_rows.ROWS,
    **label_rows.ROWS,
    **beyond_rows.ROWS,
    **network_rows.ROWS,
    **image_rows.ROWS,
    **loss_rows.ROWS,
}
