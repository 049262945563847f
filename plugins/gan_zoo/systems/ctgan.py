"""CTGAN (Xu et al. 2019, arXiv 1907.00503): rows of mixed tables, made for a value that is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import (
    EMPTY,
    SAMPLES,
    Batch,
    Components,
    ConfigError,
    Discriminator,
    Game,
    Generator,
    Latent,
    Pair,
    Player,
    Prior,
    Term,
)
from gan_zoo.columns import Layout
from gan_zoo.datasets.asked_rows import CONDITION, as_condition, drawn_conditions
from gan_zoo.layers import activations
from gan_zoo.ranges import require_above_zero, require_positive

ASKED = "asked"
"""The further source of rows that have a value which was asked for."""

LOGITS = "logits"


def condition_size(layout: Layout) -> int:
    """Return the number K of values that can be asked for."""
    return sum(block.size for block in layout.asked)


def choice_size(layout: Layout) -> int:
    """Return the number of entries of rows that are one of several."""
    return sum(block.size for block in layout.blocks if block.kind == "choice")


class AskedCategory(Prior):
    """z = [noise, which value is asked for (one-hot), Gumbel noise of all choices], so that rows follow from z alone.

    A column is drawn evenly and its value as often as it occurs, as CTGAN's program does for samples.

    Args:
        noise: the size of the Gaussian noise.
        layout: of the table.
    """

    def __init__(self, noise: int, layout: dict[str, Any]) -> None:
        super().__init__()
        require_positive(noise=noise)
        self.layout, self.noise = Layout.of(layout), noise
        self.dim = noise + condition_size(self.layout) + choice_size(self.layout)

    def draw(self, n: int, device: torch.device, generator: torch.Generator | None = None) -> Latent:
        """Draw n latents."""
        own = generator or torch.default_generator
        noise = torch.randn(n, self.noise, generator=own)
        condition = noise.new_zeros(n, 0)
        if self.layout.asked:
            condition = as_condition(self.layout, *drawn_conditions(self.layout, n, own, true_odds=True))
        uniform = torch.rand(n, choice_size(self.layout), generator=own).clamp(1e-9, 1 - 1e-7)
        return Latent(torch.cat([noise, condition, -(-uniform.log()).log()], 1).to(device))

    def vary(self, latent: Latent, code: str) -> list[Latent]:
        """Return the latents with each value of a column asked for.

        Raises:
            ConfigError: no such column can be asked for.
        """
        start = self.noise
        end = start + condition_size(self.layout)
        for block in self.layout.asked:
            if self.layout.columns[block.column].name == code:
                varied = []
                for value in range(block.size):
                    z = latent.z.clone()
                    z[:, self.noise : end] = 0
                    z[:, start + value] = 1
                    varied.append(latent._replace(z=z))
                return varied
            start += block.size
        names = ", ".join(self.layout.columns[block.column].name for block in self.layout.asked)
        raise ConfigError(f"no column {code!r} can be asked for; those are {names or 'none'}")


class CTGANGenerator(Generator):
    """h ← [ReLU(BN(L h)), h] for every hidden layer, then L: tanh for numbers, Gumbel softmax for choices.

    In evaluation choices are one-hot.

    Args:
        noise: the size of the Gaussian noise in z.
        layout: of the table.
        hidden: the sizes of the hidden layers; [256, 256] in the paper.
        temperature: τ of the Gumbel softmax.
    """

    def __init__(self, noise: int, layout: dict[str, Any], hidden: list[int], temperature: float) -> None:
        super().__init__()
        require_above_zero(temperature=temperature)
        self.layout, self.temperature = Layout.of(layout), temperature
        self.inputs = size = noise + condition_size(self.layout)
        self.hidden = nn.ModuleList()
        for wide in hidden:
            self.hidden.append(nn.Sequential(nn.Linear(size, wide), nn.BatchNorm1d(wide), nn.ReLU()))
            size += wide
        self.output = nn.Linear(size, self.layout.size)

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map z (N, D) to rows (N, D')."""
        return self.everything(z, labels)[SAMPLES]

    def everything(
        self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY
    ) -> Mapping[str, Tensor]:
        """Return the rows, and the `logits` (N, D') that they are drawn of."""
        h, noise = z[:, : self.inputs], z[:, self.inputs :]
        for layer in self.hidden:
            h = torch.cat([layer(h), h], 1)
        logits: Tensor = self.output(h)
        parts, start = [], 0
        for block in self.layout.blocks:
            entries = logits[:, block.place]
            if block.kind == "value":
                parts.append(entries.tanh())
            elif block.kind == "bit":
                parts.append(entries.sigmoid())
            else:
                drawn = entries + noise[:, start : start + block.size]
                soft = (drawn / self.temperature).softmax(1)
                parts.append(soft if self.training else F.one_hot(drawn.argmax(1), block.size).to(soft.dtype))
                start += block.size
        return {SAMPLES: torch.cat(parts, 1), LOGITS: logits}


