"""What the field calls options of the configuration groups, where they have other names here."""

from __future__ import annotations

import re
from collections.abc import Collection

ALIASES: dict[str, dict[str, str]] = {
    "loss": {
        "gan": "nonsaturating",
        "ns": "nonsaturating",
        "vanilla": "nonsaturating",
        "wgan": "wasserstein",
        "wgan_gp": "wasserstein_gp",
        "lsgan": "least_squares",
        "d2gan": "dual_discriminator",
        "cramer_gan": "cramer",
        "uotm": "semi_dual_transport",
        "ragan": "relativistic_average",
        "ra_hinge": "relativistic_average_hinge",
        "ra_lsgan": "relativistic_average_least_squares",
        "rgan": "relativistic",
        "am_gan": "class_softmax",
        "mhgan": "multi_hinge",
        "omni_gan": "omni",
        "ebgan": "energy_margin",
        "began": "boundary_equilibrium",
        "bs_gan": "boundary_seeking",
        "b_gan": "density_ratio",
        "fgan": "f_gan",
        "fisher_gan": "fisher",
        "mmd_gan": "mmd",
        "mcgan": "moment_ipm",
        "coulomb_gan": "coulomb",
        "softmax_gan": "softmax",
        "sobolev_gan": "sobolev",
        "stein_gan": "stein",
        "ls_gan": "loss_sensitive",
        "gan_qp": "quadratic_potential",
        "realness_gan": "realness",
        "dualing_gan": "dualing",
        "ld_gan": "linear_discriminant",
        "geometric_gan": "hinge",
        "sagan": "hinge",
        "biggan": "hinge",
        "rsgan": "relativistic",
        "rpgan": "relativistic",
        "mle": "maximum_likelihood",
    },
    "data": {"text": "tokens", "hdf5": "npz", "h5": "npz", "npy": "npz", "arrays": "npz", "hf": "huggingface"},
    "model": {"sngan": "resnet", "sngan_projection": "resnet_projection", "cgan": "cgan_mlp", "gan": "mlp"},
    "experiment": {
        "sngan": "resnet",
        "sngan_projection": "resnet_projection",
        "cgan": "cgan_mlp",
        "gan": "mlp",
        "ae": "autoencoder",
        "progan": "pggan",
        "stylegan_ada": "stylegan2_ada",
        "ragan": "ra_gan",
        "fgan": "f_gan",
        "mcgan": "mcgan_mean",
        "pacgan": "pacgan2",
        "sngan_cifar": "resnet",
        "hinge_gan": "geometric_gan",
        "unrolled_gan": "mixture_2d_unrolled",
        "mhingegan": "mhgan",
        "contragan": "contra_gan",
        "reacgan": "reac_gan",
    },
    "metrics": {
        "is": "inception_score",
        "precision": "prc",
        "recall": "prc",
        "precision_recall": "prc",
        "density": "prc",
        "coverage": "prc",
    },
    "strategy": {
        "sn": "spectral_norm",
        "label_smoothing": "one_sided_label_smoothing",
        "fm": "feature_matching",
        "chekhov": "history",
        "pacgan": "pack",
    },
    "term": {"gp": "gradient_penalty", "cr": "consistency", "zcr": "latent_consistency", "pl": "path_length"},
}
"""For each group, the options by the names that the field has for them; the shortest of them are in names of runs."""

