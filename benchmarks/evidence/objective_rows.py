"""The runs that the papers' claims on objectives are compared on, and these claims, family by family."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from evidence import measures
from evidence.job import ROOT

LINE_DATA = ROOT / "outputs" / "objectives" / "line.npz"
"""2,000 points of two modes on a line, four to six."""

OUTLIER_DATA = ROOT / "outputs" / "objectives" / "outliers.npz"
"""4,000 points of the ring of eight Gaussians, and 40 far outside."""

Measure = Callable[[Path], dict[str, float]]

QUIET = (
    "tracker=[]",
    "train.threads=1",
    "train.sample_every=0",
    "train.checkpoint_every=0",
    "evaluate.baselines=false",
)


@dataclass(frozen=True)
class Setting:
    """What the runs of a family have in common.

    Attributes:
        overrides: what follows `python run.py`.
        measure: of further figures.
        data: makes what the runs need, if it is not there.
    """

    overrides: tuple[str, ...]
    measure: Measure | None = None


RATES = tuple(f"optimizer.{player}.lr=1e-3" for player in ("generator", "discriminator"))
BETAS = tuple(f"optimizer.{player}.betas=[0.5,0.999]" for player in ("generator", "discriminator"))
HE = ("networks.generator.init=he", "networks.discriminator.init=he")

PLANE = ("experiment=mixture_2d", "prior.dim=2", "train.batch_size=128", *HE, "train.log_every=100", "evaluate.every=0")

RING = Setting((*PLANE, *RATES, *BETAS, "train.steps=2500"), measures.mode_shares)
RING_PLAIN = Setting((*PLANE, "train.steps=2500"), measures.mode_shares)
BARE = (
    *("model=null", "generator=mlp", "prior=normal", "data=mixture", "extractor=raw", "metrics=[mode_coverage]"),
    *("networks.generator.hidden=[128,128]", "networks.generator.activation=relu", "networks.generator.output=linear"),
    *("networks.generator.init=he", "networks.generator.init_bias=0", "strategy=[lr_decay]", "prior.dim=2"),
    *("train.batch_size=128", "train.log_every=100", "train.steps=2500", "evaluate.samples=2000"),
    *("optimizer.generator.lr=1e-3", "optimizer.generator.betas=[0.5,0.999]"),
)
"""The ring's generator, for other discriminators than the plane's."""

TWINS = Setting(
    (
        *(*BARE, RATES[1], BETAS[1], "discriminator=twin", "networks.discriminator.of.name=mlp"),
        *("~networks.discriminator.of.width", "~networks.discriminator.of.norm"),
        *("+networks.discriminator.of.hidden=[128,128]", "+networks.discriminator.of.activation=relu"),
        *("+networks.discriminator.of.init=he", "+networks.discriminator.of.pixels=symmetric"),
        *("+networks.discriminator.of.init_std=0.1", "+networks.discriminator.of.init_bias=0"),
    ),
    measures.mode_shares,
)
NO_DISCRIMINATOR = Setting((*BARE, "discriminator=null", "game=moment_matching"), measures.mode_shares)
OUTLIERS = Setting(
    (
        *("model=plane", "game=two_player", "data=npz", f"data.path={OUTLIER_DATA}", "data.y=null", "extractor=raw"),
        *("metrics=[]", "prior.dim=2", "train.batch_size=128", "train.steps=2500", "train.log_every=100", *HE),
        *("strategy=[lr_decay]", *RATES, *BETAS),
    ),
    measures.outliers,
)
GRID = Setting((*PLANE, *RATES, *BETAS, "data.arrangement=grid", "train.steps=4000"))
SPIRAL = Setting(
    (*PLANE, *RATES, "data.arrangement=spiral", "train.steps=1000", "train.log_every=5"), measures.roughness
)
LINE = Setting(
    (
        *("model=gaussian_1d", "game=two_player", "data=npz", f"data.path={LINE_DATA}", "data.y=null", "extractor=raw"),
        *("metrics=[]", "loss=f_gan", "networks.generator.mean=1", "train.steps=1500", "train.batch_size=256"),
        *("schedule.d_steps=3", "train.log_every=100"),
        *(f"optimizer.{player}.lr=5e-3" for player in ("generator", "discriminator")),
    ),
    measures.gaussian,
)
DIRAC = Setting(
    (
        *("model=bilinear", "game=two_player", "generator=point", "discriminator=linear", "data=gaussian"),
        *("data.mean=0", "data.std=0", "data.samples=64", "optimizer=sgd", "metrics=[]", "train.batch_size=1"),
        *("train.steps=500", "train.log_every=100"),
        *(f"optimizer.{player}.lr=0.1" for player in ("generator", "discriminator")),
    ),
    measures.distance_to_zero,
)
MOMENTS = Setting(
    (
        *("model=null", "generator=gaussian", "prior=normal", "prior.dim=1", "data=gaussian", "metrics=[]"),
        *("optimizer.generator.lr=1e-2", "train.batch_size=512", "train.steps=2000", "train.log_every=100"),
    ),
    measures.distance_to_data,
)
INTERVALS = Setting(
    (
        *("model=null", "generator=point", "discriminator=intervals", "prior=uniform", "prior.dim=1"),
        *("game=mixture_intervals", "loss=wasserstein_plain", "data=gaussian", "data.channels=2", "data.mean=0"),
        *("data.std=0", "data.samples=64", "optimizer=sgd", "metrics=[]", "train.batch_size=1", "train.steps=500"),
        *("train.log_every=100", *(f"optimizer.{player}.lr=0.3" for player in ("generator", "discriminator"))),
    ),
    measures.total_variation,
)
DIGITS = Setting(
    (
        *("model=dcgan", "data.image_size=16", "networks.generator.width=16"),
        *("networks.discriminator.width=16", "train.steps=400", "metrics=[fid]", "train.log_every=50"),
    ),
    measures.last_logged,
)
DIGITS_ALONE = Setting(
    tuple(override for override in DIGITS.overrides if not override.startswith("networks.discriminator")),
    DIGITS.measure,
)
"""The generator of digits without a discriminator."""

LARGER_DIGITS = Setting(
    (
        *("model=dcgan", "prior=normal", "optimizer=rmsprop", "train.batch_size=64", "train.steps=400"),
        *("metrics=[fid]", "train.log_every=50"),
    ),
    DIGITS.measure,
)
"""The digits as GAMN's experiment has them: of 32 pixels, by networks that are not made small."""

