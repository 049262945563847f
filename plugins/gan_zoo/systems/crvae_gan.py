"""crVAE-GAN: Shang, Sohn & Tian 2017, Channel-Recurrent Variational Autoencoders, arXiv 1706.03729."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import (
    MAIN,
    SAMPLES,
    Batch,
    Components,
    ConfigError,
    Discriminator,
    Generator,
    Latent,
    Pair,
    Player,
    Term,
    TermPlan,
)
from gan_zoo.encoding import RECONSTRUCTION, EncodingGame, Fools
from gan_zoo.layers import activations
from gan_zoo.ranges import require_below_one, require_not_negative, require_positive
from gan_zoo.recurrent import Recurrent
from gan_zoo.running_statistics import running_statistics_kept
from gan_zoo.terms.kl_divergence import KLDivergence, kl_to_standard_normal

LINKED = "linked"
"""The map u that the decoder's LSTM makes of z, flat, among what the generator makes."""


class CRVAEGAN(EncodingGame):
    """A VAE whose code is a map cut into groups of channels that LSTMs link, and a D whose layers also tell the code.

        E, G  |x - x̂|² + Σ_t α_t KL_t + β [-log D(x̂) - log D(G(z))] + κ [|Q(x̂) - u|² + |Q(G(z)) - u|²]
        D     -log D(x) - ½ log(1 - D(x̂)) - ½ log(1 - D(G(z)))
        Q     |Q(x̂) - u|² + |Q(G(z)) - u|²             updates D's convolutions too, whether D waits or not

    KL_t is a sum over the entries of group t, the squares are means over entries; u is what the decoder's LSTM makes of
    z, a constant here. Q, the network `recovery`, reads D's convolutions. α_t is one number for the first groups and
    another for the rest. Weights and the players' order are the authors' program's, which updates E and G twice, for
    reconstructions and for samples, where one sum is minimised here; there groups of u have weights of their own.

    Args:
        components: what the game is made of.
        early: α of the first groups.
        late: α of the others.
        first: how many are the first; 3 of 8 in the authors' program.
        adversarial: β.
        recovery: κ.
    """

    def __init__(
        self, components: Components, early: float, late: float, first: int, adversarial: float, recovery: float
    ) -> None:
        require_not_negative(early=early, late=late, first=first, adversarial=adversarial, recovery=recovery)
        judge, makes = (components.networks.get(name) for name in ("discriminator", "generator"))
        if not isinstance(judge, CRVAEDiscriminator) or not isinstance(makes, CRVAEDecoder):
            raise ConfigError("game=crvae_gan needs generator and discriminator of the name crvae_gan")
        if first > makes.groups:
            raise ConfigError(f"game.first={first}: z has {makes.groups} groups, so that no more can be the first")
        components.networks["trunk"] = judge.blocks
        super().__init__(components)
        player, both = self.player("generator"), (RECONSTRUCTION, MAIN)
        player.add_term("squared_error", SquaredError(), plan=TermPlan(pairs=(RECONSTRUCTION,)))
        player.add_term("kl_divergence", GroupedKL(early, late, first), plan=TermPlan(pairs=(RECONSTRUCTION,)))
        player.add_term("fooled", Fools(), plan=TermPlan(adversarial, pairs=both))
        player.add_term("recovered", Recovery(), plan=TermPlan(recovery, pairs=both))
        self.player("recovery").add_term("recovered", Recovery(), plan=TermPlan(pairs=both))

    def make_players(self) -> list[Player]:
        """Return D, E with G, and Q with D's convolutions."""
        return [
            Player("discriminator", ("discriminator",), "discriminator", "discriminator", combine=torch.mean),
            Player("generator", ("generator", "encoder"), "generator"),
            Player("recovery", ("recovery", "trunk")),
        ]

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return x with G(z), and x with its reconstruction, both before D."""
        judge, code = self.judge("discriminator"), self.encode(batch.samples, batch.labels)
        drawn = self.make(latent)
        with running_statistics_kept(self.network("generator")):
            found = ((MAIN, latent, drawn), (RECONSTRUCTION, code, self.make(code)))
        return {name: Pair(judge, batch, of, made[SAMPLES], made=made) for name, of, made in found}


class SquaredError(Term):
    """The mean of (x - x̂)² over entries and samples."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for a pair's reconstructions."""
        return (pair.fake - pair.real).square().mean()


