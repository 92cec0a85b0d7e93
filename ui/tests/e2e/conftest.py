"""The browser tests' ground: the real `martlet` on a free port, a paced trainer, and a browser that tolerates no error.

MARTLET_BIN names the program (.build/debug/martlet by default), CHROMIUM the browser (/usr/bin/chromium), UI_DIR a
folder with the dashboard (ui/dist) that is served instead of the one in the program, E2E_PATIENCE the seconds to wait.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Optional, Union

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

ROOT = pathlib.Path(__file__).resolve().parents[3]
PROGRAM = pathlib.Path(os.environ.get("MARTLET_BIN", ROOT / ".build/debug/martlet"))
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
UI = ["--ui", os.environ["UI_DIR"]] if "UI_DIR" in os.environ else []
PATIENCE = int(
    os.environ.get("E2E_PATIENCE", "60")
)  # seconds; a shared machine may starve, and only a wrong answer should fail a test

expect.set_options(timeout=PATIENCE * 1000)

WIDE = {"width": 1600, "height": 1000}
PHONE = {"width": 390, "height": 844}
LOOKS = [
    pytest.param((size, scheme), id=f"{size['width']}-{scheme}")
    for size in (WIDE, PHONE)
    for scheme in ("light", "dark")
]

TRAINER = """\
import os, pathlib, sys, time
import martlet

# A step is logged for each step that the gate file allows, so that a test decides how far training is.
gate = pathlib.Path(os.environ["GATE"])
run = martlet.init(project="paced")
lr = float(run.config["lr"])
print("training with", lr, flush=True)
if lr > 0.5:
    print("the learning rate is too high", file=sys.stderr, flush=True)
    sys.exit(3)
step = 0
while True:
    allowed = gate.read_text() if gate.exists() else "0"
    while step < (10**9 if allowed == "all" else int(allowed or 0)) and step < 30:
        train = float("nan") if step == 3 else 2 / (1 + step)
        run.log({"val/loss": 1 / (1 + step) + lr, "train/loss": train}, step=step)
        print("step", step, flush=True)
        step += 1
    if step >= 30:
        break
    time.sleep(0.02)
run.finish()
"""

SWEEP = """\
name: paced
project: paced
program: train.py
method: grid
metric: {name: val/loss, goal: minimize}
parameters:
  lr: {values: [0.1, 0.2, 0.9]}
max_parallel: 2
"""


def wait_until(what: str, true: Callable[[], object], patience: float = PATIENCE) -> None:
    deadline = time.monotonic() + patience
    while not true():
        assert time.monotonic() < deadline, f"not within {patience} s: {what}"
        time.sleep(0.1)


def free_port() -> int:
    """A port below those that the system gives to outgoing connections: nobody gets it by chance while its server is
    away, not even a page that tries to reach that server."""
    lowest = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for _ in range(100):
        port = random.SystemRandom().randrange(11_000, lowest) if lowest > 12_000 else 0
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise AssertionError("there is no free port")


class Server:
    """A `martlet up` of its own: data directory, port, link. `options` are more of its command line."""

    def __init__(self, folder: pathlib.Path, *options: str) -> None:
        self.folder = folder
        self.options = options
        self.data = folder / "data"
        self.gate = folder / "gate"
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("MARTLET_")},
            "PYTHONPATH": str(ROOT / "clients/python"),
            "GATE": str(self.gate),
            "HOME": str(folder),
            "PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}",
        }
        self.origin = ""
        self._port = str(free_port())
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [str(PROGRAM), "up", "--data", str(self.data), "--port", self._port, *UI, *self.options],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        printed: list[str] = []
        found = threading.Event()

        def read() -> None:
            # Read to the end, too, so that the server never waits for somebody to take its output.
            for line in self._process.stdout or ():
                printed.append(line)
                if re.search(r"#code=", line):
                    found.set()
            found.set()

        threading.Thread(target=read, daemon=True).start()
        assert found.wait(PATIENCE), "martlet up printed no sign-in link: " + "".join(printed)
        match = re.search(r"(http://[^\s/]+)/#code=\S+", "".join(printed))
        assert match, "martlet up printed no sign-in link: " + "".join(printed)
        self.link, self.origin = match.group(0), match.group(1)

    def stop(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(PATIENCE)

    def martlet(self, *arguments: str) -> str:
        done = subprocess.run(
            [str(PROGRAM), *arguments, "--data", str(self.data)],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            cwd=self.folder,
            check=False,
        )
        assert done.returncode == 0, f"martlet {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def fresh_link(self) -> str:
        return self.martlet("status", "--link").strip()

    def get(self, path: str) -> dict:
        return self.send("GET", path)

    def send(self, method: str, path: str, body: Optional[Union[bytes, dict]] = None, form: str = "") -> dict:
        """One call of the API; a body is bytes of the given form, or an object that is sent as JSON."""
        token = (self.data / "token").read_text().strip()
        request = urllib.request.Request(
            f"{self.origin}/api/v1{path}",
            data=json.dumps(body).encode() if isinstance(body, dict) else body,
            headers={"Authorization": f"Bearer {token}", "Content-Type": form or "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)

    def new_run(self, project: str = "logged", **fields: object) -> str:
        """A run from outside, and its id."""
        return self.send("POST", "/runs", {"project": project, **fields})["id"]

    def log(self, run: str, rows: list[tuple[int, dict]], client: str = "e2e-client") -> None:
        """Logs rows of a step and values, a second apart."""
        lines = [
            {"seq": i, "step": step, "time": 1_790_000_000_000_000 + i * 1_000_000, "values": values}
            for i, (step, values) in enumerate(rows)
        ]
        body = "".join(json.dumps(line) + "\n" for line in lines).encode()
        self.send("POST", f"/runs/{run}/log?client={client}", body, "application/x-ndjson")

    def put(self, run: str, kind: str, data: bytes, media_type: str, **more: object) -> dict:
        """Stores bytes as a blob of a run, and gives the typed value that names them."""
        name = hashlib.sha256(data).hexdigest()
        self.send("PUT", f"/runs/{run}/blobs/{name}", data, "application/octet-stream")
        return {"_type": kind, "blob": name, "size": len(data), "media_type": media_type, **more}

    def sweep(self, definition: str = SWEEP, trainer: str = TRAINER) -> str:
        """Starts the paced sweep, or another one of the project, and gives its id."""
        (self.folder / "train.py").write_text(trainer)
        (self.folder / "sweep.yaml").write_text(definition)
        self.allow(0)
        self.martlet("sweep", "run", str(self.folder / "sweep.yaml"), "--detach")
        return self.get("/sweeps?project=paced")["items"][0]["id"]

    def allow(self, steps: int | str) -> None:
        aside = self.gate.with_suffix(".new")
        aside.write_text(str(steps))
        aside.rename(self.gate)

    def wait_for_runs(self, count: int, state: str) -> list[dict]:
        found: list[dict] = []

        def there() -> bool:
            found[:] = self.get(f"/runs?project=paced&state={state}")["items"]
            return len(found) >= count

        wait_until(f"{count} runs {state}", there)
        return found


def active(server: Server) -> list[str]:
    """Runs that Martlet executes and that go on; one from outside is a test's own and ends with it."""
    runs = server.get("/runs?state=queued,starting,running")["items"]
    return [run["id"] for run in runs if run["attempts"] > 0]


