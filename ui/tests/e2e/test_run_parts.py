"""The parts of a run's page: output, system metrics, files, model, and what surrounds it."""

import json
import re

import pytest
from conftest import LOOKS, PHONE, wait_until
from playwright.sync_api import expect

PATCH = b"""diff --git a/train.py b/train.py
--- a/train.py
+++ b/train.py
@@ -1,2 +1,2 @@
 import martlet
-lr = 1
+lr = 2
"""


def save(server, run: str, path: str, data: bytes, media_type: str) -> None:
    """Saves a file with a run."""
    blob = server.put(run, "file", data, media_type)["blob"]
    server.send("PUT", f"/runs/{run}/files?path={path}", {"sha256": blob, "media_type": media_type})


def write(server, run: str, text: str, stream: str = "stdout", offset: int = 0) -> None:
    """Sends output along with a run from outside."""
    path = f"/runs/{run}/logs?client=e2e-client&stream={stream}&offset={offset}&time=1790000000000000"
    server.send("POST", path, text.encode(), "application/octet-stream")


@pytest.fixture
def run(server):
    """A run from outside with output, files, a model, an environment and an alert."""
    made = server.new_run(name="whole", config={"lr": 0.1})
    server.log(made, [(step, {"loss": 1 / (1 + step)}) for step in range(5)])
    environment = {
        "os": "Debian 12",
        "cpu": {"model": "Test CPU", "cores": 4},
        "memory_bytes": 64_000_000_000,
        "variables": {"OMP_NUM_THREADS": "4"},
    }
    layers = [
        {
            "name": "",
            "type": "Net",
            "parameters": 1234,
            "trainable": 1200,
            "input_shape": [None, 8],
            "output_shape": [None, 2],
        },
        {
            "name": "fc",
            "type": "Linear",
            "parameters": 34,
            "trainable": 0,
            "input_shape": [None, 8],
            "output_shape": [None, 2],
        },
    ]
    model = {"framework": "torch", "parameters": 1234, "trainable": 1200, "layers": layers}
    server.send("PATCH", f"/runs/{made}", {"environment": environment, "model": model})
    server.send("POST", f"/runs/{made}/alerts", {"title": "Loss is flat", "text": "for 2,000 steps", "level": "warn"})
    save(server, made, "diff.patch", PATCH, "text/x-diff")
    save(server, made, "results/table.csv", b'a,b\n1,"x, y"\n', "text/csv")
    save(server, made, "config.json", b'{"deep":{"er":1}}', "application/json")
    save(server, made, "model.bin", b"\x00\x01", "application/octet-stream")
    return made


