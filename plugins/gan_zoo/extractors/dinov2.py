"""DINOv2 features (Oquab et al. 2023, arXiv 2304.07193)."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.api import Cache, ConfigError, DataSource, Extractor, Features, to_rgb
from gan_zoo.extractors.pretrained import RESIZES, checkpoints_folder, known_resize, loading, resized

DIMS = {"vit-s-14": 384, "vit-b-14": 768, "vit-l-14": 1024, "vit-g-14": 1536}
"""The number of features of each model."""

SIZE = (224, 224)

CODE = "https://github.com/facebookresearch/dinov2"


class DINOv2(Extractor):
    """The class token of a DINOv2 vision transformer, through torch-fidelity.

    Its FID and KID agree better with people than Inception's. FD-DINOv2 as published (Stein et al. 2023, arXiv
    2306.04675) is metrics.fid of model=vit-l-14 and resize=bicubic with 50,000 samples.

    Args:
        model: which of the transformers.
        resize: `bicubic` as published, or `tensorflow`, as torch-fidelity does it.
        precision: see `Extractor`.
    """

    name = "dinov2"
    size = SIZE
    downloads = True

    def __init__(self, model: str, precision: str, resize: str | None = None) -> None:
        super().__init__(precision)
        self._bicubic = known_resize(resize) == "bicubic"
        self.resize = f"{RESIZES[known_resize(resize)]}, to 224x224"
        if model not in DIMS:
            raise ConfigError(f"extractor.model={model}: choose one of {', '.join(DIMS)}")
        self.model = model
        self.dim = DIMS[model]

    def prepare(self, source: DataSource, device: torch.device, cache: Cache) -> None:
        """Load the code and the weights through torch.hub.

        Raises:
            RunFailed: they cannot be downloaded; the message says what to do instead.
        """
        from torch_fidelity.feature_extractor_dinov2 import MODEL_METADATA, FeatureExtractorDinoV2

        name = MODEL_METADATA[f"dinov2-{self.model}"]
        weights = f"https://dl.fbaipublicfiles.com/dinov2/{name}/{name}_pretrain.pth"
        remedy = (
            f"On another machine run torch.hub.load('facebookresearch/dinov2', '{name}') and copy its folder "
            f"facebookresearch_dinov2_main into {torch.hub.get_dir()} and {name}_pretrain.pth into "
            f"{checkpoints_folder()}"
        )
        with loading(None, f"{CODE} and {weights}", remedy):
            network = FeatureExtractorDinoV2(f"dinov2-{self.model}", ["dinov2"])
        self.network = network.to(device)

    def extract(self, samples: Tensor) -> Features:
        """Return the class token."""
        images = to_rgb(samples)
        return Features(*self.network(resized(images, SIZE) if self._bicubic else images))
