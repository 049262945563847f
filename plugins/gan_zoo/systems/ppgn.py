"""PPGN: Nguyen, Clune, Bengio, Dosovitskiy & Yosinski 2017, arXiv 1612.00005."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import (
    MAIN,
    Batch,
    Components,
    ConfigError,
    Game,
    Latent,
    Pair,
    Player,
    RunFailed,
    Sampler,
    Term,
    TermPlan,
)
from gan_zoo.encoding import EncodingGame
from gan_zoo.ranges import require_above_zero, require_not_negative, require_positive

CLASSIFIER = "classifier"


class ImageError(Term):
    """½ ‖x - x̂‖², a mean over samples."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the error of reconstructions."""
        return 0.5 * (pair.real - pair.fake).flatten(1).square().sum(1).mean()


class CodeError(Term):
    """½ ‖h - E(x̂)‖², a mean over samples: whether an image still has the code that it was made of."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the error of the codes of reconstructions."""
        game = self.game
        assert isinstance(game, PPGN)
        h = pair.latent.z
        return 0.5 * (h.detach() - game.encode(pair.fake).z).square().sum(1).mean()


class Classification(Term):
    """E CE(C(x), y), in nats."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over real samples."""
        game, labels = self.game, pair.real_labels
        assert isinstance(game, PPGN) and labels is not None
        return F.cross_entropy(game.classify(pair.real), labels)


