"""The loops that are compared: the framework's step, the same written by hand, and that one as a CUDA graph."""

from __future__ import annotations

import copy
from collections.abc import Callable
from itertools import cycle, islice
from typing import Any

import torch
from overhead import random_images
from torch import Tensor
from torch.nn import functional as F

from gan_framework.build import build_game
from gan_framework.core import distributed
from gan_framework.core.game import Game
from gan_framework.core.records import DataShape
from gan_framework.data import Batches, InMemory
from gan_framework.runs.captured import CapturedSteps
from gan_framework.runs.counters import Counters
from gpu.sizes import Sizes
from gpu.systems import System

Step = Callable[[], None]


class NotByHand(Exception):
    """The hand-written loop does not know a part of a system."""


def make_game(config: dict[str, Any], system: System, device: str) -> Game:
    """Return the game of a system; the precision of the last one that was made holds for all of the process."""
    return build_game(config, DataShape((3, system.size, system.size), system.classes), torch.device(device))


def make_data(system: System, sizes: Sizes) -> InMemory:
    """Return images of noise, with labels where the system wants them."""
    labels = torch.tensor([*islice(cycle(range(system.classes)), sizes.images)]) if system.classes else None
    return InMemory(random_images((3, system.size, system.size), sizes.images), labels)


def framework(config: dict[str, Any], game: Game, batches: Batches, replayed: bool = False) -> Step:
    """Return what the trainer does in a step in which nothing is due, replayed with `train.cuda_graph=true`."""
    play = CapturedSteps(game) if replayed else game.step
    clock = Counters(steps=2**62)
    often = [2**61] * 4

    def step() -> None:
        distributed.reseed(config["seed"], "step", clock.step, clock.rollbacks)
        play(batches)
        clock.tick()
        assert not any(map(clock.due, often))

    return step


LOSSES: dict[str, tuple[Callable[[Tensor, Tensor], Tensor], Callable[[Tensor, Tensor | None], Tensor]]] = {
    "nonsaturating": (
        lambda real, fake: F.softplus(-real).mean() + F.softplus(fake).mean(),
        lambda fake, real: F.softplus(-fake).mean(),
    ),
    "hinge": (
        lambda real, fake: F.relu(1 - real).mean() + F.relu(1 + fake).mean(),
        lambda fake, real: -fake.mean(),
    ),
    "relativistic": (
        lambda real, fake: F.softplus(fake - real).mean(),
        lambda fake, real: F.softplus(_given(real) - fake).mean(),
    ),
}
"""What the discriminator and the generator minimise."""

KNOWN_TERMS = {"r1", "r2"}
KNOWN_STRATEGIES = {"spectral_norm", "k_step", "lr_decay", "ema"}


