"""CaloGAN (Paganini et al. 2017, arXiv 1705.02355): showers in layers of a calorimeter, of an energy asked for."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan_framework.api import (
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
from gan_zoo.locally_connected import EnergyImage, energy_features
from gan_zoo.ranges import require_positive
from gan_zoo.showers import SCALE

ENERGY = "energy"


class AskedEnergy(Prior):
    """z = [Gaussian noise, the energy asked for in units of 100 GeV], energies U(1, 100) GeV.

    Args:
        noise: the size of the noise; 1024 in the paper.
    """

    def __init__(self, noise: int) -> None:
        super().__init__()
        require_positive(noise=noise)
        self.dim = noise + 1

    def draw(self, n: int, device: torch.device, generator: torch.Generator | None = None) -> Latent:
        """Draw n latents."""
        noise = torch.randn(n, self.dim - 1, generator=generator)
        energy = (1 + (SCALE - 1) * torch.rand(n, 1, generator=generator)) / SCALE
        return Latent(torch.cat([noise, energy], 1).to(device))


class CaloGANGenerator(Generator):
    """Noise times the energy, a LAGAN network for each layer; a later layer mixes in the former with learnt weights.

    layer_k = ReLU(α ⊙ own + (1 - α) ⊙ former), α = σ(C1 [own, former]) for each cell.

    Args:
        noise: the size of the noise in z.
        image_size: cells to a side.
        layers: how many; 3 in the paper.
        width: channels of the first maps; 128 in the paper.
    """

    def __init__(self, noise: int, image_size: int, layers: int, width: int) -> None:
        super().__init__()
        require_positive(layers=layers)
        self.images = nn.ModuleList(EnergyImage(noise, image_size, width) for _ in range(layers))
        self.mixing = nn.ModuleList(nn.Conv2d(2, 1, 1) for _ in range(layers - 1))

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, noise + 1) to showers (N, layers, H, W), at least 0."""
        scaled = z[:, :-1] * z[:, -1:]
        own = [image(scaled) for image in self.images]
        found = [own[0].relu()]
        for image, mix in zip(own[1:], self.mixing, strict=True):
            share = mix(torch.cat([image, found[-1]], 1)).sigmoid()
            found.append((share * image + (1 - share) * found[-1]).relu())
        return torch.cat(found, 1)


def closeness(values: Tensor) -> Tensor:
    """Return of vectors (N, D) the batch's mean of e^-|v_i - v_j| of each entry: minibatch discrimination."""
    return (-(values[:, None] - values[None]).abs()).exp().mean(1)


class CaloGANDiscriminator(Discriminator):
    """LAGAN's features of each layer; energies, their sum, how far it is from what was asked for, sparsity, closeness.

    Args:
        image_size: cells to a side.
        layers: how many.
        width: channels of the first layers; 32 in the paper.
        hidden: the size of what is kept of the images.
    """

    batch_independent = False

    def __init__(self, image_size: int, layers: int, width: int, hidden: int) -> None:
        super().__init__()
        made = [energy_features(image_size, width) for _ in range(layers)]
        self.images = nn.ModuleList(
            nn.Sequential(*blocks, nn.Linear(size, hidden), nn.LeakyReLU(0.2)) for blocks, size in made
        )
        self.output = nn.Linear(layers * hidden + 4 * layers + 3, 1)

    def features(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> tuple[Tensor, ...]:
        """Return the features of showers (N, layers, H, W) and of the energy asked for (N, 1)."""
        images = [image(x[:, number : number + 1]) for number, image in enumerate(self.images)]
        energies = x.sum((2, 3))
        sparsity = torch.tanh(50 * x.clamp(min=0)).mean((2, 3))
        total = energies.sum(1, keepdim=True)
        (asked,) = given
        near = closeness(torch.cat([energies, sparsity], 1))
        # As in the authors' program: layers in units of 10 GeV, what is amiss in GeV, and whether that is above 5.
        amiss = SCALE * (total - asked).abs()
        found = [*images, 10 * energies, total, amiss, 10 * (amiss > 5).to(amiss), sparsity, near]
        return (torch.cat(found, 1),)


class EnergyError(Term):
    """|E_total - E|, a mean over made showers, in GeV (section 3.2)."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean."""
        asked = pair.latent.z[:, -1]
        return SCALE * (pair.made[SAMPLES].float().sum((1, 2, 3)) - asked).abs().mean()


class CaloGAN(Game):
    """D judges showers beside their energy; G is asked for energies, and told how far its showers' are from them.

    Args:
        components: what the game is made of.
        energy: the weight of the energies' error in GeV; 0.05 in the paper.
    """

    def __init__(self, components: Components, energy: float) -> None:
        super().__init__(components)
        if ENERGY not in self.data.extra or not isinstance(self.prior, AskedEnergy):
            raise ConfigError(
                "game=calogan needs data with the extra 'energy', as data=showers, and prior=asked_energy"
            )
        self.player("generator").add_term("energy", EnergyError(), energy)

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return real and made showers, each with the energy that it has or was asked for."""
        made = self.make(latent)
        judge = self.judge("discriminator")
        real, asked = batch.extra[ENERGY], latent.z[:, -1:]
        return Pair(judge, batch, latent, made[SAMPLES], real_given=(real,), fake_given=(asked,), made=made)
