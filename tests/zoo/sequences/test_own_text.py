"""A text file of one's own, from the first command to the text that is written."""

import pytest
from omegaconf import OmegaConf

from gan_framework.runs import panel
from tests.helpers.program import Program, run
from tests.helpers.runs import make_run

TINY = [
    *("metrics=[]", "tracker=[]", "train.device=cpu", "train.batch_size=4", "sample.count=3", "game.rollouts=1"),
    *("networks.generator.width=4", "networks.discriminator.filters=2"),
]


@pytest.fixture(scope="module")
def lines(tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "lines.txt"
    path.write_text("anna sees ben\nben sees a cat\nthe cat sees anna\n" * 10, encoding="utf-8")
    return path


def command(*arguments):
    """Run `gan-framework ARGUMENTS` to its end and return its exit code and what it said."""
    program = Program([*map(str, arguments)], merged=True, command=True)
    said, _ = program.communicate(120)
    return program.returncode, said


@pytest.mark.slow
def test_words_are_learnt_written_and_named_in_the_run(lines, tmp_path):
    folder = tmp_path / "words"
    typed = ["experiment=seqgan", "data=tokens", f"data.path={lines}", "data.unit=words", "data.test_share=0", *TINY]
    done = run([*typed, f"hydra.run.dir={folder}", "train.steps=1"])
    assert done.returncode == 0, done.stderr
    data = OmegaConf.load(folder / "config.yaml").data
    assert [*data.symbols] == ["", "a", "anna", "ben", "cat", "sees", "the"]
    assert (data.length, data.vocabulary) == (4, 7)
    assert (folder / "samples" / "real_0000000.txt").read_text().splitlines()[0] == "anna sees ben"
    # The samples can be read without the file, and are told to be others' where the file has changed.
    before = lines.read_text()
    try:
        lines.write_text(before.replace("ben", "bob"))
        code, said = command("sample", folder, "--n", "5")
        assert code == 0, said
        written = (folder / "sample.txt").read_text().splitlines()
        assert len(written) == 5
        assert {word for line in written for word in line.split()} <= {"a", "anna", "ben", "cat", "sees", "the"}
        code, said = command("resume", folder, "train.steps=2")
        assert code == 2
        assert "data.symbols of tokens are" in said
        assert "each token means another" in said
    finally:
        lines.write_text(before)


def test_real_lines_are_shown_beside_generated_ones(compose, tmp_path):
    made = make_run(compose("experiment=seqgan", "data.samples=20", *TINY), tmp_path)
    made.symbols = tuple("0123456789")
    panel.show_data(made)
    shown = (tmp_path / "samples" / "real_0000000.txt").read_text().splitlines()
    assert shown[0] == "".join(map(str, made.batches.data.read([0])[0].tolist()))
