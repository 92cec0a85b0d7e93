"""What the tests share: a server that keeps to docs/api.md and may go away, trainers as real processes, and waiting."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from typing import Any, Callable, Optional

CLIENT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, CLIENT)

PATIENCE = 30.0  # seconds: generous, since a loaded machine is no failure
TOKEN = "secret-token_0123456789-abcdefghijklmnopqrst"


def wait_for(what: Callable[[], Any], message: str = "what was waited for") -> None:
    deadline = time.monotonic() + PATIENCE
    while not what():
        if time.monotonic() > deadline:
            raise AssertionError(f"{message} did not come within {PATIENCE:.0f} s")
        time.sleep(0.01)


class Server:
    """Holds runs and rows. `fault(method, path)` is asked at each request: None, a status, or "cut": the request is
    carried out but the answer gets lost."""

    def __init__(self, port: int = 0) -> None:
        self.lock = threading.Lock()
        self.runs: dict[str, dict[str, Any]] = {}
        self.rows: dict[tuple[str, str], list[dict[str, Any]]] = {}  # of (run, client), by seq
        self.requests: list[tuple[str, str, float]] = []
        self.finishes: list[tuple[str, dict[str, Any]]] = []
        self.duplicates = 0
        self.stop_requested = False
        self.fault: Callable[[str, str], Any] = lambda method, path: None
        self.port = port
        self.up()

    def up(self) -> None:
        self.sockets: set[socket.socket] = set()
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), handler_of(self))
        self.http.daemon_threads = True
        self.port = self.http.server_port
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    def down(self) -> None:
        """As kill -9 would: nobody listens, and open connections break."""
        self.http.shutdown()
        self.http.server_close()
        for one in list(self.sockets):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def refuse(self, tries: int) -> None:
        """While it is down: waits for so many connections and breaks each of them unanswered."""
        with socket.create_server(("127.0.0.1", self.port)) as listener:
            listener.settimeout(PATIENCE)
            for _ in range(tries):
                listener.accept()[0].close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def all_rows(self, run: Optional[str] = None) -> list[dict[str, Any]]:
        with self.lock:
            return [row for (r, _), rows in self.rows.items() if run in (None, r) for row in rows]

    def values(self, run: Optional[str] = None) -> list[dict[str, Any]]:
        return [row["values"] for row in self.all_rows(run)]

    def steps(self, run: Optional[str] = None) -> list[int]:
        return [row["step"] for row in self.all_rows(run)]

    def count(self, method: str, path: str) -> int:
        with self.lock:
            return sum(m == method and re.fullmatch(path, p) is not None for m, p, _ in self.requests)

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """One request after the contract."""
        if method == "POST" and path == "/api/v1/runs":
            return self.create(json.loads(body))
        found = re.fullmatch(r"/api/v1/runs/(\w+)(?:/(log|heartbeat|finish))?(?:\?client=([\w-]{8,64}))?", path)
        if not found:
            return error(404, f"There is no {path}.")
        run, verb, client = found.groups()
        if run not in self.runs:
            return error(404, f"There is no run '{run}'.")
        state = self.runs[run]
        if method == "POST" and verb == "log":
            return self.log(run, client, body)
        given = json.loads(body)
        if method == "PATCH" and verb is None:
            config = {**state.get("config", {}), **given.get("config", {})}
            state.update(given, config=config)
        elif verb == "finish":
            self.finishes.append((run, given))
            state.update(given)
        elif verb == "heartbeat":
            return 200, {"state": "running", "stop_requested": self.stop_requested}
        return 200, state

    def create(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if not body.get("project"):
            return error(422, "A run needs a project.")
        run = f"run{len(self.runs):05d}"
        self.runs[run] = {"id": run, "name": f"swift-finch-{len(self.runs)}", "state": "running", **body}
        return 201, self.runs[run]

    def log(self, run: str, client: str, body: bytes) -> tuple[int, dict[str, Any]]:
        kept = self.rows.setdefault((run, client), [])
        accepted = duplicates = 0
        for number, line in enumerate(body.decode().splitlines(), 1):
            row = json.loads(line)
            if set(row) != {"seq", "step", "time", "values"} or "bad" in row["values"]:
                return error(422, "A line is wrong.", line=number, column=1)
            if row["seq"] > len(kept) + accepted:
                return error(409, "Rows are missing.", next_seq=len(kept))
            accepted += row["seq"] == len(kept) + accepted
            duplicates += row["seq"] < len(kept)
        for line in body.decode().splitlines():
            row = json.loads(line)
            if row["seq"] == len(kept):
                kept.append(row)
        self.duplicates += duplicates
        return 200, {"accepted": accepted, "duplicates": duplicates, "next_seq": len(kept)}


def error(status: int, message: str, **details: Any) -> tuple[int, dict[str, Any]]:
    return status, {"error": {"code": "x", "message": message, "hint": "Try another.", "details": details}}


def handler_of(server: Server) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            server.sockets.add(self.connection)

        def finish(self) -> None:
            server.sockets.discard(self.connection)
            with contextlib.suppress(OSError):
                super().finish()

        def serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            with server.lock:
                server.requests.append((self.command, self.path, time.monotonic()))
                fault = server.fault(self.command, self.path)
                if type(fault) is int:
                    status, answer = error(fault, "Not now.")
                elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
                    status, answer = error(401, "The token is unknown.")
                else:
                    status, answer = server.answer(self.command, self.path, body)
            if fault == "cut":
                self.close_connection = True
                return
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            with contextlib.suppress(OSError):  # the sender was killed in the meantime
                self.end_headers()
                self.wfile.write(data)

        do_POST = do_PATCH = do_GET = serve  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    return Handler


class ClientTest(unittest.TestCase):
    """A home of its own for each test, and no process left behind."""

    def setUp(self) -> None:
        self.home = tempfile.mkdtemp(prefix="martlet-test-")
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)
        self.addCleanup(self.no_sender_is_left)
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("MARTLET_")}
        self.environment.update(HOME=self.home, PYTHONPATH=CLIENT)

    def serve(self) -> Server:
        server = Server()
        self.addCleanup(server.down)
        self.environment.update(MARTLET_URL=server.url, MARTLET_TOKEN=TOKEN)
        return server

    def attempt(self, server: Server, run: str = "k2f9a0xy") -> str:
        """The environment of an attempt; returns the spool's directory."""
        server.runs[run] = {"id": run, "config": {}}
        directory = os.path.join(self.home, "out", "swift-finch-3")
        os.makedirs(directory)
        self.environment.update(MARTLET_RUN_ID=run, MARTLET_RUN_DIR=directory, MARTLET_PROJECT="digits")
        return os.path.join(directory, ".martlet")

    def start(self, code: str, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """A trainer. `code` follows the imports that every trainer has."""
        # Ctrl-C works in every trainer, even where this suite itself was started in the background by a script.
        head = (
            "import json, os, signal, sys, threading, time\nimport martlet\n"
            "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        )
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": self.home, **options}
        process = subprocess.Popen([sys.executable, "-c", head + code, *arguments], env=self.environment, **options)
        self.addCleanup(end, process)
        return process

    def train(self, code: str, *arguments: str, expect: int = 0) -> tuple[str, str]:
        """Runs a trainer to its end; returns what it printed on stdout and stderr."""
        process = self.start(code, *arguments)
        out, err = process.communicate(timeout=2 * PATIENCE)
        self.assertEqual(process.returncode, expect, err)
        return out, err

    def senders(self) -> list[int]:
        """The senders of this test's spools, found by their command line."""
        found = {}
        for entry in filter(str.isdecimal, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                with open(f"/proc/{entry}/cmdline", "rb") as file:
                    command = file.read().decode(errors="replace").split("\0")
                if any(part.endswith("_sender.py") for part in command) and any(self.home in part for part in command):
                    with open(f"/proc/{entry}/stat", "rb") as file:
                        found[int(entry)] = int(file.read().rpartition(b")")[2].split()[1])
        return [pid for pid, parent in found.items() if parent not in found]  # not one that is about to become a git

    def spools(self) -> list[str]:
        return sorted(
            os.path.join(parent, name)
            for parent, _, names in os.walk(self.home)
            for name in names
            if name.endswith(".spool")
        )

    def no_sender_is_left(self) -> None:
        deadline = time.monotonic() + 10  # a sender that has said its last word takes a moment to end
        while (left := self.senders()) and time.monotonic() < deadline:
            time.sleep(0.02)
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.assertEqual(left, [], "senders were left behind")


def end(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(OSError):
        process.kill()
    process.wait()
    for stream in (process.stdout, process.stderr):
        if stream:
            stream.close()
