"""A picture of real samples, laid out as the grids of generated ones are, to compare these with."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.evaluation import decoding, drawing, inputs
from gan_framework.evaluation.spacing import evenly_spaced
from gan_framework.runs.run import Run
from gan_framework.storage import pictures
from gan_framework.storage.pictures import COLOURS

NAME = "real"
"""What the picture is called, in the run's folder and by trackers."""


def show_data(run: Run) -> None:
    """Draw real samples as the grids are drawn, once; nothing where they are no grey or colour images and no tokens."""
    shape = decoding.shape_seen(run.game)
    if not shape.vocabulary and not (shape.is_image and shape.sample[0] in COLOURS):
        return
    batch = inputs.batch_of(run.batches.data, chosen(run), torch.device("cpu"))
    run.check_folder()
    path = run.folder.picture(NAME, run.counters.step)
    columns = drawing.by_class(_classes(run), run.settings.sample.columns)
    pictures.write(path, drawing.drawn(run.game, decoding.seen(run.game, batch.samples), columns, run.symbols))
    run.trackers.image(NAME, path, run.axes())


def chosen(run: Run) -> Tensor:
    """Return the positions (N,) of the real samples to stand beside the N of the grid.

    Where the game is conditional on classes, each is of the same class as the sample in its place; where samples are
    made of real ones, it is that one.
    """
    data, count = run.batches.data, len(run.grid.z)
    if run.game.generates_from is not None:
        return torch.arange(count) % len(data)
    places = evenly_spaced(len(data), min(count, len(data)))
    places = places.repeat(-(-count // len(places)))[:count]
    classes = _classes(run)
    if data.labels is None or data.labels.ndim != 1 or classes is None or classes.ndim != 1:
        return places
    for label in classes.unique():
        cells = (classes == label).nonzero().flatten()
        having = (data.labels == label).nonzero().flatten()
        if len(having):
            places[cells] = having[torch.arange(len(cells)) % len(having)].to(places)
    return places


def _classes(run: Run) -> Tensor | None:
    """Return the labels (N, ...) of the grid, or None where its samples have none."""
    return run.grid.labels.cpu() if run.game.conditional and run.grid.labels is not None else None
