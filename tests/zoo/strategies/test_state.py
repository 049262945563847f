"""Every strategy and schedule: a game that is saved and loaded goes on as if nothing had happened."""

import pytest
import torch

from tests.zoo.strategies.every import NAMES, build, draw

SCHEDULES = {"simultaneous": {"name": "simultaneous"}}


def steps(game, first, last):
    measured = []
    for step in range(first, last):
        torch.manual_seed(step)
        measured.append(game.step(draw))
    return measured


def flat(value, path=""):
    """Yield every tensor and plain value of a state with its path."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from flat(inner, f"{path}.{key}")
    elif isinstance(value, (list, tuple)):
        for i, inner in enumerate(value):
            yield from flat(inner, f"{path}.{i}")
    else:
        yield path, value


@pytest.mark.parametrize("name", [*NAMES, *SCHEDULES])
def test_a_reloaded_game_goes_on_exactly(base, tmp_path, name):
    strategies = [name] if name in NAMES else []
    changes = {"schedule": SCHEDULES[name]} if name in SCHEDULES else {}
    game = build(base, *strategies, **changes)
    steps(game, 0, 2)
    torch.save(game.state_dict(), tmp_path / "state.pt")
    expected = steps(game, 2, 4)

    resumed = build(base | {"seed": 1}, *strategies, **changes)
    resumed.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    found = steps(resumed, 2, 4)

    for ours, theirs in zip(found, expected, strict=True):
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[key], theirs[key]) for key in ours)
    states = [dict(flat(dict(each.state_dict()))) for each in (game, resumed)]
    assert states[0].keys() == states[1].keys()
    for path, value in states[0].items():
        same = torch.equal(value, states[1][path]) if isinstance(value, torch.Tensor) else value == states[1][path]
        assert same, path
