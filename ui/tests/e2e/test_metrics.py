"""What was said of metrics: their own x axis, their goal, what stands for them; and the choice of the x axis."""

import re

import pytest
from conftest import LOOKS, wait_until
from playwright.sync_api import expect


@pytest.fixture
def defined(server):
    """A run whose validation is logged over epochs, and its id."""
    run = server.new_run(name="defined")
    server.send(
        "PATCH",
        f"/runs/{run}",
        {
            "metrics": {
                "val/*": {"step_metric": "epoch", "summary": "best", "goal": "minimize"},
                "epoch": {"hidden": True, "summary": "none"},
            }
        },
    )
    rows = [(step, {"train/loss": 2 / (1 + step)}) for step in range(20)]
    rows += [(20 + i, {"val/loss": abs(i - 3) / 10, "epoch": 2.0 * i}) for i in range(6)]
    server.log(run, rows)
    return run


@pytest.mark.parametrize("look", LOOKS)
def test_a_metric_is_drawn_over_its_own_axis(server, window, defined, look):
    mine = window(*look)
    page = mine.page
    mine.sign_in(server, f"/p/logged/runs/{defined}?tab=charts")
    wait_until("both charts", lambda: mine.points("train/loss") == 20 and mine.points("val/loss") == 6)
    card = page.get_by_role("region", name="val/loss", exact=True)
    card.scroll_into_view_if_needed()  # only what is in sight draws
    wait_until("epochs below one chart", lambda: mine.told("val/loss", "xDomain") == [0, 10])
    page.get_by_role("region", name="train/loss", exact=True).scroll_into_view_if_needed()
    wait_until("steps below the other", lambda: mine.told("train/loss", "xDomain") == [0, 19])
    assert mine.chart("epoch") is None
    expect(card).to_contain_text("over epoch")
    page.get_by_text("1 metric hidden").get_by_role("button", name="show").click()
    wait_until("the hidden metric", lambda: mine.chart("epoch"))
    mine.fits()


def test_the_x_axis_is_chosen_for_all_charts(server, window, defined):
    mine = window()
    page = mine.page
    mine.sign_in(server, f"/p/logged/runs/{defined}?tab=charts")
    page.get_by_role("button", name="Step", exact=True).click()
    wait_until("steps", lambda: mine.told("val/loss", "xDomain") == [20, 25])
    page.get_by_role("button", name="Relative", exact=True).click()
    wait_until("seconds from 0", lambda: mine.told("val/loss", "xDomain") == [0, 5])
    page.get_by_role("button", name="Time", exact=True).click()
    wait_until("the clock", lambda: mine.told("val/loss", "xDomain") == [1_790_000_020, 1_790_000_025])
    page.get_by_label("X axis: a metric").select_option("epoch")
    wait_until("epochs", lambda: mine.told("val/loss", "xDomain") == [0, 10])
    expect(page).to_have_url(re.compile("x=metric%3Aepoch"))
    page.reload()
    wait_until("epochs after a reload", lambda: mine.told("val/loss", "xDomain") == [0, 10])
    page.get_by_role("region", name="val/loss", exact=True).locator(".chart").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("region", name="val/loss", exact=True).locator("[aria-live]")).to_contain_text("epoch 10")


def test_points_over_a_metric_follow_live(server, window, defined):
    mine = window()
    mine.sign_in(server, f"/p/logged/runs/{defined}?tab=charts")
    wait_until("six points", lambda: mine.points("val/loss") == 6)
    server.log(defined, [(30, {"val/loss": 0.7, "epoch": 12.0})], client="another-client")
    wait_until("a seventh", lambda: mine.points("val/loss") == 7)
    wait_until("twelve epochs", lambda: mine.told("val/loss", "xDomain") == [0, 12])


def test_the_summary_has_every_aggregate_with_its_step(server, window, defined):
    mine = window()
    page = mine.page
    mine.sign_in(server, f"/p/logged/runs/{defined}")
    summary = page.get_by_role("region", name="Summary")
    row = summary.get_by_role("row", name="val/loss")
    expect(row.locator("td")).to_have_text(["0.2000", "0", "0", "0.3000", "0.1500"])
    assert row.locator("td").evaluate_all("all => all.map((cell) => cell.title)") == [
        "at step 25",
        "at step 23",
        "at step 23",
        "at step 20",
        "of 6 values",
    ]
    expect(row.locator("td.headline")).to_have_text("0")
    expect(summary.get_by_role("row", name="train/loss").locator("td").nth(1)).to_have_text("–")
    expect(summary.get_by_role("row", name="epoch")).to_have_count(0)
    # The table of runs shows what stands for the metric, until the reader chooses.
    page.goto(f"{server.origin}/p/logged/runs")
    expect(page.get_by_label("Which val/loss")).to_have_value("best")
    page.get_by_label("Which val/loss").select_option("mean")
    expect(page.get_by_role("region", name="Runs", exact=True).locator("tr[data-row]")).to_contain_text("0.1500")


def test_a_chart_is_found_by_its_name(server, window):
    run = server.new_run(name="many")
    names = [f"layer{i}/norm" for i in range(14)] + ["val/loss"]
    server.log(run, [(step, dict.fromkeys(names, step)) for step in range(3)])
    mine = window()
    page = mine.page
    mine.sign_in(server, f"/p/logged/runs/{run}?tab=charts")
    charts = page.get_by_role("application")
    expect(charts).to_have_count(15)
    page.get_by_label("Find a chart").fill("LOSS")
    expect(charts).to_have_count(1)
    page.reload()  # the address says which
    expect(charts).to_have_count(1)
    expect(page.get_by_role("region", name="val/loss", exact=True)).to_be_visible()
    page.get_by_label("Find a chart").fill("nothing")
    expect(charts).to_have_count(0)
    page.get_by_role("button", name="Show all 15").click()
    expect(charts).to_have_count(15)
