"""A sweep while it runs: charts grow, states change and the end comes, without a reload."""

import re

import pytest
from conftest import LOOKS, WIDE, wait_until
from playwright.sync_api import expect


@pytest.mark.parametrize("look", LOOKS)
def test_a_sweep_is_followed_to_its_end(server, window, look):
    size, scheme = look
    sweep = server.sweep()
    server.wait_for_runs(2, "running")
    mine = window(size, scheme)
    page = mine.page
    mine.sign_in(server)
    page.evaluate("window.sameDocument = true")

    # Home shows what runs.
    expect(page.get_by_role("region", name="Running now").locator(".run-card")).to_have_count(2)
    mine.fits()

    # The runs page: the charts grow by what is logged.
    page.get_by_role("link", name="Runs", exact=True).click()
    expect(page.get_by_role("region", name="Runs", exact=True).locator("tr[data-row]")).to_have_count(2)
    mine.fits()
    server.allow(5)
    if size["width"] < 760:
        page.get_by_role("button", name="Charts", exact=True).click()
    wait_until("5 points of each run in the chart", lambda: mine.points("val/loss") == 10)
    drawn = mine.chart("val/loss")["draws"]
    server.allow(12)
    wait_until("12 points of each run in the chart", lambda: mine.points("val/loss") == 24)
    wait_until("the chart drawn anew", lambda: (mine.told("val/loss", "draws") or 0) > drawn)
    wait_until("12 steps below the chart", lambda: mine.told("val/loss", "xDomain") == [0, 11])
    assert all(line["last"]["x"] == 11 for line in mine.lines("val/loss"))
    mine.fits()

    # The sweep page: from running to its end.
    page.get_by_role("link", name="Sweeps", exact=True).click()
    page.get_by_role("link", name="paced", exact=True).click()
    expect(page.locator("h1 .pill")).to_have_text("running")
    expect(page).to_have_url(re.compile(f"/p/paced/sweeps/{sweep}$"))
    server.allow("all")
    expect(page.locator("h1 .pill")).to_have_text("finished")
    expect(page.get_by_role("region", name="Best")).to_contain_text(re.compile(r"0\.13"))
    trials = page.get_by_role("region", name="Trials", exact=True).locator("tr[data-row]")
    expect(trials).to_have_count(3)
    expect(trials.nth(0)).to_contain_text("0.1")
    expect(trials.nth(2)).to_contain_text("failed")
    expect(trials.nth(2)).to_contain_text("3")
    mine.fits()
    wait_until(
        "two best values",
        lambda: [line["points"] for line in mine.lines("val/loss by trial") if line["id"] == "best"] == [2],
    )
    assert page.evaluate("window.sameDocument"), "the page was loaded anew"


@pytest.mark.parametrize("look", LOOKS)
def test_a_run_shows_its_numbers_its_charts_and_its_output(server, window, look):
    size, scheme = look
    server.sweep()
    server.allow(6)
    runs = server.wait_for_runs(2, "running")
    mine = window(size, scheme)
    page = mine.page
    mine.sign_in(server, f"/p/paced/runs/{runs[0]['id']}")
    expect(page.get_by_role("heading", level=1)).to_contain_text(runs[0]["name"])
    expect(page.locator(".sentence")).to_contain_text("Running for")
    page.locator(".overview-charts").scroll_into_view_if_needed()  # on a phone they stand below
    wait_until("6 points", lambda: mine.points("val/loss") == 6)
    page.get_by_role("region", name="Configuration").scroll_into_view_if_needed()
    expect(page.get_by_role("region", name="Configuration")).to_contain_text("lr")
    expect(page.get_by_role("region", name="Details")).to_contain_text("train.py")
    expect(page.get_by_role("region", name="Summary")).to_contain_text("NaN")
    mine.fits()

    # The log follows.
    page.get_by_role("tab", name="Logs").click()
    log = page.get_by_role("log")
    expect(log).to_contain_text("step 5")
    server.allow(9)
    expect(log).to_contain_text("step 8")
    mine.fits()

    # The end, in words.
    server.allow("all")
    expect(page.locator("h1 .pill")).to_have_text("finished")
    expect(page.locator(".sentence")).to_contain_text(re.compile(r"^Finished after .+ at step 29\.$"))
    expect(log).to_contain_text("step 29")

    # A failed one says why, and its stderr tells more.
    failed = server.wait_for_runs(1, "failed")[0]
    page.goto(f"{server.origin}/p/paced/runs/{failed['id']}?tab=logs")
    expect(page.locator(".sentence")).to_contain_text("3")
    page.get_by_role("button", name="stderr", exact=True).click()
    expect(page.get_by_role("log")).to_contain_text("the learning rate is too high")
    mine.fits()