CLASSES = Setting(
    (
        *("model=dcgan_conditional", "discriminator=dcgan", "strategy=[heads]", "data.image_size=16"),
        *("networks.generator.width=16", "networks.discriminator.width=16", "train.steps=400"),
        *("metrics=[fid,class_accuracy]", "train.log_every=50"),
    ),
    measures.last_logged,
)
CLASS_GENERATOR = Setting(("model=dcgan_conditional", *CLASSES.overrides[3:]), measures.last_logged)
ACGAN = Setting(("model=acgan", "loss=hinge", *CLASSES.overrides[3:]), measures.last_logged)
ENERGY = Setting((*DIGITS.overrides, "discriminator=autoencoder", "networks.discriminator.width=16"), DIGITS.measure)


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


@dataclass(frozen=True)
class Claim:
    """A sentence of a paper, or what it is for, as a comparison of runs.

    Attributes:
        text: the sentence.
        run: a row.
        score: of the row.
        side: `more` or `less` than the other; `not less` or `not more` than it by the margin.
        other: another row, or a number.
        margin: what counts as no difference.
    """

    text: str
    run: str
    score: str
    side: str
    other: str | float
    margin: float = 0.0


MODES, QUALITY = "modes_covered_raw", "high_quality_raw"
NEARLY_ALL = 7.5
"""Modes of the ring: a mean above it needs all eight in most runs."""

