"""Times of the framework's step beside the hand-written loop's, in every precision; then with the latter captured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from overhead import spread

from gan_framework.build import compile_networks
from gan_framework.data import Batches
from gpu.loops import Step, by_hand, captured, framework, make_data, make_game
from gpu.part import Part
from gpu.sizes import Sizes
from gpu.systems import SYSTEMS, System, configuration
from gpu.timing import in_turns


def loops(system: System, sizes: Sizes, precision: str, compiled: bool = False) -> dict[str, Callable[[], Step]]:
    """Return what makes each loop of a system: `by_hand`, `framework`, the compiled `compiled`, each also replayed."""
    config = configuration(system, f"train.precision={precision}", *sizes.overrides)
    data = make_data(system, sizes)

    def ours(compile: bool, replayed: bool = False) -> Step:
        game = make_game(config, system, sizes.device)
        if compile:
            compile_networks(game)
        batches = Batches(data, config["train"]["batch_size"], config["seed"], sizes.device)
        return framework(config, game, batches, replayed)

    def theirs() -> Step:
        return by_hand(config, make_game(config, system, sizes.device), data)

    made: dict[str, Callable[[], Step]] = {"by_hand": theirs, "framework": lambda: ours(False)}
    if sizes.device == "cuda":
        made["replayed"] = lambda: ours(compiled, replayed=True)
    return made | ({"compiled": lambda: ours(True)} if compiled else {})


def figures(times: dict[str, list[float]]) -> dict[str, Any]:
    """Return each loop's milliseconds per step, and the hand-written loop's time over each other's."""
    result: dict[str, Any] = {
        f"{name}_ms": spread([1000 * value for value in values]) for name, values in times.items()
    }
    for name, values in times.items():
        if name != "by_hand":
            pairs = zip(times["by_hand"], values, strict=True)
            result[f"{name}_ratio"] = spread([theirs / own for theirs, own in pairs])
    return result


def measure(part: Part) -> None:
    """Time one system."""
    (name,) = part.arguments
    system, sizes = SYSTEMS[name], part.sizes
    for precision in sizes.precisions:
        made = {kind: make() for kind, make in loops(system, sizes, precision).items() if kind != "replayed"}
        part.add(system=name, precision=precision, **figures(in_turns(made, sizes)))
    # After everything else, because a capture that fails can leave the device unusable to the process.
    for precision in sizes.precisions if sizes.device == "cuda" else ():
        makers = loops(system, sizes, precision)
        made = {
            "by_hand": makers["by_hand"](),
            "captured": captured(makers["by_hand"]()),
            "replayed": makers["replayed"](),
        }
        part.add(system=name, precision=precision, graph=True, **figures(in_turns(made, sizes)))
