"""How fast a training step is beside a loop written by hand, and what the framework itself costs per step.

    python benchmarks/overhead.py [NAME ...] [--pairs 9] [--seconds 2] [--threads 2] [--device cpu] [--override A=B]

Each measurement is a number of rounds in which all its loops take their turns, the order changing from round to
round, for about so many seconds each; the medians and quartiles over the rounds count:

* `dcgan32`, `dcgan28`, `sngan`, `mlp`: the ratio is the hand-written loop's time over the framework's, so above 1 the
  framework is faster; once for each precision. `sngan` is the paper's residual pair, at the paper's width.
* `r3gan`, `wgan_gp`, `dragan`: the same on DCGAN's networks at 32 pixels with these losses' penalties, in float32. The
  hand-written loop takes R1 and R2 from the passes of its loss, which most programs do not.
* `cost`: networks of one layer, where nearly all that is measured is Python. The figure is the framework's time above
  the hand-written loop's, in milliseconds per step.
* `data`: the share of a step that drawing its batch takes, from memory, and from a folder of JPEG files that a worker
  reads ahead.

The hand-written loop is what a PyTorch tutorial teaches, with the same networks and losses: float32, Adam as it comes,
the usual memory layout. It shares its generated batch between the two updates, and draws its batches from a tensor that
is ready to use. The framework's step is everything that its trainer does when nothing is due: seeding, drawing a batch
from 8-bit images, the step itself, and the clock.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.build import build_game
from gan_framework.config.compose import compose, plain
from gan_framework.core import seeding
from gan_framework.core.game import Game
from gan_framework.core.records import Batch, DataShape
from gan_framework.data import Batches, Data, InMemory, build_source
from gan_framework.runs.counters import Counters

BATCH = 64
Step = Callable[[], None]

MEASUREMENTS: dict[str, tuple[tuple[int, int, int], list[str]]] = {
    "dcgan32": ((3, 32, 32), ["model=dcgan"]),
    "dcgan28": ((1, 28, 28), ["model=dcgan"]),
    "sngan": ((3, 32, 32), ["model=resnet", "loss=hinge", "strategy=[spectral_norm]"]),
    "mlp": ((1, 28, 28), ["model=mlp"]),
    "r3gan": ((3, 32, 32), ["model=dcgan", "loss=r3gan", "networks.discriminator.norm=none"]),
    "wgan_gp": ((3, 32, 32), ["model=dcgan", "loss=wasserstein_gp", "networks.discriminator.norm=layer"]),
    "dragan": ((3, 32, 32), ["model=dcgan", "loss=dragan", "networks.discriminator.norm=layer"]),
    "cost": (
        (1, 4, 4),
        [
            "model=mlp",
            "networks.generator.hidden=[]",
            "networks.discriminator.hidden=[8]",
            "prior.dim=8",
        ],
    ),
}
"""The shape of the images and the configuration of each comparison with a loop written by hand."""


def configuration(shape: tuple[int, int, int], overrides: list[str], precision: str = "fp32") -> dict[str, Any]:
    """Compose the configuration of a measurement."""
    channels, size, _ = shape
    own = [f"data.image_size={size}", f"data.channels={channels}", f"train.batch_size={BATCH}"]
    return plain(compose([*overrides, *own, f"train.precision={precision}"]))


def random_images(shape: tuple[int, int, int], count: int = 2048) -> Tensor:
    """Return images (count, C, H, W), uint8, of noise."""
    return torch.randint(256, (count, *shape), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


class Timed:
    """Draws batches and adds up the time that takes, in `spent`."""

    def __init__(self, batches: Batches) -> None:
        self.batches = batches
        self.spent = 0.0

    def __call__(self) -> Batch:
        """Return the next batch."""
        start = time.perf_counter()
        batch = self.batches()
        self.spent += time.perf_counter() - start
        return batch


def framework(config: dict[str, Any], data: Data, device: torch.device) -> tuple[Step, Timed]:
    """Return one step of the framework's trainer when nothing is due, and what it draws its batches from."""
    game = build_game(config, DataShape(tuple(data.read([0]).shape[1:])), device)
    draw = Timed(Batches(data, BATCH, config["seed"], device, workers=config["data"]["workers"]))
    clock = Counters(steps=2**62)

    def step() -> None:
        seeding.reseed(config["seed"], "step", clock.step, clock.rollbacks)
        game.step(draw)
        clock.tick()
        assert not any(clock.due(every) for every in (2**61, 2**61, 2**61, 2**61))

    return step, draw


def bce(real: Tensor, fake: Tensor) -> Tensor:
    """Return the discriminator's loss of the first GANs."""
    return F.binary_cross_entropy_with_logits(real, torch.ones_like(real)) + F.binary_cross_entropy_with_logits(
        fake, torch.zeros_like(fake)
    )


