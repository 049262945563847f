"""VIGAN (Shang et al. 2017, arXiv 1708.06724): a missing view of a sample, learnt from few pairs and many without."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn

from gan_framework.api import (
    EMPTY,
    Batch,
    Components,
    ConfigError,
    Game,
    Latent,
    Pair,
    Player,
    Term,
    TermPlan,
)
from gan_zoo.chained import Chained
from gan_zoo.games.cycle import TO, A, B, Cycle, CycleConsistency, Translated
from gan_zoo.layers import init_normal
from gan_zoo.ranges import require_not_negative, require_positive, require_share
from gan_zoo.translating import SOURCE, WeighedPlayer, constant

OF_AE = {A: "autoencoded_a", B: "autoencoded_b"}
"""By a view, the pair of what the autoencoder makes of it."""


class ViewsAutoencoder(nn.Module):
    """Both views of a sample, one of them perhaps imputed, to both views: a denoising autoencoder (section 3.2).

    Args:
        channels_a: of the one view, images whose sides are multiples of 4.
        channels_b: of the other.
        width: channels of the first layer.
    """

    def __init__(self, channels_a: int, channels_b: int, width: int) -> None:
        super().__init__()
        require_positive(channels_a=channels_a, channels_b=channels_b, width=width)
        self.channels = [channels_a, channels_b]
        both = channels_a + channels_b
        self.layers = nn.Sequential(
            *(nn.Conv2d(both, width, 4, 2, 1), nn.LeakyReLU(0.2)),
            *(nn.Conv2d(width, 2 * width, 4, 2, 1), nn.InstanceNorm2d(2 * width), nn.LeakyReLU(0.2)),
            *(nn.ConvTranspose2d(2 * width, width, 4, 2, 1), nn.InstanceNorm2d(width), nn.ReLU()),
            *(nn.ConvTranspose2d(width, both, 4, 2, 1), nn.Tanh()),
        )
        init_normal(self, 0.02)

    def forward(self, a: Tensor, b: Tensor) -> tuple[Tensor, ...]:
        """Map both views to both views, images in [-1, 1]."""
        return self.layers(torch.cat([a, b], 1)).split(self.channels, 1)  # type: ignore[no-any-return]


class Imputer(Chained):
    """The autoencoder's B of A and of what the generator makes of A; no parameters of its own.

    Args:
        generator: makes B of A.
        autoencoder: makes both views of both.
    """

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map the given `source`, images of A, to images of B."""
        generator, autoencoder = self.links
        a = given[SOURCE]
        made: Tensor = autoencoder(a, generator(z, labels, {A: a}))[1]
        return made


class BothViews(Term):
    """Σ mean (x - x̂)² of both views and both ways of imputing one, over samples of which both views are known."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it; 0 where no sample of the batch has both views."""
        game = self.game
        assert isinstance(game, VIGAN)
        return game.autoencoding_error(pair.batch, pair.latent)


