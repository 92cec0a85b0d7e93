"""Runs that are deleted: the question, the way back, the trash, and the end."""

import re

import pytest
from conftest import LOOKS, wait_until
from playwright.sync_api import expect


@pytest.fixture
def runs(server):
    """Three ended runs by name."""
    made = {}
    for i, name in enumerate(("one", "two", "three")):
        made[name] = server.new_run(name=name)
        server.log(made[name], [(step, {"loss": 1 / (1 + step + i)}) for step in range(5)])
        server.send("POST", f"/runs/{made[name]}/finish", {"state": "finished"})
    return made


def rows(page):
    return page.get_by_role("region", name="Runs", exact=True).locator("tr[data-row]")


def kept(server) -> set[str]:
    return {run["name"] for run in server.get("/runs?project=logged")["items"]}


def expect_kept(server, names: set[str]) -> None:
    """The page may say so a moment before the server."""
    wait_until(f"{names} are kept", lambda: kept(server) == names)


@pytest.mark.parametrize("look", LOOKS)
def test_a_run_is_deleted_from_its_page_and_brought_back(server, window, runs, look):
    mine = window(*look)
    page = mine.page
    mine.sign_in(server, f"/p/logged/runs/{runs['two']}")
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Delete…").click()
    dialog = page.get_by_role("dialog", name="Delete two?")
    expect(dialog).to_contain_text("30 days")
    mine.fits()
    dialog.get_by_role("button", name="Keep it").click()
    expect(dialog).to_have_count(0)
    expect_kept(server, {"one", "two", "three"})
    page.get_by_role("button", name="More").click()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Move to the trash").click()
    expect(page.get_by_text("two is in the trash.")).to_be_visible()
    expect(rows(page)).to_have_count(2)
    expect_kept(server, {"one", "three"})
    page.get_by_role("button", name="Undo").click()
    expect(rows(page)).to_have_count(3)
    expect_kept(server, {"one", "two", "three"})
    mine.fits()


def test_several_runs_are_deleted_at_once_and_a_key_undoes_it(server, window, runs):
    mine = window()
    page = mine.page
    mine.sign_in(server, "/p/logged/runs")
    page.get_by_role("button", name="Select runs").click()
    page.get_by_label("Select one").check()
    page.get_by_label("Select three").check()
    expect(page.get_by_role("toolbar")).to_contain_text("2 selected")
    page.get_by_role("button", name="Delete…").click()
    dialog = page.get_by_role("dialog", name="Delete 2 runs?")
    expect(dialog).to_contain_text("three")
    dialog.get_by_role("button", name="Move to the trash").click()
    expect(page.get_by_text("2 runs are in the trash.")).to_be_visible()
    expect(rows(page)).to_have_count(1)
    wait_until("only one line", lambda: [len(chart["lines"]) for chart in mine.charts()] == [1])
    page.keyboard.press("z")
    expect(rows(page)).to_have_count(3)
    expect_kept(server, {"one", "two", "three"})


def test_rows_are_selected_by_keys(server, window, runs):
    mine = window()
    page = mine.page
    mine.sign_in(server, "/p/logged/runs")
    expect(rows(page)).to_have_count(3)
    page.get_by_role("region", name="Charts", exact=True).first.click(position={"x": 300, "y": 5})
    page.keyboard.press("j")
    page.keyboard.press(" ")
    page.keyboard.press("j")
    page.keyboard.press(" ")
    expect(page.get_by_role("toolbar")).to_contain_text("2 selected")
    page.keyboard.press("Escape")
    expect(page.get_by_role("toolbar")).to_have_count(0)


@pytest.mark.parametrize("look", LOOKS)
def test_the_trash_gives_back_and_deletes_for_ever(server, window, runs, look):
    for name in ("one", "two"):
        server.send("DELETE", f"/runs/{runs[name]}")
    mine = window(*look)
    page = mine.page
    mine.sign_in(server, "/p/logged/runs")
    expect(rows(page)).to_have_count(1)
    page.get_by_role("button", name="More about these runs").click()
    page.get_by_role("menuitem", name="Trash").click()
    trash = page.get_by_role("region", name="Deleted runs").locator("tr[data-row]")
    expect(trash).to_have_count(2)
    expect(trash.first).to_contain_text("30 days")
    mine.fits()
    page.get_by_role("button", name="Delete two for ever").click()
    dialog = page.get_by_role("dialog", name="Delete two for ever?")
    certain = dialog.get_by_role("button", name="Delete for ever")
    expect(certain).to_be_disabled()
    dialog.get_by_role("textbox").fill("tw")
    expect(certain).to_be_disabled()
    dialog.get_by_role("textbox").fill("two")
    certain.click()
    expect(trash).to_have_count(1)
    deleted = "/runs?project=logged&deleted=true"
    wait_until("one is left", lambda: [run["name"] for run in server.get(deleted)["items"]] == ["one"])
    trash.first.get_by_title("Restore one").click()
    expect(page.get_by_text("The trash is empty")).to_be_visible()
    page.get_by_role("button", name="Back to the runs").click()
    expect(rows(page)).to_have_count(2)
    expect_kept(server, {"one", "three"})


def test_a_run_that_somebody_else_deletes_goes_from_the_list_and_its_page_says_so(server, window, runs):
    mine, other = window(), window()
    mine.sign_in(server, "/p/logged/runs")
    other.sign_in(server, f"/p/logged/runs/{runs['one']}")
    expect(rows(mine.page)).to_have_count(3)
    server.send("DELETE", f"/runs/{runs['one']}")
    expect(rows(mine.page)).to_have_count(2)
    expect(other.page.get_by_text("It is in the trash")).to_be_visible()
    other.page.get_by_role("button", name="Restore").click()
    expect(other.page.get_by_text("It is in the trash")).to_have_count(0)
    expect(rows(mine.page)).to_have_count(3)


def test_a_run_that_goes_on_must_be_stopped_first(server, window):
    server.sweep()
    run = server.wait_for_runs(2, "running")[0]
    mine = window()
    page = mine.page
    mine.sign_in(server, f"/p/paced/runs/{run['id']}")
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Delete…").click()
    expect(page.get_by_role("dialog")).to_contain_text(re.compile("still runs"))
    expect(page.get_by_role("button", name="Move to the trash")).to_be_disabled()