def test_only_charts_on_screen_draw(server, window):
    server.sweep()
    server.allow(3)
    server.wait_for_runs(2, "running")
    mine = window()
    mine.sign_in(server, "/p/paced/runs")
    wait_until("3 points of each run", lambda: mine.points("val/loss") == 6 and mine.points("train/loss") == 6)
    mine.page.set_viewport_size({"width": 1600, "height": 300})
    wait_until("the lower chart out of sight", lambda: mine.told("val/loss", "visible") is False)
    mine.frames()
    drawn = mine.chart("val/loss")["draws"]
    above = mine.chart("train/loss")["draws"]
    server.allow(9)
    wait_until("9 points of each run", lambda: mine.points("val/loss") == 18 and mine.points("train/loss") == 18)
    wait_until("the upper chart drawn anew", lambda: (mine.told("train/loss", "draws") or 0) > above)
    assert mine.chart("val/loss")["draws"] == drawn
    mine.page.get_by_role("region", name="val/loss", exact=True).scroll_into_view_if_needed()
    wait_until("drawn once in sight", lambda: (mine.told("val/loss", "draws") or 0) > drawn)
    wait_until("9 steps below it", lambda: mine.told("val/loss", "xDomain") == [0, 8])


def test_what_was_missed_offline_is_there_after_the_reconnect(server, window):
    server.sweep()
    server.allow(3)
    server.wait_for_runs(2, "running")
    mine = window()
    page = mine.page
    mine.sign_in(server, "/p/paced/runs")
    wait_until("3 points of each run", lambda: mine.points("val/loss") == 6)
    mine.tolerated = re.compile("ERR_INTERNET_DISCONNECTED|Failed to load resource")
    mine.context.set_offline(True)
    expect(page.get_by_role("button", name=re.compile("Reconnecting"))).to_be_visible()
    server.allow(20)
    wait_until(
        "20 steps on the server",
        lambda: all(run["last_step"] == 19 for run in server.get("/runs?project=paced&state=running")["items"]),
    )
    assert mine.points("val/loss") == 6
    mine.context.set_offline(False)
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    wait_until("20 points of each run", lambda: mine.points("val/loss") == 40)


def test_a_restarted_server_is_found_again(server, window):
    server.sweep()
    server.allow(3)
    server.wait_for_runs(2, "running")
    mine = window()
    page = mine.page
    mine.sign_in(server, "/p/paced/runs")
    wait_until("3 points of each run", lambda: mine.points("val/loss") == 6)
    mine.tolerated = re.compile("WebSocket|ERR_CONNECTION_REFUSED|Failed to load resource")
    server.stop()
    expect(page.get_by_role("button", name=re.compile("Reconnecting"))).to_be_visible()
    # What was read stays on screen meanwhile.
    assert mine.points("val/loss") == 6
    server.allow(15)
    server.start()
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    wait_until("15 points of each run", lambda: mine.points("val/loss") == 30)
    server.allow("all")
    page.get_by_role("link", name="Sweeps", exact=True).click()
    expect(page.locator(".sweep-card .pill").first).to_have_text("finished")


def test_a_sweep_is_stopped_from_its_page(server, window):
    sweep = server.sweep()
    server.wait_for_runs(2, "running")
    mine = window()
    page = mine.page
    mine.sign_in(server, f"/p/paced/sweeps/{sweep}")
    page.get_by_role("button", name="Stop", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("2 running trials")
    dialog.get_by_label(re.compile("Stop now")).check()
    dialog.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator("h1 .pill")).to_have_text("stopped")
    expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(0)


def test_a_run_is_stopped_from_its_page(server, window):
    server.sweep()
    run = server.wait_for_runs(2, "running")[0]
    mine = window(WIDE, "dark")
    page = mine.page
    mine.sign_in(server, f"/p/paced/runs/{run['id']}")
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Stop it").click()
    expect(page.locator("h1 .pill")).to_have_text(re.compile("stopped|killed"))
    expect(page.locator(".sentence")).to_contain_text("Ended")