class VIGAN(Cycle):
    """Two views, of which few samples have both: CycleGAN on all, then a denoising autoencoder on pairs, then both.

    Players are `discriminator_a`, `discriminator_b` and `generator` (CycleGAN's), `autoencoder`, and `joint`, which
    updates generators and autoencoder by autoencoding · AE + adversarial · L_G of what the autoencoder makes +
    joint_cycle · cycle, against `discriminator_a_joint` and `discriminator_b_joint`, which train the same judges on
    what it makes alone; `schedule=stages` has them in turn. Data have the view A as the extra `source`; that
    both views of a sample belong together is known to the autoencoder alone, of a share of the samples (every
    so-manieth), and CycleGAN sees them shifted against each other. The authors' program compares B's output with A in
    the pretraining, a slip; here it is B.

    Args:
        components: what the game is made of.
        paired: the share of samples of which both views are known.
        cycle: of CycleGAN's cycle; 10.
        identity: of its identity mapping; 0 where views have other channels.
        autoencoding: of the autoencoder's error in the joint stage; 10.
        adversarial: of what it makes; 2.
        joint_cycle: of the cycle in the joint stage; 1.
        discriminator_weight: of each D's loss.
        adversarial_weight: of the generators' adversarial losses in CycleGAN's stage.
    """

    sampling_network = "imputer"
    generates_from = SOURCE

    def __init__(
        self,
        components: Components,
        paired: float,
        cycle: float,
        identity: float,
        autoencoding: float,
        adversarial: float,
        joint_cycle: float,
        discriminator_weight: float = 0.5,
        adversarial_weight: float = 1.0,
    ) -> None:
        require_not_negative(autoencoding=autoencoding, adversarial=adversarial, joint_cycle=joint_cycle)
        require_share(paired=paired)
        self.paired = paired
        weights = (discriminator_weight, adversarial_weight)
        super().__init__(components, *weights, cycle, "l1", identity, 0, 0.0, 0.0, True, None, 0.5, 1)
        plan = TermPlan(pairs=(B,))
        self.player("autoencoder").add_term("autoencoding", BothViews(), plan=plan)
        joint = self.player("joint")
        assert isinstance(joint, WeighedPlayer)
        joint.weight_at = partial(constant, adversarial)
        joint.add_term("autoencoding", BothViews(), plan=TermPlan(autoencoding, pairs=(B,)))
        if joint_cycle:
            joint.add_term("cycle", CycleConsistency("l1"), plan=TermPlan(joint_cycle, pairs=(A, B)))

    def make_players(self) -> list[Player]:
        """Return CycleGAN's players, the autoencoder, and all generators with it and those who judge it."""
        self.networks["imputer"] = Imputer(self.network(TO[B]), self.network("autoencoder"))
        faced = dict.fromkeys(OF_AE.values(), "generator")
        of_both = [
            WeighedPlayer(f"{judge}_joint", (judge,), "discriminator", {OF_AE[domain]: "discriminator"})
            for domain, judge in ((domain, f"discriminator_{domain}") for domain in self.domains)
        ]
        return [
            *super().make_players(),
            WeighedPlayer("autoencoder", ("autoencoder",)),
            *of_both,
            WeighedPlayer("joint", (*TO.values(), "autoencoder"), "generator", faced),
        ]

    def latent_for(self, batch: Batch) -> Latent:
        """Return the images of A."""
        images = batch.extra[SOURCE]
        return self.latent(len(images))._replace(labels=None, given={SOURCE: images})

    def known(self, batch: Batch) -> Tensor:
        """Return of which samples both views are known (N,)."""
        every = max(round(1 / self.paired), 1)
        assert batch.index is not None
        return batch.index % every == 0

    def both_ways(self, batch: Batch, latent: Latent) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Return what the autoencoder makes of A with an imputed B, and of an imputed A with B."""
        a, b = latent.given[SOURCE], batch.samples
        autoencoder = cast(ViewsAutoencoder, self.network("autoencoder"))
        with self.autocast():
            return autoencoder(a, self.translate(a, B)), autoencoder(self.translate(b, A), b)

    def autoencoding_error(self, batch: Batch, latent: Latent) -> Tensor:
        """Return the squared error of the samples of which both views are known, a sum over views and ways."""
        known = self.known(batch)
        views = (latent.given[SOURCE], batch.samples)
        each = [
            (made.float() - view).square().flatten(1).mean(1)
            for way in self.both_ways(batch, latent)
            for made, view in zip(way, views, strict=True)
        ]
        return (torch.stack(each).sum(0) * known).sum() / known.sum().clamp(min=1)

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return each view before its judge, translated and autoencoded; A is shifted against B."""
        a, b = latent.given[SOURCE].roll(1, 0), batch.samples
        found: dict[str, Pair] = {}
        from_a, from_b = self.both_ways(batch, latent)
        for domain, real, source, imputed in ((A, a, b, from_b[0]), (B, b, a, from_a[1])):
            judge = self.judge(f"discriminator_{domain}")
            for name, fake in ((domain, self.translate(source, domain)), (OF_AE[domain], imputed)):
                found[name] = Translated(judge, batch, latent, fake, real=real, source=source, domain=domain)
                found[name].real_labels = None
        return found

    def check(self) -> None:
        """See that samples have a second view of their size.

        Raises:
            ConfigError: they have not.
        """
        found = self.data.extra.get(SOURCE)
        if found is None or found[1:] != self.data.sample[1:]:
            raise ConfigError(
                f"vigan_views imputes samples of the extra {SOURCE!r}, of their size, and these data have "
                f"{found or 'none'}: choose data=paired, data=degraded or data=digit_pairs"
            )
        if self.identity and found[0] != self.data.sample[0]:
            raise ConfigError(f"game.identity={self.identity}: the views have other channels; set it to 0")
        Game.check(self)
