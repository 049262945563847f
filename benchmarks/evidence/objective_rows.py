"""The runs that the papers' claims on objectives are compared on."""

from __future__ import annotations

from dataclasses import dataclass

from evidence.objective_settings import (
    ACGAN,
    BETAS,
    CLASS_GENERATOR,
    CLASSES,
    DIGITS,
    DIGITS_ALONE,
    DIRAC,
    ENERGY,
    GRID,
    INTERVALS,
    LARGER_DIGITS,
    LINE,
    MOMENTS,
    NO_DISCRIMINATOR,
    OUTLIERS,
    RATES,
    RING,
    RING_PLAIN,
    SPIRAL,
    TWINS,
    Setting,
)

QUIET = (
    "tracker=[]",
    "train.threads=1",
    "train.sample_every=0",
    "train.checkpoint_every=0",
    "evaluate.baselines=false",
)
"""What all runs are spared, since nothing is read from it."""


@dataclass(frozen=True)
class Row:
    """A run: its setting and what it adds to it."""

    setting: Setting
    overrides: tuple[str, ...] = ()


def _with(*strategies: str) -> str:
    return f"strategy=[{','.join(('lr_decay', *strategies))}]"


CLIPPED = "strategy.weight_clipping.bound=0.1"
DECAY = tuple(f"optimizer.{player}.weight_decay=1e-3" for player in ("generator", "discriminator"))
NO_NORM = ("networks.discriminator.norm=none",)
MARGIN = ("loss=margin_pair", _with("weight_clipping"), CLIPPED, "schedule.d_steps=5")
PENALISED = ("loss=wasserstein_gp", "networks.discriminator.norm=layer")
MAPPED = ("loss=mmd", "strategy=[vector_head,weight_clipping]", "schedule.d_steps=5")
SETS = (
    *("game=dan", "+network=set_discriminator", "networks.set_discriminator.image_size=null"),
    *("networks.set_discriminator.channels=2", "networks.set_discriminator.hidden=[128,128]"),
    *("networks.set_discriminator.head=[64]", "+optimizer.set_discriminator=${optimizer.generator}"),
    "+terms.batches={name: set_adversarial, player: set_discriminator, weight: 1.0, form: sample}",
    "+terms.fooled={name: set_adversarial, player: generator, weight: 0.2, form: sample}",
)
DISTANCES = (
    *("game=dist_gan", "+network=mlp_encoder", "networks.encoder.image_size=null", "networks.encoder.channels=2"),
    *("networks.encoder.hidden=[128,128]", 'networks.encoder.outputs=["${prior.dim}"]', "networks.encoder.init=he"),
    *("term=[gradient_penalty]", "terms.gradient_penalty.weight=1", "+terms.gradient_penalty.pair=main"),
    "+optimizer.autoencoder=${optimizer.generator}",
)

