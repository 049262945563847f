"""What the systems beyond images are given to be tried in a test: small settings, for plugins and for experiments."""


def _of(experiment, *overrides):
    return [f"experiment={experiment}", *overrides]


G, D = "networks.generator.width=2", "networks.discriminator.width=2"
FEW = "data.samples=40"
TABLE = _of("ctgan", FEW, "networks.generator.hidden=[8]", "networks.discriminator.hidden=[8]")
NOW = "schedule.stages=[{players:[autoencoder,discriminator,generator]}]"
RECORDS = _of("medgan", FEW, "data.bits=8", NOW)
POINTS = _of("point_gan", FEW, "data.points=32", "networks.generator.hidden=[8]", "networks.discriminator.widths=[8]")
CODES = _of("latent_gan", FEW, "data.points=32", NOW)
VIDEO = ("data.frames=4", "data.image_size=16", "data.size=5")
VGAN = _of("vgan_video", FEW, *VIDEO, G, D)
TGAN = _of("tgan", FEW, *VIDEO, G, D, "networks.generator.hidden=8")
MOCOGAN = _of("mocogan", FEW, *VIDEO, G, D, "networks.discriminator_frames.width=2")
MD = _of(
    "md_gan",
    FEW,
    *VIDEO,
    G,
    D,
    "networks.generator_refine.width=2",
    "schedule.stages=[{players:[discriminator,discriminator_refine,generator,generator_refine]}]",
)
POSE = _of("pose_gan", FEW, *VIDEO[:2], G, D, "networks.poses.hidden=8")
FLOW = _of("dual_motion_gan", FEW, *VIDEO[1:], G, D, "networks.discriminator_flow.width=2")
CONTEXT = _of("context_rnn_gan", FEW, VIDEO[1], G, D)
WAVES = _of("wavegan", FEW, "data.length=256", G, D)
CLEAN = _of("segan_speech", FEW, "data.length=64", "networks.generator.widths=[4,8]", "prior.dim=128", D)
SPEAKERS = _of("vaw_gan", FEW, "data.bins=64", G, D, "networks.encoder.width=2")
JETS = _of("lagan", FEW, "data.image_size=12", G, D)
SHOWERS = _of("calogan", FEW, G, D)
VOXELS = _of("gan_3d", FEW, G, D)
VIEWS = _of("iwgan_3d_vae", FEW, G, D, "networks.encoder.width=2", "networks.encoder.outputs=16", "prior.dim=8")
SOLIDS = _of("recgan_3d", FEW, G, D)
UNPAIRED = _of("ws_gan", FEW, G, D)
OUTLINES = _of("prgan", FEW, G, D)
EXPERTS = _of("gail", FEW, "data.steps=6", "networks.generator.hidden=8", "networks.discriminator.hidden=8")
OPTIONS = _of("optiongan", *EXPERTS[1:], "networks.gate.hidden=8")
EXPERIENCE = _of("egan", FEW, "networks.enhancer.hidden=8")

ASKS_EVERYTHING = {
    name: "its game asks it for all that it makes, which no hook sees; tests/zoo/beyond tries it"
    for name in (
        *("makes_samples", "depends_on_latents", "samples_alone", "generator_is_conditional"),
        *("trains_generator", "keeps_generator_state"),
    )
}
TOGETHER = {"scores_alone": "as published, it judges each sample beside the others of its batch"}
PACKS = {"scores_samples": "as published, it says one thing of each pack of rows"}
DECODED = {"draws_pictures": "its samples are decoded from codes, and what its pairs compare are codes"}
CHOICES = {"scores": "it reads the extra `choices`, which the suite's pairs do not have; tests/zoo/beyond tries it"}

