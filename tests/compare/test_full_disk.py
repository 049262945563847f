"""`compare` where there is no room: one line that names the file, and no half of one."""

import resource
import subprocess
import sys

import pytest

from tests.helpers.comparing import make_run


@pytest.mark.parametrize("option", ["--html", "--csv"])
def test_what_has_no_room_is_named_and_nothing_is_left_of_it(tmp_path, option):
    for seed in range(40):
        make_run(tmp_path / "sweep" / f"{seed}", f"loss{seed}" * 20, 0, [float(seed)])
    out = tmp_path / "out"
    out.mkdir()
    (out / "there").write_text("as it was")
    command = [sys.executable, "-m", "gan_framework.cli.commands", "compare", str(tmp_path / "sweep")]
    done = subprocess.run(
        [*command, option, str(out / "there")],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024)),
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ") and "File too large" in line
    assert str(out / "there" if option == "--csv" else tmp_path / "sweep" / "compare.csv") in line
    assert [path.name for path in out.iterdir()] == ["there"] and (out / "there").read_text() == "as it was"
