"""An auto-encoder whose layers begin as restricted Boltzmann machines."""

from __future__ import annotations

import logging
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import BeforeFirstStep, ConfigError, Game, NextBatch, Strategy, distributed
from gan_zoo.layers import SigmoidImage
from gan_zoo.networks.mlp_autoencoder import MLPAutoEncoder
from gan_zoo.ranges import require_above_zero, require_below_one, require_not_negative, require_positive

log = logging.getLogger(__name__)

NETWORK = "autoencoder"


class Values(NamedTuple):
    """How a network's values say what a machine's units, from 0 to 1, say.

    Attributes:
        scale: a unit is `scale` times the value,
        offset: plus `offset`.
        slope: what reaches the activation is `slope` times the unit's logit.
    """

    scale: float
    offset: float
    slope: float


UNITS: dict[type[nn.Module], Values] = {
    nn.Identity: Values(1.0, 0.0, 1.0),  # a code, whose units are linear in a machine too
    nn.Sigmoid: Values(1.0, 0.0, 1.0),
    nn.Tanh: Values(0.5, 0.5, 0.5),  # tanh(a / 2) = 2 sigmoid(a) - 1
    SigmoidImage: Values(0.5, 0.5, 1.0),
}
"""By activation, what stands for a unit; others, as ReLU, stand for none."""


class RBM(nn.Module):
    """A restricted Boltzmann machine: logistic visible units, and logistic or linear Gaussian hidden ones.

    Args:
        visible: the number of visible units.
        hidden: the number of hidden units.
        linear: whether the hidden units are linear, with Gaussian noise of deviation 1.
    """

    def __init__(self, visible: int, hidden: int, linear: bool) -> None:
        super().__init__()
        self.linear = linear
        self.weight = nn.Parameter(0.1 * torch.randn(hidden, visible))
        self.visible_bias = nn.Parameter(torch.zeros(visible))
        self.hidden_bias = nn.Parameter(torch.zeros(hidden))

    def up(self, v: Tensor) -> Tensor:
        """Return the hidden units' means (N, hidden), given visible units (N, visible) in [0, 1]."""
        inputs = F.linear(v, self.weight, self.hidden_bias)
        return inputs if self.linear else inputs.sigmoid()

    def down(self, h: Tensor) -> Tensor:
        """Return the visible units' means (N, visible), given hidden units (N, hidden)."""
        return F.linear(h, self.weight.T, self.visible_bias).sigmoid()

    def draw(self, means: Tensor) -> Tensor:
        """Draw states (N, hidden) of hidden units of these means."""
        return means + torch.randn_like(means) if self.linear else torch.bernoulli(means)

    @torch.no_grad()
    def contrast(self, v: Tensor) -> Tensor:
        """Give the parameters, as a gradient to descend, minus CD-1: <v h>_data - <v h>_reconstruction.

        As in Hinton's program hidden states are drawn once, for the reconstruction, and means are
        taken elsewhere.

        Args:
            v: visible units (N, visible) in [0, 1].

        Returns:
            The squared error of the reconstructions, summed over units, its mean over the batch.
        """
        h = self.up(v)
        v_made = self.down(self.draw(h))
        h_made = self.up(v_made)
        self.weight.grad = (h_made.T @ v_made - h.T @ v) / len(v)
        self.visible_bias.grad = (v_made - v).mean(0)
        self.hidden_bias.grad = (h_made - h).mean(0)
        return (v_made - v).square().sum(1).mean()


@torch.no_grad()
def set_layer(layer: nn.Linear, weight: Tensor, bias: Tensor, before: Values, after: Values) -> None:
    """Let a layer map values that stand for units to what the next activation makes values that stand for others.

    Args:
        layer: what is set.
        weight: of the machine, in the layer's direction.
        bias: of the units that the layer leads to.
        before: what its inputs stand for.
        after: what its outputs, activated, stand for.
    """
    layer.weight.copy_(after.slope * before.scale * weight)
    layer.bias.copy_(after.slope * (bias + before.offset * weight.sum(1)))


