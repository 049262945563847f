"""Both networks, and the real images, begin small."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from gan_framework.api import ConfigError, Game, Meeting, Player, Strategy
from gan_zoo.growing import Growing, mixed, pooled, repeated
from gan_zoo.ranges import require_positive


class Growth(nn.Module):
    """Has growing networks grow by the images so far, once after every update of a player.

    Of each size `train` images are seen in full, then `fade` while the next one fades in.

    Args:
        networks: all of the game's, of which those that grow are told.
        counted: the player whose updates are counted.
        players: whose optimizers forget their averages when a size begins, or is there in full.
        sizes: how many there are.
        train: images.
        fade: images.
        batch: images of an update.
    """

    images: Tensor

    def __init__(
        self,
        networks: nn.ModuleDict,
        counted: Player,
        players: list[Player],
        sizes: int,
        train: int,
        fade: int,
        batch: int,
    ) -> None:
        super().__init__()
        # Kept in a tuple: all belong to the game, and must not be registered twice.
        self._of_game = (networks, counted, players)
        self.sizes = sizes
        self.train_images = train
        self.fade_images = fade
        self.batch = batch
        self.register_buffer("images", torch.tensor(0.0, dtype=torch.float64))
        self.begin()

    def state(self, updates: int) -> tuple[int, bool]:
        """Return the newest size after so many updates, and whether it fades in."""
        phase, rest = divmod(updates * self.batch, self.train_images + self.fade_images)
        if phase >= self.sizes - 1:
            return self.sizes - 1, False
        fades = rest > self.train_images
        return phase + fades, fades

    @property
    def faded(self) -> Tensor:
        """The weight of the size before the newest."""
        whole = self.train_images + self.fade_images
        share = (torch.remainder(self.images, whole) - self.train_images) / self.fade_images
        grows = self.images < whole * (self.sizes - 1)
        return torch.where((share > 0) & grows, 1 - share, torch.zeros_like(share)).float()

    def growing(self) -> list[Growing]:
        """Return the networks that grow, averages among them."""
        return [network for network in self._of_game[0].values() if isinstance(network, Growing)]

    @torch.no_grad()
    def forward(self) -> None:
        """Grow for the next update."""
        self.images.add_(self.batch)
        faded = self.faded
        for network in self.growing():
            network.fade.copy_(faded)
        self._follow()

    def replayed(self) -> None:
        """Do on the host what an update that a CUDA graph has taken does there."""
        self._follow()

    def graph_key(self) -> tuple[int, bool]:
        """Return what a step computes: the sizes at work."""
        return self.state(self._of_game[1].updates)

    def begin(self) -> None:
        """Have the smallest size alone."""
        for network in self.growing():
            network.grow(0, False)

    def _follow(self) -> None:
        updates = self._of_game[1].updates
        before, now = self.state(updates), self.state(updates + 1)
        for network in self.growing():
            network.grow(*now)
        if now != before:
            for player in self._of_game[2]:
                for kept in player.optimizer.state.values():
                    for value in kept.values():
                        if isinstance(value, Tensor):
                            value.zero_()

    def figures(self) -> Mapping[str, Tensor | float]:
        """Return the newest size's number and its share of the image."""
        first = self.growing()[0]
        return {"level": first.level, "share": 1 - first.fade}


class Reduced:
    """Shows real images as the sizes at work would have them.

    Args:
        network: one that grows.
    """

    def __init__(self, network: Growing) -> None:
        self.network = network

    def __call__(self, meeting: Meeting) -> Meeting:
        """Return the meeting with such real images; it is changed in place, so that what adapts sees the same."""
        for name, pair in meeting.items():
            reduced = pair.judged_by(pair.judge)
            reduced.real = self.reduced(pair.real)
            meeting[name] = reduced
        return meeting

    def reduced(self, x: Tensor) -> Tensor:
        """Return images (N, C, H, W) of the newest size, faded as the generated ones, at the full size."""
        net = self.network
        times = net.sizes - 1 - net.newest
        if not times and not net.fades:
            return x
        small = pooled(x, times)
        if net.fades:
            small = mixed(small, repeated(pooled(small, 1), 1), net.fade)
        return repeated(small, times)


class ProgressiveGrowing(Strategy):
    """Sizes fade in one after another, in both networks and the real images (Karras et al. 2018, arXiv 1710.10196).

    The shape of the images stays that of the last size: smaller ones are repeated. When a size begins to fade in, and
    when it has, the optimizers forget their averages.

    Args:
        train_images: seen at each size in full.
        fade_images: seen while the next size fades in.
        batch_size: images of an update.
    """

    def __init__(self, train_images: int, fade_images: int, batch_size: int) -> None:
        require_positive(train_images=train_images, fade_images=fade_images, batch_size=batch_size)
        self.train_images = train_images
        self.fade_images = fade_images
        self.batch_size = batch_size

    def apply(self, game: Game) -> None:
        """Begin small, and grow after the generator's updates."""
        discriminators, generators, _ = game.teams()
        growing = [network for network in game.networks.values() if isinstance(network, Growing)]
        others = [name for name in (*game.critics, *game.generators) if not isinstance(game.network(name), Growing)]
        if others or not growing:
            raise ConfigError(
                f"progressive_growing needs networks that grow, as pggan are, and networks.{others[0]} is "
                f"{type(game.network(others[0])).__name__}"
                if others
                else f"progressive_growing has no effect on {type(game).__name__}, no network of which grows"
            )
        sizes, shape = growing[0].sizes, game.data.sample
        if any(side % (1 << (sizes - 1)) for side in shape[1:]):
            raise ConfigError(
                f"progressive_growing halves images {sizes - 1} times, and they are {shape[1]} x {shape[2]}: choose "
                f"data.image_size={shape[1] >> (sizes - 1) << (sizes - 1)}"
            )
        game.claim("sizes at work of the networks", "progressive_growing")
        players = [*discriminators, *generators]
        growth = Growth(
            game.networks,
            generators[0],
            players,
            sizes,
            self.train_images,
            self.fade_images,
            self.batch_size,
        )
        for player in players:
            player.look_aheads.append(Reduced(growing[0]))
        generators[0].after_step.append(growth)
