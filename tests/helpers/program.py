"""The real program in processes of its own, which are forked from one that has imported everything.

Starting Python and importing torch takes ten times as long as what most tests have the program do. A few
tests do that too (`subprocess`); the others start it here, and see the same processes, signals and exit codes.
"""

import atexit
import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).parents[2]

_server = multiprocessing.get_context("forkserver")
_server.set_forkserver_preload(
    ["gan_framework.cli.train", "gan_framework.runs.launch", "torch._dynamo", "torchvision.utils", "torchmetrics.image"]
    + ["torch_fidelity", "scipy.linalg"]
)


RUNNING = []
"""What a test has started, so that nothing goes on after one that failed."""


class Program:
    """`python run.py ARGUMENTS`, with the interface of a `subprocess.Popen` whose output is kept in a file.

    With `command` it is `gan-framework ARGUMENTS`.
    """

    def __init__(self, arguments, cwd=None, env=None, merged=False, command=False):
        self._out = tempfile.NamedTemporaryFile("r")  # noqa: SIM115 (it lives as long as this object)
        self._err = self._out if merged else tempfile.NamedTemporaryFile("r")  # noqa: SIM115
        everything = {**os.environ, **(env or {})}
        names = (self._out.name, self._err.name)
        self._process = _server.Process(
            target=_main, args=(list(map(str, arguments)), cwd, everything, *names, command)
        )
        self._process.start()
        self.pid = self._process.pid
        RUNNING.append(self)

    @property
    def returncode(self):
        return self._process.exitcode

    def poll(self):
        return self._process.exitcode

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self):
        self.send_signal(9)

    def wait(self, timeout=None):
        self._process.join(timeout)
        if self.poll() is None:
            raise subprocess.TimeoutExpired("run.py", timeout)
        return self.returncode

    def communicate(self, timeout=None):
        self.wait(timeout)
        return self._read(self._out), None if self._err is self._out else self._read(self._err)

    def _read(self, file):
        file.seek(0)
        return file.read()


def run(arguments, cwd=None, env=None, timeout=120):
    """Run the program to its end and return a `subprocess.CompletedProcess`."""
    process = Program(arguments, cwd, env)
    try:
        stdout, stderr = process.communicate(timeout)
    except subprocess.TimeoutExpired:
        process.send_signal(9)
        raise AssertionError("".join(process.communicate())) from None
    return subprocess.CompletedProcess(arguments, process.returncode, stdout, stderr)


def _main(arguments, cwd, env, out, err, command):
    for path, number in ((out, 1), (err, 2)):
        file = os.open(path, os.O_WRONLY | os.O_APPEND)
        os.dup2(file, number)
        os.close(file)
    os.chdir(cwd or os.getcwd())
    os.environ.clear()
    os.environ.update(env)
    sys.argv = [str(ROOT / "run.py"), *arguments]
    from gan_framework.cli import commands, train

    try:
        code = commands.main() if command else train.train()
    except SystemExit as end:  # the command ends the process itself
        code = end.code
    # What the end of Python does, and the end of a process of multiprocessing leaves out.
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.exit(code)
