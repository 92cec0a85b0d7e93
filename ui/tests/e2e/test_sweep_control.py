"""A sweep that is paused, widened, stopped in part, and one that stops itself after failures in a row."""

import re

from conftest import PHONE, wait_until
from playwright.sync_api import expect

FOUR = """\
name: four
project: paced
program: train.py
method: grid
metric: {name: val/loss, goal: minimize}
parameters:
  lr: {values: [0.1, 0.2, 0.3, 0.4]}
max_parallel: 2
"""

FAILING = """\
import os, pathlib, time

# It fails as soon as the gate is open.
gate = pathlib.Path(os.environ["GATE"])
while not gate.exists() or gate.read_text() == "0":
    time.sleep(0.02)
raise ValueError("the labels are empty")
"""

STUBBORN = """\
import os, pathlib, signal, time

# Asked to end, it goes on until the gate is open.
signal.signal(signal.SIGTERM, signal.SIG_IGN)
gate = pathlib.Path(os.environ["GATE"])
print("ready", flush=True)
while not gate.exists() or gate.read_text() == "0":
    time.sleep(0.02)
"""


def trials(page):
    return page.get_by_role("region", name="Trials", exact=True).locator("tr[data-row]")


def pill(page):
    return page.locator("h1 .pill")


def test_a_sweep_is_paused_and_goes_on(server, window):
    sweep = server.sweep(FOUR)
    server.wait_for_runs(2, "running")
    mine = window()
    page = mine.page
    mine.sign_in(server, f"/p/paced/sweeps/{sweep}")
    page.get_by_role("button", name="Pause", exact=True).click()
    expect(pill(page)).to_have_text("paused")
    note = page.get_by_role("region", name="Paused")
    expect(note).to_contain_text("Trials that run go on to their end.")

    # Those that run end, and no other begins.
    server.allow("all")
    wait_until("two have ended", lambda: server.get(f"/sweeps/{sweep}")["counts"]["complete"] == 2)
    expect(page.get_by_role("region", name="Progress")).to_contain_text("2 complete")
    assert server.get(f"/sweeps/{sweep}")["state"] == "paused"
    server.allow(0)
    page.get_by_role("button", name="Resume", exact=True).click()
    expect(pill(page)).to_have_text("running")
    expect(note).to_have_count(0)
    server.wait_for_runs(2, "running")

    # Undo takes the resuming back.
    page.locator(".toast", has_text="The sweep goes on.").get_by_role("button", name="Undo").click()
    expect(pill(page)).to_have_text("paused")
    page.get_by_role("button", name="Resume", exact=True).click()
    server.allow("all")
    expect(pill(page)).to_have_text("finished")


def test_more_trials_at_a_time_and_back(server, window):
    sweep = server.sweep(FOUR)
    server.wait_for_runs(2, "running")
    mine = window(PHONE, "dark")
    page = mine.page
    mine.sign_in(server, f"/p/paced/sweeps/{sweep}")
    field = page.get_by_role("textbox", name="Trials at a time")
    expect(field).to_have_value("2")
    page.get_by_role("button", name="Trials at a time: more").click()
    expect(page.locator(".toast")).to_contain_text("3 at a time.")
    server.wait_for_runs(3, "running")
    expect(trials(page)).to_have_count(3)
    mine.fits()
    page.get_by_role("button", name="Undo").click()
    expect(field).to_have_value("2")
    wait_until("two at a time", lambda: server.get(f"/sweeps/{sweep}")["max_parallel"] == 2)

    # What is no such number is not sent, and goes with the field.
    field.fill("none")
    expect(field).to_have_attribute("aria-invalid", "true")
    page.get_by_role("textbox", name="Priority").focus()
    expect(field).to_have_value("2")
    page.get_by_role("textbox", name="Priority").fill("-3")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Its priority is -3.")).to_be_visible()
    page.get_by_role("textbox", name="A trial may take").fill("1h30m")
    page.get_by_role("button", name="Set").click()
    expect(page.get_by_text("A trial may take 1 h 30 m.")).to_be_visible()
    changed = server.get(f"/sweeps/{sweep}")
    assert (changed["priority"], changed["timeout"]) == (-3, 5400)