@pytest.mark.parametrize("look", LOOKS)
def test_files_are_looked_into(server, window, run, look):
    mine = window(*look)
    page = mine.page
    mine.sign_in(server, f"/p/logged/runs/{run}?tab=files&file=diff.patch")
    patch = page.get_by_role("region", name="diff.patch", exact=True)
    expect(patch.locator("tr.add")).to_contain_text("lr = 2")
    expect(patch.locator("tr.remove")).to_contain_text("lr = 1")
    mine.fits()
    page.get_by_role("button", name=re.compile("^config.json")).click()
    expect(page.get_by_role("region", name="Text")).to_contain_text('"er": 1')
    page.get_by_role("button", name="results/table.csv").first.click()
    expect(page.get_by_role("cell", name="x, y")).to_be_visible()
    expect(page).to_have_url(re.compile("file=results"))
    page.get_by_role("button", name=re.compile("^model.bin")).click()
    expect(page.get_by_text("It can be downloaded")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download model.bin").click()
    assert download.value.path().read_bytes() == b"\x00\x01"
    mine.fits()
    page.goto(f"{server.origin}/p/logged/runs/{run}?tab=files&file=gone.txt")
    expect(page.get_by_role("region", name="gone.txt")).to_contain_text("is not among the files of this run")


@pytest.mark.parametrize("look", LOOKS)
def test_a_model_shows_its_layers(server, window, run, look):
    mine = window(*look)
    page = mine.page
    mine.sign_in(server, f"/p/logged/runs/{run}?tab=model")
    expect(page.get_by_role("region", name="Layers", exact=True)).to_contain_text("1,234 parameters")
    expect(page.get_by_role("row", name=re.compile("fc"))).to_contain_text("? × 8")
    mine.fits()


@pytest.mark.parametrize("look", LOOKS)
def test_the_overview_tells_what_it_ran_on_and_what_happened(server, window, run, look):
    child = server.new_run(name="part", parent=run)
    mine = window(*look)
    page = mine.page
    mine.sign_in(server, f"/p/logged/runs/{run}")
    environment = page.get_by_role("region", name="Environment")
    expect(environment).to_contain_text("Test CPU")
    expect(environment).to_contain_text("64 GB")
    expect(page.get_by_role("region", name="Alerts")).to_contain_text("Loss is flat")
    expect(page.get_by_role("region", name="What happened")).to_contain_text("Created")
    expect(page.get_by_role("region", name="Nested runs")).to_contain_text("part")
    mine.fits()
    # Where both have no room beside each other, what is known of a run stands above its charts.
    facts, charts = (page.locator(name).bounding_box() for name in (".overview-side", ".overview-charts"))
    beside = look[0] is not PHONE
    assert facts["x"] + facts["width"] <= charts["x"] if beside else facts["y"] + facts["height"] <= charts["y"]
    environment.get_by_role("button", name="Uncommitted changes").click()
    expect(page.locator("tr.add")).to_contain_text("lr = 2")
    page.goto(f"{server.origin}/p/logged/runs/{child}")
    page.get_by_role("region", name="Nested runs").get_by_role("link", name="whole").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("whole")


def test_home_tells_of_alerts(server, window, run):
    mine = window(PHONE)
    page = mine.page
    mine.sign_in(server, "/")
    attention = page.get_by_role("region", name="Needs attention")
    expect(attention).to_contain_text("Loss is flat")
    server.send("POST", f"/runs/{run}/alerts", {"title": "It burns", "level": "error"})
    expect(attention).to_contain_text("It burns")
    mine.fits()


@pytest.mark.parametrize("look", LOOKS)
def test_output_is_searched_and_each_line_has_an_address(server, window, run, look):
    lines = "".join(f"step {i} \x1b[32mok\x1b[0m\n" for i in range(1, 1201))
    write(server, run, lines)
    write(server, run, "Traceback (most recent call last):\n", "stderr")
    mine = window(*look)
    page = mine.page
    mine.sign_in(server, f"/p/logged/runs/{run}?tab=logs&stream=stdout")
    log = page.get_by_role("log")
    expect(log).to_contain_text("step 1200")
    expect(page.get_by_text("1,200 lines")).to_be_visible()
    expect(log.locator(".ansi-2").first).to_have_text("ok")
    mine.fits()
    page.get_by_label("Find in the output").fill("STEP 7")
    expect(page.get_by_text("111 lines")).to_be_visible()
    page.get_by_role("button", name="Upper and lower case").click()
    expect(page.get_by_text("in none of the lines")).to_be_visible()
    page.get_by_label("Find in the output").fill("step 77")
    expect(page.get_by_text("11 lines")).to_be_visible()
    page.get_by_role("button", name="The next one").click()
    expect(page.get_by_text("1 of 11 lines")).to_be_visible()
    page.get_by_role("button", name="The next one").click()
    expect(log).to_contain_text("step 770")
    expect(log.locator(".found").first).to_be_visible()
    regex = page.get_by_role("button", name="Use regular expression")
    regex.click()
    page.get_by_label("Find in the output").fill("^step (77|88)$")
    expect(page.get_by_text("in none of the lines")).to_be_visible()
    page.get_by_label("Find in the output").fill("^step (77|88) ok$")
    expect(page.get_by_text("2 lines")).to_be_visible()
    mine.tolerated = re.compile("400 \\(Bad Request\\)")  # Chromium tells of every request that is refused.
    page.get_by_label("Find in the output").fill("step (77")
    expect(page.get_by_role("alert")).to_contain_text("never closed")
    mine.fits()
    regex.click()
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.get_by_text("in none of the lines")).to_be_visible()
    regex.click()
    page.get_by_label("Find in the output").fill("step 7[7]\\d o")
    expect(page.get_by_text("10 lines")).to_be_visible()
    page.get_by_role("button", name="The next one").click()
    expect(log.locator(".found").first).to_have_text("step 770 ")
    log.get_by_role("link", name="Link to line 770", exact=True).click()
    expect(page).to_have_url(re.compile("#L770$"))
    page.reload()
    expect(log.locator(".log-line.chosen")).to_contain_text("step 770")
    page.get_by_role("button", name="stderr", exact=True).click()
    expect(log).to_contain_text("Traceback")
    page.get_by_role("button", name="All", exact=True).click()
    page.get_by_role("button", name="First error").click()
    expect(log.locator(".log-line.chosen")).to_contain_text("Traceback")
    mine.fits()


