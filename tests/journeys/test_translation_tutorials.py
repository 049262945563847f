"""The commands of the two tutorials that start from folders, on pictures and arrays that are made here."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.helpers.environment import ROOT

SMALL = {
    "cyclegan": [
        *(f"networks.generator_{way}.width=2" for way in ("ab", "ba")),
        *(f"networks.generator_{way}.blocks=1" for way in ("ab", "ba")),
        *(f"networks.discriminator_{domain}.width=2" for domain in "ab"),
    ],
    "pix2pix": ["networks.generator.width=2", "networks.discriminator.width=2"],
    "srresnet": ["networks.generator.width=4", "networks.generator.blocks=1"],
    "srgan": ["networks.generator.width=4", "networks.generator.blocks=1", "networks.discriminator.width=2"],
}
QUICK = ["debug=smoke", "train.steps=2", "train.batch_size=4", "extractor=raw", "evaluate.samples=8", "tracker=[]"]


def photographs(folder, count, seed):
    folder.mkdir(parents=True)
    random = np.random.default_rng(seed)
    for number in range(count):
        pixels = random.integers(0, 256, (40, 48, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((96, 80)).save(folder / f"{number:02}.png")


@pytest.mark.slow
@pytest.mark.parametrize("page", ["translation", "super-resolution"])
def test_the_commands_of_a_page_do_what_it_says(page, tmp_path, program):
    for number, (name, count) in enumerate({"winter": 24, "summer": 30, "maps": 24, "aerial": 24}.items()):
        photographs(tmp_path / "photos" / name, count, number)
    pairs = np.random.default_rng(0).random((24, 3, 32, 32), dtype=np.float32)
    np.savez(tmp_path / "pairs.npz", x=pairs[:, :1], source=pairs[:, 1:])
    text = (ROOT / "docs" / f"{page}.md").read_text()
    blocks = re.findall(r"^```bash\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    for line in "".join(blocks).splitlines():
        words = shlex.split(line)
        if words[0] == "python":
            experiment = next(word.partition("=")[2] for word in words if word.startswith("experiment="))
            program(*words[2:], *QUICK, "data.test_share=0.3", *SMALL[experiment], cwd=tmp_path, check=0)
        else:
            command = Path(sys.executable).with_name("gan-framework")
            done = subprocess.run([command, *words[1:]], cwd=tmp_path, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
    for picture in re.findall(r"--out (\S+)", text):
        assert (tmp_path / picture).stat().st_size > 0