def test_one_trial_is_stopped_and_the_others_go_on(server, window):
    sweep = server.sweep(FOUR)
    server.wait_for_runs(2, "running")
    mine = window()
    page = mine.page
    mine.sign_in(server, f"/p/paced/sweeps/{sweep}")
    page.get_by_role("button", name="Stop trial 0", exact=True).click()
    expect(page.get_by_text("Trial 0 was asked to stop.")).to_be_visible()
    expect(page.locator('tr[data-row="t0"]')).to_contain_text(re.compile("stopped|killed"))
    expect(page.get_by_role("button", name="Stop trial 0", exact=True)).to_have_count(0)
    expect(pill(page)).to_have_text("running")
    server.wait_for_runs(2, "running")
    server.allow("all")
    expect(pill(page)).to_have_text("finished")


def test_failures_in_a_row_pause_the_sweep_and_show_the_first(server, window):
    sweep = server.sweep(FOUR + "breaker: 2\n", FAILING)
    server.wait_for_runs(2, "running")
    mine = window()
    page = mine.page
    mine.sign_in(server, f"/p/paced/sweeps/{sweep}")
    server.allow("all")
    expect(pill(page)).to_have_text("paused")
    note = page.get_by_role("region", name="Paused")
    expect(note).to_contain_text("2 trials in a row failed")
    expect(note).to_contain_text("ValueError: the labels are empty")
    mine.fits()
    note.get_by_role("link", name=re.compile("^The output of")).click()
    expect(page.get_by_role("log")).to_contain_text("ValueError: the labels are empty")
    page.go_back()
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Stop", exact=True).click()
    expect(pill(page)).to_have_text(re.compile("stopped|failed"))


def test_stopping_shows_how_far_it_is(server, window):
    sweep = server.sweep(FOUR + "grace: 10m\n", STUBBORN)
    for run in server.wait_for_runs(2, "running"):
        ready = f"/runs/{run['id']}/logs?stream=stdout"
        wait_until("it takes no notice of SIGTERM", lambda path=ready: "ready" in server.get(path)["text"])
    mine = window()
    page = mine.page
    mine.sign_in(server, f"/p/paced/sweeps/{sweep}")
    page.get_by_role("button", name="Stop", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(re.compile("Stop now")).check()
    dialog.get_by_role("button", name="Stop", exact=True).click()
    stages = page.get_by_role("region", name="Stopping")
    expect(stages).to_contain_text("2 trials are ending.")
    expect(stages).to_contain_text(re.compile(r"Asked to end .+ ago"))
    expect(stages).to_contain_text(re.compile(r"Grace period: \d m \d\d s left"))
    expect(trials(page).first).to_contain_text("It was asked to end.")
    mine.fits()
    server.allow("all")
    expect(stages).to_have_count(0)
    expect(pill(page)).to_have_text("stopped")


def test_a_run_that_waits_says_why_and_moves_up(gpus, window):
    gpus.sweep(FOUR.replace("max_parallel: 2", "max_parallel: 4\nresources: {gpus: 3}"))
    gpus.wait_for_runs(1, "running")
    wait_until("three wait", lambda: len(gpus.get("/pool")["queue"]) == 3)
    last = gpus.get("/pool")["queue"][2]
    mine = window()
    page = mine.page
    mine.sign_in(gpus, f"/p/paced/runs/{last['run']}")
    expect(page.locator(".sentence")).to_contain_text("The third in line.")
    line = page.get_by_role("region", name="In the line", exact=True)
    expect(line).to_contain_text("3 GPUs")
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("menuitem", name="To the front of the line").click()
    expect(page.locator(".sentence")).to_contain_text(
        "The first in line. It needs 3 devices: 1 is free and 3 are held."
    )
    mine.fits()

    # Its sweep's page tells the same.
    page.get_by_role("link", name="four", exact=True).first.click()
    expect(page.locator(f'tr[data-row="t{last["trial"]}"]')).to_contain_text("The first in line.")
