"""A server that keeps to docs/api.md as far as the client needs it, may be unwell, and may go away."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import json
import random
import re
import socket
import threading
import time
from typing import Any, Callable, Optional
from urllib.parse import parse_qs, urlsplit

import reads

import rows

PATIENCE = 60.0  # seconds: generous, since a loaded machine is no failure
TOKEN = "secret-token_0123456789-abcdefghijklmnopqrst"
GIVEN: set[int] = set()  # ports


class Server:
    """Holds runs and rows. `fault(method, path)` is asked at each request: None, a status, or "cut": the request is
    carried out but the answer gets lost."""

    def __init__(self, port: int = 0) -> None:
        self.lock = threading.Lock()
        self.gone: set[http.server.ThreadingHTTPServer] = set()
        self.runs: dict[str, dict[str, Any]] = {}
        self.rows: dict[tuple[str, str], list[dict[str, Any]]] = {}  # of (run, client), by seq
        self.requests: list[tuple[str, str, float]] = []
        self.finishes: list[tuple[str, dict[str, Any]]] = []
        self.rewinds: list[tuple[str, int]] = []
        self.blobs: dict[tuple[str, str], bytes] = {}
        self.unfounded: list[str] = []
        self.logs: dict[tuple[str, str, str], bytes] = {}  # of (run, client, stream)
        self.log_times: list[tuple[str, int, int]] = []  # stream, offset, microseconds
        self.system: dict[tuple[str, str], list[dict[str, Any]]] = {}  # of (run, client), by seq
        self.files: dict[str, dict[str, dict[str, Any]]] = {}  # of a run, by path
        self.alerts: list[tuple[str, dict[str, Any]]] = []
        self.pieces: list[int] = []  # bytes of each
        self.duplicates = 0
        self.stop_requested = False
        self.headers: dict[str, str] = {}  # of the next answer
        self.canned: dict[str, Callable[[dict[str, str]], Any]] = {}  # answers to GET by path
        self.slow = 0.0  # seconds that each 64 kB of a body take
        self.fault: Callable[[str, str], Any] = lambda method, path: None
        self.port = port
        self.up()

    def up(self) -> None:
        self.sockets: set[socket.socket] = set()
        self.port = self.port or free_port()
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), handler_of(self))
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    def down(self) -> None:
        """As kill -9 would: nobody listens, and open connections break."""
        self.http.shutdown()
        self.http.server_close()
        self.gone.add(self.http)  # whoever has just been accepted is not among the sockets yet
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

    def rows_of(self, run: str) -> list[dict[str, Any]]:
        return [row for (of, _), kept in self.rows.items() if of == run for row in kept]

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

    def answer(self, method: str, path: str, body: bytes, kind: str = "") -> tuple[int, Any]:
        """One request after the contract; bytes are answered as they are."""
        parts = urlsplit(path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        if method == "GET" and parts.path in self.canned:
            return 200, self.canned[parts.path](query)
        if parts.path == "/api/v1/runs":
            return (
                self.create(json.loads(body)) if method == "POST" else (200, reads.listed([*self.runs.values()], query))
            )
        if parts.path == "/api/v1/series":
            return 200, reads.frame({run: self.rows_of(run) for run in self.runs}, json.loads(body))
        found = re.fullmatch(r"/api/v1/runs/(\w+)(?:/(\w+))?(?:/(\w+))?", parts.path)
        if not found:
            return error(404, f"There is no {path}.")
        run, verb, detail = found.groups()
        if run not in self.runs:
            return error(404, f"There is no run '{run}'.")
        if verb == "log":
            return self.log(run, query["client"], body, kind)
        if verb == "history":
            body, self.headers = reads.history(self.rows_of(run), query)
            return 200, body
        if verb == "blobs":
            return self.blob(method, run, detail, body)
        if verb == "logs" and method == "POST":
            return self.printed(run, query, body)
        if verb == "system" and method == "POST":
            return self.sampled(run, query["client"], body)
        given = json.loads(body) if body else {}
        state = self.runs[run]
        if verb is None and method == "PATCH":
            return self.patch(state, given)
        if method == "DELETE" or verb == "restore":
            state["deleted_at"] = 1 if method == "DELETE" else None
            if query.get("purge") == "true":
                del self.runs[run]
            return 200, state
        if verb == "finish":
            self.finishes.append((run, given))
            state.update(given)
        elif verb == "heartbeat":
            return 200, {"state": "running", "stop_requested": self.stop_requested}
        elif verb == "files" and method == "PUT":
            if (run, given["sha256"]) not in self.blobs:
                return error(409, "Put the bytes first.")
            kept = {"path": query["path"], **given, "size": len(self.blobs[(run, given["sha256"])])}
            self.files.setdefault(run, {})[query["path"]] = kept
            return 200, kept
        elif verb == "alerts" and method == "POST":
            if not any(run == of and given["key"] == known["key"] for of, known in self.alerts):
                self.alerts.append((run, given))
            return 201, given
        elif verb == "rewind":
            self.rewinds.append((run, given["step"]))
            for (of, _), kept in self.rows.items():
                if of == run:
                    kept[:] = [row if row["step"] <= given["step"] else {**row, "gone": True} for row in kept]
        elif verb == "fork":
            return self.create({"project": state["project"], "last_step": given.get("step"), **given, "forked": run})
        elif verb is not None:
            return error(404, f"There is no {path}.")
        return 200, state

    def patch(self, state: dict[str, Any], given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        allowed = {"name", "notes", "tags", "group", "job_type", "config", "host", "pid", "command", "git", "python"}
        allowed |= {"environment", "model"}
        if wrong := set(given) - allowed - {"workdir", "metrics", "summary"}:
            return error(422, f"A run has no {', '.join(sorted(wrong))}.")
        for key, value in given.items():
            merged = key in ("config", "metrics", "summary")
            state[key] = {**state.get(key, {}), **value} if merged else value
        return 200, state

    def create(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if not body.get("project"):
            return error(422, "A run needs a project.")
        name, resume = body.get("id"), body.pop("resume", None)
        known = next((run for run in self.runs.values() if name and run.get("alias") == name), None)
        if known and resume == "never":
            return error(409, f"There is a run '{name}' already.")
        if resume == "must" and not known:
            return error(404, f"There is no run '{name}'.")
        if known and resume:
            steps = [row["step"] for (of, _), kept in self.rows.items() if of == known["id"] for row in kept]
            known.update(state="running", last_step=max(steps, default=None))
            return 200, known
        run = f"run{len(self.runs):05d}"
        self.runs[run] = {"name": f"swift-finch-{len(self.runs)}", "state": "running", **body, "id": run, "alias": name}
        return 201, self.runs[run]

    def log(self, run: str, client: str, body: bytes, kind: str) -> tuple[int, dict[str, Any]]:
        kept = self.rows.setdefault((run, client), [])
        if kind != "application/vnd.martlet.rows":
            return error(415, "This test takes the binary form.")
        try:
            given = rows.decode(body)
        except rows.Wrong as wrong:
            return error(422, f"The rows are wrong: {wrong}.", offset=wrong.offset)
        if any("bad" in row["values"] for row in given):
            return error(422, "A row is wrong.", offset=0)
        if given[0]["seq"] > len(kept):
            return error(409, "Rows are missing.", next_seq=len(kept))
        for blob in re.findall(r'"blob": "(\w{64})"', json.dumps(given)):
            if (run, blob) not in self.blobs:
                self.unfounded.append(blob)  # a row that names what is not here yet
        new = [row for row in given if row["seq"] >= len(kept)]
        kept.extend(new)
        self.pieces.append(len(body))
        self.duplicates += len(given) - len(new)
        return 200, {"accepted": len(new), "duplicates": len(given) - len(new), "next_seq": len(kept)}

    def printed(self, run: str, query: dict[str, str], body: bytes) -> tuple[int, Any]:
        name = (run, query["client"], query["stream"])
        known, offset = self.logs.get(name, b""), int(query["offset"])
        if offset > len(known):
            return error(409, "Bytes are missing.", size=len(known))
        if body[: len(known) - offset] != known[offset : offset + len(body)]:
            return error(422, "These bytes are others than before.")
        self.logs[name] = known + body[len(known) - offset :]
        self.log_times.append((query["stream"], offset, int(query["time"])))
        return 200, {"size": len(self.logs[name])}

    def output(self, stream: str = "stdout", run: Optional[str] = None) -> str:
        with self.lock:
            found = [text for (of, _, name), text in self.logs.items() if name == stream and run in (None, of)]
        return b"".join(found).decode()

    def sampled(self, run: str, client: str, body: bytes) -> tuple[int, Any]:
        kept = self.system.setdefault((run, client), [])
        given = [json.loads(line) for line in body.splitlines()]
        if given[0]["seq"] > len(kept):
            return error(409, "Rows are missing.", next_seq=len(kept))
        kept.extend(row for row in given if row["seq"] >= len(kept))
        return 200, {"next_seq": len(kept)}

    def blob(self, method: str, run: str, name: str, body: bytes) -> tuple[int, Any]:
        if method == "PUT":
            if hashlib.sha256(body).hexdigest() != name:
                return error(422, "The bytes are not those of this name.")
            self.blobs[(run, name)] = body
            return 201, {"hash": name, "size": len(body)}
        if (run, name) not in self.blobs:
            return error(404, "There is no such blob.")
        return 200, self.blobs[(run, name)]


def free_port() -> int:
    """Another one each time, and below those that the system gives to outgoing connections: nobody gets it by chance
    while its server is away, not even a client that tries to reach that server."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
        lowest = int(file.read().split()[0])
    for _ in range(100):
        port = random.SystemRandom().randrange(8_000, lowest) if lowest > 10_000 else 0
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            if (found := int(probe.getsockname()[1])) not in GIVEN:
                GIVEN.add(found)
                return found
    raise AssertionError("there is no free port")


