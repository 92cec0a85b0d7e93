"""Runs that are nested in others: below these in the table, flat in a filter's answer, with the way up."""

import re

import pytest
from conftest import LOOKS, wait_until
from playwright.sync_api import expect


def rows(page):
    return page.get_by_role("region", name="Runs", exact=True).locator("tr[data-row]")


def names(page) -> list[str]:
    return rows(page).locator(".nest-name .run-link").all_inner_texts()


@pytest.fixture
def tree(server):
    """A search of three tries, one of which has two parts, and a run beside it."""
    top = server.new_run("nested", name="search")
    tries = [server.new_run("nested", name=f"try-{i}", parent=top) for i in range(3)]
    for i, run in enumerate(tries):
        server.log(run, [(0, {"loss": 3 - i}), (1, {"loss": 2.5 - i})])
    for i in range(2):
        server.new_run("nested", name=f"part-{i}", parent=tries[0])
    server.new_run("nested", name="beside")
    return top, tries


@pytest.mark.parametrize("look", LOOKS)
def test_a_run_opens_to_what_is_nested_in_it(server, window, tree, look):
    top, tries = tree
    mine = window(*look)
    page = mine.page
    mine.sign_in(server, "/p/nested/runs")
    wait_until("the roots alone", lambda: names(page) == ["beside", "search"])
    page.get_by_role("button", name="Nested in search: 3 runs").click()
    wait_until("the tries", lambda: names(page) == ["beside", "search", "try-2", "try-1", "try-0"])
    expect(page.get_by_role("button", name="Nested in search: 3 runs")).to_have_attribute("aria-expanded", "true")
    page.get_by_role("button", name="Nested in try-0: 2 runs").click()
    all_of_it = ["beside", "search", "try-2", "try-1", "try-0", "part-1", "part-0"]
    wait_until("its parts", lambda: names(page) == all_of_it)
    mine.fits()

    # A new one comes below its run by itself; the address holds what is open.
    server.new_run("nested", name="late", parent=top)
    wait_until("the late one", lambda: names(page) == ["beside", "search", "late", *all_of_it[2:]])
    expect(page.get_by_role("button", name="Nested in search: 4 runs")).to_be_visible()
    page.reload()
    wait_until("the same after a reload", lambda: names(page) == ["beside", "search", "late", *all_of_it[2:]])
    expect(page).to_have_url(re.compile(rf"open={top}\.{tries[0]}"))
    page.get_by_role("button", name="Nested in search: 4 runs").click()
    wait_until("closed", lambda: names(page) == ["beside", "search"])


def test_sort_filter_and_keys(server, window, tree):
    top, tries = tree
    mine = window()
    page = mine.page
    mine.sign_in(server, f"/p/nested/runs?open={top}")
    wait_until("the tries", lambda: names(page) == ["beside", "search", "try-2", "try-1", "try-0"])
    # Charts draw what the table shows.
    wait_until("three lines", lambda: len(mine.lines("loss")) == 3)
    page.get_by_role("button", name="Run", exact=True).click()
    wait_until("by name at each level", lambda: names(page) == ["beside", "search", "try-0", "try-1", "try-2"])

    # With a filter the rows are flat, each with the way to the run that it is part of.
    page.keyboard.press("/")
    page.keyboard.type("name ~ try")
    page.keyboard.press("Enter")
    wait_until("the tries alone", lambda: names(page) == ["try-0", "try-1", "try-2"])
    up = page.get_by_role("link", name=re.compile("^try-0 is part of"))
    expect(up).to_have_attribute("href", re.compile(f"/runs/{top}$"))
    up.click()
    expect(page.locator("h1")).to_contain_text("search")
    page.go_back()
    wait_until("the tries again", lambda: names(page) == ["try-0", "try-1", "try-2"])

    # By keys: the row of the search is opened and closed.
    page.goto(f"{server.origin}/p/nested/runs")
    wait_until("the roots", lambda: names(page) == ["beside", "search"])
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("tr.active")).to_contain_text("search")
    page.keyboard.press("o")
    wait_until("open", lambda: len(names(page)) == 5)
    page.keyboard.press("o")
    wait_until("closed again", lambda: len(names(page)) == 2)

    # What is nested in an archived run stands alone.
    server.send("PATCH", f"/runs/{top}", {"archived": True})
    wait_until("the tries alone", lambda: names(page) == ["beside", "try-2", "try-1", "try-0"])
    expect(page.get_by_role("link", name=re.compile("^try-2 is part of"))).to_be_visible()
