"""The table of runs: filtered, sorted by the server, in groups, with columns of the whole project."""

import re

import pytest
from conftest import LOOKS, wait_until
from playwright.sync_api import expect


@pytest.fixture
def runs(server):
    """Twelve ended runs of three learning rates and four seeds, and one that failed."""
    made = {}
    for i in range(12):
        lr, seed = (0.1, 0.01, 0.001)[i % 3], i // 3
        name = f"run-{i}"
        made[name] = server.new_run(
            name=name, config={"lr": lr, "seed": seed, "model": {"depth": 2}}, tags=[f"t{seed}"]
        )
        rows = [
            (step, {"val/loss": lr + seed / 100 + 1 / (1 + step), "train/loss": 1 / (2 + step)}) for step in range(6)
        ]
        server.log(made[name], rows)
        server.send("POST", f"/runs/{made[name]}/finish", {"state": "finished"})
    made["bad"] = server.new_run(name="bad", config={"lr": 9})
    server.send("POST", f"/runs/{made['bad']}/finish", {"state": "failed"})
    return made


def rows(page, name="Runs"):
    return page.get_by_role("region", name=name, exact=True).locator("tr[data-row]")


def field(page):
    return page.get_by_label("Filter", exact=True)


@pytest.mark.parametrize("look", LOOKS)
def test_a_filter_is_written_completed_and_taken_apart(server, window, runs, look):
    mine = window(*look)
    page = mine.page
    mine.sign_in(server, "/p/logged/runs")
    expect(rows(page)).to_have_count(13)
    page.keyboard.press("/")
    page.keyboard.type("lr<0.05 stat")
    options = page.get_by_role("listbox", name="Completions").get_by_role("option")
    expect(options.first).to_contain_text("state")
    mine.fits("the page with completions")
    page.keyboard.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(field(page)).to_have_value(re.compile(r"^lr<0\.05 state"))
    field(page).fill("lr<0.05 state:finished")
    expect(rows(page)).to_have_count(8)
    expect(page.locator(".table-foot")).to_contain_text("13 runs")
    expect(page.locator(".table-foot")).to_contain_text("8 shown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"q=lr"))
    page.reload()
    expect(rows(page)).to_have_count(8)
    expect(field(page)).to_have_value("lr<0.05 state:finished")
    chips = page.get_by_role("list", name="Clauses of the filter").get_by_role("listitem")
    expect(chips).to_have_count(2)
    mine.fits("the page with chips")
    chips.first.get_by_role("button").click()
    expect(rows(page)).to_have_count(12)
    expect(field(page)).to_have_value("state:finished")
    page.get_by_role("button", name="Clear the filter").click()
    expect(rows(page)).to_have_count(13)


def test_what_is_not_understood_is_marked_and_leaves_the_table(server, window, runs):
    mine = window()
    page = mine.page
    mine.sign_in(server, "/p/logged/runs?q=lr<0.05")
    expect(rows(page)).to_have_count(8)
    field(page).fill("lr<0.05 val/los.min<")
    expect(field(page)).to_have_attribute("aria-invalid", "true")
    expect(page.locator(".filter-error").first).to_be_visible()
    expect(page.locator(".filter-mirror mark")).to_have_count(1)
    expect(rows(page)).to_have_count(8)
    expect(page).to_have_url(re.compile(r"q=lr%3C0\.05$|q=lr<0\.05$"))
    field(page).fill("lr<0.05 val/loss.min<0.18")
    expect(field(page)).to_have_attribute("aria-invalid", "false")
    expect(rows(page)).to_have_count(3)


def test_nothing_left_says_which_clause_removes_the_last(server, window, runs):
    mine = window()
    page = mine.page
    mine.sign_in(server, "/p/logged/runs?q=state:finished lr>5 seed<3")
    expect(page.get_by_text("No run matches the filter")).to_be_visible()
    expect(page.get_by_text(re.compile("removes the last 12 runs"))).to_be_visible()
    page.get_by_role("button", name=re.compile(r"^Remove lr ?> ?5$")).last.click()
    expect(rows(page)).to_have_count(9)


def test_the_server_sorts_by_configuration_and_by_any_number_of_a_metric(server, window, runs):
    mine = window()
    page = mine.page
    mine.sign_in(server, "/p/logged/runs")
    page.get_by_role("button", name="lr", exact=True).click()
    expect(rows(page).first).to_contain_text("0.001")
    expect(rows(page).last).to_contain_text("bad")
    page.get_by_label("Which val/loss").select_option("min")
    page.get_by_role("button", name="val/loss", exact=True).click()
    expect(rows(page).first).to_contain_text("run-2")
    expect(rows(page).last).to_contain_text("bad")
    page.get_by_role("button", name="val/loss", exact=True).click()
    expect(rows(page).first).to_contain_text("run-9")
    expect(rows(page).last).to_contain_text("bad")
    # The address holds the order and which number it is of: another browser shows the same.
    other = window()
    address = page.url.replace(server.origin, "")
    other.sign_in(server, address)
    expect(rows(other.page).first).to_contain_text("run-9")
    expect(other.page.get_by_label("Which val/loss")).to_have_value("min")


@pytest.mark.parametrize("look", LOOKS)
def test_groups_show_their_spread_and_open(server, window, runs, look):
    mine = window(*look)
    page = mine.page
    phone = look[0]["width"] == 390
    mine.sign_in(server, "/p/logged/runs?q=state:finished")
    page.get_by_label("Group by", exact=True).select_option(label="lr")
    groups = rows(page, "Groups")
    expect(groups).to_have_count(3)
    expect(groups.filter(has_text="lr = 0.1")).to_contain_text("4")
    expect(groups.filter(has_text="lr = 0.1")).to_contain_text("±")
    expect(page).to_have_url(re.compile("group=config.lr"))
    mine.fits()
    page.get_by_role("button", name=re.compile("lr = 0.1")).click()
    expect(groups).to_have_count(7)
    expect(page.get_by_role("link", name="run-9", exact=True)).to_be_visible()
    if phone:
        page.get_by_role("button", name="Charts", exact=True).click()
    wait_until("a mean for each group", lambda: len(mine.lines("val/loss")) == 3)
    wait_until("six steps each", lambda: all(line["points"] == 6 for line in mine.lines("val/loss")))
    assert all("(4 runs)" in line["name"] for line in mine.lines("val/loss"))
    mine.fits("the charts of the groups")
    if phone:
        return
    page.get_by_role("button", name="val/loss", exact=True).click()
    expect(groups.first).to_contain_text("lr = 0.001")
    page.reload()
    expect(groups.first).to_contain_text("lr = 0.001")
    page.get_by_label("Spread of a group").select_option("iqr")
    expect(groups.first).to_contain_text("[")
    page.get_by_label("Group by", exact=True).select_option(label="seed")
    expect(groups).to_have_count(12)
    page.get_by_role("button", name="Do not group by lr").click()
    page.get_by_role("button", name="Do not group by seed").click()
    expect(rows(page)).to_have_count(12)


def test_columns_are_found_in_the_whole_project(server, window, runs):
    mine = window()
    page = mine.page
    mine.sign_in(server, "/p/logged/runs?q=lr>5")
    expect(rows(page)).to_have_count(1)
    page.get_by_role("button", name="Choose columns").click()
    dialog = page.get_by_role("dialog", name="Columns")
    expect(dialog.get_by_label("val/loss")).to_be_visible()
    dialog.get_by_label("Find a column").fill("tags")
    dialog.get_by_label("Tags").check()
    page.keyboard.press("Escape")
    expect(page.locator("th", has_text="Tags")).to_be_visible()
