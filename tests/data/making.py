"""Making images, folders and zip files to read."""

import io
import zipfile
from pathlib import Path

import numpy as np
import torch
from omegaconf import OmegaConf
from PIL import Image

from gan_framework.data import Data, InMemory, build_source

CONF = Path(__file__).parents[2] / "conf" / "data"


def defaults(name):
    """Return the settings of a data set's YAML; some also choose the extractor that suits them."""
    content = OmegaConf.to_container(OmegaConf.load(CONF / f"{name}.yaml"))
    content.pop("defaults", None)
    return content


def source(name, **settings):
    """Build a source from its YAML with other settings."""
    return build_source({**defaults(name), **settings})


def folder(path, **settings):
    """Build the source of a folder or zip file of 8x8 images in colour."""
    return source("folder", **{"image_size": 8, "channels": 3, "path": str(path), **settings})


def picture(number, size=(8, 8), mode="RGB"):
    shape = (size[1], size[0]) + ((len(mode),) if len(mode) > 1 else ())
    return Image.fromarray(np.random.default_rng(number).integers(0, 256, shape, dtype=np.uint8))


def encoded(image, format="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def pixels(image):
    values = torch.from_numpy(np.array(image))
    return values[None] if values.ndim == 2 else values.permute(2, 0, 1)


def write(root, files):
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def pack(path, files, **options):
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


class Streamed(Data):
    """The same data as InMemory, but of a kind that Batches knows nothing of."""

    def __init__(self, samples, labels=None, extra=None, vocabulary=0):
        self.samples, self.labels, self.extra, self.vocabulary = samples, labels, extra or {}, vocabulary

    def __len__(self):
        return len(self.samples)

    def read(self, indices):
        return self.samples[torch.as_tensor(indices)]

    def read_extra(self, indices):
        return {name: tensor[torch.as_tensor(indices)] for name, tensor in self.extra.items()}


KINDS = (InMemory, Streamed)
"""Both ways in which batches are drawn."""
