"""CLIP's image features (Radford et al. 2021, arXiv 2103.00020)."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from gan_framework.api import Cache, ConfigError, DataSource, Extractor, Features, to_rgb
from gan_zoo.extractors.pretrained import RESIZES, checkpoints_folder, known_file, known_resize, loading, resized

MODELS = (
    "vit-b-32",
    "vit-b-16",
    "vit-l-14",
    "vit-l-14-336px",
    "rn50",
    "rn101",
    "rn50x4",
    "rn50x16",
    "rn50x64",
)


class CLIP(Extractor):
    """The image embedding of a CLIP model, through torch-fidelity.

    Args:
        model: which of the models.
        weights: a file with its weights; None downloads them.
        precision: see `Extractor`.
        resize: `tensorflow`, as torch-fidelity does it, or `bicubic`, as CMMD does (arXiv 2401.09603).
    """

    name = "clip"
    downloads = True

    def __init__(self, model: str, weights: Path | None, precision: str, resize: str | None = None) -> None:
        super().__init__(precision)
        self._bicubic = known_resize(resize) == "bicubic"
        self.resize = f"{RESIZES[known_resize(resize)]}, to the model's size"
        if model not in MODELS:
            raise ConfigError(f"extractor.model={model}: choose one of {', '.join(MODELS)}")
        self.model = model
        self.weights = known_file(weights)

    def prepare(self, source: DataSource, device: torch.device, cache: Cache) -> None:
        """Load the weights.

        Raises:
            RunFailed: they cannot be downloaded; the message says what to do instead.
            ConfigError: the file holds something else.
        """
        from torch_fidelity.feature_extractor_clip import MODEL_METADATA, MODEL_URLS, FeatureExtractorCLIP

        name = f"clip-{self.model}"
        file = f"{name}-{MODEL_METADATA[name]['hash']}.pt"
        remedy = f"Put the file as {file} into {checkpoints_folder()}, or name it by extractor.weights=PATH"
        with loading(self.weights, MODEL_URLS[name], remedy):
            network = FeatureExtractorCLIP(name, ["clip"], feature_extractor_weights_path=self.weights, verbose=False)
        self.dim = network.model.visual.output_dim
        self.network = network.to(device)

    def extract(self, samples: Tensor) -> Features:
        """Return the image embedding."""
        images = to_rgb(samples)
        if self._bicubic:
            images = resized(images, (self.network.resolution, self.network.resolution))
        return Features(*self.network(images))