SPELLINGS: dict[str, dict[str, str]] = {
    "loss": {
        "bce": "nonsaturating",
        "cross_entropy": "nonsaturating",
        "nsgan": "nonsaturating",
        "sgan": "nonsaturating",
        "logistic": "nonsaturating",
        "softplus": "nonsaturating",
        "dcgan": "nonsaturating",
        "saturating": "minimax",
        "mmgan": "minimax",
        "mse": "least_squares",
        "l2": "least_squares",
        "hinge_gan": "hinge",
        "w": "wasserstein",
        "rasgan": "relativistic_average",
        "rahinge_gan": "relativistic_average_hinge",
        "relativistic_hinge": "relativistic_average_hinge",
    },
    "data": {
        "cifar": "cifar10",
        "fashion": "fashion_mnist",
        "fmnist": "fashion_mnist",
        "stl": "stl10",
        "toy": "mixture",
        "toy_2d": "mixture",
        "gaussians": "mixture",
        "ring": "mixture",
        "8gaussians": "mixture",
        "images": "folder",
        "image_folder": "folder",
        "custom": "folder",
    },
    "model": {"vanilla": "mlp", "ae": "autoencoder", "cdcgan": "dcgan_conditional"},
    "experiment": {
        "stylegan": "stylegan2",
        "progressive_gan": "pggan",
        "progressive_growing": "pggan",
        "gaugan": "spade",
        "rasgan": "ra_gan",
        "vanilla": "mlp",
        "vanilla_gan": "mlp",
        "lightweight_gan": "fastgan",
        "wgan_clipping": "wgan",
        "optimistic_adam": "omd_gan",
        "extra_adam": "extragradient",
        "lookahead": "la_gan",
        "ada": "stylegan2_ada",
    },
    "metrics": {
        "prdc": "prc",
        "pr": "prc",
        "isc": "inception_score",
        "inception": "inception_score",
        "mmd": "cmmd",
        "path_length": "ppl",
        "frechet_inception_distance": "fid",
    },
    "strategy": {
        "spectral_normalization": "spectral_norm",
        "spectral_normalisation": "spectral_norm",
        "diffaug": "diff_augment",
        "diff_augmentation": "diff_augment",
        "minibatch_std": "minibatch_stddev",
        "mbstd": "minibatch_stddev",
        "vbn": "virtual_batch_norm",
        "noise": "instance_noise",
        "clip": "weight_clipping",
        "n_critic": "k_step",
        "averaging": "ema",
    },
    "term": {
        "zero_centered_gp": "r1",
        "zero_centered_gradient_penalty": "r1",
        "ppl": "path_length",
        "ms": "mode_seeking",
        "ortho": "orthogonal",
        "perceptual": "feature_distance",
        "info": "mutual_information",
        "icr": "latent_consistency",
    },
    "optimizer": {"momentum": "heavy_ball", "oadam": "optimistic_adam", "omd": "optimistic_sgd"},
    "extractor": {
        "inception_v3": "inception",
        "dino": "dinov2",
        "vgg": "vgg16",
        "pixels": "raw",
        "efficientnet": "efficientnet_lite0",
    },
    "prior": {"gaussian": "normal", "gauss": "normal", "truncated": "truncated_normal", "categorical": "codes"},
    "tracker": {"tb": "tensorboard", "weights_and_biases": "wandb"},
    "schedule": {"one_to_one": "alternating"},
    "sampler": {
        "drs": "rejection",
        "mh": "metropolis_hastings",
        "mhgan": "metropolis_hastings",
        "mcmc": "metropolis_hastings",
        "dot": "discriminator_transport",
        "ddls": "langevin",
    },
    "generator": {"sngan": "resnet", "pix2pix": "unet", "cyclegan": "resnet_translator", "gan": "mlp"},
    "discriminator": {"sngan": "resnet", "patchgan": "patch", "sngan_projection": "resnet_projection", "gan": "mlp"},
    "game": {"gan": "two_player", "cyclegan": "cycle", "pix2pix": "translation"},
    "debug": {"fast": "smoke", "default": "smoke", "true": "smoke"},
}
"""Further names that are understood, and shown nowhere but in lists of what an option is also called."""


def meant(group: str, word: str, options: Collection[str]) -> str | None:
    """Return the option that a word stands for, by any of its names, without regard to case, `-` and `_`.

    Args:
        group: the group.
        word: what was typed.
        options: those of the group.

    Returns:
        None if there is none, or several are written alike.
    """
    if word in options:
        return word
    names = {name: name for name in options} | SPELLINGS.get(group, {}) | ALIASES.get(group, {})
    plain = word.lower().replace("-", "_")  # WGAN-GP
    if plain in names:
        return names[plain]
    found = {option for name, option in names.items() if _squashed(name) == _squashed(word)}
    return found.pop() if len(found) == 1 else None


def aliases_of(group: str, option: str) -> tuple[str, ...]:
    """Return the other names that an option of a group can be chosen by."""
    names = ALIASES.get(group, {}) | SPELLINGS.get(group, {})
    return tuple(word for word, known in names.items() if known == option)


def _squashed(word: str) -> str:
    return re.sub("[-_]", "", word.lower())
