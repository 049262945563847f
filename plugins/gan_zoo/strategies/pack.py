"""A discriminator that judges several samples at once."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from gan_framework.api import ConfigError, Discriminator, Game, Strategy, blank, evaluation_mode, try_meeting
from gan_zoo.batch_statistic import choose_critics
from gan_zoo.packs import OnPacks, widened
from gan_zoo.strategies.virtual_batch_norm import VirtualDiscriminator

LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Embedding, nn.ConvTranspose1d, nn.ConvTranspose2d)


class Pack(Strategy):
    """D sees m samples of one kind together, and says one thing of all: it sees a lack of variety (Lin et al. 2018).

    PacGAN: The power of two samples in generative adversarial networks, arXiv 1712.04086. Samples are concatenated
    along their channels, or as vectors, so that only D's first layer grows, by m times its weights. N samples get N / m
    logits.

    Args:
        m: samples in a pack, 2 to 4 in the paper.
        batch_size: samples in a batch, a multiple of m, at least two packs.
    """

    def __init__(self, m: int, batch_size: int) -> None:
        if m < 2:
            raise ValueError(f"m={m}: a pack has at least two samples")
        self.m = m
        self.batch_size = batch_size

    def apply(self, game: Game) -> None:
        """Widen the first layer of every discriminator that is trained."""
        part = self.batch_size // game.accumulate
        if part % self.m or part < 2 * self.m:
            divided = f" in {game.accumulate} parts (train.accumulate)" if game.accumulate > 1 else ""
            raise ConfigError(
                f"strategy.pack.m={self.m}: train.batch_size={self.batch_size}{divided} cannot be divided into packs; "
                f"choose a multiple of {self.m * game.accumulate}, twice that at least"
            )
        for name in choose_critics(game, None, "pack"):
            self._pack(game, name, cast(Discriminator, game.network(name)))
        self._check(game)

    def _pack(self, game: Game, name: str, network: Discriminator) -> None:
        game.claim(f"number of samples that networks.{name} judges at once", "pack")
        if network.conditional:
            raise ConfigError(
                f"pack has no one label for a pack, and {type(network).__name__} takes one with each sample: choose a "
                "discriminator without labels"
            )
        if any(pair.real_given for pair in try_meeting(game).values() if pair.judged_by_network == name):
            raise ConfigError(
                f"pack puts samples together, and {type(network).__name__} judges each with what it is given"
            )
        if isinstance(network, VirtualDiscriminator):
            raise ConfigError(
                f"pack and virtual_batch_norm cannot share networks.{name}: a reference batch is no part of packs; "
                "leave it out of strategy.virtual_batch_norm.networks"
            )
        path, layer = _first_layer(game, name, network)
        parent, _, child = path.rpartition(".")
        try:
            wide = widened(layer, self.m)
        except TypeError as error:
            raise ConfigError(
                f"pack cannot widen the first layer of {type(network).__name__}, networks.{name}.{path}: {error}"
            ) from error
        setattr(network.get_submodule(parent), child, OnPacks(wide, self.m))
        network.batch_independent = False

    def _check(self, game: Game) -> None:
        """See that one thing is said of each pack, and that the loss does not ask for what is said of each sample."""
        packs = 4  # a number that no other can be broadcast to, and no batch of it is one of packs of one
        for pair in try_meeting(game, blank(game.data, packs * self.m, game.device)).values():
            if pair.judged_by_network is None:
                continue
            kind = type(game.network(pair.judged_by_network)).__name__
            try:
                with torch.no_grad(), evaluation_mode(game.networks):
                    real, fake = pair.outputs
                    said: list[Tensor] = [real.logits, fake.logits]
                    if game.loss is not None:
                        game.loss.discriminator(real, fake)
                        game.loss.generator(fake, real)
            except (RuntimeError, ValueError, ConfigError) as error:
                raise ConfigError(
                    f"pack has {kind} say one thing of {self.m} samples, and it, or {type(game.loss).__name__}, needs "
                    f"something of each: {error}"
                ) from error
            if any(len(logits) != packs for logits in said):
                raise ConfigError(
                    f"pack has no effect on {kind}, which does not score samples by what its first layer makes of them"
                )


def _first_layer(game: Game, name: str, network: Discriminator) -> tuple[str, nn.Module]:
    """Return the layer with weights that samples go through first, and its path."""
    called: list[str] = []
    layers = {path: layer for path, layer in network.named_modules() if isinstance(layer, LAYERS)}
    hooks = [
        layer.register_forward_pre_hook(lambda _module, _inputs, path=path: called.append(path))
        for path, layer in layers.items()
    ]
    try:
        game.probe(name)
    finally:
        for hook in hooks:
            hook.remove()
    if not called:
        raise ConfigError(f"pack has no effect on networks.{name}: {type(network).__name__} has no layer to widen")
    return called[0], layers[called[0]]