FAMILIES = {
    "Scores alone": (
        Claim(
            "The boundary-seeking generator moves where D is far ahead and the minimax one stalls (Hjelm et al. 2017)",
            *("ring, boundary_seeking, 5 D steps", QUALITY, "more", "ring, minimax, 5 D steps"),
        ),
        Claim(
            "Noise on what D sees keeps the minimax generator alive where D is far ahead (Arjovsky & Bottou 2017)",
            *("ring, minimax, 5 D steps, instance_noise", QUALITY, "more", "ring, minimax, 5 D steps"),
        ),
        Claim("Least squares covers more modes (Mao et al. 2017)", "ring, least_squares", MODES, "more", "ring"),
        Claim("Softmax GAN trains as well as GAN does (Lin 2017)", "ring, softmax", MODES, "not less", "ring", 1.0),
        Claim(
            "Softmax GAN is stable without norm layers in D (Lin 2017)",
            *("digits, no norm, softmax", "fid_classifier", "less", "digits, no norm"),
        ),
        Claim(
            "The divergence by D's ratio of densities moves G where D is far ahead and the minimax one stalls "
            "(Uehara et al. 2016)",
            *("digits, density_ratio, 5 D steps", "fid_classifier", "less", "digits, minimax, 5 D steps"),
        ),
        Claim(
            "Relative ratios draw better than clipped ones (Uehara et al. 2016)",
            *("digits, density_ratio, relative", "fid_classifier", "less", "digits, density_ratio"),
        ),
        Claim(
            "Weights by importance do no harm (Hu et al. 2017)",
            *("digits, importance_weighted", "fid_classifier", "not more", "digits", 10.0),
        ),
        Claim(
            "An SVM for a discriminator covers more modes (Lim & Ye 2017)",
            *("ring, hinge and svm_norm", MODES, "more", "ring"),
        ),
    ),
    "Divergences on a line": (
        Claim(
            "The Kullback-Leibler divergence makes one Gaussian cover both modes, the reverse one does not "
            "(Nowozin et al. 2016)",
            *("line, kl", "deviation", "more", "line, reverse_kl"),
        ),
        Claim(
            "Jensen-Shannon's lies below Kullback-Leibler's (Nowozin et al. 2016)",
            *("line, jensen_shannon", "deviation", "less", "line, kl"),
        ),
        Claim(
            "Jensen-Shannon's lies above the reverse one's (Nowozin et al. 2016)",
            *("line, jensen_shannon", "deviation", "more", "line, reverse_kl"),
        ),
    ),
    "Pairs": (
        Claim(
            "The relativistic loss is as good at one D step (Jolicoeur-Martineau 2018)",
            *("digits, relativistic", "fid_classifier", "not more", "digits", 10.0),
        ),
        Claim(
            "With R1 it covers all modes (Huang et al. 2024)",
            *("ring, relativistic and r1", MODES, "more", NEARLY_ALL),
        ),
        Claim(
            "Margins by distance bound the critic, which nothing else does (Qi 2017)",
            *("ring, loss_sensitive", QUALITY, "more", "ring, wasserstein without constraint"),
        ),
        Claim(
            "A quadratic potential needs no constraint on the critic, Wasserstein's does (Su 2018)",
            *("digits, no norm, quadratic_potential", "fid_classifier", "less"),
            "digits, no norm, wasserstein without constraint",
        ),
        Claim(
            "A second stage, ranked against the first, draws at least as well (Juefei-Xu et al. 2017)",
            *("ring, gogan", QUALITY, "not less", "ring, margin_pair", 0.05),
        ),
    ),
    "Integral probability metrics": (
        Claim(
            "Fisher GAN is as stable as WGAN-GP (Mroueh & Sercu 2017)",
            *("ring, fisher", MODES, "not less", "ring, wasserstein_gp", 1.0),
        ),
        Claim(
            "... and costs a fraction of its time (Mroueh & Sercu 2017)",
            *("ring, fisher", "cpu_seconds", "less", "ring, wasserstein_gp"),
        ),
        Claim(
            "The penalty beats clipped weights (Gulrajani et al. 2017)",
            *("ring, wasserstein_gp", QUALITY, "more", "ring, wasserstein"),
        ),
        Claim(
            "The energy distance is as stable as WGAN-GP (Bellemare et al. 2017)",
            *("ring, cramer", MODES, "not less", "ring, wasserstein_gp", 1.0),
        ),
        Claim(
            "A bound on the critic's gradients trains as stably as WGAN-GP (Mroueh et al. 2017)",
            *("ring, sobolev", MODES, "not less", "ring, wasserstein_gp", 1.0),
        ),
        Claim(
            "Wasserstein's divergence draws as well as WGAN-GP (Wu et al. 2018)",
            *("ring, wasserstein and gradient_power", QUALITY, "not less", "ring, wasserstein_gp", 0.05),
        ),
        Claim(
            "Two passes with dropout that must agree draw better than WGAN-GP alone (Wei et al. 2018)",
            *("digits, wasserstein_gp and dropout_consistency", "fid_classifier", "less", "digits, wasserstein_gp"),
        ),
        Claim(
            "Matching covariances covers at least what matching means does (Mroueh et al. 2017)",
            *("ring, moment_ipm, covariance", MODES, "not less", "ring, moment_ipm", 1.0),
        ),
        Claim(
            "Sliced distances of the samples themselves cover all modes, without an adversary (Deshpande et al. 2018)",
            *("ring, sliced_wasserstein of samples", MODES, "more", NEARLY_ALL),
        ),
        Claim(
            "A cost of Kullback and Leibler does no harm (Guo et al. 2017)",
            *("digits, mirror_map", "fid_classifier", "not more", "digits, wasserstein", 10.0),
        ),
        Claim(
            "Unbalanced transport leaves outliers out, which WGAN-GP draws (Choi et al. 2023)",
            *("outliers, semi_dual_transport", "outliers", "less", "outliers, wasserstein_gp"),
        ),
    ),
    "Kernels": (
        Claim("A kernel on learned features covers more modes (Li et al. 2017)", "ring, mmd", MODES, "more", "ring"),
        Claim("Stein's repulsion covers more modes (Liu & Wang 2017)", "ring, stein", MODES, "more", "ring"),
        Claim(
            "A kernel on the samples themselves covers all modes (Li et al. 2015)",
            *("ring, mmd of samples", MODES, "more", NEARLY_ALL),
        ),
        Claim(
            "A kernel on learned features draws sharper samples (Li et al. 2017)",
            *("ring, mmd", QUALITY, "more", "ring, mmd of samples"),
        ),
        Claim(
            "A kernel on what a mapper makes of the samples draws better than one on the samples (Guo, Zhu & Li 2017)",
            *("digits, mmd", "fid_classifier", "less", "digits, mmd of samples"),
        ),
        Claim(
            "... also where it is clipped less, and the kernel's widths are of the scale of its vectors "
            "(Guo, Zhu & Li 2017)",
            *("digits, mmd, clipped at 0.1", "fid_classifier", "less", "digits, mmd of samples"),
        ),
        Claim(
            "... also on larger images, with the experiment's own networks and rates (Guo, Zhu & Li 2017)",
            *("digits of 32 pixels, mmd", "fid_classifier", "less", "digits of 32 pixels, mmd of samples"),
        ),
        Claim("Coulomb GAN covers all modes (Unterthiner et al. 2018)", "ring, coulomb", MODES, "more", NEARLY_ALL),
        Claim("... in equal shares (Unterthiner et al. 2018)", "ring, coulomb", "unequal_shares", "less", "ring"),
    ),
    "Energies": (
        Claim(
            "Codes that repel each other make samples more diverse (Zhao et al. 2017)",
            *("digits, energy_margin and pulling_away", "diversity", "more", "digits, energy_margin"),
        ),
        Claim(
            "An energy of bits with a term of entropy covers more modes (Zhai et al. 2016)",
            *("ring, variational_energy", MODES, "more", "ring"),
        ),
        Claim(
            "A greater balance makes samples more diverse (Berthelot et al. 2017)",
            *("digits, boundary_equilibrium 0.7", "diversity", "more", "digits, boundary_equilibrium 0.3"),
        ),
        Claim(
            "A margin that falls with the energies draws better (Wang et al. 2017)",
            *("digits, energy_margin and margin_adaptation", "fid_classifier", "less", "digits, energy_margin"),
        ),
    ),
    "Packs and outcomes": (
        Claim(
            "D that sees two samples at once covers more modes (Lin et al. 2018)", "ring, pack", MODES, "more", "ring"
        ),
        Claim(
            "Many outcomes in the place of one cover more modes (Xiangli et al. 2020)",
            *("grid, realness", MODES, "more", "grid"),
        ),
        Claim(
            "Judging whole batches makes the shares of modes more equal (Li et al. 2017)",
            *("ring, set_adversarial", "unequal_shares", "less", "ring"),
        ),
        Claim(
            "Random projections are not told apart as well as images (Neyshabur et al. 2017)",
            *("digits, projections", "accuracy_fake", "less", "digits"),
        ),
        Claim(
            "An encoder, near in D's features, keeps modes (Tran et al. 2018)", "ring, dist_gan", MODES, "more", "ring"
        ),
    ),
    "Classes": (
        Claim(
            "Twin classifiers draw as well as one auxiliary classifier (Gong et al. 2019)",
            *("classes, twin_classification", "fid_classifier", "not more", "classes, acgan", 10.0),
        ),
        Claim(
            "The multi-class hinge hits the class at least as often (Kavalerov et al. 2019)",
            *("classes, multi_hinge", "class_accuracy_classifier", "not less"),
            *("classes, acgan", 0.05),
        ),
        Claim(
            "One loss for classes and for what is real draws better than an auxiliary classifier (Zhou et al. 2020)",
            *("classes, omni", "fid_classifier", "less", "classes, acgan"),
        ),
        Claim(
            "Contrast between samples and classes draws better (Kang & Park 2020)",
            *("classes, class_contrast", "fid_classifier", "less", "classes, acgan"),
        ),
        Claim(
            "Telling rotations does no harm (Chen et al. 2019)",
            *("digits, spectral_norm, rotation", "fid_classifier", "not more", "digits, spectral_norm", 10.0),
        ),
        Claim(
            "Aiming at the class that D sees draws better than at any class (Zhou et al. 2018)",
            *("digits, class_softmax", "fid_classifier", "less", "digits, class_softmax, label"),
        ),
        Claim(
            "A discriminative classifier draws as well as one auxiliary classifier (Hou et al. 2022)",
            *("classes, discriminative_classification", "fid_classifier", "not more", "classes, acgan", 10.0),
        ),
        Claim(
            "Contrast with samples of other classes alone draws better (Kang et al. 2021)",
            *("classes, class_contrast, d2d_ce", "fid_classifier", "less", "classes, class_contrast"),
        ),
        Claim(
            "Distances of samples that follow those of latents make them more diverse (Mao et al. 2019)",
            *("classes, mode_seeking", "diversity", "more", "classes"),
        ),
        Claim(
            "Telling places of images apart draws better (Lee et al. 2021)",
            *("digits, spectral_norm, infomax", "fid_classifier", "less", "digits, spectral_norm"),
        ),
    ),
    "Statistics of features": (
        Claim(
            "The linear discriminant trains without norm layers (Sun et al. 2017)",
            *("ring, linear_discriminant", MODES, "not less", "ring", 1.0),
        ),
        Claim(
            "Scores spread alike leave G a gradient where D is far ahead (Grewal et al. 2017)",
            *("digits, score_moments, 5 D steps", "gradient_norm_generator", "more", "digits, minimax, 5 D steps"),
        ),
        Claim(
            "... and so better samples (Grewal et al. 2017)",
            *("digits, score_moments, 5 D steps", "fid_classifier", "less", "digits, minimax, 5 D steps"),
        ),
        Claim(
            "A likelihood for a score draws better than least squares (Eghbal-zadeh & Widmer 2017)",
            *("digits, least_squares, mixture_likelihood", "fid_classifier", "less", "digits, least_squares"),
        ),
        Claim(
            "Features on one sphere draw better (Park et al. 2017)",
            *("digits, manifold_matching", "fid_classifier", "less", "digits"),
        ),
    ),
    "Penalties": (
        Claim("Without one the Dirac-GAN does not converge (Mescheder et al. 2018)", "dirac", "distance", "more", 0.5),
        Claim("R1 converges to its solution (Mescheder et al. 2018)", "dirac, r1", "distance", "less", 0.05),
        Claim("R2 converges to its solution (Mescheder et al. 2018)", "dirac, r2", "distance", "less", 0.05),
        Claim("WGAN-GP does not (Mescheder et al. 2018)", "dirac, gradient_penalty", "distance", "more", "dirac, r1"),
        Claim(
            "The one-sided penalty leaves the critic's loss smoother at a weight of 100 (Petzka et al. 2018)",
            *("spiral, one-sided 100", "loss_deviation", "less", "spiral, gradient_penalty 100"),
        ),
        Claim("R1 covers more modes than no penalty (Mescheder et al. 2018)", "ring, r1", MODES, "more", "ring"),
        Claim(
            "Gradients weighed by D's errors cover more modes (Roth et al. 2017)",
            *("ring, weighted_gradient", MODES, "more", "ring"),
        ),
        Claim(
            "A bound on the greatest gradient covers more modes (Zhou et al. 2019)",
            *("ring, gradient_maximum", MODES, "more", "ring"),
        ),
        Claim(
            "A penalty around the data covers more modes (Kodali et al. 2017)", "ring, dragan", MODES, "more", "ring"
        ),
    ),
    "Dynamics": (
        Claim("Unrolling covers more modes (Metz et al. 2016)", "ring, unrolled", MODES, "more", "ring"),
        Claim(
            "Seeing the batch covers more modes (Salimans et al. 2016)",
            *("ring, minibatch_discrimination", MODES, "more", "ring"),
        ),
        Claim(
            "Facing past states of the other side covers more modes (Grnarova et al. 2017)",
            *("ring, history", MODES, "more", "ring"),
        ),
        Claim(
            "A generator that learns from its best samples alone draws more of high quality (Sinha et al. 2020)",
            *("ring, top_k", QUALITY, "more", "ring"),
        ),
        Claim(
            "Two discriminators cover more modes (Nguyen et al. 2017)",
            *("ring, dual_discriminator", MODES, "more", "ring"),
        ),
        Claim("Lookahead covers more modes (Chavdarova et al. 2021)", "ring, lookahead", MODES, "more", "ring"),
        Claim("Extragradient covers more modes (Gidel et al. 2019)", "ring, extragradient", MODES, "more", "ring"),
        Claim(
            "Optimistic Adam covers more modes (Daskalakis et al. 2018)",
            *("ring, optimistic_adam", MODES, "more", "ring"),
        ),
        Claim(
            "Consensus covers more modes than simultaneous steps (Mescheder et al. 2017)",
            *("ring, consensus, rmsprop", MODES, "more", "ring, simultaneous, rmsprop"),
        ),
        Claim(
            "A linear discriminator that is solved for each batch leads to the data (Li et al. 2017)",
            *("moments, dualing", "distance", "less", 0.05),
        ),
        Claim(
            "... and nearer than one that is trained by turns (Li et al. 2017)",
            *("moments, dualing", "distance", "less", "moments, trained discriminator"),
        ),
        Claim(
            "Two means that face the best intervals come to the real ones from anywhere (Li et al. 2017)",
            *("intervals, best", "total_variation", "less", 0.05),
        ),
        Claim(
            "... which those that face trained intervals do not (Li et al. 2017)",
            *("intervals, best", "total_variation", "less", "intervals"),
        ),
        Claim(
            "A discriminator that learns three times as fast needs no further steps (Heusel et al. 2017)",
            *("digits, wasserstein_gp, 1 D step, three times the rate", "fid_classifier", "less"),
            "digits, wasserstein_gp, 1 D step",
        ),
        Claim(
            "A step of the latents towards D's approval draws better (Wu et al. 2019)",
            *("ring, latent_optimisation", QUALITY, "more", "ring"),
        ),
    ),
    "Samplers": (
        Claim("Rejection draws better samples (Azadi et al. 2019)", "grid, rejection", QUALITY, "more", "grid"),
        Claim(
            "Metropolis-Hastings draws better samples (Turner et al. 2019)",
            *("grid, metropolis_hastings", QUALITY, "more", "grid"),
        ),
        Claim(
            "Transport of latents makes samples better (Tanaka 2019)",
            *("grid, discriminator_transport", QUALITY, "more", "grid"),
        ),
        Claim("Langevin steps make samples better (Che et al. 2020)", "grid, langevin", QUALITY, "more", "grid"),
    ),
}

WORST = {MODES: 0.0, QUALITY: 0.0}
"""What a run counts for that failed, where the score has a worst value."""

SCORES = (
    *(
        MODES,
        QUALITY,
        "unequal_shares",
        "deviation",
        "distance",
        "total_variation",
        "loss_deviation",
        "outliers",
        "fid_classifier",
        "diversity",
    ),
    *("class_accuracy_classifier", "gradient_norm_generator", "accuracy_real", "accuracy_fake"),
)