def hinge(real: Tensor, fake: Tensor) -> Tensor:
    """Return the discriminator's loss of SNGAN."""
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def nonsaturating(real: Tensor, fake: Tensor) -> Tensor:
    """Return the generator's loss of the first GANs."""
    return F.binary_cross_entropy_with_logits(fake, torch.ones_like(fake))


def paired(real: Tensor, fake: Tensor) -> Tensor:
    """Return R3GAN's loss of the discriminator; the generator's is that of exchanged logits."""
    return F.softplus(fake - real).mean()


LOSSES: dict[str, tuple[Callable[[Tensor, Tensor], Tensor], Callable[[Tensor, Tensor], Tensor]]] = {
    "nonsaturating": (bce, nonsaturating),
    "hinge": (hinge, lambda real, fake: -fake.mean()),
    "wasserstein": (lambda real, fake: fake.mean() - real.mean(), lambda real, fake: -fake.mean()),
    "relativistic": (paired, lambda real, fake: paired(fake, real)),
}
"""The discriminator's and the generator's, of real and generated logits."""


def gradient_norms(discriminator: nn.Module, x: Tensor) -> Tensor:
    """Return the norms (N,) of the score's gradients at points x, from a pass of their own."""
    x = x.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(discriminator(x).logits.sum(), x, create_graph=True)
    norms: Tensor = torch.linalg.vector_norm(gradient.flatten(1), dim=1)
    return norms


def penalty(terms: dict[str, Any], discriminator: nn.Module, real: Tensor, fake: Tensor, logits: Tensor) -> Tensor:
    """Return what a configuration's penalties add to the discriminator's loss; `logits` are all of its pass."""
    if "r1" in terms:
        of_real, of_fake = torch.autograd.grad(logits.sum(), (real, fake), create_graph=True)
        squares = of_real.flatten(1).square().sum(1).mean() + of_fake.flatten(1).square().sum(1).mean()
        return torch.mul(0.5 * terms["r1"]["weight"], squares)
    if "gradient_penalty" in terms:
        factor = torch.rand(BATCH, 1, 1, 1, device=real.device)
        norms = gradient_norms(discriminator, factor * real + (1 - factor) * fake)
        return torch.mul((norms - 1).square().mean(), terms["gradient_penalty"]["weight"])
    if "dragan" in terms:
        factor = torch.rand(BATCH, 1, 1, 1, device=real.device)
        norms = gradient_norms(discriminator, real + factor * 0.5 * real.std() * torch.rand_like(real))
        return torch.mul((norms - 1).square().mean(), terms["dragan"]["weight"])
    return logits.new_zeros(())


def by_hand(config: dict[str, Any], images: Tensor, device: torch.device) -> Step:
    """Return one step of a loop as a tutorial writes it, on the same networks."""
    game = build_game(config, DataShape(tuple(images.shape[1:])), device)
    generator, discriminator = game.generator, game.discriminator
    for network in (generator, discriminator):
        network.to(memory_format=torch.contiguous_format)
    settings = {name: config["optimizer"]["generator"][name] for name in ("lr", "betas", "eps")}
    d_optimizer = torch.optim.Adam(discriminator.parameters(), **settings)
    g_optimizer = torch.optim.Adam(generator.parameters(), **settings)
    d_loss, g_loss = LOSSES[config["loss"]["name"]]
    terms = config["terms"]
    ready = images.to(device).float() / 127.5 - 1
    dim, normal = config["prior"]["dim"], config["prior"]["name"] == "normal"
    order, position = torch.randperm(len(ready)), 0

    def step() -> None:
        nonlocal order, position
        if position + BATCH > len(ready):
            order, position = torch.randperm(len(ready)), 0
        real = ready[order[position : position + BATCH]]
        position += BATCH
        z = torch.randn(BATCH, dim, device=device) if normal else torch.rand(BATCH, dim, device=device) * 2 - 1
        fake = generator(z)

        d_optimizer.zero_grad()
        x, made = real.requires_grad_("r1" in terms), fake.detach().requires_grad_("r1" in terms)
        d_real, d_fake = discriminator(x).logits, discriminator(made).logits
        added = penalty(terms, discriminator, x, made, torch.cat([d_real, d_fake]))
        (d_loss(d_real, d_fake) + added).backward()
        d_optimizer.step()

        g_optimizer.zero_grad()
        # The relativistic loss alone compares with real logits here.
        d_real = discriminator(real.detach()).logits if config["loss"]["name"] == "relativistic" else d_real
        g_loss(d_real, discriminator(fake).logits).backward()
        g_optimizer.step()

    return step


