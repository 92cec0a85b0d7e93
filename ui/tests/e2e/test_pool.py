"""The pool page: who holds which GPU, who waits and why, and what is changed there, on a server with declared GPUs."""

import re

import pytest
from conftest import LOOKS, WIDE, wait_until
from playwright.sync_api import expect

PAIRS = """\
name: pairs
project: paced
program: train.py
method: grid
metric: {name: val/loss, goal: minimize}
parameters:
  lr: {values: [0.1, 0.2, 0.3, 0.4]}
resources: {gpus: 2}
max_parallel: 4
"""
ALL_FOUR = PAIRS.replace("gpus: 2", "gpus: 4")


def region(page, name):
    return page.get_by_role("region", name=name, exact=True)


def waiting(page):
    return region(page, "Waiting").locator("tr[data-row]")


def card(page, number):
    return page.get_by_role("article", name=f"GPU {number}", exact=True)


def in_line(server, count):
    """The names of those who wait, in the order of the line, once there are so many."""
    wait_until(f"{count} wait", lambda: len(server.get("/pool")["queue"]) == count)
    return [entry["run_name"] for entry in server.get("/pool")["queue"]]


@pytest.mark.parametrize("look", LOOKS)
def test_the_pool_is_followed_from_full_to_empty(gpus, window, look):
    size, scheme = look
    phone = size["width"] < 760
    gpus.sweep(PAIRS)
    gpus.wait_for_runs(2, "running")
    names = in_line(gpus, 2)
    mine = window(size, scheme)
    page = mine.page
    mine.sign_in(gpus)
    page.evaluate("window.sameDocument = true")

    # The meter leads there.
    meter = page.get_by_role("link", name="Pool: 4 of 4 GPUs in use, 2 runs running, 2 waiting")
    expect(meter).to_contain_text("4/4" if phone else "4/4 GPUs · 2 waiting")
    meter.click()
    expect(page).to_have_url(re.compile("/pool$"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Pool")
    expect(page.locator(".sentence")).to_have_text("4 GPUs: 4 in use, 0 free, 2 runs running, 2 waiting.")
    for number in range(4):
        expect(card(page, number)).to_contain_text("in use")
        expect(card(page, number).get_by_role("listitem")).to_have_count(1)

    # The line: places, names and reasons.
    expect(waiting(page)).to_have_count(2)
    for row, name in enumerate(names):
        expect(waiting(page).nth(row)).to_contain_text(name)
    expect(waiting(page).nth(0)).to_contain_text("It needs 2 devices: 0 are free")
    expect(waiting(page).nth(1)).to_contain_text("before it in the line")
    expect(region(page, "Running").locator("tr[data-row]")).to_have_count(2)
    mine.fits()

    # The lanes: one span on each GPU.
    region(page, "Over time").scroll_into_view_if_needed()
    wait_until(
        "a span on each GPU",
        lambda: (
            [(line["name"], line["points"]) for line in mine.lines("Over time")] == [(f"GPU {n}", 1) for n in range(4)]
        ),
    )
    chart = page.get_by_role("application", name=re.compile("Who holds which GPU"))
    chart.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(region(page, "Over time").locator("[aria-live]")).to_have_text(re.compile(r"^GPU 1: .+, GPU \d, \d, for "))

    # To the end: the others follow, then all are free, and the lanes remember.
    gpus.allow("all")
    expect(region(page, "Waiting")).to_contain_text("Nobody waits.")
    expect(region(page, "Running")).to_contain_text("Nothing runs at the moment.")
    for number in range(4):
        expect(card(page, number)).to_contain_text("free")
    wait_until("two spans on each GPU", lambda: [line["points"] for line in mine.lines("Over time")] == [2, 2, 2, 2])
    mine.fits()
    assert page.evaluate("window.sameDocument"), "the page was loaded anew"

    # What ended is known to a page that is loaded afterwards, too.
    page.reload()
    region(page, "Over time").scroll_into_view_if_needed()
    wait_until("remembered", lambda: [line["points"] for line in mine.lines("Over time")] == [2, 2, 2, 2])


def test_the_line_is_changed_from_the_page(gpus, window):
    gpus.sweep(ALL_FOUR)
    gpus.wait_for_runs(1, "running")
    names = in_line(gpus, 3)
    mine = window()
    page = mine.page
    mine.sign_in(gpus, "/pool")
    expect(waiting(page)).to_have_count(3)

    # To the front by its button, to the end by a key.
    page.get_by_role("button", name=f"{names[2]}: to the front").click()
    expect(page.get_by_text(f"{names[2]} is at the front of the line.")).to_be_visible()
    expect(waiting(page).nth(0)).to_contain_text(names[2])
    page.keyboard.press("j")
    expect(waiting(page).nth(0)).to_have_class(re.compile("active"))
    page.keyboard.press("e")
    expect(waiting(page).nth(2)).to_contain_text(names[2])

    # A priority, and back by Undo.
    page.get_by_role("button", name=f"{names[2]}: more").click()
    dialog = page.get_by_role("dialog", name=names[2])
    expect(dialog).to_contain_text("The third in line.")
    dialog.get_by_label("Priority").fill("five")
    expect(dialog).to_contain_text("A priority is a whole number")
    expect(dialog.get_by_role("button", name="Set")).to_be_disabled()
    dialog.get_by_label("Priority").fill("5")
    dialog.get_by_role("button", name="Set").click()
    expect(page.get_by_text(f"{names[2]} has priority 5.")).to_be_visible()
    expect(waiting(page).nth(0)).to_contain_text(names[2])
    page.get_by_role("button", name="Undo").click()
    expect(waiting(page).nth(2)).to_contain_text(names[2])
    assert [entry["priority"] for entry in gpus.get("/pool")["queue"]] == [0, 0, 0]

    # One of them does not want to run any more.
    page.get_by_role("button", name=f"{names[1]}: more").click()
    page.get_by_role("dialog", name=names[1]).get_by_role("button", name="Stop").click()
    expect(waiting(page)).to_have_count(2)
    expect(region(page, "Waiting")).not_to_contain_text(names[1])


def test_a_gpu_leaves_service_and_comes_back(gpus, window):
    mine = window()
    page = mine.page
    mine.sign_in(gpus, "/pool")
    expect(card(page, 2)).to_contain_text("free")
    page.get_by_role("button", name="GPU 2: more").click()
    page.get_by_role("menuitem", name="Cordon…").click()
    dialog = page.get_by_role("dialog", name="Cordon GPU 2?")
    dialog.get_by_label("Why").fill("a loose cable")
    dialog.get_by_role("button", name="Cordon").click()
    expect(card(page, 2)).to_contain_text("Out of service: a loose cable.")
    expect(page.locator(".sentence")).to_contain_text("1 out of service")

    page.get_by_role("button", name="Undo").click()
    expect(card(page, 2)).to_contain_text("free")
    expect(page.locator(".sentence")).not_to_contain_text("out of service")

    # Drained, whoever holds it makes room, and waits for another.
    gpus.sweep(PAIRS.replace("[0.1, 0.2, 0.3, 0.4]", "[0.1, 0.2]"))
    gpus.wait_for_runs(2, "running")
    expect(page.locator(".sentence")).to_contain_text("4 in use")
    page.get_by_role("button", name="GPU 0: more").click()
    page.get_by_role("menuitem", name="Drain…").click()
    page.get_by_role("dialog", name="Drain GPU 0?").get_by_role("button", name="Drain").click()
    expect(card(page, 0)).to_contain_text("Emptied.")
    expect(waiting(page)).to_have_count(1)
    expect(waiting(page)).to_contain_text("is out of service")
    page.get_by_role("button", name="GPU 0: more").click()
    page.get_by_role("menuitem", name="Back into service").click()
    expect(region(page, "Waiting")).to_contain_text("Nobody waits.")
    expect(card(page, 0)).to_contain_text("in use")


def test_a_run_makes_room_for_the_next(gpus, window):
    gpus.sweep(ALL_FOUR)
    first = gpus.wait_for_runs(1, "running")[0]["name"]
    second = in_line(gpus, 3)[0]
    mine = window()
    page = mine.page
    mine.sign_in(gpus, "/pool")
    page.get_by_role("button", name=f"{first}: make room…").click()
    page.get_by_role("dialog").get_by_role("button", name="Make room").click()
    running = region(page, "Running").locator("tr[data-row]")
    expect(running).to_contain_text(second)
    expect(running).to_have_count(1)
    expect(waiting(page).nth(2)).to_contain_text(first)


def test_gpus_are_found_by_key_and_palette(gpus, window):
    mine = window()
    page = mine.page
    mine.sign_in(gpus)
    page.keyboard.press("g")
    page.keyboard.press("p")
    expect(page).to_have_url(re.compile("/pool$"))
    expect(card(page, 3)).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("h")
    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name="Where to")
    expect(field).to_be_focused()
    field.fill("gpu 2")
    expect(page.get_by_role("option", selected=True)).to_contain_text("GPU 2")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/pool\?gpu=2$"))
    expect(card(page, 2)).to_be_focused()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_the_palette_finds_runs_by_name(server, window):
    server.new_run(name="needle-in-haystack")
    mine = window()
    page = mine.page
    mine.sign_in(server)
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Where to").fill("needle")
    expect(page.get_by_role("option")).to_contain_text(["needle-in-haystack"])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("needle-in-haystack")


@pytest.mark.parametrize("look", LOOKS)
def test_without_gpus_the_page_explains(server, window, look):
    mine = window(*look)
    page = mine.page
    mine.sign_in(server, "/pool")
    expect(page.get_by_role("heading", name="No GPUs are shared out here")).to_be_visible()
    expect(page.get_by_text("martlet up --devices 4")).to_be_visible()
    expect(page.locator(".pool-meter")).to_have_count(0)
    mine.fits()
    server.sweep()
    server.wait_for_runs(2, "running")
    running = region(page, "Running").locator("tr[data-row]")
    expect(running).to_have_count(2)
    expect(running.first).to_contain_text("CPU")
    expect(page.get_by_role("link", name="Pool: 2 runs running, 0 waiting")).to_be_visible()
    region(page, "Over time").scroll_into_view_if_needed()
    wait_until("both in the lanes", lambda: sum(line["points"] for line in mine.lines("Over time")) == 2)
    mine.fits()


def sign_in_with(mine, server, scopes, path="/pool"):
    """Opens a page with a token of these scopes."""
    token = server.send("POST", "/tokens", {"name": "test", "scopes": scopes})["token"]
    mine.page.add_init_script(f"localStorage.setItem('martlet.token', {token!r})")
    mine.page.goto(server.origin + path)
    expect(mine.page.get_by_text("Live", exact=True)).to_be_visible()


def test_who_may_only_read_sees_all_and_changes_nothing(gpus, window):
    gpus.sweep(ALL_FOUR)
    gpus.wait_for_runs(1, "running")
    in_line(gpus, 3)
    mine = window()
    page = mine.page
    sign_in_with(mine, gpus, ["read"])
    expect(waiting(page)).to_have_count(3)
    expect(region(page, "How it chooses")).to_contain_text("First come, first served")
    assert (
        page.locator("main").get_by_role("button", name=re.compile("more|front|back|stop|room|Change", re.I)).count()
        == 0
    )


def test_an_administrator_changes_the_rules(gpus, window):
    mine = window(WIDE, "dark")
    page = mine.page
    sign_in_with(mine, gpus, ["admin"])
    rules = region(page, "How it chooses")
    rules.get_by_role("button", name="Change…").click()
    dialog = page.get_by_role("dialog", name="How the pool chooses")
    dialog.get_by_label("How many newer requests may pass one").fill("many")
    expect(dialog.get_by_role("button", name="Save")).to_be_disabled()
    expect(dialog).to_contain_text("A whole number from 0")
    dialog.get_by_label("How many newer requests may pass one").fill("4")
    dialog.get_by_label("Runs without GPUs at a time").fill("2")
    dialog.get_by_role("button", name="Save").click()
    expect(rules).to_contain_text("A request may pass one that came at most 4 requests before it.")
    expect(rules).to_contain_text("At most 2 runs without GPUs at a time.")
    page.get_by_role("button", name="Undo").click()
    expect(rules).to_contain_text("First come, first served")
    expect(rules).to_contain_text("Runs without GPUs start at once.")


def test_the_pool_stays_on_screen_while_the_server_is_away(gpus, window):
    gpus.sweep(PAIRS)
    gpus.wait_for_runs(2, "running")
    in_line(gpus, 2)
    mine = window()
    page = mine.page
    mine.sign_in(gpus, "/pool")
    expect(waiting(page)).to_have_count(2)
    mine.tolerated = re.compile("ERR_INTERNET_DISCONNECTED|Failed to load resource")
    mine.context.set_offline(True)
    expect(page.get_by_role("button", name=re.compile("Reconnecting"))).to_be_visible()
    expect(waiting(page)).to_have_count(2)
    gpus.allow("all")
    wait_until("nobody waits", lambda: gpus.get("/pool")["totals"]["waiting"] == 0)
    mine.context.set_offline(False)
    expect(region(page, "Waiting")).to_contain_text("Nobody waits.")
