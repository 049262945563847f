"""Games of experiments that learn classes, on images of a few pixels in float64, with their numbers."""

import torch

from gan_framework.build import build_game
from gan_framework.core.records import Batch, DataShape, DiscriminatorOutput, Latent
from gan_zoo.classifying import CLASS, LABELLED

CPU = torch.device("cpu")


def says(scores, logits=None):
    """Return what a judge says whose class scores these are."""
    scores = torch.as_tensor(scores, dtype=torch.float64)
    return DiscriminatorOutput(scores.logsumexp(1) if logits is None else logits, (), {CLASS: scores})


def shape(size=8, classes=10, labelled=True):
    own = DataShape((1, size, size), classes, size=100)
    return own._replace(others={LABELLED: own}) if labelled else own


def images(n=8, size=8, classes=10, seed=0):
    """Return noise with labels, and other noise with labels as the source `labelled`."""
    random = torch.Generator().manual_seed(seed)

    def some():
        x = torch.rand(n, 1, size, size, generator=random, dtype=torch.float64) * 2 - 1
        return Batch(x, torch.randint(classes, (n,), generator=random), index=torch.arange(n))

    main = some()
    return Batch(main.samples, main.labels, index=main.index, others={LABELLED: some()})


def built(compose, experiment, *overrides, data=None, size=8):
    """Return an experiment's game in float64."""
    config = compose(f"experiment={experiment}", f"data.image_size={size}", "debug=smoke", "metrics=[]", *overrides)
    return build_game(config, shape(size) if data is None else data, CPU).double()


def meet(game, batch, seed=0):
    """Return a meeting whose latents follow from a seed."""
    torch.manual_seed(seed)
    meeting = game.meet(batch)
    return meeting


def gradients(loss, network):
    """Return the gradients of a loss with respect to a network's parameters, flat."""
    found = torch.autograd.grad(loss, list(network.parameters()), allow_unused=True, retain_graph=True)
    return [g if g is not None else torch.zeros(()) for g in found]


__all__ = ["CPU", "Latent", "built", "gradients", "images", "meet", "says", "shape"]