def seconds(step: Step, steps: int, device: torch.device) -> float:
    """Return the time of one step, the average of several."""
    start = time.perf_counter()
    for _ in range(steps):
        step()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return (time.perf_counter() - start) / steps


def in_turn(loops: dict[str, Step], rounds: int, each: float, device: torch.device) -> dict[str, list[float]]:
    """Time loops in turn, for about so many seconds each; the one that goes first changes from round to round."""
    counts = {}
    for name, step in loops.items():
        step()
        counts[name] = max(round(each / seconds(step, 1, device)), 1)
    times: dict[str, list[float]] = {name: [] for name in loops}
    for i in range(rounds):
        names = list(loops)
        for name in names[i % len(names) :] + names[: i % len(names)]:
            times[name].append(seconds(loops[name], counts[name], device))
    return times


def spread(values: list[float], digits: int = 3) -> dict[str, Any]:
    """Return the median and the quartiles."""
    return {
        "median": round(statistics.median(values), digits),
        "quartiles": [round(q, digits) for q in statistics.quantiles(values, n=4)[::2]],
    }


def milliseconds(times: dict[str, list[float]]) -> dict[str, float]:
    """Return each loop's median time of a step."""
    return {name: round(1000 * statistics.median(values), 3) for name, values in times.items()}


def compare(
    name: str, precisions: list[str], rounds: int, each: float, device: torch.device, own: list[str]
) -> dict[str, Any]:
    """Compare the framework's step in several precisions with the loop written by hand."""
    shape, overrides = MEASUREMENTS[name]
    overrides = [*overrides, *own]
    images = random_images(shape)
    loops = {"by_hand": by_hand(configuration(shape, overrides), images, device)}
    for precision in precisions:
        loops[precision], _ = framework(configuration(shape, overrides, precision), InMemory(images), device)
    times = in_turn(loops, rounds, each, device)
    result: dict[str, Any] = {"ms": milliseconds(times)}
    hand = times["by_hand"]
    for precision in precisions:
        pairs = list(zip(hand, times[precision], strict=True))
        if name == "cost":
            result["above_ms"] = spread([1000 * (ours - theirs) for theirs, ours in pairs])
        else:
            result[f"ratio_{precision}"] = spread([theirs / ours for theirs, ours in pairs])
    return result | {"parameters": count(build_game(configuration(shape, overrides), DataShape(shape), device))}


def data_share(rounds: int, each: float, device: torch.device) -> dict[str, Any]:
    """Measure which share of a step its batch takes, drawn from memory and streamed from a folder."""
    shape, overrides = MEASUREMENTS["dcgan32"]
    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("memory", "folder"):
            own: list[str] = []
            if kind == "folder":
                _write_images(Path(folder), shape)
                own = ["data=folder", f"data.path={folder}", "data.in_memory_mb=0", "data.workers=1"]
            config = configuration(shape, [*overrides, *own])
            data = build_source(config["data"]).load("train") if kind == "folder" else InMemory(random_images(shape))
            step, draw = framework(config, data, device)
            shares = []
            for _ in range(rounds + 1):
                spent, start = draw.spent, time.perf_counter()
                while time.perf_counter() - start < each:
                    step()
                shares.append(100 * (draw.spent - spent) / (time.perf_counter() - start))
            result[f"{kind}_percent"] = spread(shares[1:])
    return result


def _write_images(folder: Path, shape: tuple[int, int, int], count: int = 2048) -> None:
    from PIL import Image

    for number, image in enumerate(random_images(shape, count)):
        Image.fromarray(image.permute(1, 2, 0).numpy()).save(folder / f"{number:05d}.jpg")


def count(game: Game) -> int:
    """Return the number of parameters of a game's networks."""
    networks: nn.ModuleDict = game.networks
    return sum(parameter.numel() for parameter in networks.parameters())


def main() -> None:
    """Print one line of JSON for each measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [*MEASUREMENTS, "data"]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}; all, if none is given")
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=2.0, help="for each loop in each round")
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"))
    parser.add_argument("--override", action="append", default=[], help="of the comparisons' configurations")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    rounds, each, device = arguments.pairs, arguments.seconds, arguments.device
    machine = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    threads = torch.get_num_threads()
    print(json.dumps({"torch": torch.__version__, "on": machine, "threads": threads, "load": os.getloadavg()[0]}))
    precisions = ["fp32", "tf32", "bf16", "fp16"] if device.type == "cuda" else ["fp32", "bf16"]
    for name in arguments.names or names:
        if name == "data":
            result = data_share(rounds, each, device)
        else:
            tried = precisions if name in ("dcgan32", "dcgan28", "sngan") else ["fp32"]
            result = compare(name, tried, rounds, each, device, arguments.override)
        print(json.dumps({"measurement": name, **result, "rounds": rounds}), flush=True)


if __name__ == "__main__":
    main()