class PretrainLayers(BeforeFirstStep):
    """The machines are trained one after another, each on the means of the one before; the network begins as they are.

    Args:
        machines: one for each of the encoder's layers.
        values: what the network's values stand for, from the samples to the code, and its output's.
        steps: updates of each machine.
        lr: the learning rate of machines with logistic units.
        lr_code: the learning rate of the last, whose hidden units are linear.
        momentum: of the updates.
        weight_decay: of the weights, not of the biases.
    """

    owner = "strategy.rbm_pretraining"

    def __init__(
        self,
        machines: list[RBM],
        values: tuple[list[Values], Values],
        steps: int,
        lr: float,
        lr_code: float,
        momentum: float,
        weight_decay: float,
    ) -> None:
        super().__init__()
        # Kept in a tuple: once the network begins as they are, they are needed no more, in no checkpoint either.
        self._machines = tuple(machines)
        self._values, self._output = values
        self._steps = steps
        self._lr = lr
        self._lr_code = lr_code
        self._momentum = momentum
        self._weight_decay = weight_decay

    def changes(self, game: Game) -> list[nn.Parameter]:
        """Return the weights that it changes by itself."""
        return [
            weight for half in linear_layers(game.network(NETWORK)) for layer in half for weight in layer.parameters()
        ]

    def play(self, game: Game, next_batch: NextBatch) -> None:
        """Train the machines, and unroll them into the network and the average that follows it, if there is one."""
        trained: list[RBM] = []
        for machine in self._machines:
            self._train(machine.to(game.device), trained, next_batch)
            trained.append(machine)
        for name in (NETWORK, f"{NETWORK}_ema"):
            if name in game.networks:
                self._unroll(*linear_layers(game.network(name)))
        self._machines = ()

    def _train(self, machine: RBM, below: list[RBM], next_batch: NextBatch) -> None:
        lr = self._lr_code if machine.linear else self._lr
        groups: list[dict[str, Any]] = [
            {"params": [machine.weight], "weight_decay": self._weight_decay},
            {"params": [machine.visible_bias, machine.hidden_bias]},
        ]
        optimizer = torch.optim.SGD(groups, lr, momentum=self._momentum)
        parameters = [*machine.parameters()]
        error = torch.zeros(())
        for _ in range(self._steps):
            with torch.no_grad():
                v = (next_batch().samples.flatten(1) + 1) / 2
                for each in below:
                    v = each.up(v)
            error = distributed.average_gradients(parameters, machine.contrast(v))
            optimizer.step()
        hidden, visible = machine.weight.shape
        log.info(
            "rbm_pretraining: layer %d -> %d: squared error %.4g after %d updates", visible, hidden, error, self._steps
        )

    def _unroll(self, encoder: list[nn.Linear], decoder: list[nn.Linear]) -> None:
        backwards = [self._output, *self._values[1:]]
        for number, machine in enumerate(self._machines):
            before, after = self._values[number : number + 2]
            set_layer(encoder[number], machine.weight, machine.hidden_bias, before, after)
            after, before = backwards[number : number + 2]
            set_layer(decoder[-1 - number], machine.weight.T, machine.visible_bias, before, after)


def linear_layers(network: nn.Module) -> tuple[list[nn.Linear], list[nn.Linear]]:
    """Return the layers of an auto-encoder's encoder and decoder, in the order in which samples go through."""
    assert isinstance(network, MLPAutoEncoder)
    encoder, decoder = (
        [layer for layer in half.modules() if isinstance(layer, nn.Linear)]
        for half in (network.encoder, network.decoder)
    )
    return encoder, decoder


class RBMPretraining(Strategy):
    """Layers begin as Boltzmann machines, trained greedily by CD-1 (Hinton & Salakhutdinov 2006, Science 313, 504).

    Each machine learns the hidden means of the one before; unrolled, their weights are the
    encoder's and, transposed, the decoder's, which the ordinary training then tunes. All of it
    belongs to the first step: `train.steps` counts steps of the tuning alone.

    Args:
        steps: updates of each machine, each on a fresh batch.
        lr: the learning rate of machines with logistic units.
        lr_code: the learning rate of the machine whose hidden units are the code, linear with Gaussian noise.
        momentum: of the updates.
        weight_decay: of the weights.
    """

    applies_last = True

    def __init__(self, steps: int, lr: float, lr_code: float, momentum: float, weight_decay: float) -> None:
        require_positive(steps=steps)
        require_above_zero(lr=lr, lr_code=lr_code)
        require_below_one(momentum=momentum)
        require_not_negative(weight_decay=weight_decay)
        self.steps = steps
        self.lr = lr
        self.lr_code = lr_code
        self.momentum = momentum
        self.weight_decay = weight_decay

    def apply(self, game: Game) -> None:
        """Add the opening, with machines of the sizes of the network's layers."""
        network = game.networks[NETWORK] if NETWORK in game.networks else None
        if not isinstance(network, MLPAutoEncoder):
            raise ConfigError(
                f"rbm_pretraining has no effect on {type(game).__name__}, whose networks are "
                f"{', '.join(game.networks)}: it goes with an auto-encoder of "
                "fully connected layers (model=autoencoder, network=mlp_autoencoder)"
            )
        values = self._values(network)
        encoder, decoder = linear_layers(network)
        if any("weight" not in layer._parameters for layer in encoder + decoder):
            raise ConfigError(
                f"rbm_pretraining sets the weights of networks.{NETWORK}, which another strategy normalises"
            )
        sizes = [encoder[0].in_features, *(layer.out_features for layer in encoder)]
        machines = [RBM(*each, linear=number == len(encoder)) for number, each in enumerate(pairwise(sizes), 1)]
        game.openings.append(
            PretrainLayers(machines, values, self.steps, self.lr, self.lr_code, self.momentum, self.weight_decay)
        )

    def _values(self, network: MLPAutoEncoder) -> tuple[list[Values], Values]:
        """Return what the network's values stand for, from the samples to the code, and what its output stands for."""
        activations = [type(module) for module in network.encoder.modules() if not [*module.children()]][2::2]
        output = type(network.decoder[-1])
        if any(activation not in UNITS for activation in activations):
            raise ConfigError(
                f"rbm_pretraining has no effect on networks.{NETWORK} with {activations[0].__name__}, which stands for "
                f"no logistic unit: set networks.{NETWORK}.activation=tanh or sigmoid"
            )
        if output is nn.Identity:
            raise ConfigError(
                f"rbm_pretraining learns samples in [-1, 1], which a linear output does not make: set "
                f"networks.{NETWORK}.output=sigmoid or tanh"
            )
        samples = UNITS[SigmoidImage]
        return [samples, *(UNITS[activation] for activation in activations), UNITS[nn.Identity]], UNITS[output]
