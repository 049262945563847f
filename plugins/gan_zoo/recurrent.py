"""Recurrent layers that can be differentiated twice on every device."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from gan_zoo.lengths import inside


class Recurrent(nn.Module):
    """An LSTM or a GRU along a sequence.

    cuDNN's cannot be differentiated twice, which penalties of gradients do, so that with gradients torch's own run.

    Args:
        cell: `lstm` or `gru`.
        inputs: the size of a step.
        width: the size of what is remembered.
        layers: one upon another.
        both_ways: also from the end to the beginning.
        dropout: the share that is dropped between layers.
    """

    def __init__(
        self,
        cell: str,
        inputs: int,
        width: int,
        layers: int = 1,
        both_ways: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if cell not in ("lstm", "gru"):
            raise ValueError(f"cell={cell!r} must be lstm or gru")
        made = nn.LSTM if cell == "lstm" else nn.GRU
        self.layers = made(
            inputs, width, layers, batch_first=True, bidirectional=both_ways, dropout=dropout if layers > 1 else 0.0
        )
        self.size = 2 * width if both_ways else width

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Map steps (N, T, inputs) to (N, T, size).

        With lengths (N,) it reads back from each sequence's end, and what it says of the steps after it is 0.
        """
        with torch.backends.cudnn.flags(enabled=torch.backends.cudnn.enabled and not torch.is_grad_enabled()):
            if lengths is None or not self.layers.bidirectional:
                found: Tensor = self.layers(x)[0]
            else:
                # Of a sequence without steps, as blank samples are, one is read; its answer is set to 0 below.
                packed = pack_padded_sequence(x, lengths.clamp(min=1).cpu(), batch_first=True, enforce_sorted=False)
                found, _ = pad_packed_sequence(self.layers(packed)[0], batch_first=True, total_length=x.shape[1])
        return found if lengths is None else found * inside(lengths, x.shape[1])[..., None]