class PPGN(EncodingGame):
    """An auto-encoder of images that a discriminator takes for real, whose codes a classifier of images can steer.

        E, G  ½ ‖x - x̂‖² + w_h ½ ‖h - E(x̂)‖² + w_D (-log D(x̂)),     h = E(x) ≥ 0,  x̂ = G(h)
        D     -log D(x) - log(1 - D(x̂))
        C     -log C(y | x)

    It is the joint form, in which E(G(h)) takes the place of a denoiser of codes (section 3.4). The paper's E are the
    first layers of a network trained for classes, and stay as they are; here E is learnt beside G. Errors are sums over
    entries and means over samples. Images are drawn by `sampler=ppgn`: a code of the prior alone is no image's.

    Args:
        components: what the game is made of; the network `classifier` tells the classes of images.
        code_weight: w_h.
        adversarial_weight: w_D.
    """

    def __init__(self, components: Components, code_weight: float, adversarial_weight: float) -> None:
        require_not_negative(code_weight=code_weight, adversarial_weight=adversarial_weight)
        super().__init__(components)
        if not self.data.num_classes:
            raise ConfigError("game=ppgn trains a classifier that steers codes, and these data have no classes")
        image = 1 / adversarial_weight if adversarial_weight else 1.0
        player = self.player("autoencoder")
        player.add_term("image", ImageError(), plan=TermPlan(image))
        player.add_term("code", CodeError(), plan=TermPlan(code_weight * image))
        self.player(CLASSIFIER).add_term("classification", Classification())

    def make_players(self) -> list[Player]:
        """Return D, E with G, and the classifier."""
        return [
            Player("discriminator", ("discriminator",), "discriminator", "discriminator"),
            Player("autoencoder", ("encoder", "generator"), "generator", "generator"),
            Player(CLASSIFIER, (CLASSIFIER,)),
        ]

    def encode(self, x: Tensor, labels: Tensor | None = None) -> Latent:
        """Return the codes of samples x (N, C, H, W), none of them negative."""
        latent = super().encode(x, labels)
        return latent._replace(z=latent.z.relu())

    def classify(self, x: Tensor) -> Tensor:
        """Return the logits (N, K) of the classes of samples x."""
        with self.autocast():
            logits: Tensor = self.network(CLASSIFIER)(x)
        return logits if logits.dtype == torch.float64 else logits.float()

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return real samples and their reconstructions before D."""
        code = self.encode(batch.samples, batch.labels)
        return {MAIN: Pair(self.judge("discriminator"), batch, code, self.generate(code))}

    @property
    def conditional(self) -> bool:
        """True: a class is asked for, by the sampler."""
        return True


Direction = Callable[[Tensor], Tensor]
"""Of codes (N, D) a direction to go, (N, D)."""


def walk(
    h: Tensor,
    direction: Direction,
    steps: int,
    size: float,
    noise: float,
    random: torch.Generator,
    normalised: bool = True,
    most: float | None = None,
) -> Tensor:
    """Return codes (N, D) after h ← h + s_t d, d = direction(h) + N(0, noise²), with s_t = size (1 - t / steps).

    Args:
        h: where the walks begin.
        direction: where they go.
        steps: of each walk.
        size: of a step at first.
        noise: the deviation of what is added to the direction.
        random: where the noise comes from.
        normalised: whether a step's entries have the mean size s_t, as in the authors' program.
        most: codes stay between 0 and this; None for any.
    """
    for step in range(steps):
        drawn = torch.randn(h.shape, generator=random, device=random.device, dtype=torch.float64).to(h)
        d = direction(h) + noise * drawn
        rate = size * (1 - step / steps)
        if normalised:
            d = d / d.abs().mean(1, keepdim=True).clamp(min=1e-12)
        h = h + rate * d
        if most is not None:
            h = h.clamp(0, most)
    return h


class PPGNSampler(Sampler):
    """Codes walk to where the auto-encoder keeps them and the classifier sees the class that is asked for.

        d = ε_1 (E(G(h)) - h) + ε_2 ∇_h log C(y | G(h)) + N(0, ε_3²)          (equation 11)

    Args:
        steps: of each walk; 200 in the authors' program.
        size: the mean size of a step's entries, which falls along a line to 0.
        prior: ε_1; 1e-5.
        condition: ε_2; 1. 0 asks for no class.
        noise: ε_3; 1e-17, hardly any.
        most: the largest entry of a code; 30.
    """

    name = "ppgn"

    def __init__(self, steps: int, size: float, prior: float, condition: float, noise: float, most: float) -> None:
        require_positive(steps=steps)
        require_above_zero(size=size, most=most)
        require_not_negative(prior=prior, condition=condition, noise=noise)
        self.steps, self.size, self.most = steps, size, most
        self.prior, self.condition, self.noise = prior, condition, noise

    def check(self, game: Game) -> None:
        """Raise ConfigError unless the game has an encoder and a classifier."""
        if not isinstance(game, PPGN):
            raise ConfigError(
                f"sampler=ppgn walks in codes by an encoder and a classifier, and {type(game).__name__} lacks them: "
                "train experiment=ppgn"
            )

    def draw(self, game: Game, latent: Latent, random: torch.Generator) -> Tensor:
        """Return the images of where the walk of each latent ends."""
        assert isinstance(game, PPGN)
        h = walk(
            latent.z.clamp(0, self.most),
            lambda h: self.direction(game, h, latent.labels),
            self.steps,
            self.size,
            self.noise,
            random,
            most=self.most,
        )
        if not h.isfinite().all():
            raise RunFailed("sampler=ppgn cannot draw: some codes are not finite")
        return game.sample(latent._replace(z=h))

    def direction(self, game: PPGN, h: Tensor, labels: Tensor | None) -> Tensor:
        """Return ε_1 (E(G(h)) - h) + ε_2 ∇_h log C(y | G(h)) for codes h (N, D) and classes (N,)."""
        with torch.enable_grad():
            h = h.detach().requires_grad_()
            images = game.generate(Latent(h, labels), game.sampling_network)
            kept = game.encode(images).z
            uphill = torch.zeros_like(h)
            if self.condition and labels is not None:
                log_p = -F.cross_entropy(game.classify(images), labels, reduction="sum")
                (uphill,) = torch.autograd.grad(log_p, h)
        return (self.prior * (kept - h) + self.condition * uphill).detach()
