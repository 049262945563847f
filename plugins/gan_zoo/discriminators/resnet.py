"""The residual discriminator of SNGAN."""

from __future__ import annotations

import math

from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import Discriminator
from gan_zoo.layers import ImageSize, halved, sides
from gan_zoo.residual import HIDDEN, DownBlock, Widths, attention_after, init_residual, rising, through


class ResNetDiscriminator(Discriminator):
    """Residual blocks, the first of which halve the size, then a sum over positions (Miyato et al. 2018, appendix B).

    At constant width there are four, the first two of which halve (table 3). With `widths=by_size` and a width of 64
    there are as many as make maps of 4 pixels or less, which double the channels up to 1024, and one more: at 48 pixels
    64, 128, 256, 512, 1024; at 64 pixels (Miyato & Koyama 2018, arXiv 1802.05637) the same with `last_down=true`; at
    128 pixels 64, 128, 256, 512, 1024, 1024. It has no normalisation of its own: SNGAN adds spectral normalisation
    (`strategy=[spectral_norm]`).

    Args:
        channels: of the images.
        width: channels of the first block; of every block if `widths` is null.
        image_size: of square images, or height and width; null takes images of any size, where `widths` and `attention`
            are null too.
        widths: null for four blocks of one width; `by_size`; or those of the blocks, all but the last of which halve.
        hidden: channels inside a block: as many as its `inputs`, as SNGAN has it, or `outputs`, as SAGAN has it. The
            first block has those of its output.
        last_down: whether the last block halves the size too; with `widths` alone.
        attention: the smaller side of the maps after which self-attention stands (SAGAN, Zhang et al. 2019, arXiv
            1805.08318); `by_size` for half that of the images, at most 32; null for none.
        checkpoint_activations: compute what is inside blocks once more for the gradient, to save memory.
    """

    def __init__(
        self,
        channels: int,
        width: int,
        image_size: ImageSize | None = None,
        widths: Widths = None,
        hidden: str = "outputs",
        last_down: bool = False,
        attention: int | str | None = None,
        checkpoint_activations: bool = False,
    ) -> None:
        super().__init__()
        if hidden not in HIDDEN:
            raise ValueError(f"hidden={hidden!r}: choose {' or '.join(HIDDEN)}")
        if image_size is None and (widths is not None or attention is not None):
            raise ValueError("image_size=null: widths and attention follow from it; set image_size, or leave them null")
        if last_down and widths is None:
            raise ValueError("last_down=true: the four blocks of one width have two that halve; set widths=by_size")
        if widths is None:
            outputs, halve = [width] * 4, [True, True, False, False]
        else:
            assert image_size is not None
            downs = math.ceil(math.log2(max(min(sides(image_size)), 8) / 4))
            listed = not isinstance(widths, str)
            outputs = rising(width, widths, len(widths) if listed else downs + 1)
            halve = [True] * (len(outputs) - 1) + [last_down]
        if image_size is not None:
            halved(image_size, sum(halve))
        self.blocks = nn.ModuleList(
            DownBlock(a, b, down, first=i == 0, hidden=a if i and hidden == "inputs" else b)
            for i, (a, b, down) in enumerate(zip([channels, *outputs], outputs, halve, strict=False))
        )
        self.output = nn.Linear(outputs[-1], 1)
        init_residual(self)
        sizes = [min(sides(image_size or 0)) >> sum(halve[: i + 1]) for i in range(len(halve))]
        self.attention = attention_after(attention, image_size or 0, sizes, outputs)
        self.checkpoint_activations = checkpoint_activations

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the activations after every block for images (N, C, H, W) in [-1, 1], then their sum (N, width)."""
        activations = through(self.blocks, self.attention, x, recompute=self.checkpoint_activations)
        return *activations, F.relu(activations[-1]).sum((2, 3))