def error(status: int, message: str, **details: Any) -> tuple[int, dict[str, Any]]:
    return status, {"error": {"code": "x", "message": message, "hint": "Try another.", "details": details}}


def handler_of(server: Server) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            server.sockets.add(self.connection)
            if self.server in server.gone:
                with contextlib.suppress(OSError):
                    self.connection.shutdown(socket.SHUT_RDWR)

        def finish(self) -> None:
            server.sockets.discard(self.connection)
            with contextlib.suppress(OSError):
                super().finish()

        def taken(self, left: int) -> bytes:
            if not server.slow:
                return self.rfile.read(left)
            pieces = []
            while left and (piece := self.rfile.read1(min(left, 1 << 16))):
                time.sleep(server.slow)
                pieces.append(piece)
                left -= len(piece)
            return b"".join(pieces)

        def serve(self) -> None:
            body = self.taken(int(self.headers.get("Content-Length", 0)))
            with server.lock:
                server.requests.append((self.command, self.path, time.monotonic()))
                server.headers = {}
                fault = server.fault(self.command, self.path)
                if type(fault) is int:
                    status, answer = error(fault, "Not now.")
                elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
                    status, answer = error(401, "The token is unknown.")
                else:
                    status, answer = server.answer(self.command, self.path, body, self.headers.get("Content-Type", ""))
                more = server.headers
            if fault == "cut":
                self.close_connection = True
                return
            data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            for name, value in more.items():
                self.send_header(name, value)
            with contextlib.suppress(OSError):  # the sender was killed in the meantime
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(data)

        do_POST = do_PATCH = do_GET = do_PUT = do_HEAD = do_DELETE = serve  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    return Handler
