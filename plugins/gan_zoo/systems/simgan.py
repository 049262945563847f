"""SimGAN (Shrivastava et al. 2017, arXiv 1612.07828): synthetic images are refined, and keep what is known of them."""

from __future__ import annotations

from torch import Tensor

from gan_framework.api import Components, ConfigError, Pair, Player, Term, distributed, try_meeting
from gan_zoo.adapting import A
from gan_zoo.image_pool import ImagePool
from gan_zoo.made_alike import Constant, MadeAlike
from gan_zoo.ranges import require_not_negative
from gan_zoo.translating import WeighedPlayer, known_distance


class SelfRegularisation(Term):
    """The distance of refined images from what they were, a mean over entries (equation 4).

    Args:
        distance: see `translating.DISTANCES`.
    """

    def __init__(self, distance: str) -> None:
        super().__init__()
        self._distance = known_distance(distance)

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's refined images."""
        return self._distance(pair.fake - pair.latent.given[A]).mean()


class AfterSteps:
    """A weight of 0 in the first updates, and then 1."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def __call__(self, updates: int) -> float:
        """Return it after so many updates."""
        return float(updates >= self.steps)


class SimGAN(MadeAlike):
    """R makes synthetic images real, D tells each patch of them from patches of real ones, and R pays for changes.

    R minimises its part of the loss, a mean over patches (section 2.2), plus λ |R(x) - x| (equation 4); in its first
    updates the latter alone. D sees images of a pool, each older with probability ½ (section 2.3; there half of every
    batch). Neither sees what is known of the synthetic images.

    Args:
        components: what the game is made of.
        regularisation: λ; the paper has none for its networks that holds here.
        distance: `l1`, `l2` or `charbonnier`.
        refiner_steps: R's first updates, without D.
        pool: refined images in the pool; 0 for none.
    """

    def __init__(
        self, components: Components, regularisation: float, distance: str, refiner_steps: int, pool: int
    ) -> None:
        require_not_negative(regularisation=regularisation, refiner_steps=refiner_steps, pool=pool)
        if refiner_steps and not regularisation:
            raise ValueError(f"refiner_steps={refiner_steps} has no effect with regularisation=0: set it to 0")
        super().__init__(components)
        self.pool = pool
        refiner, judge = self.player("generator"), self.player("discriminator")
        assert isinstance(refiner, WeighedPlayer) and isinstance(judge, WeighedPlayer)
        refiner.weight_at, judge.weight_at = AfterSteps(refiner_steps), Constant(1.0)
        if regularisation:
            refiner.add_term("regularisation", SelfRegularisation(distance), regularisation)

    def check(self) -> None:
        """See that R can be compared with what it is given, and put the pool before D.

        Raises:
            ConfigError: shapes differ, or the pool would see parts of batches.
        """
        super().check()
        if self.data.others[A].sample != self.data.sample:
            raise ConfigError(
                f"SimGAN compares refined images {self.data.sample} with those of sources.{A}, and these are "
                f"{self.data.others[A].sample}: make them alike"
            )
        if not self.pool:
            return
        if self.accumulate > 1 or distributed.world() > 1:
            raise ConfigError(f"game.pool={self.pool} keeps images of whole batches, not of parts: set it to 0")
        player = self.player("discriminator")
        pool = ImagePool(self.pool, {"main": tuple(try_meeting(self)["main"].fake.shape[1:])})
        player.look_aheads.append(pool.look)
        player.after_step.append(pool)
