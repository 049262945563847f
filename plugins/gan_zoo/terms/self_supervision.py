"""FastGAN's self-supervision: the discriminator describes real images so well that they can be decoded."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import ConfigError, Game, Pair, Player, Term
from gan_zoo.discriminators.fastgan import FastGANDiscriminator
from gan_zoo.layers import as_weights
from gan_zoo.terms.sides import trained_judges


class SelfSupervision(Term):
    """Mean absolute error of what the discriminator's three decoders make of real images (section 3.2).

    Of the whole image at half its size, twice, and of a random quarter of it at its full size. The paper compares by a
    pretrained network (LPIPS); absolute errors need none.
    """

    def check(self, game: Game, player: Player) -> None:
        """Raise ConfigError unless the player updates a discriminator with decoders."""
        for name in trained_judges(self, game, player):
            if not isinstance(game.network(name), FastGANDiscriminator):
                raise ConfigError(
                    f"self_supervision needs a discriminator with decoders, as fastgan is, and networks.{name} is "
                    f"{type(game.network(name)).__name__}"
                )

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the sum of the three errors on the pair's real images."""
        output = pair.real_output
        network = pair.judge.network  # type: ignore[attr-defined]
        seen: Tensor = output.heads["seen"]
        half = F.avg_pool2d(seen, 2)
        which = torch.randint(4, (len(seen),), device=seen.device)
        maps = (output.features[-1], output.heads["small"], quarter(output.features[-2], which))
        whole, small, part = (as_weights(each, network) for each in maps)
        made = {
            "whole": (network.decoders["whole"](whole), half),
            "small": (network.decoders["small"](small), half),
            "part": (network.decoders["part"](part), quarter(seen, which)),
        }
        errors: list[Tensor] = [(image - wanted).abs().mean() for image, wanted in made.values()]
        return torch.stack(errors).sum()


def quarter(x: Tensor, which: Tensor) -> Tensor:
    """Return one of the four quarters of each of the maps (N, C, 2H, 2W), by its number (N,): (N, C, H, W)."""
    height, width = x.shape[2] // 2, x.shape[3] // 2
    parts = x.unflatten(3, (2, width)).unflatten(2, (2, height)).permute(0, 2, 4, 1, 3, 5).flatten(1, 2)
    chosen: Tensor = parts[torch.arange(len(x), device=x.device), which]
    return chosen
