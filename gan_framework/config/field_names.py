"""What people who come from other programs type: names of settings, and options of which there is none here."""

from __future__ import annotations

_WITH_PENALTY = "terms.gradient_penalty.weight={value}, with 'term=[gradient_penalty]'"
_FOLDER = ("data_root", "data_dir", "data_path", "dataset_path", "dataroot", "root", "img_dir", "image_dir")
_OUT = ("output", "outdir", "out_dir", "output_dir", "save_dir", "run_dir", "log_dir", "logdir", "results_dir")
_NAMED = ("name", "run_name", "exp_name", "experiment_name")

SETTINGS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("nz", "z_dim", "dim_z", "z_size", "noise_dim", "latent_dim", "latent_size"), ("prior.dim={value}",)
    ),
    **dict.fromkeys(("ngf", "g_width", "g_dim"), ("networks.generator.width={value}",)),
    **dict.fromkeys(("ndf", "d_width", "d_dim"), ("networks.discriminator.width={value}",)),
    **dict.fromkeys(
        ("n_critic", "ncritic", "critic_iters", "critic_steps", "n_dis", "d_iters", "n_d_steps", "d_updates_per_step"),
        ("schedule.d_steps={value}",),
    ),
    **dict.fromkeys(("lambda_gp", "gp_lambda", "gp_weight", "gp_coef"), (_WITH_PENALTY,)),
    **dict.fromkeys(("r1_gamma", "gamma", "r1_weight"), ("terms.r1.weight={value}, with 'term=[r1]'",)),
    **dict.fromkeys(("amp", "mixed_precision", "half"), ("train.precision=bf16", "train.precision=fp16")),
    "fp16": ("train.precision=fp16",),
    "bf16": ("train.precision=bf16",),
    **dict.fromkeys(("gpu", "gpus", "gpu_id", "gpu_ids", "cuda"), ("train.device=cuda",)),
    **dict.fromkeys(
        ("iters", "iterations", "n_iter", "niter", "num_iterations", "max_iter", "max_steps", "num_steps"),
        ("train.steps={value}",),
    ),
    **dict.fromkeys(("epochs", "n_epochs", "num_epochs", "max_epochs", "nepochs"), ("train.steps=..., a batch each",)),
    **dict.fromkeys(("learning_rate",), ("optimizer.generator.lr={value}", "optimizer.discriminator.lr={value}")),
    **dict.fromkeys(("lr_g", "g_lr", "lrg", "glr"), ("optimizer.generator.lr={value}",)),
    **dict.fromkeys(("lr_d", "d_lr", "lrd", "dlr"), ("optimizer.discriminator.lr={value}",)),
    **dict.fromkeys(
        ("beta1", "b1"),
        ("'optimizer.generator.betas=[{value},0.999]'", "'optimizer.discriminator.betas=[{value},0.999]'"),
    ),
    "dataset": ("data={value}",),
    **dict.fromkeys(_FOLDER, ("data.path={value}, with data=folder", "data.root={value}, where downloads are kept")),
    **dict.fromkeys(_OUT, ("hydra.run.dir={value}",)),
    **dict.fromkeys(_NAMED, ("hydra.run.dir=outputs/{value}",)),
    **dict.fromkeys(
        ("checkpoint", "ckpt", "ckpt_path", "resume_from", "load", "pretrained"), ("train.resume={value}",)
    ),
    **dict.fromkeys(("arch", "net", "architecture", "network"), ("model={value}",)),
    **dict.fromkeys(("img_size", "imsize", "im_size", "resolution", "size"), ("data.image_size={value}",)),
    **dict.fromkeys(("gan_mode", "gan_loss", "adv_loss", "loss_type", "adversarial_loss"), ("loss={value}",)),
    **dict.fromkeys(("n_samples", "num_samples", "num_eval_samples"), ("evaluate.samples={value}",)),
    **dict.fromkeys(("save_every", "save_interval", "save_freq"), ("train.checkpoint_every={value}",)),
    **dict.fromkeys(("eval_every", "eval_interval", "eval_freq"), ("evaluate.every={value}",)),
    **dict.fromkeys(("log_interval", "print_every", "log_freq"), ("train.log_every={value}",)),
    "ema_decay": ("strategy.ema.decay={value}, with 'strategy=[ema]'",),
    **dict.fromkeys(("grad_clip", "clip_grad", "gradient_clip"), ("optimizer.generator.clip={value}",)),
    **dict.fromkeys(("acml_steps", "grad_accum", "accumulation_steps"), ("train.accumulate={value}",)),
    **dict.fromkeys(("logger", "log", "tracking"), ("'tracker=[{value}]'",)),
    **dict.fromkeys(("dry_run", "dryrun", "print_config"), ("--cfg job, which prints the configuration",)),
    **dict.fromkeys(("debug", "smoke", "smoke_test", "fast_dev_run"), ("debug=smoke",)),
}
"""The overrides that are meant, by the last part of what was typed, in small letters and with underscores."""

