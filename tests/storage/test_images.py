import io

import numpy as np
import torch
from PIL import Image

from gan_framework.storage.images import to_uint8


def test_known_values():
    x = torch.tensor([-1.0, 1.0, 0.0, -2.0, 2.0, -1 + 2 / 255, 1 - 2 / 255])
    assert to_uint8(x).tolist() == [0, 255, 128, 0, 255, 1, 254]


def test_every_level_survives_the_round_trip():
    levels = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_uint8(levels / 127.5 - 1), levels)


def test_what_a_png_reads_back():
    images = to_uint8(torch.rand(3, 8, 8) * 2 - 1)
    file = io.BytesIO()
    Image.fromarray(images.permute(1, 2, 0).numpy()).save(file, format="PNG")
    assert np.array_equal(np.asarray(Image.open(file)), images.permute(1, 2, 0).numpy())