@contextlib.contextmanager
def serving(made: Server) -> Iterator[Server]:
    """Starts it, and stops it when all that it ran has ended."""
    made.start()
    try:
        yield made
        made.allow("all")  # trainers that a failed test left behind come to their end
        ended = ("finished", "stopped", "failed", "cancelled")
        wait_until("all sweeps ended", lambda: all(each["state"] in ended for each in made.get("/sweeps")["items"]))
        wait_until("all runs ended", lambda: not active(made))
    finally:
        made.stop()


@pytest.fixture
def server(tmp_path: pathlib.Path) -> Iterator[Server]:
    with serving(Server(tmp_path)) as made:
        yield made


@pytest.fixture
def gpus(tmp_path: pathlib.Path) -> Iterator[Server]:
    """A server that shares out four declared GPUs."""
    with serving(Server(tmp_path, "--devices", "4")) as made:
        yield made


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-dev-shm-usage"],
            timeout=3 * PATIENCE * 1000,
        )
        yield launched
        launched.close()


class Window:
    """A browser window, and what it complained about."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.tolerated = re.compile(r"(?!)")
        self.page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))
        self.page.on("console", self._heard)

    def _heard(self, message) -> None:
        if message.type in ("error", "warning") and not self.tolerated.search(message.text):
            self.complaints.append(f"console {message.type}: {message.text} {message.location.get('url', '')}")

    def sign_in(self, server: Server, path: str = "/") -> None:
        """Opens a page through a fresh link, and waits until it is live."""
        self.page.goto(server.fresh_link().replace("/#", f"{path}#"))
        expect(self.page.get_by_text("Live", exact=True)).to_be_visible()

    def charts(self) -> list[dict]:
        return self.page.evaluate("martletCharts.describe()")

    def chart(self, title: str) -> dict | None:
        return next((chart for chart in self.charts() if chart["title"] == title), None)

    def told(self, title: str, what: str) -> object:
        """What a chart says of itself; None while there is no such chart."""
        return (self.chart(title) or {}).get(what)

    def lines(self, title: str) -> list[dict]:
        return self.told(title, "lines") or []

    def points(self, title: str) -> int:
        """How many points a chart shows in all its lines."""
        return sum(line["points"] for line in self.lines(title))

    def frames(self, count: int = 3) -> None:
        """Waits until the page has been drawn so many times: what was about to be drawn is."""
        for _ in range(count):
            self.page.evaluate("new Promise((drawn) => requestAnimationFrame(drawn))")

    def sideways(self) -> int:
        """By how many pixels the page, or its main part, is wider than the window shows."""
        return self.page.evaluate(
            "Math.max(...[document.documentElement, document.querySelector('main')]"
            ".filter(Boolean).map((part) => part.scrollWidth - part.clientWidth))"
        )

    def fits(self, what: str = "the page") -> None:
        """Nothing is wider than the window, once the layout has come to rest."""
        wait_until(f"{what} is no wider than the window", lambda: self.sideways() == 0)


@pytest.fixture
def window(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[..., Window]]:
    """Opens windows; each must end without a console error or warning."""
    opened: list[Window] = []

    def make(size: dict | None = None, scheme: str = "light") -> Window:
        context = browser.new_context(
            viewport=size or WIDE,
            color_scheme=scheme,
            has_touch=size == PHONE,
            reduced_motion="reduce",
            permissions=["clipboard-read", "clipboard-write"],
        )
        context.set_default_timeout(PATIENCE * 1000)
        made = Window(context)
        opened.append(made)
        return made

    yield make
    folder = os.environ.get("UI_PICTURES")
    for number, each in enumerate(opened):
        if folder:
            pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
            name = re.sub(r"[^\w.-]+", "_", request.node.name)
            each.page.screenshot(path=f"{folder}/{name}-{number}.png")
        each.context.close()
        assert each.complaints == [], "the browser's console is not clean"
