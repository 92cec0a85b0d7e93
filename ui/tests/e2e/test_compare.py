"""Runs side by side."""

import re

import pytest
from conftest import LOOKS, wait_until
from playwright.sync_api import expect


@pytest.fixture
def runs(server):
    """Three runs, the last one of another project."""
    made = []
    for i, project in enumerate(("logged", "logged", "other")):
        config = {"lr": 0.1 * (i + 1), "seed": 1, "model": {"depth": 4}}
        made.append(server.new_run(project, name=f"run-{i}", config=config))
        server.log(made[i], [(step, {"val/loss": 1 / (1 + step + i), "same": 1}) for step in range(5)])
        server.send("POST", f"/runs/{made[i]}/finish", {"state": "finished"})
    return made


@pytest.mark.parametrize("look", LOOKS)
def test_runs_of_any_project_are_compared(server, window, runs, look):
    mine = window(*look)
    page = mine.page
    mine.sign_in(server, f"/p/logged/compare?runs={','.join(runs)}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Compare 3 runs")
    config = page.get_by_role("region", name="Configuration", exact=True)
    expect(config.get_by_role("rowheader")).to_have_text(["lr"])
    metrics = page.get_by_role("region", name="Metrics", exact=True)
    expect(metrics.get_by_role("rowheader")).to_have_text(["val/loss"])
    expect(metrics.locator(".delta.good").first).to_contain_text("▲")
    mine.fits()
    page.get_by_label("Only what differs").uncheck()
    expect(config.get_by_role("rowheader")).to_have_text(["lr", "model.depth", "seed"])
    page.get_by_label("Only what differs").check()
    page.get_by_role("button", name="Make run-2 the baseline").first.click()
    expect(page).to_have_url(re.compile(f"runs={runs[2]}"))
    expect(metrics.locator(".delta.bad").first).to_contain_text("▼")
    page.get_by_role("button", name="Transpose").click()
    expect(metrics.get_by_role("rowheader")).to_have_count(3)
    page.get_by_role("region", name="val/loss", exact=True).scroll_into_view_if_needed()
    wait_until("a line for each run", lambda: len(mine.lines("val/loss")) == 3)
    mine.fits("the page turned around")


def test_the_table_is_copied(server, window, runs):
    mine = window()
    page = mine.page
    mine.sign_in(server, f"/p/logged/compare?runs={','.join(runs)}&find=lr")
    copied = lambda: page.evaluate("navigator.clipboard.readText()")  # noqa: E731
    for word, text in (("CSV", ",run-0,run-1,run-2\r\nlr,0.1"), ("Markdown", "| lr | 0.1 |"), ("LaTeX", "lr & 0.1 &")):
        page.get_by_role("button", name="Copy the table").click()
        page.get_by_role("menuitem", name=f"Copy as {word}").click()
        wait_until(f"copied as {word}", lambda text=text: text in copied())


def test_selected_runs_are_compared_by_a_key_and_taken_out_one_by_one(server, window, runs):
    mine = window()
    page = mine.page
    mine.sign_in(server, "/p/logged/runs")
    page.get_by_role("button", name="Select runs").click()
    page.get_by_label("Select run-0", exact=True).check()
    page.get_by_label("Select run-1", exact=True).check()
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Compare 2 runs")
    page.keyboard.press("t")
    expect(page).to_have_url(re.compile("turn=1"))
    page.keyboard.press("d")
    expect(page.get_by_label("Only what differs")).not_to_be_checked()
    page.get_by_role("button", name="Take run-0 out").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Compare 1 run")
    page.go_back()
    page.goto(f"{server.origin}/p/logged/compare")
    expect(page.get_by_text("No runs to compare")).to_be_visible()