SPECIAL = {
    ("games", "ctgan"): {"overrides": TABLE},
    ("generators", "ctgan"): {"overrides": TABLE, "exempt": ASKS_EVERYTHING},
    ("discriminators", "ctgan"): {"overrides": TABLE, "exempt": PACKS},
    ("priors", "asked_category"): {"overrides": TABLE},
    **{("metrics", name): {"overrides": TABLE} for name in ("marginals", "pair_dependencies")},
    ("metrics", "ml_efficacy"): {"overrides": TABLE, "steps": 5},
    **{(kind, "medgan"): {"overrides": RECORDS} for kind in ("games", "generators")},
    ("discriminators", "medgan"): {"overrides": RECORDS, "exempt": TOGETHER},
    **{("networks", name): {"overrides": RECORDS} for name in ("record_encoder", "record_decoder")},
    ("datasets", "mixed_table"): {"samples": 60},
    ("datasets", "records"): {"samples": 60, "bits": 8},
    **{(kind, "points"): {"overrides": POINTS} for kind in ("generators", "discriminators")},
    ("games", "latent_gan"): {"overrides": CODES, "exempt": DECODED},
    **{("networks", name): {"overrides": CODES} for name in ("points_encoder", "points_decoder")},
    ("metrics", "point_coverage"): {"overrides": POINTS, "clouds": 4},
    **{("datasets", name): {"samples": 40} for name in ("voxels", "silhouettes", "points", "jets", "showers")},
    **{(kind, "dcgan_nd"): {"overrides": VOXELS} for kind in ("generators", "discriminators")},
    **{("games", "iwgan_3d_vae"): {"overrides": VIEWS}, ("networks", "image_encoder"): {"overrides": VIEWS}},
    **{(kind, name): {"overrides": SOLIDS} for kind, name in (("games", "recgan_3d"), ("generators", "voxel_unet"))},
    ("discriminators", "voxel_critic"): {"overrides": SOLIDS},
    ("metrics", "voxel_iou"): {"overrides": SOLIDS},
    **{
        (kind, name): {"overrides": UNPAIRED} for kind, name in (("games", "ws_gan"), ("generators", "image_to_voxels"))
    },
    ("generators", "silhouettes"): {"overrides": OUTLINES},
    ("datasets", "videos"): {"samples": 20},
    ("generators", "two_streams"): {"overrides": VGAN, "exempt": ASKS_EVERYTHING},
    ("terms", "small_mask"): {"overrides": VGAN},
    ("metrics", "video_motion"): {"overrides": VGAN},
    ("generators", "temporal"): {"overrides": TGAN},
    **{(kind, name): {"overrides": MOCOGAN} for kind, name in (("games", "mocogan"), ("generators", "motion_content"))},
    ("priors", "content_and_motion"): {"overrides": MOCOGAN},
    **{(kind, name): {"overrides": MD} for kind, name in (("games", "md_gan"), ("generators", "video_unet"))},
    **{(kind, name): {"overrides": POSE} for kind, name in (("games", "pose_gan"), ("networks", "pose_vae"))},
    ("games", "dual_motion_gan"): {"overrides": FLOW},
    ("generators", "frame_and_flow"): {"overrides": FLOW, "exempt": ASKS_EVERYTHING},
    **{("games", "context_rnn_gan"): {"overrides": CONTEXT}, ("discriminators", "context_rnn"): {"overrides": CONTEXT}},
    ("generators", "context_rnn"): {"overrides": CONTEXT, "exempt": ASKS_EVERYTHING},
    ("metrics", "diagram_accuracy"): {"overrides": CONTEXT, "exempt": CHOICES},
    **{("datasets", name): {"samples": 20} for name in ("stick_figures", "next_frame", "diagrams", "tones", "spectra")},
    ("discriminators", "wavegan"): {"overrides": WAVES},
    ("generators", "wave_unet"): {"overrides": CLEAN},
    ("metrics", "snr_gain"): {"overrides": CLEAN},
    **{
        (kind, name): {"overrides": SPEAKERS}
        for kind, name in (("games", "vaw_gan"), ("generators", "spectrum_decoder"))
    },
    ("networks", "spectrum_encoder"): {"overrides": SPEAKERS},
    ("metrics", "spectral_distance"): {"overrides": SPEAKERS},
    **{(kind, "lagan"): {"overrides": JETS} for kind in ("games", "generators", "discriminators")},
    ("metrics", "jet_observables"): {"overrides": JETS},
    **{(kind, "calogan"): {"overrides": SHOWERS} for kind in ("games", "generators")},
    ("discriminators", "calogan"): {"overrides": SHOWERS, "exempt": TOGETHER},
    ("priors", "asked_energy"): {"overrides": SHOWERS},
    ("metrics", "energy_response"): {"overrides": SHOWERS, "showers": 20},
    ("datasets", "transitions"): {"samples": 20},
    ("games", "imitation"): {"overrides": EXPERTS},
    ("generators", "policy"): {"overrides": EXPERTS, "exempt": ASKS_EVERYTHING},
    **{
        (kind, name): {"overrides": OPTIONS}
        for kind, name in (("discriminators", "steps"), ("networks", "option_gate"))
    },
    ("priors", "starts_and_noise"): {"overrides": EXPERTS},
    ("metrics", "episode_return"): {"overrides": EXPERTS},
    **{(kind, name): {"overrides": EXPERIENCE} for kind, name in (("games", "egan"), ("networks", "enhancer"))},
    ("metrics", "transition_error"): {"overrides": EXPERIENCE},
}


SMALL = {
    **{
        plugin["overrides"][0].removeprefix("experiment="): plugin["overrides"][1:]
        for plugin in SPECIAL.values()
        if "overrides" in plugin
    },
    "medgan": [*RECORDS[1:-1], "schedule.stages=[{players:[autoencoder],until:1},{players:[discriminator,generator]}]"],
    **{
        name: [*CODES[1:-1], "schedule.stages=[{players:[autoencoder],until:1},{players:[discriminator,generator]}]"]
        for name in ("latent_gan", "latent_wgan")
    },
    "iwgan_3d": VOXELS[1:],
}
"""What experiments are given so that they take less than a test may; their order of updates stays the same."""


def files(folder):
    """Return the settings of the datasets that read a table, waves and music, with small files in a folder."""
    import torch

    from gan_zoo.datasets.midi_files import write_rolls
    from gan_zoo.datasets.wave_files import write_wave

    rows = [f"{number % 7 + 0.5},{'ab'[number % 2]},2020-01-{number % 20 + 1:02d}" for number in range(40)]
    (folder / "table.csv").write_text("\n".join(["size,kind,day", *rows]) + "\n")
    for number in range(12):
        write_wave(folder / "waves" / f"{number}.wav", torch.rand(1, 200) - 0.5, 4000)
    write_rolls(folder / "songs.png", (torch.rand(12, 2, 24, 64) > 0.9).float(), 48, 4, 120)
    return {
        ("datasets", "midi"): {"path": str(folder / "songs_mid"), "test_share": 0.3},
        ("datasets", "table"): {"path": str(folder / "table.csv")},
        ("datasets", "wav"): {"path": str(folder / "waves"), "length": 100, "test_share": 0.3},
    }
