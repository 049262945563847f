"""Which players a term can be given to."""

from __future__ import annotations

from gan_framework.api import ConfigError, Game, Player, Term, try_meeting


def name_of(term: Term, player: Player) -> str:
    """Return the name under which the player has the term."""
    return next(name for name, own in player.terms.items() if own is term)


def trained_judges(term: Term, game: Game, player: Player) -> list[str]:
    """Return the networks that judge what the player faces with this term, and that it updates.

    Raises:
        ConfigError: there is none.
    """
    name = name_of(term, player)
    judges = [network for network in game.judges_of(player, name) if network in player.networks]
    if not judges:
        _refuse(name, player, game.teams()[0], "discriminator")
    return judges


def require_generator(term: Term, game: Game, player: Player) -> None:
    """See that the player updates what makes the generated samples.

    Raises:
        ConfigError: it is not on the generator's side.
    """
    if player not in game.teams()[1]:
        _refuse(name_of(term, player), player, game.teams()[1], "generator")


def require_one_pair(term: Term, game: Game, player: Player) -> None:
    """See that the term is computed for one pair alone, as what it keeps is of one.

    Raises:
        ConfigError: there are several.
    """
    name = name_of(term, player)
    faced = player.plans[name].pairs or tuple(player.pairs(try_meeting(game)))
    if len(faced) > 1:
        raise ConfigError(
            f"terms.{name} follows one pair, and the player {player.name!r} faces {', '.join(faced)}: "
            f"set +terms.{name}.pair={faced[0]}"
        )


def _refuse(name: str, player: Player, fitting: list[Player], network: str) -> None:
    choices = " or ".join(other.name for other in fitting) or "another term"
    raise ConfigError(
        f"terms.{name}.player={player.name}: {name} has no effect on a player that does not update the {network}; "
        f"choose {choices}"
    )
