"""A PostgreSQL server of a test's own, on a free port of this machine, in a temporary folder."""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

USER = "postgres"
"""Whom Debian's package makes for the server, which root may not run."""


def programs():
    """The folder with the server's programs, which Debian keeps off the PATH; None if there is none."""
    found = shutil.which("initdb")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    return Path(found).resolve().parent if found else debian[-1].parent if debian else None


def missing():
    """Why no server can be started here, or None."""
    if programs() is None:
        return "no PostgreSQL server is installed (Debian: postgresql)"
    if os.geteuid() == 0:
        try:
            pwd.getpwnam(USER)
        except KeyError:
            return f"root may not run a PostgreSQL server, and there is no user {USER}"
    return None


class Server:
    """A server, until `stop`.

    Attributes:
        password: of its user `gan`.
    """

    def __init__(self):
        # Not below pytest's folder, which other users may not enter.
        self.folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        self.password = secrets.token_hex(8)
        word = self.folder / "password"
        word.write_text(self.password)
        self._as = {}
        if os.geteuid() == 0:
            owner = pwd.getpwnam(USER)
            for path in (self.folder, word):
                os.chown(path, owner.pw_uid, owner.pw_gid)
            self._as = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        try:
            self._call("initdb", "--username=gan", "--auth=scram-sha-256", f"--pwfile={word}", "--no-sync",
                       "--encoding=UTF8", "--locale=C")  # fmt: skip
            self._start()
        except BaseException:
            shutil.rmtree(self.folder)
            raise

    def _start(self):
        for attempt in (1, 2, 3):  # another process may take the free port meanwhile
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self.port = free.getsockname()[1]
            options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
            try:
                return self._call("pg_ctl", "--wait", f"--log={self.folder}/log", f"--options={options}", "start")
            except AssertionError:
                if attempt == 3:
                    raise

    def _call(self, program, *arguments):
        output = self.folder / f"{program}.txt"
        with output.open("w") as file:  # a pipe would stay open as long as the server runs
            command = [programs() / program, f"--pgdata={self.folder}/data", *arguments]
            done = subprocess.run(command, cwd=self.folder, stdout=file, stderr=file, timeout=60, **self._as)
        log = self.folder / "log"
        assert done.returncode == 0, output.read_text() + (log.read_text() if log.exists() else "")

    def database(self, name):
        """Make an empty database and return its URL, without the password."""
        import psycopg

        place = f"gan@127.0.0.1:{self.port}"
        with psycopg.connect(f"postgresql://{place}/postgres", password=self.password, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return f"postgresql+psycopg://{place}/{name}"

    def stop(self):
        self._call("pg_ctl", "--wait", "--mode=immediate", "stop")
        shutil.rmtree(self.folder)


@pytest.fixture(scope="module")
def postgres():
    if reason := missing():
        pytest.skip(reason)
    pytest.importorskip("psycopg", reason="needs the extra [postgres]")
    server = Server()
    yield server
    server.stop()
