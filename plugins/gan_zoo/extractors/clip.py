"""CLIP's image features (Radford et al. 2021, arXiv 2103.00020)."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from gan_framework.api import Cache, ConfigError, DataSource, Extractor, Features, to_rgb
from gan_zoo.extractors.pretrained import checkpoints_folder, known_file, loading

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
    """The image embedding of a CLIP model, through torch-fidelity."""

    name = "clip"
    resize = "bilinear as in TensorFlow 1, to the model's size"
    downloads = True

    def __init__(self, model: str, weights: Path | None, precision: str) -> None:
        super().__init__(precision)
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
        return Features(*self.network(to_rgb(samples)))
