"""The runs page by hand: filter, sort, columns, cursor, zoom, keys; and what it says when something is missing."""

import re

import pytest
from conftest import wait_until
from playwright.sync_api import expect


@pytest.fixture
def runs(server, window):
    """The runs page of a sweep that has ended."""
    server.sweep()
    server.allow("all")
    server.wait_for_runs(2, "finished")
    server.wait_for_runs(1, "failed")
    mine = window()
    mine.sign_in(server, "/p/paced/runs")
    wait_until("all points", lambda: mine.points("val/loss") == 60)
    return mine


def rows(page):
    return page.get_by_role("region", name="Runs", exact=True).locator("tr[data-row]")


def press_in_turn(page, first, second, done):
    """Two keys that mean something together, again where the second came too late for that."""

    def is_done():
        if done():
            return True
        page.keyboard.press(first)
        page.keyboard.press(second)
        for _ in range(30):
            if done():
                break
            page.wait_for_timeout(100)
        return done()

    wait_until(f"what {first} {second} leads to", is_done)


def test_filter_and_its_empty_result(runs, server):
    page = runs.page
    name = server.get("/runs?project=paced")["items"][0]["name"]
    expect(rows(page)).to_have_count(3)
    page.keyboard.press("/")
    page.keyboard.type(f'"{name}"')
    expect(rows(page)).to_have_count(1)
    page.reload()
    expect(rows(page)).to_have_count(1)
    page.get_by_label("Filter", exact=True).fill('"no such run"')
    expect(page.get_by_text("No run matches the filter")).to_be_visible()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Clear the filter").last.click()
    expect(rows(page)).to_have_count(3)


def test_sorting_follows_the_chosen_aggregate(runs):
    page = runs.page
    page.get_by_role("button", name="val/loss", exact=True).click()
    expect(page.locator("th", has_text="val/loss")).to_have_attribute("aria-sort", "ascending")
    expect(rows(page).first).to_contain_text("0.1333")
    expect(rows(page).last).to_contain_text("failed")
    page.get_by_label("Which val/loss").select_option("max")
    expect(rows(page).first).to_contain_text("1.100")
    page.get_by_role("button", name="val/loss", exact=True).click()
    expect(rows(page).first).to_contain_text("1.200")
    expect(rows(page).last).to_contain_text("failed")
    page.reload()
    expect(rows(page).first).to_contain_text("1.200")


def test_columns_are_chosen_and_kept(runs):
    page = runs.page
    page.get_by_role("button", name="Choose columns").click()
    dialog = page.get_by_role("dialog", name="Columns")
    dialog.get_by_label("Find a column").fill("train")
    dialog.get_by_label("train/loss").uncheck()
    dialog.get_by_role("button", name="Done").click()
    expect(page.locator("th", has_text="train/loss")).to_have_count(0)
    page.reload()
    expect(page.locator("th", has_text="val/loss")).to_be_visible()
    expect(page.locator("th", has_text="train/loss")).to_have_count(0)


def test_the_keys_walk_the_table(runs, server):
    page = runs.page
    page.get_by_role("heading", name="val", exact=False).first.click()
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(rows(page).nth(1)).to_have_class(re.compile("active"))
    before = len(runs.lines("train/loss"))
    page.keyboard.press("x")
    wait_until("a line less or more", lambda: len(runs.lines("train/loss")) != before)
    page.keyboard.press("k")
    expect(rows(page).nth(0)).to_have_class(re.compile("active"))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/p/paced/runs/\w+$"))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    press_in_turn(page, "g", "s", lambda: page.get_by_role("heading", name=re.compile("Sweeps")).is_visible())
    press_in_turn(page, "g", "r", lambda: rows(page).count() == 3)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_contain_text("rename the row")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_pointing_at_a_line_lights_its_run_everywhere(runs):
    page = runs.page
    card = page.get_by_role("region", name="val/loss", exact=True)

    def lit():
        """The run below the mouse, which is brought to where the chart is by now."""
        box = card.locator(".chart").bounding_box()
        page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.85, steps=2)
        return runs.told("val/loss", "hot")

    wait_until("a lit run", lit)
    hot = runs.told("val/loss", "hot")
    wait_until("it is lit in the other chart", lambda: runs.told("train/loss", "hot") == hot)
    wait_until("one cursor", lambda: runs.told("train/loss", "cursor") == runs.told("val/loss", "cursor"))
    expect(page.locator(f"tr[data-row='{hot}']")).to_have_attribute("data-hot", "")
    expect(page.locator(".tip")).to_contain_text("step")
    page.mouse.move(5, 5)
    wait_until("nothing lit", lambda: runs.told("val/loss", "hot") is None)