def test_output_follows_and_a_progress_bar_stays_one_line(server, window, run):
    write(server, run, "begin\n 10 %")
    mine = window()
    page = mine.page
    mine.sign_in(server, f"/p/logged/runs/{run}?tab=logs")
    log = page.get_by_role("log")
    expect(log).to_contain_text("10 %")
    write(server, run, "\r 20 %", offset=11)
    expect(log).to_contain_text("20 %")
    expect(log).not_to_contain_text("10 %")
    expect(page.get_by_text("2 lines")).to_be_visible()


@pytest.mark.parametrize("look", LOOKS)
def test_system_metrics_are_charts(server, window, run, look):
    rows = [
        {"seq": i, "step": 1_790_000_000_000 + 5000 * i, "time": 1_790_000_000_000_000 + 5_000_000 * i,
         "values": {"cpu": 40 + i, "process/memory": 1e9, "gpu.0/utilization": 90, "gpu.1/utilization": 80 + i}}
        for i in range(6)
    ]  # fmt: skip
    body = "".join(json.dumps(row) + "\n" for row in rows).encode()
    server.send("POST", f"/runs/{run}/system?client=e2e-sampler", body, "application/x-ndjson")
    mine = window(*look)
    page = mine.page
    mine.sign_in(server, f"/p/logged/runs/{run}?tab=system")
    gpus = page.get_by_role("region", name="GPUs: Utilization")
    expect(gpus).to_contain_text("gpu 1")
    expect(gpus).to_contain_text("85 %")
    wait_until(
        "two lines of six samples", lambda: [line["points"] for line in mine.lines("GPUs: Utilization")] == [6, 6]
    )
    memory = page.get_by_role("region", name="Memory: In use")
    expect(memory).to_contain_text("1 GB")
    memory.scroll_into_view_if_needed()
    wait_until("the memory is drawn", lambda: mine.told("Memory: In use", "xDomain") is not None)
    memory.locator(".chart").press("ArrowLeft")
    expect(memory.locator("[aria-live]")).to_contain_text("run 1 GB")
    mine.fits()


def test_a_derived_metric_is_defined_a_column_and_a_chart(server, window, run):
    server.log(run, [(5, {"val/loss": 0.5, "loss": 0.1}), (6, {"val/loss": 0.75, "loss": 0.5})], "e2e-other")
    mine = window()
    page = mine.page
    mine.tolerated = re.compile("Failed to load resource")
    mine.sign_in(server, "/p/logged/runs")
    page.get_by_role("button", name="More about these runs").click()
    page.get_by_role("menuitem", name="Derived metrics…").click()
    dialog = page.get_by_role("dialog", name="Derived metrics")
    dialog.get_by_label("Name", exact=True).fill("gap")
    dialog.get_by_label("Expression", exact=True).fill("val/loss - los s")
    dialog.get_by_role("button", name="Add it").click()
    expect(dialog.get_by_role("alert")).to_be_visible()
    dialog.get_by_label("Expression", exact=True).fill("val/loss - loss")
    dialog.get_by_role("button", name="Add it").click()
    expect(dialog.get_by_role("listitem")).to_contain_text("val/loss - loss")
    page.keyboard.press("Escape")
    wait_until("two points", lambda: mine.points("gap") == 2)
    expect(page.locator("th", has_text="gap")).to_be_visible()
    page.get_by_role("button", name="More about these runs").click()
    page.get_by_role("menuitem", name="Derived metrics…").click()
    dialog.get_by_role("button", name="Delete gap").click()
    expect(dialog.get_by_role("listitem")).to_have_count(0)
    assert server.get("/projects/logged/derived")["items"] == []