class GroupedKL(KLDivergence):
    """Σ_t α_t KL(q(z_t|x) ‖ p(z_t)) over groups of channels, a mean over samples.

    Args:
        early: α_t of the first groups.
        late: α_t of the others.
        first: how many groups are the first.
    """

    def __init__(self, early: float, late: float, first: int) -> None:
        super().__init__()
        self.early, self.late, self.first = early, late, first

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the weighted sum."""
        generator = self.game.generator
        assert isinstance(generator, CRVAEDecoder)
        start = self.first * pair.latent.z.shape[1] // generator.groups
        mean, log_variance = (pair.latent.code[name] for name in ("mean", "log_variance"))
        parts = [
            kl_to_standard_normal(mean[:, of], log_variance[:, of]).mean() for of in (slice(start), slice(start, None))
        ]
        return self.early * parts[0] + self.late * parts[1]


class Recovery(Term):
    """The mean of (Q(x̃) - u)²: whether an image tells what it was decoded from."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for a pair's generated samples."""
        u = pair.made[LINKED]
        with self.game.autocast():
            told: Tensor = self.game.network("recovery")(pair.fake_output.features[-2])
        return (told.to(u.dtype) - u).square().mean()


class BothSigns(nn.Module):
    """The rectified x and -x, one after the other: concatenated ReLUs (Shang et al. 2016, arXiv 1603.05201)."""

    def forward(self, x: Tensor) -> Tensor:
        """Map maps (N, C, ...) to (N, 2 C, ...)."""
        return F.relu(torch.cat([x, -x], 1))


class Linked(nn.Module):
    """Two layers of LSTM along the groups of channels of a map, whose forget gates start with a bias of 1.

    Args:
        inputs: the entries of one group.
        width: of the LSTM.
        groups: T.
    """

    def __init__(self, inputs: int, width: int, groups: int) -> None:
        super().__init__()
        self.groups = groups
        self.lstm = Recurrent("lstm", inputs, width, 2)
        for name, parameter in self.lstm.named_parameters():
            if "bias" in name:  # of the gates in, forget, cell and out; two biases are added
                with torch.no_grad():
                    parameter[width : 2 * width] = 1.0 if "bias_ih" in name else 0.0

    def forward(self, x: Tensor) -> Tensor:
        """Map maps (N, C, H, W) or flat ones (N, C·H·W) to (N, T, width); step t sees the groups up to t alone."""
        steps: Tensor = self.lstm(x.flatten(1).unflatten(1, (self.groups, -1)))
        return steps


class AddedMap(nn.Module):
    """Adds what is learned for each place of each map.

    Args:
        shape: of the maps (C, H, W).
    """

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.empty(shape).uniform_(-0.01, 0.01))

    def forward(self, x: Tensor) -> Tensor:
        """Map maps (N, C, H, W) to such."""
        return x + self.bias


