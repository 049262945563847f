"""Virtual batch norm (Salimans et al. 2016, arXiv 1606.03498, section 3.5) in the place of batch norm.

A network's batch is its reference batch followed by the samples in question, so one pass over both
stands for the technique's two; the outputs for the reference are dropped.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from gan_framework.api import (
    EMPTY,
    BeforeFirstStep,
    ConfigError,
    Discriminator,
    Game,
    Generator,
    NextBatch,
    Strategy,
    distributed,
    try_meeting,
)
from gan_zoo.packs import refuse_packs


def normalise(x: Tensor, reference: int, eps: float) -> Tensor:
    """Normalise each sample by the statistics of the reference batch and the sample itself.

    The sample counts as one more of the reference's n: its mean and mean of squares weigh 1/(n + 1).
    The reference batch is normalised by its own statistics.

    Args:
        x: the reference batch followed by the samples, (n + N, C) or (n + N, C, ...).
        reference: the number n of samples in the reference batch.
        eps: added to the variance.
    """
    # (n + N, C, L) in float32 or wider.
    values = (x.flatten(2) if x.ndim > 2 else x.unsqueeze(2)).to(torch.promote_types(x.dtype, torch.float32))
    reference_var, reference_mean = torch.var_mean(values[:reference], dim=(0, 2), correction=0, keepdim=True)
    own_var, own_mean = torch.var_mean(values[reference:], dim=2, correction=0, keepdim=True)
    share = 1 / (reference + 1)
    mean = torch.lerp(reference_mean, own_mean, share)
    # The variance of a mixture: what E x^2 - (E x)^2 comes to, but never below zero.
    var = torch.lerp(reference_var, own_var, share) + share * (1 - share) * (own_mean - reference_mean).square()
    mean = torch.cat([reference_mean.expand(reference, -1, -1), mean])
    var = torch.cat([reference_var.expand(reference, -1, -1), var])
    return ((values - mean) * torch.rsqrt(var + eps)).view_as(x).to(x.dtype)


class VirtualBatchNormLayer(nn.Module):
    """Takes the place of a batch norm layer, with its gain and bias; the same in training and evaluation.

    Args:
        norm: the layer that it replaces.
        reference: the number of samples at the beginning of each batch that are the reference.
    """

    def __init__(self, norm: _BatchNorm, reference: int) -> None:
        super().__init__()
        self.reference = reference
        self.eps = norm.eps
        self.weight: nn.Parameter | None = norm.weight
        self.bias: nn.Parameter | None = norm.bias

    def forward(self, x: Tensor) -> Tensor:
        """Normalise a reference batch followed by samples, (n + N, C) or (n + N, C, ...)."""
        y = normalise(x, self.reference, self.eps)
        if self.weight is None or self.bias is None:  # a layer without gain and bias has neither
            return y
        shape = (1, -1, *[1] * (x.ndim - 2))
        return y * self.weight.view(shape) + self.bias.view(shape)


def replace_batch_norms(network: nn.Module, reference: int) -> int:
    """Put virtual batch norm in the place of every batch norm layer, and return how many there were."""
    found = [(parent, name) for parent in network.modules() for name, _ in parent.named_children()]
    found = [(parent, name) for parent, name in found if isinstance(parent.get_submodule(name), _BatchNorm)]
    for parent, name in found:
        setattr(parent, name, VirtualBatchNormLayer(parent.get_submodule(name), reference))  # type: ignore[arg-type]
    return len(found)


class VirtualGenerator(Generator):
    """A generator whose batches begin with the reference latents.

    Args:
        inner: the generator, its batch norm layers replaced.
        z: the reference latents (n, latent_dim).
        labels: their labels, or None if the generator takes none.
    """

    def __init__(self, inner: Generator, z: Tensor, labels: Tensor | None) -> None:
        super().__init__()
        self.conditional = inner.conditional
        self.inner = inner
        self.register_buffer("reference", z)
        self.register_buffer("reference_labels", labels)

    reference: Tensor
    reference_labels: Tensor | None

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map z (N, latent_dim) and labels to samples."""
        samples: Tensor = self.inner(torch.cat([self.reference, z]), _join(self.reference_labels, labels))
        return samples[len(self.reference) :]


