"""A sweep on a SLURM cluster of one node, which is started by hand and stopped again."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.helpers.resuming import lines
from tests.sweeps.conftest import sweep  # noqa: F401 (a fixture)

CLUSTER = Path(__file__).parent / "cluster.sh"
MISSING = [name for name in ("munged", "slurmctld", "slurmd", "sbatch") if shutil.which(name) is None]

pytestmark = [
    pytest.mark.timeout(900),  # five programs one after another, each of which imports torch
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)} (Debian: slurm-wlm, munge)"),
    pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="starting munge and SLURM by hand needs root"),
]

LAUNCHER = [
    "hydra/launcher=submitit_slurm",
    "hydra.launcher.gpus_per_node=0",
    "hydra.launcher.cpus_per_task=1",
    "hydra.launcher.mem_gb=null",
]


def slurm(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher", reason="needs the extra [slurm]")
    folder = tmp_path / "slurm"
    monkeypatch.setenv("SLURM_CONF", str(folder / "slurm.conf"))
    # Running inside a SLURM job must not change what is asked of this cluster.
    for name in [name for name in os.environ if name.startswith("SLURM_") and name != "SLURM_CONF"]:
        monkeypatch.delenv(name)
    started = subprocess.run([CLUSTER, "start", folder], capture_output=True, text=True, timeout=120)
    assert started.returncode == 0, started.stderr
    yield folder
    subprocess.run([CLUSTER, "stop", folder], check=True, timeout=60)
    for pid in folder.glob("*.pid"):
        assert not Path("/proc", pid.read_text().strip()).exists()


def test_a_sweep_runs_on_slurm_and_a_requeued_job_goes_on_exactly(sweep, cluster, tmp_path):  # noqa: F811
    request = ["train.steps=300", "metrics=[]", "seed=0"]
    plain = sweep(*request, folder=tmp_path / "plain")
    one = sweep(*LAUNCHER, *request[:2], "seed=0,1")
    one.pid("seed=0", steps=20)
    [job] = [path.name for path in one.folder.glob(".submitit/*_0")]
    slurm("scancel", "--signal=USR2", job)
    # SLURM lets a requeued job wait for two minutes. It needs one second: a node starts no job with a credential that
    # is not younger, in whole seconds, than the one it has just revoked.
    one.wait_for(lambda: slurm("squeue", "--noheader", "--jobs", job, "--format=%r") == "BeginTime")
    slurm("scontrol", "update", f"JobId={job}", "StartTime=now+5")
    assert one.end(timeout=400) == 0, one.output
    assert one.statuses() == ["finished", "finished"]
    assert (one.run("seed=0") / "run.log").read_text().count("resumed from") == 1
    assert plain.end() == 0, plain.output
    assert lines(one.run("seed=0")) == lines(plain.run("seed=0"))