_PHOTOS = "its images are not downloaded; with them: data=folder data.path=FOLDER (docs/data.md)"
_PAIRS = "its images are not downloaded; with them: data=paired or data=unpaired, data.path=FOLDER (docs/data.md)"
_ALWAYS = "metrics.jsonl is always in the run's folder"
_OWN_TRACKER = f"trackers are wandb and tensorboard, and {_ALWAYS}; one of your own is a plugin (docs/tracking.md)"

ELSEWHERE: dict[str, dict[str, str]] = {
    "data": {
        **dict.fromkeys(
            ("imagenet", "tiny_imagenet", "lsun", "ffhq", "afhq", "celeba_hq", "coco", "cub", "flowers", "animeface"),
            _PHOTOS,
        ),
        **dict.fromkeys(("horse2zebra", "edges2shoes", "facades", "maps", "cityscapes", "edges2handbags"), _PAIRS),
        **dict.fromkeys(
            ("emnist", "kmnist", "omniglot", "usps", "oxford_pets"),
            "there is no download of it; with its files: data=folder, data=npz or data=huggingface, data.path=...",
        ),
        **dict.fromkeys(("25gaussians", "grid", "grid25"), "data=mixture data.arrangement=grid"),
        **dict.fromkeys(("swissroll", "swiss_roll", "spiral"), "data=mixture data.arrangement=spiral"),
    },
    "tracker": {
        **dict.fromkeys(("mlflow", "neptune", "comet", "aim", "clearml"), _OWN_TRACKER),
        **dict.fromkeys(("csv", "json", "jsonl", "console", "file"), f"{_ALWAYS}: 'tracker=[]' is enough"),
    },
    "metrics": {
        **dict.fromkeys(("clip_fid", "fid_clip"), "metrics=[fid] extractor=clip"),
        **dict.fromkeys(("fd_dino", "fd_dinov2", "fdd"), "metrics=[fid] extractor=dinov2"),
        **dict.fromkeys(("fid50k", "fid50k_full", "fid_50k"), "metrics=[fid] evaluate.samples=50000"),
        **dict.fromkeys(("kid50k", "kid50k_full"), "metrics=[kid] evaluate.samples=50000"),
        **dict.fromkeys(("pr50k3", "pr50k3_full"), "metrics=[prc] evaluate.samples=50000"),
        **dict.fromkeys(("mse", "l1", "l2", "mae"), "metrics=[psnr], for games with inputs"),
    },
    "strategy": {
        "ttur": "two learning rates: optimizer.generator.lr=1e-4 optimizer.discriminator.lr=4e-4",
        **dict.fromkeys(
            ("gradient_clipping", "grad_clip", "gradient_clip"),
            "optimizer.generator.clip=1.0 optimizer.discriminator.clip=1.0",
        ),
        "swa": "the averaging there is is 'strategy=[ema]'",
        "amp": "train.precision=bf16",
        "label_flipping": "there is 'strategy=[one_sided_label_smoothing]' and 'strategy=[instance_noise]'",
    },
    "term": {
        "bcr": "'term=[consistency]' terms.consistency.fake=1",
        "cycle": "cycles belong to the game: experiment=cyclegan",
        **dict.fromkeys(
            ("l1", "l2", "mse", "mae"), "distances from a target belong to the game: experiment=pix2pix or autoencoder"
        ),
        **dict.fromkeys(("lpips", "vgg"), "'term=[feature_distance]', in a network's own features"),
        "weight_decay": "optimizer.generator.weight_decay=..., with optimizer=adamw",
        "weight_clipping": "'strategy=[weight_clipping]'",
    },
    "schedule": {"ttur": "two learning rates: optimizer.generator.lr=1e-4 optimizer.discriminator.lr=4e-4"},
    "sampler": {"truncation": "evaluate.truncation=0.7 for every model, sampler=style_truncation for StyleGANs"},
    "search": dict.fromkeys(
        ("optuna", "random", "tpe"), "search chooses a space: -m search=dcgan; what searches it is hydra/sweeper=optuna"
    ),
    "optimizer": {"lookahead": "'strategy=[lookahead]'"},
    "extractor": {"resnet": "extractor=vgg16, dinov2 or clip see more than classes"},
}
"""For each group, what is right in the place of an option that other programs have."""

READERS = {
    "": "folder",
    ".zip": "folder",
    **dict.fromkeys((".npz", ".npy", ".h5", ".hdf5"), "npz"),
    **dict.fromkeys((".csv", ".parquet"), "table"),
    ".txt": "tokens",
}
"""The data set that reads a file of the user's, by its suffix; a folder has none."""