def by_hand(config: dict[str, Any], game: Game, data: InMemory) -> Step:
    """Return the step of a loop in plain PyTorch, on a game's networks and with its settings.

    It does what the framework does by default: fused Adam, channels-last weights, one pass of the discriminator over
    real and generated samples where it judges each alone, gradients of the updated parameters alone, the samples shared
    between the updates, and R1 and R2 from the passes that the loss makes anyway (but in half precision). Its batches
    are drawn on the device, from images that are ready to use. The learning rate stays what it is. No part of it waits
    for the device, so that it can be captured as a CUDA graph.

    Raises:
        NotByHand: the system has a part that is not written here.
    """
    unknown = [*config["terms"].keys() - KNOWN_TERMS, *config["strategy"].keys() - KNOWN_STRATEGIES]
    settings = config["optimizer"]
    if unknown or config["loss"]["name"] not in LOSSES or {"adam"} != {s["name"] for s in settings.values()}:
        raise NotByHand(f"no loop by hand for {', '.join(unknown) or config['loss']['name']}")
    device, batch, joined = game.device, config["train"]["batch_size"], game.judge("discriminator").batch_independent
    generator, discriminator = game.generator, game.discriminator
    d_loss, g_loss = LOSSES[config["loss"]["name"]]
    needs_real = config["loss"]["name"] == "relativistic"
    d_steps = getattr(game.schedule, "d_steps", 1)
    d_parameters, g_parameters = [*discriminator.parameters()], [*generator.parameters()]
    d_optimizer = _adam(d_parameters, settings["discriminator"], device)
    g_optimizer = _adam(g_parameters, settings["generator"], device)
    d_scaler, g_scaler = game.precision.scaler(), game.precision.scaler()
    average = copy.deepcopy(generator) if "ema" in config["strategy"] else None
    kept = config["strategy"]["ema"]["decay"] if average is not None else 0.0
    # As (N, H, W, C), of which a gather gives channels-last images.
    ready = data.samples.to(device).permute(0, 2, 3, 1).float().div_(127.5).sub_(1).contiguous()
    classes = None if data.labels is None else data.labels.to(device)
    dim, normal = config["prior"]["dim"], config["prior"]["name"] == "normal"

    shared = bool(config["terms"]) and game.precision.dtype is None

    def half_square(gradient: Tensor) -> Tensor:
        return 0.5 * gradient.square().flatten(1).sum(1).mean()

    def penalty(x: Tensor, labels: Tensor | None) -> Tensor:
        x = x.detach().float().requires_grad_()
        (gradient,) = torch.autograd.grad(discriminator(x, labels).logits.sum(), x, create_graph=True)
        return half_square(gradient)

    def judged(real: Tensor, fake: Tensor, labels: Tensor | None) -> tuple[Tensor, Tensor]:
        with game.autocast():
            if not joined:
                return discriminator(real, labels).logits.float(), discriminator(fake, labels).logits.float()
            both = discriminator(torch.cat([real, fake]), None if labels is None else labels.repeat(2)).logits.float()
            return both[:batch], both[batch:]

    def step() -> None:
        for i in range(d_steps):
            index = torch.randint(len(ready), (batch,), device=device)
            real = ready.index_select(0, index).permute(0, 3, 1, 2)
            labels = None if classes is None else classes.index_select(0, index)
            z = torch.randn(batch, dim, device=device) if normal else torch.rand(batch, dim, device=device) * 2 - 1
            with torch.set_grad_enabled(i == d_steps - 1), game.autocast():
                fake = generator(z, labels)
            seen = fake.detach()
            if shared:
                real, seen = real.requires_grad_(), seen.requires_grad_()
            logits = judged(real, seen, labels)
            total = d_loss(*logits)
            if shared:
                sums = [side.sum() for side in logits]
                gradients = dict(
                    zip(("r1", "r2"), torch.autograd.grad(sums, [real, seen], create_graph=True), strict=True)
                )
            for name, term in config["terms"].items():
                found = half_square(gradients[name]) if shared else penalty(real if name == "r1" else seen, labels)
                total = total + term["weight"] * found
            d_optimizer.zero_grad()
            d_scaler.scale(total).backward(inputs=d_parameters)
            d_scaler.step(d_optimizer)
            d_scaler.update()

        with game.autocast():
            on_fake = discriminator(fake, labels).logits.float()
            on_real = discriminator(real, labels).logits.float() if needs_real else None
        g_optimizer.zero_grad()
        g_scaler.scale(g_loss(on_fake, on_real)).backward(inputs=g_parameters)
        g_scaler.step(g_optimizer)
        g_scaler.update()
        if average is not None:
            with torch.no_grad():
                torch._foreach_lerp_([*average.parameters()], [*generator.parameters()], 1 - kept)
                for mine, current in zip(average.buffers(), generator.buffers(), strict=True):
                    mine.copy_(current)

    return step


def captured(step: Step) -> Step:
    """Return a step as the replay of a CUDA graph."""
    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):  # what is made at the first step is not to be a part of the graph
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()

    def replay(of: Step = step) -> None:
        graph.replay()  # reads and writes what the step holds, which has to stay

    return replay


def _adam(parameters: list[torch.nn.Parameter], settings: dict[str, Any], device: torch.device) -> torch.optim.Adam:
    first, second = settings["betas"]
    return torch.optim.Adam(
        parameters,
        settings["lr"],
        (float(first), float(second)),
        settings["eps"],
        settings["weight_decay"],
        fused=True,
        capturable=device.type == "cuda",
    )


def _given(logits: Tensor | None) -> Tensor:
    assert logits is not None
    return logits
