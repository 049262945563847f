"""The techniques that are measured alone, and the runs that they are compared with."""

from __future__ import annotations

from dataclasses import dataclass

SCORES = ("fid_classifier", "kid_classifier")

BASELINE = ("model=dcgan", "loss=nonsaturating")
SETTING = (
    "data.image_size=16",
    "networks.generator.width=16",
    "networks.discriminator.width=16",
    "train.steps=400",
    "train.threads=1",
    "metrics=[fid,kid]",
    "metrics.kid.subsets=20",
    "tracker=[]",
)
"""The default run made small: a quarter of the pixels, half the width, 400 steps for 700."""

LAYER = ("networks.discriminator.norm=layer",)
"""A penalty on the gradient at a sample needs a discriminator that judges each sample alone."""

CODES = ("prior=codes", "prior.dim=100")


@dataclass(frozen=True)
class Row:
    """A technique, or a control.

    Attributes:
        overrides: what it adds to the baseline.
        control: the row it is compared with; None for a control.
    """

    overrides: tuple[str, ...]
    control: str | None = "baseline"


ROWS = {
    "baseline": Row((), None),
    "baseline_layer_norm": Row(LAYER, None),
    "baseline_codes": Row(CODES, None),
    "minimax": Row(("loss=minimax",)),
    "maximum_likelihood": Row(("loss=maximum_likelihood",)),
    "least_squares": Row(("loss=least_squares",)),
    "hinge": Row(("loss=hinge",)),
    "relativistic": Row(("loss=relativistic",)),
    "wasserstein": Row(("loss=wasserstein",)),
    "wasserstein_gp": Row(("loss=wasserstein_gp", *LAYER), "baseline_layer_norm"),
    "r3gan": Row(("loss=r3gan", *LAYER), "baseline_layer_norm"),
    "gradient_penalty": Row(("term=[gradient_penalty]", *LAYER), "baseline_layer_norm"),
    "dragan": Row(("term=[dragan]", *LAYER), "baseline_layer_norm"),
    "r1": Row(("term=[r1]", *LAYER), "baseline_layer_norm"),
    "r2": Row(("term=[r2]", *LAYER), "baseline_layer_norm"),
    "ema": Row(("strategy=[ema]",)),
    "ema, unbounded": Row(("strategy=[ema]", "strategy.ema.bounded=false")),
    "feature_matching": Row(("strategy=[feature_matching]",)),
    "feature_matching, add": Row(("strategy=[feature_matching]", "strategy.feature_matching.mode=add")),
    "historical_averaging": Row(("strategy=[historical_averaging]",)),
    "k_step": Row(("strategy=[k_step]",)),
    "loss_gated": Row(("strategy=[loss_gated]",)),
    "lr_decay": Row(("strategy=[lr_decay]",)),
    "lr_decay_exponential": Row(("strategy=[lr_decay_exponential]",)),
    "minibatch_discrimination": Row(("strategy=[minibatch_discrimination]",)),
    "minibatch_stddev": Row(("strategy=[minibatch_stddev]",)),
    "one_sided_label_smoothing": Row(("strategy=[one_sided_label_smoothing]",)),
    "pretrain_discriminator": Row(("strategy=[pretrain_discriminator]",)),
    "q_head": Row(("strategy=[q_head]", *CODES), "baseline_codes"),
    "spectral_norm": Row(("strategy=[spectral_norm]",)),
    "split_discriminator": Row(("strategy=[split_discriminator]",)),
    "stored_discriminators": Row(("strategy=[stored_discriminators]",)),
    "train_with_labels": Row(("strategy=[train_with_labels]",)),
    "unrolled": Row(("strategy=[unrolled]",)),
    "virtual_batch_norm": Row(("strategy=[virtual_batch_norm]",)),
    "weight_clipping": Row(("strategy=[weight_clipping]",)),
    "alternating, share_fakes false": Row(("schedule.share_fakes=false",)),
    "simultaneous": Row(("schedule=simultaneous",)),
    "stages": Row(("schedule=stages",)),
    "rejection": Row(("sampler=rejection",)),
    "boundary_seeking": Row(("loss=boundary_seeking",)),
    "density_ratio": Row(("loss=density_ratio",)),
    "f_gan": Row(("loss=f_gan",)),
    "fisher": Row(("loss=fisher",)),
    "importance_weighted": Row(("loss=importance_weighted",)),
    "loss_sensitive": Row(("loss=loss_sensitive",)),
    "margin_pair": Row(("loss=margin_pair",)),
    "quadratic_potential": Row(("loss=quadratic_potential",)),
    "softmax": Row(("loss=softmax",)),
    "gradient_power": Row(("term=[gradient_power]", *LAYER), "baseline_layer_norm"),
    "gradient_maximum": Row(("term=[gradient_maximum]", *LAYER), "baseline_layer_norm"),
    "weighted_gradient": Row(("term=[weighted_gradient]", *LAYER), "baseline_layer_norm"),
    "lecam, start 100": Row(("term=[lecam]", "terms.lecam.start=100")),
    "score_size": Row(("term=[score_size]",)),
    "orthogonal": Row(("term=[orthogonal]",)),
    "mode_seeking": Row(("term=[mode_seeking]",)),
    "diff_augment": Row(("strategy=[diff_augment]",)),
    "ada": Row(("strategy=[ada]",)),
    "instance_noise": Row(("strategy=[instance_noise]",)),
    "lookahead": Row(("strategy=[lookahead]",)),
    "sliced_wasserstein": Row(("strategy=[sliced_wasserstein]",)),
    "consensus": Row(("schedule=consensus",)),
    "extragradient": Row(("schedule=extragradient",)),
    "mmd": Row(("loss=mmd",)),
    "score_moments": Row(("loss=score_moments",)),
    "coulomb": Row(("loss=coulomb",)),
    "svm_norm": Row(("term=[svm_norm]",)),
    "metropolis_hastings, 100 proposals": Row(("sampler=metropolis_hastings", "sampler.proposals=100")),
    "discriminator_transport": Row(("sampler=discriminator_transport",)),
    "pack": Row(("strategy=[pack]",)),
    "top_k": Row(("strategy=[top_k]",)),
    "apa": Row(("strategy=[apa]",)),
    "latent_optimisation": Row(("strategy=[latent_optimisation]",)),
    "consistency": Row(("term=[consistency]",)),
    "latent_consistency": Row(("term=[latent_consistency]",)),
    "path_length": Row(("term=[path_length]",)),
    "manifold_matching": Row(("term=[manifold_matching]",)),
    "rotation": Row(("term=[rotation]", "strategy=[heads]")),
}

START = "start"
"""One step of the baseline: what starting and scoring take, and no part of the time of training."""


def overrides(name: str) -> tuple[str, ...]:
    """Return what follows `python run.py`, but for the seed."""
    own = ("train.steps=1",) if name == START else ROWS[name].overrides
    return (*BASELINE, *SETTING, *own)
