"""A process whose agent is gone does not wait minutes for others that will not come either."""

import os
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from torch.distributed import TCPStore

WAITING = """
import os, sys, torch
from torch.distributed import TCPStore
from gan_framework.runs import group, workers
from gan_framework.runs.orphans import when_orphaned
from gan_framework.runs.signals import StopRequest
workers.GRACE = 0.5
with StopRequest():
    when_orphaned(workers.stop_without_agent)
    store = TCPStore("127.0.0.1", int(sys.argv[1]), is_master=False, wait_for_workers=False)
    store.set("pid", str(os.getpid()))
    group.join(store, torch.device("cpu"))
"""
AGENT = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", sys.argv[1], sys.argv[2]])
time.sleep(3600)
"""


def runs(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked for in /proc")
def test_one_that_waits_for_others_ends_soon_after_its_agent():
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False, timeout=timedelta(minutes=2))
    environment = {**os.environ, "RANK": "1", "WORLD_SIZE": "2"}
    agent = subprocess.Popen([sys.executable, "-c", AGENT, WAITING, str(store.port)], env=environment)
    try:
        pid = int(store.get("pid"))
        time.sleep(2)  # it waits for the first process
        assert runs(pid)
    finally:
        agent.kill()
        agent.wait()
    deadline = time.monotonic() + 20
    while runs(pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not runs(pid)