class CRVAEEncoder(nn.Module):
    """Strided convolutions to a small map; a convolution makes its means, an LSTM along groups of channels variances.

    The strided convolutions are 5x5, then 3x3, with batch norm and concatenated ReLUs, which stand before the first
    too; after each of the last two is another convolution 3x3 with leaky ReLU 0.1. The means are a convolution of the
    map and a bias of each place. The logarithms of variances are a linear map, the same for all groups, of the LSTM's
    steps, which batch norm follows.

    Args:
        image_size: of square images, a multiple of 2^(the number of widths).
        channels: of the images.
        widths: channels of the strided convolutions; [32, 64, 128, 256] at 64 pixels in the authors' program.
        latent_dim: the size of z, so many maps of the smallest size.
        maps: of z; 64 there.
        groups: into how many groups channels are cut; 8.
    """

    def __init__(
        self, image_size: int, channels: int, widths: list[int], latent_dim: int, maps: int, groups: int
    ) -> None:
        super().__init__()
        side = _side(image_size, widths)
        _require_groups(latent_dim, maps, side, groups, widths[-1])
        layers: list[nn.Module] = [BothSigns()]
        inputs, last = 2 * channels, len(widths) - 1
        for i, wide in enumerate(widths):
            layers += [nn.Conv2d(inputs, wide, 3 if i else 5, 2, 1 if i else 2), nn.BatchNorm2d(wide), BothSigns()]
            inputs = 2 * wide
            if i >= last - 1:
                after = widths[min(i + 1, last)]
                layers += [nn.Conv2d(inputs, after, 3, 1, 1), nn.BatchNorm2d(after), nn.LeakyReLU(0.1)]
                inputs = after
        self.layers = nn.Sequential(*layers)
        self.mean = nn.Sequential(nn.Conv2d(inputs, maps, 3, 1, 1), AddedMap(maps, side, side))
        size = inputs // groups * side**2
        self.linked = Linked(size, size, groups)
        self.norm = nn.BatchNorm1d(size)
        self.log_variance = nn.Linear(size, latent_dim // groups)
        _init(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, C, H, W) in [-1, 1] to means and logarithms of variances (N, 2 * latent_dim)."""
        h = self.layers(x)
        steps: Tensor = self.linked(h)
        log_variance = self.log_variance(self.norm(steps.flatten(0, 1))).unflatten(0, steps.shape[:2])
        return torch.cat([self.mean(h).flatten(1), log_variance.flatten(1)], 1)


class CRVAEDecoder(Generator):
    """An LSTM along groups of z's channels, a linear map of its steps to a map u, transposed convolutions to the image.

    A bias of each place is added to u; a convolution 3x3 with batch norm comes next, then transposed convolutions 4x4
    with batch norm and leaky ReLU 0.1, a convolution 3x3 with both after the first and after the last one, and one to
    the image with tanh.

    Args:
        latent_dim: the size of z, so many maps of the smallest size.
        image_size: of square images, a multiple of 2^(the number of widths).
        channels: of the images.
        widths: channels of the transposed convolutions; [256, 128, 64, 64] at 64 pixels in the authors' program.
        maps: of z; 64 there.
        groups: into how many groups channels are cut; 8.
    """

    def __init__(
        self, latent_dim: int, image_size: int, channels: int, widths: list[int], maps: int, groups: int
    ) -> None:
        super().__init__()
        side = _side(image_size, widths)
        _require_groups(latent_dim, maps, side, groups, widths[0])
        self.groups = groups
        self.shape = (maps, side, side)
        width, first = widths[0] // groups * side**2, widths[0]
        self.linked = Linked(latent_dim // groups, width, groups)
        self.steps = nn.Linear(width, latent_dim // groups)
        layers = [AddedMap(*self.shape), nn.Conv2d(maps, first, 3, 1, 1), nn.BatchNorm2d(first)]
        for i, (inputs, wide) in enumerate(pairwise([first, *widths])):
            layers += [nn.ConvTranspose2d(inputs, wide, 4, 2, 1), nn.BatchNorm2d(wide), nn.LeakyReLU(0.1)]
            if i in (0, len(widths) - 1):
                layers += [nn.Conv2d(wide, wide, 3, 1, 1), nn.BatchNorm2d(wide), nn.LeakyReLU(0.1)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(widths[-1], channels, 3, 1, 1), nn.Tanh())
        _init(self)

    def link(self, z: Tensor) -> Tensor:
        """Map z (N, latent_dim) to u of the same shape, whose group t depends on z's groups up to t alone."""
        u: Tensor = self.steps(self.linked(z)).flatten(1)
        return u

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to images (N, C, H, W) in [-1, 1]."""
        images: Tensor = self.layers(self.link(z).unflatten(1, self.shape))
        return images

    def everything(
        self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] | None = None
    ) -> Mapping[str, Tensor]:
        """Return the `samples`, and u as `linked` (N, latent_dim), a constant."""
        with torch.no_grad():
            u = self.link(z)
        return {SAMPLES: self(z), LINKED: u}


class CRVAEDiscriminator(Discriminator):
    """Convolutions with max-pooling, ReLU and dropout of whole maps, then one linear layer and the logit.

    The convolutions are 5x5, the last 3x3. The linear layer's outputs are normalised to length 1, before dropout and
    ReLU. The authors add minibatch discrimination, here a strategy.

    Args:
        image_size: of square images, a multiple of 2^(the number of widths).
        channels: of the images.
        widths: channels of the convolutions; [64, 128, 256, 256] at 64 pixels in the authors' program.
        dropout: the share of maps, and of the linear layer's entries, that is dropped; ½.
    """

    def __init__(self, image_size: int, channels: int, widths: list[int], dropout: float) -> None:
        super().__init__()
        side = _side(image_size, widths)
        require_below_one(dropout=dropout)
        self.blocks = nn.ModuleList()
        for i, (inputs, wide) in enumerate(pairwise([channels, *widths])):
            kernel = 3 if i == len(widths) - 1 else 5
            convolution = nn.Conv2d(inputs, wide, kernel, 1, kernel // 2)
            self.blocks.append(nn.Sequential(convolution, nn.MaxPool2d(2), nn.ReLU(), nn.Dropout2d(dropout)))
        first, last = widths[0], widths[-1]
        self.hidden = nn.Linear(last * side**2, first * side**2)
        self.dropped = nn.Sequential(nn.Dropout(dropout), nn.ReLU())
        self.output = nn.Linear(first * side**2, 1)
        _init(self)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the activations of images (N, C, H, W) in [-1, 1]: of the convolutions and of the linear layer."""
        found = activations(self.blocks, x)
        return (*found, self.dropped(F.normalize(self.hidden(found[-1].flatten(1)), dim=1)))


class CRVAERecovery(nn.Module):
    """Q, from D's last maps to u: convolutions 3x3 and 1x1 with batch norm and leaky ReLU (0.2, 0.1), a linear layer.

    Args:
        inputs: channels of D's last maps, the last of its widths.
        width: channels of the first convolution; 64 in the authors' program.
        latent_dim: the size of u, so many maps of the size of D's.
        maps: of u.
    """

    def __init__(self, inputs: int, width: int, latent_dim: int, maps: int) -> None:
        super().__init__()
        require_positive(inputs=inputs, width=width, maps=maps)
        self.layers = nn.Sequential(
            *(nn.Conv2d(inputs, width, 3, 1, 1), nn.BatchNorm2d(width), nn.LeakyReLU(0.2)),
            *(nn.Conv2d(width, maps, 1), nn.BatchNorm2d(maps), nn.LeakyReLU(0.1)),
            *(nn.Flatten(), nn.Linear(latent_dim, latent_dim)),
        )
        _init(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map maps (N, inputs, H, W) to u (N, latent_dim)."""
        u: Tensor = self.layers(x)
        return u


def _side(image_size: int, widths: list[int]) -> int:
    """Return the side of the smallest map of so many convolutions that halve or double.

    Raises:
        ValueError: the image cannot be halved so often.
    """
    if not widths or min(widths) < 1:
        raise ValueError(f"widths={widths}: there is at least one convolution, of at least one channel")
    times = 1 << len(widths)
    if not isinstance(image_size, int) or image_size % times:
        raise ValueError(
            f"image_size={image_size}: {len(widths)} widths halve it as often, so that it must be a multiple of "
            f"{times}, the same on both sides"
        )
    return image_size // times


def _require_groups(latent_dim: int, maps: int, side: int, groups: int, width: int) -> None:
    """See that channels can be cut into groups, and that z has so many maps."""
    require_positive(maps=maps, groups=groups)
    if latent_dim != maps * side**2:
        raise ValueError(
            f"latent_dim={latent_dim}: {maps} maps of {side}x{side} have {maps * side**2} entries; set "
            f"prior.dim={maps * side**2}"
        )
    if maps % groups or width % groups:
        raise ValueError(f"maps={maps}, and {width} channels next to the code: multiples of groups={groups} are wanted")


def _init(network: nn.Module) -> None:
    """Draw weights of convolutions from U(±1/√(outputs · kernel)), as the authors' program; all biases are 0."""
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            bound = (layer.out_channels * layer.kernel_size[0] * layer.kernel_size[1]) ** -0.5
            nn.init.uniform_(layer.weight, -bound, bound)
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)) and layer.bias is not None:
            nn.init.zeros_(layer.bias)
