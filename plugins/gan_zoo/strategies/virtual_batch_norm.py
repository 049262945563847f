"""Virtual batch norm in the place of batch norm."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan_framework.core.contracts.networks import Discriminator, Generator
from gan_framework.core.contracts.schedule import Opening
from gan_framework.core.contracts.strategy import Strategy
from gan_framework.core.game import Game
from gan_framework.core.records import Draw
from gan_framework.errors import ConfigError
from gan_zoo.virtual_batch_norm import VirtualDiscriminator, VirtualGenerator, replace_batch_norms


class ChooseReference(Opening):
    """The first real samples drawn become the discriminator's reference batch.

    Args:
        discriminator: the discriminator that keeps them.
    """

    def __init__(self, discriminator: VirtualDiscriminator) -> None:
        super().__init__()
        # Kept in a tuple: the discriminator belongs to the game, and must not be registered twice.
        self._discriminator = (discriminator,)

    def play(self, game: Game, draw: Draw) -> None:
        """Draw batches until the reference is full."""
        (discriminator,) = self._discriminator
        size, filled = len(discriminator.reference), 0
        while filled < size:
            batch = draw()
            part = slice(filled, filled + len(batch.samples))
            room = size - filled
            discriminator.reference[part] = batch.samples[:room]
            if discriminator.reference_labels is not None and batch.labels is not None:
                discriminator.reference_labels[part] = batch.labels[:room]
            filled += len(batch.samples)


class VirtualBatchNorm(Strategy):
    """A sample no longer depends on the others of its batch (Salimans et al. 2016, arXiv 1606.03498, section 3.5).

    The statistics are those of a fixed reference batch and the sample itself. The generator's
    reference are latents from the prior, for conditional generators of all classes in turn; the
    discriminator's are the first real samples drawn. Both are kept in the checkpoint. The reference
    batch travels through the network with every batch, which costs a second pass.

    Args:
        networks: the networks whose batch norm is replaced: `generator`, `discriminator`.
        reference_size: samples in the reference batch.
    """

    def __init__(self, networks: list[str], reference_size: int) -> None:
        if not networks:
            raise ValueError("networks=[]: name at least one network")
        if reference_size < 2:
            raise ValueError(f"reference_size={reference_size}: it must be at least 2")
        self.networks = networks
        self.reference_size = reference_size

    def apply(self, game: Game) -> None:
        """Replace the batch norm layers and wrap the networks."""
        for name in self.networks:
            network = game.networks[name] if name in game.networks else None
            if isinstance(network, Generator):
                game.networks[name] = self._generator(game, name, network)
            elif isinstance(network, Discriminator):
                game.networks[name] = self._discriminator(game, name, network)
            else:
                raise ConfigError(
                    f"strategy.virtual_batch_norm.networks: {name!r} is neither a generator nor a discriminator of "
                    f"the game, whose networks are {', '.join(game.networks)}"
                )

    def _generator(self, game: Game, name: str, network: Generator) -> VirtualGenerator:
        labels = None
        if network.conditional:
            if not game.data.num_classes:
                raise ConfigError(
                    f"virtual_batch_norm cannot choose reference labels for networks.{name}, whose labels are "
                    "vectors and not classes"
                )
            labels = torch.arange(self.reference_size) % game.data.num_classes
        self._replace(name, network)
        return VirtualGenerator(network, game.latent(self.reference_size).z, labels)

    def _discriminator(self, game: Game, name: str, network: Discriminator) -> VirtualDiscriminator:
        if type(network).forward is not Discriminator.forward:
            raise ConfigError(
                f"virtual_batch_norm cannot wrap networks.{name}, because {type(network).__name__} computes its score "
                "in a way of its own; leave it out of strategy.virtual_batch_norm.networks"
            )
        labels: Tensor | None = None
        if network.conditional:
            vectors = game.data.condition_dim
            labels = torch.zeros(self.reference_size, vectors) if vectors else torch.zeros(self.reference_size).long()
        wrapped = VirtualDiscriminator(network, torch.zeros(self.reference_size, *game.data.sample), labels)
        self._replace(name, network)
        # Before any other opening, because they may already use the discriminator.
        game.openings.insert(0, ChooseReference(wrapped))
        return wrapped

    def _replace(self, name: str, network: nn.Module) -> None:
        if replace_batch_norms(network, self.reference_size) == 0:
            raise ConfigError(
                f"virtual_batch_norm has no effect on networks.{name}: {type(network).__name__} has no batch norm"
            )
