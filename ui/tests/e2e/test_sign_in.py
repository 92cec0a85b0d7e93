"""Signing in: once through a link, then for good; never with anything left in the address."""

import re

from conftest import wait_until
from playwright.sync_api import expect


def test_a_link_signs_in_once_and_for_good(server, window):
    mine = window()
    page = mine.page
    page.goto(server.link)
    expect(page.get_by_text("Nothing has run yet")).to_be_visible()
    expect(page).to_have_url(server.origin + "/")
    assert mine.context.cookies() == []
    page.reload()
    expect(page.get_by_text("Nothing has run yet")).to_be_visible()

    # The link is spent: in another browser it says so, and how to get a fresh one.
    other = window()
    other.tolerated = re.compile("401")
    other.page.goto(server.link)
    expect(other.page.get_by_role("heading", name="Sign in to Martlet")).to_be_visible()
    expect(other.page.get_by_text("martlet status --link")).to_be_visible()
    expect(other.page).not_to_have_url(re.compile("code"))

    # In the first one an old link does no harm.
    mine.tolerated = re.compile("401")
    page.goto(server.origin + "/x")
    page.goto(server.link)
    expect(page.get_by_text("Nothing has run yet")).to_be_visible()


def test_without_a_token_the_page_says_how_to_sign_in(server, window):
    stranger = window()
    stranger.tolerated = re.compile("401")
    stranger.page.goto(server.origin + "/p/paced/runs")
    expect(stranger.page.get_by_role("heading", name="Sign in to Martlet")).to_be_visible()
    stranger.page.get_by_role("button", name="Copy the command").click()
    copied = "navigator.clipboard.readText()"
    wait_until("the command is copied", lambda: stranger.page.evaluate(copied) == "martlet status --link")

    # The link keeps the place: what was asked for is shown after signing in.
    stranger.tolerated = re.compile("401|404")
    stranger.page.goto(server.fresh_link().replace("/#", "/p/paced/runs#"))
    expect(stranger.page.get_by_role("alert")).to_contain_text("There is no project 'paced'")
    expect(stranger.page).to_have_url(server.origin + "/p/paced/runs")


def test_signing_out_forgets_the_token(server, window):
    mine = window()
    mine.page.goto(server.link)
    mine.page.get_by_role("button", name="Sign out").click()
    expect(mine.page.get_by_role("heading", name="Sign in to Martlet")).to_be_visible()
    token = "localStorage.getItem('martlet.token')"
    wait_until("the token is forgotten", lambda: mine.page.evaluate(token) is None)


def test_the_first_run_card_holds_this_servers_address(server, window):
    mine = window()
    mine.page.goto(server.link)
    card = mine.page.get_by_role("region", name="Start a run")
    expect(card).to_contain_text(server.origin)
    card.get_by_role("button", name="A sweep").click()
    expect(card).to_contain_text("martlet sweep run sweep.yaml")
