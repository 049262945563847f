"""The papers' claims on objectives as comparisons of runs, family by family."""

from __future__ import annotations

from dataclasses import dataclass


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
