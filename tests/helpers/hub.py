"""A server that speaks as much of the Hugging Face Hub's protocol as publishing and loading a model needs."""

import base64
import hashlib
import json
import re
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit


class Hub:
    """What the server keeps.

    Attributes:
        repositories: by name: `private`, and its commits, the newest last: (hash, message, {path: content}).
        requests: (method, path) of all requests.
        down: whether it answers everything with an error.
        xet: whether it asks for weights to be uploaded to its Xet storage, as huggingface.co does.
        stored: the bytes of each block that the Xet storage was given, by its hash.
        pointers: what commits say of files in that storage, by path: hash and size.
    """

    def __init__(self):
        self.repositories = {}
        self.requests = []
        self.down = False
        self.xet = False
        self.stored = {}
        self.pointers = {}

    def files(self, name, revision="main"):
        """The files of a revision; None if there is none."""
        commits = self.repositories.get(name, {}).get("commits", [])
        if revision in ("main", None):
            return commits[-1][2] if commits else {}
        return next((files for commit, _, files in commits if commit == revision), None)

    def commit(self, name, message, changed):
        kept = {**(self.files(name) or {}), **changed}
        identity = hashlib.sha1(
            repr((name, len(self.repositories[name]["commits"]), sorted(kept))).encode()
        ).hexdigest()
        self.repositories[name]["commits"].append((identity, message, kept))
        return identity


@contextmanager
def serving():
    """Serve a hub of its own on a free port; yields it, with its `endpoint`."""
    hub = Hub()

    class Handler(_Handler):
        kept = hub

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    kept = None

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        self._answer(b"")

    def do_HEAD(self):
        self._answer(b"")

    def do_POST(self):
        self._answer(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def _answer(self, body):
        path = unquote(urlsplit(self.path).path)
        self.kept.requests.append((self.command, path))
        if self.kept.down:
            return self._send(403, {"error": "you may not"})
        for method, pattern, answer in (
            ("POST", r"/api/repos/create", self._create),
            ("POST", r"/api/validate-yaml", self._validate),
            ("POST", r"/api/models/(?P<name>.+)/preupload/(?P<revision>[^/]+)", self._preupload),
            ("POST", r"/api/models/(?P<name>.+)/commit/(?P<revision>[^/]+)", self._commit),
            ("GET", r"/api/models/(?P<name>.+)/xet-write-token/(?P<revision>[^/]+)", self._xet_token),
            ("POST", r"/cas/v1/xorbs/default/(?P<block>.+)", self._xet_block),
            ("POST", r"/cas/v2/shards", self._xet_shard),
            ("GET", r"/api/models/(?P<name>.+)/revision/(?P<revision>[^/]+)", self._info),
            ("GET", r"/api/models/(?P<name>.+)/tree/(?P<revision>[^/]+)", self._tree),
            ("GET", r"/api/models/(?P<name>[^/]+/[^/]+)", self._info),
            ("GET|HEAD", r"/(?P<name>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<file>.+)", self._resolve),
        ):
            found = re.fullmatch(pattern, path)
            if found and self.command in method.split("|"):
                return answer(body, **found.groupdict())
        return self._send(404, {"error": f"no such page {path}"})

    def _send(self, code, content, **headers):
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _create(self, body):
        asked = json.loads(body)
        name = f"{asked.get('organization') or 'me'}/{asked['name']}"
        url = {"url": f"{self.kept.endpoint}/{name}"}
        if name in self.kept.repositories:
            return self._send(409, {"error": "You already created this model repo", **url})
        private = bool(asked.get("private")) or asked.get("visibility") == "private"
        self.kept.repositories[name] = {"private": private, "commits": []}
        return self._send(200, url)

    def _validate(self, body):
        return self._send(200, {"errors": [], "warnings": []})

    def _preupload(self, body, name, revision):
        paths = [one["path"] for one in json.loads(body)["files"]]
        large = [path for path in paths if self.kept.xet and path.endswith(".safetensors")]
        modes = {path: "lfs" if path in large else "regular" for path in paths}
        files = [{"path": path, "uploadMode": mode, "shouldIgnore": False} for path, mode in modes.items()]
        return self._send(200, {"files": files})

    def _xet_token(self, body, name, revision):
        known = {"casUrl": f"{self.kept.endpoint}/cas", "accessToken": "token", "exp": int(time.time()) + 3600}
        headers = {"X_Xet_Cas_Url": known["casUrl"], "X_Xet_Access_Token": "token"}
        return self._send(200, known, **headers, X_Xet_Token_Expiration=str(known["exp"]))

    def _xet_block(self, body, block):
        self.kept.stored[block] = body
        return self._send(200, {"was_inserted": True})

    def _xet_shard(self, body):
        return self._send(200, {"type": "result", "result": 1})

    def _commit(self, body, name, revision):
        lines = [json.loads(line) for line in body.splitlines()]
        message, changed = "", {}
        for line in lines:
            if line["key"] == "header":
                message = line["value"]["summary"]
            elif line["key"] == "file":
                changed[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            elif line["key"] == "lfsFile":
                self.kept.pointers[line["value"]["path"]] = (line["value"]["oid"], line["value"]["size"])
        identity = self.kept.commit(name, message, changed)
        url = f"{self.kept.endpoint}/{name}/commit/{identity}"
        return self._send(200, {"success": True, "commitOid": identity, "commitUrl": url, "hookOutput": ""})

    def _found(self, name, revision):
        files = self.kept.files(name, revision)
        if name not in self.kept.repositories:
            self._send(404, {"error": "Repository not found"}, X_Error_Code="RepoNotFound")
            return None
        if files is None:
            self._send(404, {"error": f"Invalid rev id: {revision}"}, X_Error_Code="RevisionNotFound")
        return files

    def _sha(self, name, revision):
        return self.kept.repositories[name]["commits"][-1][0] if revision in ("main", None) else revision

    def _info(self, body, name, revision="main"):
        files = self._found(name, revision)
        if files is None:
            return None
        siblings = [{"rfilename": path, "size": len(content)} for path, content in files.items()]
        private = self.kept.repositories[name]["private"]
        commits = self.kept.repositories[name]["commits"]
        sha = self._sha(name, revision) if commits else None
        return self._send(200, {"id": name, "sha": sha, "private": private, "siblings": siblings, "tags": []})

    def _tree(self, body, name, revision):
        files = self._found(name, revision)
        if files is None:
            return None
        return self._send(
            200, [{"type": "file", "path": path, "size": len(content), "oid": "0"} for path, content in files.items()]
        )

    def _resolve(self, body, name, revision, file):
        files = self._found(name, revision)
        if files is None:
            return None
        if file not in files:
            return self._send(404, {"error": "Entry not found"}, X_Error_Code="EntryNotFound")
        etag = f'"{hashlib.sha256(files[file]).hexdigest()}"'
        return self._send(200, files[file], ETag=etag, X_Repo_Commit=self._sha(name, revision))
