"""What a reader changes where it stands: names, tags, notes; and many runs at once."""

import re

import pytest
from conftest import LOOKS, wait_until
from playwright.sync_api import expect


@pytest.fixture
def runs(server):
    made = {}
    for i, name in enumerate(("one", "two", "three")):
        made[name] = server.new_run(name=name, tags=["old"], config={"lr": i / 10})
        server.log(made[name], [(step, {"loss": 1 / (1 + step + i)}) for step in range(5)])
        server.send("POST", f"/runs/{made[name]}/finish", {"state": "finished"})
    return made


def rows(page):
    return page.get_by_role("region", name="Runs", exact=True).locator("tr[data-row]")


def select(page, *names):
    page.get_by_role("button", name="Select runs").click()
    for name in names:
        page.get_by_label(f"Select {name}", exact=True).check()


@pytest.mark.parametrize("look", LOOKS)
def test_name_tags_and_notes_are_changed_on_the_page(server, window, runs, look):
    mine = window(*look)
    page = mine.page
    mine.sign_in(server, f"/p/logged/runs/{runs['one']}")
    page.get_by_role("button", name="Change the name").click()
    page.get_by_label("Change the name").fill("first")
    mine.fits("the page with a field")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("first")
    page.get_by_role("button", name="tag", exact=True).click()
    page.get_by_label("Another tag").fill("new, tags")
    page.keyboard.press("Enter")
    tags = page.get_by_role("list", name=re.compile("^Tags of"))
    expect(tags).to_contain_text("new")
    page.get_by_role("button", name="Take the tag old away").click()
    expect(tags).not_to_contain_text("old")
    page.get_by_role("button", name="Change the notes").click()
    page.get_by_label("Change the notes").fill("two\nlines")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("region", name="Notes")).to_contain_text("two")
    run = f"/runs/{runs['one']}"
    wait_until("it is kept", lambda: server.get(run)["notes"] == "two\nlines")
    assert (server.get(run)["name"], sorted(server.get(run)["tags"])) == ("first", ["new", "tags"])
    # What happened says who and what.
    expect(page.get_by_role("region", name="What happened")).to_contain_text("Renamed")
    mine.fits()


def test_a_row_is_renamed_by_keys(server, window, runs):
    mine = window()
    page = mine.page
    mine.sign_in(server, "/p/logged/runs")
    expect(rows(page)).to_have_count(3)
    page.get_by_role("region", name="Charts", exact=True).first.click(position={"x": 300, "y": 5})
    page.keyboard.press("j")
    page.keyboard.press("e")
    page.keyboard.type("renamed")
    page.keyboard.press("Enter")
    expect(rows(page).first).to_contain_text("renamed")
    wait_until("it is kept", lambda: "renamed" in [run["name"] for run in server.get("/runs?project=logged")["items"]])
    # Escape keeps the name as it was.
    page.keyboard.press("e")
    page.keyboard.type("never")
    page.keyboard.press("Escape")
    expect(rows(page).first).to_contain_text("renamed")


def test_runs_are_tagged_and_that_is_undone(server, window, runs):
    mine = window()
    page = mine.page
    mine.sign_in(server, "/p/logged/runs")
    select(page, "one", "three")
    page.get_by_role("button", name="Tag…").click()
    dialog = page.get_by_role("dialog", name="Tags of 2 runs")
    dialog.get_by_label(re.compile("^Add tags")).fill("ablation")
    dialog.get_by_label("old").uncheck()
    dialog.get_by_role("button", name="Change tags").click()
    tags = lambda: {run["name"]: run["tags"] for run in server.get("/runs?project=logged")["items"]}  # noqa: E731
    wait_until("tagged", lambda: tags() == {"one": ["ablation"], "two": ["old"], "three": ["ablation"]})
    page.get_by_role("button", name="Undo").click()
    wait_until("as before", lambda: set(map(tuple, tags().values())) == {("old",)})


def test_runs_are_archived_seen_in_the_archive_and_brought_back(server, window, runs):
    mine = window()
    page = mine.page
    mine.sign_in(server, "/p/logged/runs")
    select(page, "one", "two")
    page.get_by_role("button", name="More to do with the selected runs").click()
    page.get_by_role("menuitem", name="Archive").click()
    expect(rows(page)).to_have_count(1)
    page.get_by_role("button", name="More about these runs").click()
    page.get_by_role("menuitem", name="Archive").click()
    expect(rows(page)).to_have_count(2)
    expect(page.get_by_text("These runs are archived")).to_be_visible()
    select(page, "one")
    page.get_by_role("button", name="More to do with the selected runs").click()
    page.get_by_role("menuitem", name="Back from the archive").click()
    expect(rows(page)).to_have_count(1)
    page.get_by_role("button", name="Back to the others").click()
    expect(rows(page)).to_have_count(2)


def test_a_locked_run_is_kept_from_deletion_and_moved_runs_are_elsewhere(server, window, runs):
    mine = window()
    page = mine.page
    mine.sign_in(server, f"/p/logged/runs/{runs['one']}")
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Lock", exact=True).click()
    expect(page.locator("h1")).to_contain_text("locked")
    mine.tolerated = re.compile("Failed to load resource")
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Delete…").click()
    page.get_by_role("button", name="Move to the trash").click()
    expect(page.locator(".toast.bad")).to_contain_text(re.compile("lock"))
    page.goto(f"{server.origin}/p/logged/runs")
    select(page, "two")
    page.get_by_role("button", name="More to do with the selected runs").click()
    page.get_by_role("menuitem", name="Move…").click()
    page.get_by_label("To the project").fill("elsewhere")
    page.get_by_role("button", name="Move", exact=True).click()
    expect(rows(page)).to_have_count(2)
    wait_until("it is there", lambda: server.get(f"/runs/{runs['two']}")["project"] == "elsewhere")
