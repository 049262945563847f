"""Spectral normalisation."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize

from gan_framework.api import ConfigError, Game, Strategy
from gan_zoo.layers import PlainEmbedding
from gan_zoo.ranges import require_above_zero, require_positive

LAYERS = (
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
    nn.Linear,
    nn.Embedding,
)


TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
"""Layers whose weights have the inputs first."""

RESHAPES = ("out", "in", "both")
MODES = ("divide", "clip")
EVERY = 5
"""Updates from one clipping of singular values to the next (Saito et al. 2017, arXiv 1611.06624, section 4.2)."""


class MeanNorm(nn.Module):
    """Divides weights by the mean of their norms as (out, rest) and as (in, rest); a power iteration each.

    Args:
        weight: to begin with.
        power_iterations: in every forward pass of training.
    """

    def __init__(self, weight: Tensor, power_iterations: int) -> None:
        super().__init__()
        self.ways = nn.ModuleList(parametrizations._SpectralNorm(weight, power_iterations, dim) for dim in (0, 1))

    def forward(self, weight: Tensor) -> Tensor:
        """Return the weights divided."""
        return weight / torch.stack([self._norm(way, weight) for way in self.ways]).mean()

    def _norm(self, way: nn.Module, weight: Tensor) -> Tensor:
        assert isinstance(way, parametrizations._SpectralNorm)
        matrix = way._reshape_weight_to_matrix(weight)
        if self.training:
            way._power_method(matrix, way.n_power_iterations)
        # Copies, because the next pass changes them in place, and a gradient may still need these.
        return torch.vdot(way._u.clone(), torch.mv(matrix, way._v.clone()))


class Times(nn.Module):
    """Multiplies weights by a number."""

    def __init__(self, coefficient: float) -> None:
        super().__init__()
        self.coefficient = coefficient

    def forward(self, weight: Tensor) -> Tensor:
        """Return the weights multiplied."""
        return self.coefficient * weight


class ClipSingularValues(nn.Module):
    """Sets singular values of layers' weights above a bound to it, in every fifth call.

    Args:
        layers: convolution, linear and embedding layers.
        bound: the greatest singular value.
    """

    owner = "strategy.spectral_norm with mode=clip"

    def __init__(self, layers: list[nn.Module], bound: float) -> None:
        super().__init__()
        # Kept in a tuple: they belong to the game, and must not be registered twice.
        self._layers = (layers,)
        self.bound = bound
        self.calls = 0

    def changes(self, game: Game) -> list[nn.Parameter]:
        """Return the weights that it changes by itself."""
        return [layer.weight for layer in self._layers[0] if isinstance(layer.weight, nn.Parameter)]

    @torch.no_grad()
    def forward(self) -> None:
        """Count a call, and clip if it is its turn."""
        self.calls += 1
        if self.calls % EVERY:
            return
        for layer in self._layers[0]:
            assert isinstance(layer.weight, Tensor)
            layer.weight.copy_(clipped(layer.weight, self.bound, isinstance(layer, TRANSPOSED)))

    def get_extra_state(self) -> dict[str, int]:
        """Return the number of calls."""
        return {"calls": self.calls}

    def set_extra_state(self, state: dict[str, int]) -> None:
        """Take up the number of calls."""
        self.calls = state["calls"]


def clipped(weight: Tensor, bound: float, transposed: bool = False) -> Tensor:
    """Return weights with singular values, as (out, rest), of at most a bound."""
    first = weight.transpose(0, 1) if transposed else weight
    u, values, v = torch.linalg.svd(first.flatten(1), full_matrices=False)
    again: Tensor = (u * values.clamp(max=bound) @ v).view(first.shape)
    return again.transpose(0, 1) if transposed else again


class SpectralNorm(Strategy):
    """Weights are divided by their largest singular value (SNGAN, Miyato et al. 2018, arXiv 1802.05957, section 2.1).

    It normalises the convolution, linear and embedding layers that the networks have when it is
    applied, but not the gains and biases of norms, nor layers that a network holds frozen (a
    pretrained one). So it comes after strategies that add layers (minibatch_discrimination). The
    singular value is followed by power iteration, one in every forward pass of training.

    Args:
        networks: the names of the networks to normalise; all discriminators if null.
        power_iterations: in every forward pass of training.
        reshape: what a convolution's norm is of: its weights as (out, rest), `out`, or as (in, rest), `in`, or `both`,
            the mean of the two norms (Lin et al. 2021, arXiv 2009.02773, whose scale is the coefficient here).
        coefficient: what normalised weights are multiplied by.
        mode: `divide`, or `clip`: no division, but singular values above the coefficient are set to it every five
            updates (TGAN, Saito et al. 2017, arXiv 1611.06624, section 4.2).
    """

    def __init__(
        self,
        networks: list[str] | None,
        power_iterations: int,
        reshape: str = "out",
        coefficient: float = 1.0,
        mode: str = "divide",
    ) -> None:
        if networks == []:
            raise ValueError("networks=[]: name at least one network, or write null for all discriminators")
        require_positive(power_iterations=power_iterations)
        if reshape not in RESHAPES:
            raise ValueError(f"reshape={reshape!r}: choose {', '.join(RESHAPES)}")
        require_above_zero(coefficient=coefficient)
        if mode not in MODES:
            raise ValueError(f"mode={mode!r}: choose {' or '.join(MODES)}")
        if mode == "clip" and reshape != "out":
            raise ValueError(f"reshape={reshape}: mode=clip has singular values of (out, rest) alone; set reshape=out")
        self.networks = networks
        self.power_iterations = power_iterations
        self.reshape = reshape
        self.coefficient = coefficient
        self.mode = mode

    def apply(self, game: Game) -> None:
        """Normalise the weights of the networks."""
        for name in game.critics if self.networks is None else self.networks:
            if name not in game.networks:
                raise ConfigError(
                    f"strategy.spectral_norm.networks: the game has no network {name!r}; "
                    f"its networks are {', '.join(game.networks)}"
                )
            game.claim(f"norm of the weights of networks.{name}", "spectral_norm")
            layers = _layers(name, game.networks[name])
            if self.mode == "clip":
                self._clip(game, name, layers)
                continue
            for layer in layers:
                self._normalise(layer)

    def _clip(self, game: Game, name: str, layers: list[nn.Module]) -> None:
        players = [player for player in map(game.player, game.players) if name in player.networks]
        if not players:
            raise ConfigError(f"spectral_norm clips after updates, and no player updates networks.{name}")
        for player in players:
            player.after_step.append(ClipSingularValues(layers, self.coefficient))

    def _normalise(self, layer: nn.Module) -> None:
        if self.reshape == "both":
            assert isinstance(layer.weight, Tensor)
            parametrize.register_parametrization(layer, "weight", MeanNorm(layer.weight, self.power_iterations))
        else:
            first = isinstance(layer, TRANSPOSED) == (self.reshape == "out")
            parametrizations.spectral_norm(layer, n_power_iterations=self.power_iterations, dim=int(first))
        if self.coefficient != 1:
            parametrize.register_parametrization(layer, "weight", Times(self.coefficient))


def _layers(name: str, network: nn.Module) -> list[nn.Module]:
    """Return the layers of a network that have weights to normalise.

    Raises:
        ConfigError: it has none, or they are normalised already.
    """
    found = [layer for layer in network.modules() if isinstance(layer, LAYERS)]
    layers: list[nn.Module] = [
        layer
        for layer in found
        if not isinstance(layer, PlainEmbedding) and any(weight.requires_grad for weight in layer.parameters())
    ]
    if not layers:
        raise ConfigError(
            f"spectral_norm has no effect on networks.{name}: {type(network).__name__} has no convolution, "
            "linear or embedding layer"
        )
    if any(parametrize.is_parametrized(layer, "weight") for layer in layers):
        raise ConfigError(f"networks.{name} is normalised already: leave out strategy.spectral_norm, or its own")
    return layers
