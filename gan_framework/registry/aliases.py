"""What the field calls options of the configuration groups, where they have other names here."""

from __future__ import annotations

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
        "ragan": "relativistic",
        "rgan": "relativistic",
        "am_gan": "class_softmax",
        "mhgan": "multi_hinge",
        "omni_gan": "omni",
    },
    "model": {"sngan": "resnet", "sngan_projection": "resnet_projection", "cgan": "cgan_mlp", "gan": "mlp"},
    "experiment": {
        "sngan": "resnet",
        "sngan_projection": "resnet_projection",
        "cgan": "cgan_mlp",
        "gan": "mlp",
        "ae": "autoencoder",
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
"""For each group, the options by the names that the field has for them."""


def aliases_of(group: str, option: str) -> tuple[str, ...]:
    """Return the other names that an option of a group can be chosen by."""
    return tuple(word for word, known in ALIASES.get(group, {}).items() if known == option)
