"""DSP-GAN (Ghosh et al. 2017, arXiv 1706.00212), in outline: scenes put together from far to near."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn

from gan_framework.api import (
    EMPTY,
    Batch,
    BeforeFirstStep,
    Components,
    ConfigError,
    Game,
    Latent,
    NextBatch,
    Pair,
    Player,
    distributed,
)
from gan_zoo.chained import Chained
from gan_zoo.translating import SOURCE

KINDS = "kinds"
PLANES = 4
"""Of a layer: three colours, and where it is."""


class Layouts(nn.Module):
    """A Markov chain of what is in the layers of a scene, from far to near, fitted by counting.

    Attributes:
        first: how often each kind was in the farthest layer (K,).
        following: how often each kind stood before each (layers - 1, K, K).

    Args:
        layers: of a scene.
        kinds: of what may be in one.
    """

    first: Tensor
    following: Tensor

    def __init__(self, layers: int, kinds: int) -> None:
        super().__init__()
        self.layers, self.kinds = layers, kinds
        self.register_buffer("first", torch.ones(kinds))  # nothing is impossible
        self.register_buffer("following", torch.ones(layers - 1, kinds, kinds))

    def count(self, seen: Tensor) -> None:
        """Take in the kinds of scenes (N, layers) int64."""
        self.first += torch.bincount(seen[:, 0], minlength=self.kinds)
        for layer in range(self.layers - 1):
            both = seen[:, layer] * self.kinds + seen[:, layer + 1]
            self.following[layer] += torch.bincount(both, minlength=self.kinds**2).view(self.kinds, self.kinds)

    def forward(self, u: Tensor) -> Tensor:
        """Return kinds (N, layers) int64 of numbers (N, layers) from U(0, 1), by the inverse of the chain's chances."""
        chances = self.first.expand(len(u), -1)
        found = []
        for layer in range(self.layers):
            bounds = (chances / chances.sum(1, keepdim=True)).cumsum(1)
            found.append((u[:, layer, None] > bounds[:, :-1]).sum(1))
            if layer < self.layers - 1:
                chances = self.following[layer][found[-1]]
        return torch.stack(found, 1)


class CountLayouts(BeforeFirstStep):
    """Counts the layouts of so many batches."""

    def __init__(self, batches: int) -> None:
        super().__init__()
        self.batches = batches

    def play(self, game: Game, next_batch: NextBatch) -> None:
        """Count them."""
        layouts = cast(Layouts, game.network("layouts"))
        for _ in range(self.batches):
            layouts.count(next_batch().extra[KINDS])
        for counts in layouts.buffers():  # of all processes, so that their chain is the same; 1 before any is seen
            counts.copy_(1 + distributed.world() * (distributed.mean(counts) - 1))


def put_together(layers: list[Tensor], ground: float) -> Tensor:
    """Return scenes (N, 3, H, W) in [-1, 1] of layers (N, 4, H, W) in [-1, 1], from far to near."""
    scene = torch.full_like(layers[0][:, :3], ground)
    for layer in layers:
        where = (layer[:, 3:] + 1) / 2
        scene = where * layer[:, :3] + (1 - where) * scene
    return scene


class Scenes(Chained):
    """A layout from the chain, what each layer's generator makes of it, and all put together; no parameters of its own.

    Args:
        layouts: the chain.
        generators: of layers, from far to near.
        ground: the grey behind all, in [-1, 1].
    """

    def __init__(self, layouts: Layouts, generators: list[nn.Module], ground: float) -> None:
        super().__init__(layouts, *generators)
        self.ground = ground

    def parts(self, z: Tensor) -> tuple[Tensor, ...]:
        """Return each layer's z, and numbers from U(0, 1) (N, layers) for the layout."""
        layouts = cast(Layouts, self.links[0])
        *parts, last = z.split([(z.shape[1] - layouts.layers) // layouts.layers] * layouts.layers + [layouts.layers], 1)
        return (*parts, 0.5 * (1 + torch.erf(last / math.sqrt(2))))

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map z (N, D), of a standard normal distribution, to scenes (N, 3, H, W) in [-1, 1]."""
        layouts, *generators = self.links
        *parts, u = self.parts(z)
        kinds = layouts(u)
        layers = [g(part, kinds[:, k]) for k, (g, part) in enumerate(zip(generators, parts, strict=True))]
        return put_together(layers, self.ground)


class DSPGAN(Game):
    """A chain says what is in each layer of a scene; a conditional GAN for each layer makes it, with a mask.

    In the paper the layout is a Hawkes process over depth, and details are not known to us: this is its idea in the
    smallest form. Pairs are the layers, `layer_0` the farthest, real ones with the kinds of their own scene, made ones
    with the same kinds.

    Args:
        components: what the game is made of.
        kinds: of what may be in a layer.
        batches: from which the chain is fitted, before the first step.
        ground: the grey behind all layers, where white is 1.
    """

    sampling_network = "scenes"

    def __init__(self, components: Components, kinds: int, batches: int, ground: float) -> None:
        if kinds < 2 or batches < 1 or not 0 <= ground <= 1:
            raise ValueError(f"kinds={kinds}, batches={batches}, ground={ground}: at least 2, at least 1, from 0 to 1")
        found = components.data.extra.get(KINDS)
        if found is None or components.data.extra.get(SOURCE, (0,))[0] != PLANES * found[0]:
            raise ConfigError(
                f"dsp_gan needs layers of four planes as {SOURCE!r} and their {KINDS!r}: choose data=depth_layers"
            )
        self.layers, self.kinds, self.ground = found[0], kinds, 2 * ground - 1
        super().__init__(components)
        self.openings.append(CountLayouts(batches))

    def make_players(self) -> list[Player]:
        """Return one player of all discriminators and one of all generators: no gradient crosses between layers."""
        layouts = Layouts(self.layers, self.kinds)
        self.networks["layouts"] = layouts
        generators = [self.network(f"generator_{k}") for k in range(self.layers)]
        self.networks["scenes"] = Scenes(layouts, generators, self.ground)
        return [
            Player(
                team,
                tuple(f"{team}_{k}" for k in range(self.layers)),
                team,
                {f"layer_{k}": team for k in range(self.layers)},
            )
            for team in ("discriminator", "generator")
        ]

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return each layer."""
        parts = cast(Scenes, self.network("scenes")).parts(latent.z)
        found = {}
        for k in range(self.layers):
            kinds = batch.extra[KINDS][:, k]
            fake = self.generate(Latent(parts[k], kinds), f"generator_{k}")
            real = batch.extra[SOURCE][:, PLANES * k : PLANES * (k + 1)]
            pair = Pair(self.judge(f"discriminator_{k}"), batch, latent, fake, real=real)
            pair.real_labels = pair.fake_labels = kinds
            found[f"layer_{k}"] = pair
        return found

    def check(self) -> None:
        """See that the prior has a z for each layer and a number for its kind.

        Raises:
            ConfigError: it has not.
        """
        wanted = {getattr(self.network(f"generator_{k}"), "latent_dim", None) for k in range(self.layers)} - {None}
        dim = self.prior.dim if self.prior is not None else 0
        if (
            (dim - self.layers) % self.layers
            or dim <= self.layers
            or any(size != (dim - self.layers) // self.layers for size in wanted)
        ):
            raise ConfigError(
                f"prior.dim={dim}: each of {self.layers} layers has a z of the same size, and a number more; set it to "
                f"{self.layers} (size + 1)"
            )
        super().check()
