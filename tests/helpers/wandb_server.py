"""A W&B server of a few answers, which can refuse keys or stop answering."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PROJECT = {"id": "P", "name": "p", "entity": {"id": "E", "name": "me"}}
BUCKET = {"id": "B", "displayName": "", "description": "", "config": "{}", "sweepName": None, "project": PROJECT}
VIEWER = {"id": "V", "entity": "me", "username": "me", "email": "", "flags": "{}", "teams": {"edges": []}}
ARTIFACTS = {
    "ArtifactType": lambda given, upload: {"project": {"artifact": None}},
    "CreateArtifact": lambda given, upload: {
        "createArtifact": {
            "artifact": {"id": "A", "state": "PENDING", "artifactSequence": {"id": "S", "latestArtifact": None}}
        }
    },
    "CreateArtifactManifest": lambda given, upload: {
        "createArtifactManifest": {"artifactManifest": {"id": "M", "file": {**upload, "name": "n", "displayName": "n"}}}
    },
    "UpdateArtifactManifest": lambda given, upload: {
        "updateArtifactManifest": {"artifactManifest": {"id": "M", "file": {**upload, "name": "n", "displayName": "n"}}}
    },
    "CreateArtifactFiles": lambda given, upload: {
        "createArtifactFiles": {
            "files": {
                "edges": [
                    {"node": {**upload, "name": file["name"], "displayName": file["name"], "artifact": {"id": "A"},
                              "uploadMultipartUrls": None}}
                    for file in given["input"]["artifactFiles"]
                ]
            }
        }
    },
    "CommitArtifact": lambda given, upload: {"commitArtifact": {"artifact": {"id": "A", "digest": "d"}}},
}  # fmt: skip
"""What is answered where an artifact is uploaded: that it may be, and where to."""


class Server(ThreadingHTTPServer):
    """Listens on a free loopback port while it is entered.

    Attributes:
        asked: (operation, variables) of each GraphQL request.
        history: the rows of metrics that arrived.
        console: what arrived of the log.
        uploaded: the contents of files that arrived.
        sweep: the configuration of the sweep that agents ask for.
        commands: what they are told to do, a list for each agent.
        valid_key: whether the key that is sent is taken for a valid one.
        hanging: the requests (GraphQL operations, `file_stream`) that are taken and never answered.
    """

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.asked = []
        self.history = []
        self.console = ""
        self.uploaded = []
        self.sweep = ""
        self.commands = []
        self.told = set()
        self.valid_key = True
        self.hanging = ()
        self.release = threading.Event()

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error):
        self.release.set()
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        content = self.rfile.read(int(self.headers.get("content-length", 0)))
        answer = {}
        what = self.path.rpartition("/")[2]
        if what == "graphql":
            request = json.loads(content)
            what = request["operationName"] or re.search(r"(?:query|mutation) (\w+)", request["query"])[1]
            variables = request.get("variables") or {}
            self.server.asked.append((what, variables))
            answer = self.answer(what, variables)
        elif what == "file_stream":
            files = json.loads(content).get("files", {})
            rows = files.get("wandb-history.jsonl", {}).get("content", [])
            self.server.history += [json.loads(row) for row in rows]
            self.server.console += "".join(f"{line}\n" for line in files.get("output.log", {}).get("content", []))
        elif what == "upload":
            self.server.uploaded.append(content)
        if what in self.server.hanging:
            self.server.release.wait()
            return
        self.send_response(200)
        body = json.dumps(answer).encode()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_PUT = do_GET = do_POST

    def answer(self, operation, variables):
        if not self.server.valid_key:
            return {"errors": [{"message": "user is not logged in"}]}
        if operation in ("Viewer", "GetDefaultEntity"):
            return {"data": {"viewer": VIEWER}}
        if operation == "UpsertBucket":
            return {"data": {"upsertBucket": {"inserted": True, "bucket": {**BUCKET, "name": variables["name"]}}}}
        if operation == "CreateRunFiles":
            files = [{"name": name, "uploadUrl": f"{self.server.url}/upload"} for name in variables["files"]]
            return {"data": {"createRunFiles": {"runID": "B", "uploadHeaders": [], "files": files}}}
        if operation == "UpsertView2":
            return {"data": {"upsertView": {"view": {"id": "W", "name": variables["name"]}, "inserted": True}}}
        if operation == "SweepWithRuns":
            sweep = {"id": "S", "name": "s", "config": self.server.sweep, "runs": {"edges": []}}
            return {"data": {"project": {"sweep": sweep}}}
        if operation == "CreateAgent":
            return {"data": {"createAgent": {"agent": {"id": f"agent{len(self.server.asked)}"}}}}
        if operation == "Heartbeat":
            agent = variables["id"]
            told = self.server.commands.pop(0) if agent not in self.server.told else []
            self.server.told.add(agent)
            return {"data": {"agentHeartbeat": {"agent": {"id": agent}, "commands": json.dumps(told)}}}
        if operation in ARTIFACTS:
            upload = {"uploadUrl": f"{self.server.url}/upload", "uploadHeaders": [], "id": "F", "storagePath": "p"}
            return {"data": ARTIFACTS[operation](variables, upload)}
        return {"data": None}

    def log_message(self, *arguments):
        pass
