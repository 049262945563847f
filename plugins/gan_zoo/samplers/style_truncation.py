"""Samples with styles nearer to their mean."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.api import ConfigError, Game, Latent, Sampler, evaluation_mode
from gan_zoo.mapping import StyleGenerator
from gan_zoo.ranges import require_probability


class StyleTruncation(Sampler):
    """w̄ + ψ (w - w̄) in place of w, w̄ its mean in training: less variety for fewer odd samples (StyleGAN).

    Karras et al. 2019, arXiv 1812.04948, appendix B.

    Args:
        psi: ψ; 1 changes nothing, and 0 makes one sample of all latents.
        layers: how many layers are truncated, from the smallest maps on; null for all.
    """

    name = "style_truncation"

    def __init__(self, psi: float, layers: int | None) -> None:
        require_probability(psi=psi)
        if layers is not None and layers < 1:
            raise ValueError(f"layers={layers}: it must be at least 1, or null")
        self.psi = psi
        self.layers = layers

    def check(self, game: Game) -> None:
        """Raise ConfigError unless samples come from a generator with a mapping network."""
        network = game.network(game.sampling_network)
        if not isinstance(network, StyleGenerator):
            raise ConfigError(
                f"sampler=style_truncation needs a generator with a style for each layer, as stylegan2 is, and "
                f"{game.sampling_network} is {type(network).__name__}"
            )

    def draw(self, game: Game, latent: Latent, random: torch.Generator) -> Tensor:
        """Return a sample of each latent's truncated styles."""
        network = game.network(game.sampling_network)
        assert isinstance(network, StyleGenerator)
        with torch.no_grad(), evaluation_mode(network), game.autocast():
            w = network.truncated(network.map(latent.z, latent.labels), self.psi, self.layers)
            return network.synthesise(w, latent.labels).float()
