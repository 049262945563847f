"""TGAN (Saito et al. 2017, arXiv 1611.06624): latents of frames of one for the video; clipped singular values."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from gan_framework.api import ConfigError, Discriminator, Game, Generator, Strategy
from gan_zoo.ndims import NORMS, cut, init_dcgan, up
from gan_zoo.ranges import require_positive


class TemporalGenerator(Generator):
    """1-D transposed convolutions make of z a latent for each frame (tanh); a 2-D DCGAN makes each frame of both.

    The first 1-D layer has a kernel of 1, and both latents have a linear layer and batch norm of their own before they
    are joined (table 1 and the authors' program).

    Args:
        latent_dim: the size of z, and of a frame's latent.
        shape: of a video (T, C, H, W); T is a power of two.
        width: channels of the layer before the frames.
        hidden: channels of the first 1-D layer; 512 in the paper.
    """

    def __init__(self, latent_dim: int, shape: list[int], width: int, hidden: int) -> None:
        super().__init__()
        frames = shape[0]
        if frames & (frames - 1) or frames < 2:
            raise ValueError(f"shape={shape}: a number of frames that is a power of two")
        self.frames, self.sizes = frames, shape[2:]
        layers: list[nn.Module] = [nn.Unflatten(1, (latent_dim, 1)), nn.ConvTranspose1d(latent_dim, hidden, 1)]
        layers += [nn.BatchNorm1d(hidden), nn.ReLU()]
        inputs = hidden
        steps = frames.bit_length() - 1
        for step in range(steps):
            outputs = latent_dim if step == steps - 1 else max(hidden >> step + 1, 8)
            layers.append(nn.ConvTranspose1d(inputs, outputs, 4, 2, 1))
            layers += [nn.Tanh()] if step == steps - 1 else [nn.BatchNorm1d(outputs), nn.ReLU()]
            inputs = outputs
        self.temporal = nn.Sequential(*layers)
        image = up(2 * latent_dim, shape[1:], width, 4, 2, 4, "batch", "tanh")
        first = image[1]
        assert isinstance(first, nn.ConvTranspose2d)
        channels, base = first.out_channels, first.kernel_size
        self.slow = self._first(latent_dim, channels // 2, base)
        self.fast = self._first(latent_dim, channels - channels // 2, base)
        self.image = image[4:]  # without the layer that would see both at once
        init_dcgan(self)

    @staticmethod
    def _first(latent_dim: int, channels: int, base: tuple[int, ...]) -> nn.Sequential:
        values = channels * math.prod(base)
        return nn.Sequential(
            nn.Linear(latent_dim, values, bias=False),
            nn.BatchNorm1d(values),
            nn.ReLU(),
            nn.Unflatten(1, (channels, *base)),
        )

    def frame_latents(self, z: Tensor) -> Tensor:
        """Return the latents (N, T, latent_dim) in [-1, 1] of the frames."""
        return self.temporal(z).transpose(1, 2)  # type: ignore[no-any-return]

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to videos (N, T, C, H, W) in [-1, 1]."""
        fast = self.fast(self.frame_latents(z).flatten(0, 1))
        slow = self.slow(z).repeat_interleave(self.frames, 0)
        videos: Tensor = cut(self.image(torch.cat([slow, fast], 1)), self.sizes).unflatten(0, (-1, self.frames))
        return videos


@torch.no_grad()
def clip_singular_values(network: nn.Module) -> None:
    """Bring the singular values of all weights to at most 1, and the gains of batch norms to [0.01 σ, σ].

    A convolution's weights are seen as a matrix of its outputs; σ is the root of the running variance (section 4).
    """
    for layer in network.modules():
        weight = getattr(layer, "weight", None)
        if isinstance(layer, NORMS):
            assert isinstance(layer.running_var, Tensor)
            deviation = (layer.running_var + layer.eps).sqrt()
            layer.weight.copy_(layer.weight.clamp(0.01 * deviation, deviation))
        elif isinstance(weight, nn.Parameter) and weight.ndim >= 2:
            matrix = weight.flatten(1)
            # The parts beyond 1 alone are taken away, so that what is within stays as it is to the bit.
            u, s, v = torch.linalg.svd(matrix.float(), full_matrices=False)
            if bool((s > 1).any()):
                weight.copy_((matrix - (u * (s - s.clamp(max=1))) @ v).view_as(weight))


class Clipping(nn.Module):
    """Clips a network's singular values in each so-manieth update; how many there were is in its state."""

    owner = "strategy.singular_clip"
    count: Tensor

    def __init__(self, networks: list[nn.Module], every: int) -> None:
        super().__init__()
        self.clipped = (networks,)  # the game's own, not to be registered here
        self.every = every
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    def changes(self, game: Game) -> list[nn.Parameter]:
        """Return the weights that it changes by itself."""
        layers = (layer for network in self.clipped[0] for layer in network.modules())
        weights = (getattr(layer, "weight", None) for layer in layers)
        return [weight for weight in weights if isinstance(weight, nn.Parameter)]

    def forward(self) -> None:
        """Count, and clip when it is time."""
        self.count += 1
        if int(self.count) % self.every == 0:
            for network in self.clipped[0]:
                clip_singular_values(network)


class SingularClip(Strategy):
    """After every so many updates of D the singular values of its weights are at most 1 (Saito et al. 2017, section 4).

    D is a function of bounded slope then, as a Wasserstein critic should be, and is clipped before the first step too.

    Args:
        every: updates of D; 5 in the paper.
    """

    def __init__(self, every: int) -> None:
        require_positive(every=every)
        self.every = every

    def apply(self, game: Game) -> None:
        """Have D's player clip."""
        players = game.teams()[0]
        if not players:
            raise ConfigError(f"singular_clip has no effect on {type(game).__name__}, which has no discriminator")
        for name in game.critics:
            game.claim(f"norm of the weights of networks.{name}", "singular_clip")
        for player in players:
            networks = [game.network(name) for name in player.networks]
            if not all(isinstance(network, Discriminator) for network in networks):
                raise ConfigError(f"singular_clip clips discriminators, and {player.name} updates other networks too")
            for network in networks:
                clip_singular_values(network)
            player.after_step.append(Clipping(networks, self.every))