class VirtualDiscriminator(Discriminator):
    """A discriminator whose batches begin with reference samples, up to the penultimate layer.

    Args:
        inner: the discriminator, the batch norm layers of its features replaced; it hands over its
            last layer and its heads.
        samples: the reference samples (n, ...), to be filled in later.
        labels: their labels, or None if the discriminator takes none.
    """

    def __init__(self, inner: Discriminator, samples: Tensor, labels: Tensor | None) -> None:
        super().__init__()
        self.conditional = inner.conditional
        self.patches = inner.patches
        self.output = inner.output
        self.heads = inner.heads
        del inner.output, inner.heads
        self.inner = inner
        self.register_buffer("reference", samples)
        self.register_buffer("reference_labels", labels)

    reference: Tensor
    reference_labels: Tensor | None

    def features(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> tuple[Tensor, ...]:
        """Return the inner activations of samples x (N, ...) alone, first layer first, the penultimate one last."""
        joined = torch.cat([self.reference.to(x.dtype), x])
        features = self.inner.features(joined, _join(self.reference_labels, labels))
        return tuple(activation[len(self.reference) :] for activation in features)


def _join(reference: Tensor | None, labels: Tensor | None) -> Tensor | None:
    return None if reference is None or labels is None else torch.cat([reference, labels])


class ChooseReference(BeforeFirstStep):
    """The first real samples that it is to judge become the discriminator's reference batch, in all processes the same.

    Args:
        name: the discriminator's.
        discriminator: keeps them.
    """

    def __init__(self, name: str, discriminator: VirtualDiscriminator) -> None:
        super().__init__()
        self._name = name
        # Kept in a tuple: the discriminator belongs to the game, and must not be registered twice.
        self._discriminator = (discriminator,)

    def play(self, game: Game, next_batch: NextBatch) -> None:
        """Draw batches until the reference is full."""
        (discriminator,) = self._discriminator
        size, filled = len(discriminator.reference), 0
        while filled < size:
            batch = next_batch()
            judged = [pair for pair in try_meeting(game, batch).values() if pair.judged_by_network == self._name]
            real, labels = (judged[0].real, judged[0].real_labels) if judged else (batch.samples, batch.labels)
            part = slice(filled, filled + len(real))
            room = size - filled
            discriminator.reference[part] = real[:room]
            if discriminator.reference_labels is not None and labels is not None:
                discriminator.reference_labels[part] = labels[:room]
            filled += len(real)
        kept = (discriminator.reference, discriminator.reference_labels)
        distributed.copy_from_first([tensor for tensor in kept if tensor is not None])


class VirtualBatchNorm(Strategy):
    """A sample no longer depends on the others of its batch (Salimans et al. 2016, arXiv 1606.03498, section 3.5).

    The statistics are those of a fixed reference batch and the sample itself. The generator's
    reference are latents from the prior, for conditional generators of all classes in turn; the
    discriminator's are the first real samples drawn. Both are kept in the checkpoint. The reference
    batch travels through the network with every batch, which costs a second pass.

    Args:
        networks: the networks whose batch norm is replaced: generators and discriminators; all generators if null.
        reference_size: samples in the reference batch.
    """

    def __init__(self, networks: list[str] | None, reference_size: int) -> None:
        if networks == []:
            raise ValueError("networks=[]: name at least one network, or write null for all generators")
        if reference_size < 2:
            raise ValueError(f"reference_size={reference_size}: it must be at least 2")
        self.networks = networks
        self.reference_size = reference_size

    def apply(self, game: Game) -> None:
        """Replace the batch norm layers and wrap the networks."""
        for name in game.generators if self.networks is None else self.networks:
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
        if game.generates_from is not None:
            raise ConfigError(f"virtual_batch_norm has no reference inputs for networks.{name}, which is given samples")
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
        if network._forward_hooks:
            raise ConfigError(
                f"virtual_batch_norm cannot wrap networks.{name}, which heads has edited before: put heads after it in "
                "the list of strategies"
            )
        refuse_packs(game, name, "virtual_batch_norm")
        judged = [pair for pair in try_meeting(game).values() if pair.judged_by_network == name]
        if any(pair.real_given for pair in judged):
            raise ConfigError(
                f"virtual_batch_norm cannot choose a reference batch for networks.{name}, which judges samples "
                "together with something else; leave it out of strategy.virtual_batch_norm.networks"
            )
        labels: Tensor | None = None
        if network.conditional:
            vectors = game.data.condition_dim
            labels = torch.zeros(self.reference_size, vectors) if vectors else torch.zeros(self.reference_size).long()
        shape = judged[0].real.shape[1:] if judged else game.data.sample
        wrapped = VirtualDiscriminator(network, torch.zeros(self.reference_size, *shape), labels)
        self._replace(name, network)
        # Before any other opening, because they may already use the discriminator.
        game.openings.insert(0, ChooseReference(name, wrapped))
        return wrapped

    def _replace(self, name: str, network: nn.Module) -> None:
        if replace_batch_norms(network, self.reference_size) == 0:
            raise ConfigError(
                f"virtual_batch_norm has no effect on networks.{name}: {type(network).__name__} has no batch norm"
            )