class CTGANDiscriminator(Discriminator):
    """Packs of rows, each with what was asked for: linear layers with leaky ReLU 0.2 and dropout ½.

    Args:
        layout: of the table.
        pack: rows in a pack; 10 in the paper.
        hidden: the sizes of the hidden layers; [256, 256] in the paper.
        dropout: the share of what is dropped.
    """

    def __init__(self, layout: dict[str, Any], pack: int, hidden: list[int], dropout: float) -> None:
        super().__init__()
        require_positive(pack=pack)
        if not hidden or not 0 <= dropout < 1:
            raise ValueError(f"hidden={hidden} dropout={dropout}: one layer at least, and a share from 0 to below 1")
        table = Layout.of(layout)
        self.pack = pack
        sizes = [pack * (table.size + condition_size(table)), *hidden]
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Linear(a, b), nn.LeakyReLU(0.2), nn.Dropout(dropout))
            for a, b in zip(sizes, hidden, strict=False)
        )
        self.output = nn.Linear(sizes[-1], 1)

    def features(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> tuple[Tensor, ...]:
        """Return the activations after every layer for packs (M, pack, D) and what was asked for (M, pack, K)."""
        return activations(self.blocks, torch.cat([x, *given], 2).flatten(1))


class AskedValue(Term):
    """The cross entropy of the value that was asked for, of the generator's logits of its column (section 4.3)."""

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.layout = layout

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the batch."""
        logits, condition = pair.made[LOGITS].float(), pair.made[CONDITION].float()
        total, start = logits.new_zeros(()), 0
        for block in self.layout.asked:
            asked = condition[:, start : start + block.size]
            total = total - (asked * logits[:, block.place].log_softmax(1)).sum(1).mean()
            start += block.size
        return total


class CTGAN(Game):
    """G makes a row for a value that is asked for; D judges packs of rows beside what was asked for.

    In training a column is asked for evenly, one of its values by its log-frequency, and the real rows have that value;
    both sides of a pack are asked for the same. G minimises the adversarial loss and the cross entropy of what was
    asked for.

    Args:
        components: what the game is made of.
        asked_weight: of the cross entropy; 1 in the paper.
    """

    def __init__(self, components: Components, asked_weight: float) -> None:
        super().__init__(components)
        generator, prior = self.generator, self.prior
        fits = isinstance(generator, CTGANGenerator) and isinstance(self.network("discriminator"), CTGANDiscriminator)
        if not fits or not isinstance(prior, AskedCategory):
            raise ConfigError("game=ctgan needs ctgan for both of its networks, and prior=asked_category")
        assert isinstance(generator, CTGANGenerator)
        if ASKED not in self.data.others:
            raise ConfigError("game=ctgan needs sources.asked: {name: asked_rows, of: ${data}}")
        self.asks = prior.noise, prior.noise + condition_size(prior.layout)
        self.player("generator").add_term("asked", AskedValue(generator.layout), asked_weight)

    def latent_for(self, batch: Batch) -> Latent:
        """Return latents that ask for what the real rows have."""
        latent = super().latent_for(batch)
        start, end = self.asks
        condition = batch.others[ASKED].extra[CONDITION]
        return latent._replace(z=torch.cat([latent.z[:, :start], condition, latent.z[:, end:]], 1), labels=None)

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return packs of real and of made rows with what was asked for."""
        start, end = self.asks
        condition = latent.z[:, start:end]
        made = self.make(latent)
        real, fake, asked = map(self.packs, (batch.others[ASKED].samples, made[SAMPLES], condition))
        judge = self.judge("discriminator")
        more = {**made, CONDITION: condition}
        return Pair(judge, batch, latent, fake, real=real, real_given=(asked,), fake_given=(asked,), made=more)

    def packs(self, rows: Tensor) -> Tensor:
        """Return rows (N, D) as packs (N / pack, pack, D); fewer than one pack are repeated, the rest is dropped."""
        network = self.network("discriminator")
        assert isinstance(network, CTGANDiscriminator), "game=ctgan needs networks.discriminator=ctgan"
        size = network.pack
        if len(rows) < size:
            rows = rows.repeat(-(-size // len(rows)), 1)
        packed: Tensor = rows[: len(rows) // size * size].unflatten(0, (-1, size))
        return packed
