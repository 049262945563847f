"""U-Net GAN's CutMix (Schönfeld et al. 2020, arXiv 2002.12655, section 3.2): D tells which pixels were pasted."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import ConfigError, Game, Pair, Player, Strategy, Term
from gan_zoo.losses.vanilla import BinaryCrossEntropy
from gan_zoo.ranges import require_positive, require_share


def rectangles(n: int, height: int, width: int) -> Tensor:
    """Return masks (n, 1, height, width) of zeros and ones on the CPU, each a rectangle or all but a rectangle.

    The rectangles have the images' shape and, up to rounding, an area from U(0, 1) of theirs; they lie anywhere inside.
    """
    side = torch.rand(n).sqrt()
    masks = []
    for whole in (height, width):
        length = (side * whole).round()
        start = (torch.rand(n) * (whole - length + 1)).floor().clamp(max=whole)
        places = torch.arange(whole)
        masks.append((places >= start[:, None]) & (places < (start + length)[:, None]))
    inside = masks[0][:, :, None] & masks[1][:, None, :]
    return (inside ^ (torch.rand(n) < 0.5)[:, None, None]).float()[:, None]


def mixed_losses(mixed: Tensor, real: Tensor, fake: Tensor, mask: Tensor, target: float = 1.0) -> Tensor:
    """Return D's loss of pasted images: cross entropy of pixels and image, and their consistency.

    CE(dec(x̃), M) + softplus(enc(x̃)) + mean (dec(x̃) - M dec(x) - (1 - M) dec(G(z)))²: a pasted image counts as
    generated.

    Args:
        mixed: logits (N, 2, H, W) of M x + (1 - M) G(z).
        real: logits of x.
        fake: logits of G(z).
        mask: M (N, 1, H, W), 1 where pixels are real.
        target: what D is asked to say of real pixels.
    """
    of_image, of_pixels = mixed[:, :1], mixed[:, 1:]
    pixels = F.binary_cross_entropy_with_logits(of_pixels, target * mask)
    wanted = mask * real[:, 1:] + (1 - mask) * fake[:, 1:]
    return pixels + F.softplus(of_image).mean() + (of_pixels - wanted).square().mean()


class CutMixLoss(Term):
    """D's loss of real and generated images, or, with a probability that rises, of both pasted together.

    Args:
        probability: of pasting, once it has risen.
        warmup: updates of D in which the probability rises from 0.
    """

    def __init__(self, probability: float, warmup: int) -> None:
        super().__init__()
        self.probability = probability
        self.warmup = warmup

    def check(self, game: Game, player: Player) -> None:
        """See that D judges pixels, as they are, by cross entropy.

        Raises:
            ConfigError: it does not.
        """
        if not isinstance(game.loss, BinaryCrossEntropy):
            raise ConfigError(
                f"cutmix judges pasted images by cross entropy, and the loss is {type(game.loss).__name__}; choose "
                "loss=nonsaturating"
            )
        for name in player.networks:
            shape = tuple(game.probe(name).logits.shape[1:])
            if shape != (2, *game.data.sample[1:]):
                raise ConfigError(
                    f"cutmix needs a logit for every pixel and one for the image, and those of networks.{name} have "
                    f"the shape {shape}; choose discriminator=unet"
                )
        if game.transforms:
            raise ConfigError(
                f"cutmix asks where pixels are real, and {type(game.transforms[0]).__name__} moves or changes what D "
                "sees; leave out one of the two"
            )

    def pastes(self, updates: int) -> float:
        """Return the probability of pasting after so many updates of D."""
        return self.probability * min(updates / self.warmup, 1.0)

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the loss of this update."""
        loss = self.game.loss
        assert isinstance(loss, BinaryCrossEntropy)
        real, fake = pair.outputs
        # On the CPU, which decides what is computed.
        if torch.rand(()).item() >= self.pastes(player.updates):
            return loss.discriminator(real, fake)
        mask = rectangles(len(pair.real), *pair.real.shape[2:]).to(pair.real.device)
        pasted = pair.judge(mask * pair.real + (1 - mask) * pair.fake, pair.real_labels, *pair.real_given)
        return mixed_losses(pasted.logits, real.logits, fake.logits, mask, loss.real_target)


class CutMix(Strategy):
    """In some of its updates D is shown real and generated images pasted together (U-Net GAN, arXiv 2002.12655).

    With probability r in place of its usual loss it minimises CE(dec(x̃), M) + softplus(enc(x̃)) +
    mean (dec(x̃) - M dec(x) - (1 - M) dec(G(z)))², where x̃ = M x + (1 - M) G(z) and M is 1 in a random rectangle or
    outside it. r rises from 0 along a line.

    Args:
        probability: r, once it has risen; 0.5 in the paper.
        warmup: updates of D in which it rises; the paper's are some epochs.
    """

    applies_last = True

    def __init__(self, probability: float, warmup: int) -> None:
        require_share(probability=probability)
        require_positive(warmup=warmup)
        self.probability = probability
        self.warmup = warmup

    def apply(self, game: Game) -> None:
        """Put the term in the place of the discriminators' adversarial losses."""
        discriminators = game.teams()[0]
        if not discriminators:
            raise ConfigError(f"cutmix has no effect on {type(game).__name__}, where nobody has a discriminator's loss")
        for player in discriminators:
            game.claim(f"adversarial loss of the {player.name}", "cutmix")
            if player.objective != "discriminator":
                raise ConfigError(
                    f"cutmix takes the place of a whole discriminator's loss, and the player {player.name!r} minimises "
                    f"{player.objective}"
                )
            player.objective = None
            player.add_term("cutmix", CutMixLoss(self.probability, self.warmup))