def test_dragging_zooms_all_charts_and_a_double_click_resets(runs):
    page = runs.page
    box = page.get_by_role("region", name="val/loss", exact=True).locator(".chart").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.4, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, middle, steps=4)
    page.mouse.up()
    wait_until(
        "both zoomed",
        lambda: all(
            domain and domain[1] - domain[0] < 12
            for domain in (runs.told(title, "xDomain") for title in ("val/loss", "train/loss"))
        ),
    )
    page.get_by_role("button", name="Reset zoom").click()
    wait_until("all steps", lambda: runs.told("train/loss", "xDomain") == [0, 29])


def test_arrow_keys_read_a_chart_aloud(runs):
    page = runs.page
    card = page.get_by_role("region", name="val/loss", exact=True)
    card.locator(".chart").focus()
    for key in ("ArrowLeft", "ArrowLeft", "ArrowDown"):
        page.keyboard.press(key)
    expect(card.locator("[aria-live]")).to_contain_text(re.compile(r"step 28, \S+ 0\.\d+"))


def test_smoothing_and_log_go_into_the_address(runs):
    page = runs.page
    wait_until("an axis", lambda: runs.told("val/loss", "yDomain"))
    domain = runs.told("val/loss", "yDomain")
    page.get_by_label("Smoothing").fill("0.9")
    page.get_by_label("Log y").check()
    wait_until("another axis", lambda: runs.told("val/loss", "yDomain") not in (None, domain))
    expect(page).to_have_url(re.compile(r"smooth=0\.9"))
    expect(page).to_have_url(re.compile("y=log"))
    page.get_by_role("button", name="Time", exact=True).click()
    # While the series are read anew the chart has no domain.
    wait_until("an axis in seconds", lambda: (runs.told("val/loss", "xDomain") or [0, 29])[1] != 29)


def test_the_theme_can_be_chosen_and_is_kept(runs):
    page = runs.page
    colour = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(colour)
    page.get_by_role("button", name=re.compile("^Theme")).click()
    page.get_by_role("button", name=re.compile("^Theme: light")).click()
    wait_until("the dark theme", lambda: page.evaluate("document.documentElement.dataset.theme") == "dark")
    wait_until("another colour", lambda: page.evaluate(colour) != light)
    page.reload()
    expect(page.get_by_role("button", name=re.compile("^Theme: dark"))).to_be_visible()
    wait_until("another colour after a reload", lambda: page.evaluate(colour) != light)


def test_what_is_not_there_is_said_in_plain_words(runs, server):
    page = runs.page
    runs.tolerated = re.compile("404")
    page.goto(f"{server.origin}/p/paced/runs/zzzzzzzz")
    expect(page.get_by_role("alert")).to_contain_text("zzzzzzzz")
    expect(page.get_by_role("button", name="Retry")).to_be_visible()
    page.goto(f"{server.origin}/p/paced/sweeps/zzzzzzzz")
    expect(page.get_by_role("alert")).to_contain_text("zzzzzzzz")
    page.goto(f"{server.origin}/p/nothing-here/runs")
    expect(page.get_by_role("alert")).to_contain_text("nothing-here")
    expect(page.get_by_role("region", name="Start a run")).to_contain_text('project="nothing-here"')
    page.goto(f"{server.origin}/nowhere/at/all")
    expect(page.get_by_text("There is no page here")).to_be_visible()


def test_every_control_has_a_name(runs, server):
    page = runs.page
    sweep = server.get("/sweeps?project=paced")["items"][0]["id"]
    run = server.get("/runs?project=paced")["items"][0]["id"]
    for path in (
        "/",
        "/p/paced/runs",
        f"/p/paced/runs/{run}",
        "/p/paced/runs?group=lr",
        "/p/paced/runs?archived=1",
        f"/p/paced/compare?runs={run}",
        f"/p/paced/runs/{run}?tab=logs",
        f"/p/paced/runs/{run}?tab=system",
        f"/p/paced/runs/{run}?tab=files",
        f"/p/paced/runs/{run}?tab=model",
        f"/p/paced/runs/{run}?tab=media",
        "/p/paced/runs?trash=1",
        "/p/paced/sweeps",
        f"/p/paced/sweeps/{sweep}",
    ):
        page.goto(server.origin + path)
        expect(page.get_by_text("Live", exact=True)).to_be_visible()
        expect(page.locator(".skeleton")).to_have_count(0)
        nameless = page.evaluate(
            """() => [...document.querySelectorAll('a, button, input, select, [tabindex="0"]')].filter((each) => {
                 const name = each.getAttribute('aria-label') || each.textContent.trim() || each.title ||
                   [...(each.labels ?? [])].map((label) => label.textContent.trim()).join('');
                 return !name;
               }).map((each) => each.outerHTML)"""
        )
        assert nameless == [], path
