"""Parameters that are left alone, for good or until a step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from torch import nn

from gan_framework.core.game import Game
from gan_framework.core.player import Player
from gan_framework.errors import ConfigError
from gan_framework.weights.names import matching, plain_name
from gan_framework.weights.settings import WeightSettings


def freeze(game: Game, settings: Mapping[str, WeightSettings]) -> None:
    """Freeze what is frozen for good, before players take up what they update; gradients still pass through it.

    Raises:
        ConfigError: a pattern fits no parameter, or everything would be frozen that a player updates.
    """
    for name, wanted in settings.items():
        frozen = _chosen(game, name, wanted.freeze)
        if wanted.unfreeze_at is not None or not frozen:
            continue
        if len(frozen) == len([*game.network(name).parameters()]) and _updating(game, name):
            raise ConfigError(
                f"networks.{name}.freeze={[*wanted.freeze]} freezes all of it, and {_updating(game, name)[0].name} "
                f"would have nothing to update there: leave something out, or set networks.{name}.unfreeze_at"
            )
        for parameter in frozen:
            parameter.requires_grad_(False)


def refuse_what_moves_frozen(game: Game, settings: Mapping[str, WeightSettings]) -> None:
    """See that nothing but players changes weights that are frozen, for good or for some steps, or frozen as built.

    What follows an update (`player.after_step`) or comes before the first step (`game.openings`) says by `changes`
    which weights it changes itself, and by `owner` who added it.

    Raises:
        ConfigError: something does; the message names both.
    """
    kept = {id(parameter): what for parameter, what in _kept(game, settings)}
    for module in chain(game.openings, *(game.player(name).after_step for name in game.players)):
        changed = getattr(module, "changes", None)
        for parameter in changed(game) if callable(changed) else ():
            if id(parameter) in kept:
                raise ConfigError(
                    f"{getattr(module, 'owner', type(module).__name__)} changes weights by itself, and "
                    f"{kept[id(parameter)]} must stay as they are: leave one of the two out"
                )


def _kept(game: Game, settings: Mapping[str, WeightSettings]) -> Iterator[tuple[nn.Parameter, str]]:
    for name, network in game.networks.items():
        for own, parameter in network.named_parameters():
            if not parameter.requires_grad:
                yield parameter, f"the frozen weights networks.{name}.{plain_name(own)}"
        wanted = settings.get(name)
        for parameter in _chosen(game, name, wanted.freeze) if wanted is not None else ():
            yield parameter, f"those of networks.{name}.freeze={[*wanted.freeze] if wanted else []}"


class Thawing:
    """Leaves parameters alone until a step, and has their players update them from then on.

    The optimizers hold them from the start, without state, so a checkpoint from before the step and one from after it
    are of one form.

    Args:
        game: the game, started.
        settings: of its networks.
        captured: whether steps are captured as CUDA graphs, which do not change what they update.

    Raises:
        ConfigError: a player would have nothing to update meanwhile, or steps are captured.
    """

    def __init__(self, game: Game, settings: Mapping[str, WeightSettings], captured: bool = False) -> None:
        self._due = {
            name: (wanted.unfreeze_at, _chosen(game, name, wanted.freeze))
            for name, wanted in settings.items()
            if wanted.unfreeze_at is not None
        }
        players = [player for player in map(game.player, game.players) if {*player.networks} & self._due.keys()]
        self._updated = [(player, [*player.trained]) for player in players]
        self._frozen: set[str] = set()
        if self._due and captured:
            raise ConfigError(
                f"networks.{next(iter(self._due))}.unfreeze_at changes what is updated, which train.cuda_graph=true "
                "captures once: set train.cuda_graph=false"
            )
        self.at(0)

    def at(self, step: int) -> None:
        """Freeze what is frozen before a step, and thaw the rest; it may be an earlier step than the last.

        Raises:
            ConfigError: a player would have nothing to update.
        """
        frozen = {name for name, (until, _) in self._due.items() if until is not None and step < until}
        if frozen == self._frozen:
            return
        self._frozen = frozen
        for name, (_, parameters) in self._due.items():
            for parameter in parameters:
                parameter.requires_grad_(name not in frozen)
                parameter.grad = None
        for player, updated in self._updated:
            player.trained = [parameter for parameter in updated if parameter.requires_grad]
            if not player.trained:
                raise ConfigError(
                    f"networks.{sorted(frozen)[0]}.freeze leaves the player {player.name!r} nothing to update until "
                    "unfreeze_at: leave something out"
                )


def _chosen(game: Game, name: str, patterns: Iterable[str]) -> list[nn.Parameter]:
    """Return the parameters of a network that patterns name, each once.

    Raises:
        ConfigError: a pattern fits none.
    """
    found: list[nn.Parameter] = []
    for pattern in patterns:
        network = game.network(name)
        fitting = [*matching(network, pattern)]
        if not fitting:
            names = (plain_name(own) for own, _ in network.named_parameters())
            modules = dict.fromkeys(own.rpartition(".")[0] or own for own in names)
            raise ConfigError(
                f"networks.{name}.freeze={pattern} fits no parameter; its layers are {', '.join(modules)}"
            )
        found += fitting
    return list(dict.fromkeys(found))


def _updating(game: Game, name: str) -> list[Player]:
    return [player for player in map(game.player, game.players) if name in player.networks]