ROWS = {
    # The ring of eight Gaussians.
    "ring": Row(RING),
    "ring, minimax, 5 D steps": Row(RING, ("loss=minimax", "schedule.d_steps=5")),
    "ring, boundary_seeking, 5 D steps": Row(RING, ("loss=boundary_seeking", "schedule.d_steps=5")),
    "ring, minimax, 5 D steps, instance_noise": Row(
        RING,
        ("loss=minimax", "schedule.d_steps=5", _with("instance_noise"), "strategy.instance_noise.std=0.5"),
    ),
    "ring, least_squares": Row(RING, ("loss=least_squares",)),
    "ring, softmax": Row(RING, ("loss=softmax",)),
    "ring, relativistic and r1": Row(RING, ("loss=relativistic", "term=[r1]", "terms.r1.weight=0.1")),
    "ring, r1": Row(RING, ("term=[r1]", "terms.r1.weight=0.1")),
    "ring, wasserstein without constraint": Row(RING, ("loss=wasserstein_plain",)),
    "ring, loss_sensitive": Row(RING, ("loss=loss_sensitive", "loss.margin=1.0", *DECAY)),
    "ring, wasserstein": Row(RING, ("loss=wasserstein", _with("weight_clipping"), CLIPPED, "schedule.d_steps=5")),
    "ring, wasserstein_gp": Row(RING, ("loss=wasserstein_gp", "schedule.d_steps=5")),
    "ring, fisher": Row(RING, ("loss=fisher", "loss.rho=1e-3", "schedule.d_steps=5")),
    "ring, sobolev": Row(RING, ("loss=sobolev", "terms.sobolev.rho=1e-3", "schedule.d_steps=5")),
    "ring, wasserstein and gradient_power": Row(
        RING, ("loss=wasserstein_plain", "term=[gradient_power]", "schedule.d_steps=5")
    ),
    "ring, moment_ipm": Row(
        RING,
        ("loss=moment_ipm", _with("vector_head", "weight_clipping"), CLIPPED, "schedule.d_steps=5"),
    ),
    "ring, moment_ipm, covariance": Row(
        RING,
        (
            *("loss=moment_ipm", "loss.moment=covariance", _with("vector_head", "weight_clipping"), CLIPPED),
            "schedule.d_steps=5",
        ),
    ),
    "ring, sliced_wasserstein of samples": Row(
        RING,
        (
            *(_with("sliced_wasserstein"), "strategy.sliced_wasserstein.layer=null"),
            "strategy.sliced_wasserstein.directions=64",
        ),
    ),
    "ring, mmd": Row(RING, ("loss=mmd", _with("vector_head", "weight_clipping"), CLIPPED, "schedule.d_steps=5")),
    "ring, coulomb": Row(RING, ("loss=coulomb", "optimizer.discriminator.lr=5e-4")),
    "ring, linear_discriminant": Row(RING, ("loss=linear_discriminant", _with("vector_head"))),
    "ring, minibatch_discrimination": Row(
        RING, (_with("minibatch_discrimination"), "strategy.minibatch_discrimination.kernels=16")
    ),
    "ring, unrolled": Row(RING, (_with("unrolled"),)),
    "ring, lookahead": Row(RING, (_with("lookahead"),)),
    "ring, extragradient": Row(RING, ("schedule=extragradient",)),
    "ring, optimistic_adam": Row(RING_PLAIN, ("optimizer=optimistic_adam", *RATES, *BETAS)),
    "ring, simultaneous, rmsprop": Row(RING_PLAIN, ("optimizer=rmsprop", *RATES, "schedule=simultaneous")),
    "ring, consensus, rmsprop": Row(
        RING_PLAIN,
        ("optimizer=rmsprop", *RATES, "schedule=consensus", "schedule.weight=1"),
    ),
    "ring, pack": Row(RING, (_with("pack"),)),
    "ring, stein": Row(RING, ("loss=stein", "optimizer.discriminator.lr=5e-4")),
    "ring, variational_energy": Row(
        RING,
        (
            *("discriminator=binary_energy", "networks.discriminator.hidden=[128,128]"),
            "loss=variational_energy",
        ),
    ),
    "ring, history": Row(RING, (_with("history"), "strategy.history.states=5")),
    "ring, top_k": Row(RING, (_with("top_k"), "strategy.top_k.gamma=0.9")),
    "ring, cramer": Row(RING, ("loss=cramer", _with("vector_head"), "schedule.d_steps=5")),
    "ring, dual_discriminator": Row(TWINS, ("loss=dual_discriminator",)),
    "ring, mmd of samples": Row(NO_DISCRIMINATOR, ("loss=mmd", "loss.rooted=true")),
    "ring, weighted_gradient": Row(RING, ("term=[weighted_gradient]", "terms.weighted_gradient.weight=0.1")),
    "ring, dragan": Row(RING, ("loss=dragan",)),
    "ring, gradient_maximum": Row(RING, ("term=[gradient_maximum]", "terms.gradient_maximum.weight=0.1")),
    "ring, hinge and svm_norm": Row(RING, ("loss=hinge", "term=[svm_norm]")),
    "ring, set_adversarial": Row(RING, SETS),
    "ring, margin_pair": Row(RING, MARGIN),
    "ring, gogan": Row(RING, (*MARGIN, "game=gogan", "game.stage_steps=1250", "term=[stage_ranking]")),
    "ring, latent_optimisation": Row(RING, (_with("latent_optimisation"), "strategy.latent_optimisation.bound=null")),
    "ring, dist_gan": Row(RING, DISTANCES),
    # The ring, one in a hundred of whose points is an outlier.
    "outliers, semi_dual_transport": Row(
        OUTLIERS,
        (
            *("loss=semi_dual_transport", "term=[r1]", "terms.r1.weight=0.2", _with("transport_cost")),
            "strategy.transport_cost.weight=0.1",
        ),
    ),
    "outliers, wasserstein_gp": Row(OUTLIERS, ("loss=wasserstein_gp", "schedule.d_steps=5")),
    # Twenty-five Gaussians on a grid, and what is drawn of them.
    "grid": Row(GRID),
    "grid, realness": Row(GRID, ("loss=realness", _with("vector_head"), "strategy.vector_head.size=51")),
    "grid, rejection": Row(GRID, ("sampler=rejection",)),
    "grid, metropolis_hastings": Row(GRID, ("sampler=metropolis_hastings", "sampler.proposals=100")),
    "grid, discriminator_transport": Row(GRID, ("sampler=discriminator_transport",)),
    "grid, langevin": Row(GRID, ("sampler=langevin", "sampler.steps=200")),
    # A spiral, by a critic of a strong penalty.
    "spiral, gradient_penalty 100": Row(
        SPIRAL, ("loss=wasserstein_gp", "terms.gradient_penalty.weight=100", "schedule.d_steps=5")
    ),
    "spiral, one-sided 100": Row(
        SPIRAL,
        (
            *("loss=wasserstein_gp", "terms.gradient_penalty.weight=100", "terms.gradient_penalty.one_sided=true"),
            "schedule.d_steps=5",
        ),
    ),
    # One Gaussian for two modes on a line.
    "line, kl": Row(LINE, ("loss.divergence=kl",)),
    "line, jensen_shannon": Row(LINE, ("loss.divergence=jensen_shannon",)),
    "line, reverse_kl": Row(LINE, ("loss.divergence=reverse_kl",)),
    # Two numbers, whose game has its solution where both are 0.
    "dirac": Row(DIRAC),
    "dirac, gradient_penalty": Row(DIRAC, ("loss=wasserstein_gp", "terms.gradient_penalty.weight=1")),
    "dirac, r1": Row(DIRAC, ("term=[r1]", "terms.r1.weight=1")),
    "dirac, r2": Row(DIRAC, ("term=[r2]", "terms.r2.weight=1")),
    # One Gaussian on a line, against a discriminator that is linear in x and its square.
    "moments, dualing": Row(MOMENTS, ("discriminator=null", "game=moment_matching", "game.powers=2", "loss=dualing")),
    "moments, trained discriminator": Row(
        MOMENTS,
        (
            *("discriminator=linear", "networks.discriminator.start=0", "networks.discriminator.powers=2"),
            *("loss=minimax", "optimizer.discriminator.lr=1e-2", "optimizer.discriminator.weight_decay=0.2"),
        ),
    ),
    # Two means against two intervals, in closed form.
    "intervals": Row(INTERVALS),
    "intervals, best": Row(INTERVALS, ("game.optimal=true",)),
    # Digits.
    "digits": Row(DIGITS),
    "digits, importance_weighted": Row(DIGITS, ("loss=importance_weighted",)),
    "digits, relativistic": Row(DIGITS, ("loss=relativistic",)),
    "digits, no norm": Row(DIGITS, NO_NORM),
    "digits, no norm, softmax": Row(DIGITS, ("loss=softmax", *NO_NORM)),
    "digits, no norm, wasserstein without constraint": Row(DIGITS, ("loss=wasserstein_plain", *NO_NORM)),
    "digits, no norm, quadratic_potential": Row(DIGITS, ("loss=quadratic_potential", *NO_NORM)),
    "digits, minimax, 5 D steps": Row(DIGITS, ("loss=minimax", "schedule.d_steps=5")),
    "digits, score_moments, 5 D steps": Row(DIGITS, ("loss=score_moments", "schedule.d_steps=5")),
    "digits, spectral_norm": Row(DIGITS, ("loss=hinge", "strategy=[spectral_norm]", *NO_NORM)),
    "digits, spectral_norm, rotation": Row(
        DIGITS, ("loss=hinge", "term=[rotation]", "strategy=[heads,spectral_norm]", *NO_NORM)
    ),
    "digits, spectral_norm, infomax": Row(
        DIGITS, ("loss=hinge", "term=[infomax]", "strategy=[heads,spectral_norm]", *NO_NORM)
    ),
    "digits, least_squares": Row(DIGITS, ("loss=least_squares",)),
    "digits, least_squares, mixture_likelihood": Row(
        DIGITS, ("discriminator=mixture_likelihood", "networks.discriminator.width=16", "loss=least_squares")
    ),
    "digits, manifold_matching": Row(DIGITS, ("term=[manifold_matching]",)),
    "digits, projections": Row(
        DIGITS,
        (
            *("discriminator=projections", "networks.discriminator.width=16", "networks.discriminator.count=6"),
            "networks.discriminator.stride=1",
        ),
    ),
    "digits, wasserstein": Row(DIGITS, ("loss=wasserstein_plain", "strategy=[weight_clipping]")),
    "digits, wasserstein_gp": Row(DIGITS, (*PENALISED, "schedule.d_steps=5")),
    "digits, wasserstein_gp and dropout_consistency": Row(
        DIGITS,
        (
            *(*PENALISED, "schedule.d_steps=5", "+term=[dropout_consistency]"),
            "networks.discriminator.dropout=0.5",
        ),
    ),
    "digits, wasserstein_gp, 1 D step": Row(DIGITS, PENALISED),
    "digits, wasserstein_gp, 1 D step, three times the rate": Row(
        DIGITS, (*PENALISED, "optimizer.discriminator.lr=6e-4")
    ),
    "digits, mirror_map": Row(
        DIGITS,
        (
            *("loss=wasserstein_plain", "strategy=[mirror_map,weight_clipping]"),
            "strategy.weight_clipping.lower=-1e-4",
        ),
    ),
    "digits, mmd": Row(DIGITS, MAPPED),
    "digits, mmd, clipped at 0.1": Row(DIGITS, (*MAPPED, CLIPPED)),
    "digits, mmd of samples": Row(
        DIGITS_ALONE, ("discriminator=null", "game=moment_matching", "loss=mmd", "loss.rooted=true")
    ),
    "digits of 32 pixels, mmd": Row(LARGER_DIGITS, MAPPED),
    "digits of 32 pixels, mmd of samples": Row(
        LARGER_DIGITS, ("discriminator=null", "game=moment_matching", "loss=mmd", "loss.rooted=true")
    ),
    "digits, density_ratio": Row(DIGITS, ("loss=density_ratio",)),
    "digits, density_ratio, relative": Row(DIGITS, ("loss=density_ratio", "loss.most=null", "loss.relative=0.1")),
    "digits, density_ratio, 5 D steps": Row(DIGITS, ("loss=density_ratio", "schedule.d_steps=5")),
    "digits, class_softmax": Row(DIGITS, ("loss=class_softmax", "strategy=[heads]")),
    "digits, class_softmax, label": Row(DIGITS, ("loss=class_softmax", "loss.generator=label", "strategy=[heads]")),
    "classes": Row(CLASS_GENERATOR),
    "classes, mode_seeking": Row(CLASS_GENERATOR, ("term=[mode_seeking]",)),
    "classes, acgan": Row(ACGAN),
    "classes, discriminative_classification": Row(CLASSES, ("loss=hinge", "term=[discriminative_classification]")),
    "classes, class_contrast, d2d_ce": Row(
        CLASSES,
        (
            *("loss=hinge", "term=[class_contrast]", "terms.class_contrast.form=d2d_ce"),
            *("terms.class_contrast.weight=0.5", "terms.class_contrast.temperature=0.5"),
            "terms.class_contrast.margin=0.98",
        ),
    ),
    "classes, twin_classification": Row(CLASSES, ("loss=hinge", "term=[twin_classification]")),
    "classes, class_contrast": Row(CLASSES, ("loss=hinge", "term=[class_contrast]")),
    "classes, multi_hinge": Row(CLASSES, ("loss=multi_hinge",)),
    "classes, omni": Row(CLASSES, ("loss=omni",)),
    "digits, energy_margin": Row(ENERGY, ("loss=energy_margin",)),
    "digits, energy_margin and pulling_away": Row(ENERGY, ("loss=energy_margin", "term=[pulling_away]")),
    "digits, energy_margin and margin_adaptation": Row(
        ENERGY, ("loss=energy_margin", "loss.margin=null", "strategy=[margin_adaptation]")
    ),
    "digits, boundary_equilibrium 0.3": Row(ENERGY, ("loss=boundary_equilibrium", "loss.balance=0.3")),
    "digits, boundary_equilibrium 0.7": Row(ENERGY, ("loss=boundary_equilibrium", "loss.balance=0.7")),
}
