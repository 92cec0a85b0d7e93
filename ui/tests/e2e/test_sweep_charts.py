"""What a sweep's trials say: history, parallel coordinates, importance, slices and fronts, while they come."""

import re

import pytest
from conftest import LOOKS, WIDE, wait_until
from playwright.sync_api import expect

TRAINER = """\
import os, pathlib, time
import martlet

# It waits for its turn: the gate says how many trials may end.
run = martlet.init(project="paced")
x, kind = float(run.config["x"]), run.config["kind"]
gate = pathlib.Path(os.environ["GATE"])
while True:
    allowed = gate.read_text() if gate.exists() else "0"
    if allowed == "all" or int(os.environ["MARTLET_TRIAL_ID"]) < int(allowed or 0):
        break
    time.sleep(0.02)
run.log({"loss": 10 * x + (1 if kind == "b" else 0), "size": 2 - x}, step=0)
run.finish()
"""


def grid(name: str, rest: str) -> str:
    """A sweep of a loss over all points of its parameters, two at a time."""
    return f"""\
name: {name}
project: paced
program: train.py
method: grid
metric: {{name: loss, goal: minimize}}
max_parallel: 2
{rest}"""


# Twelve trials: x explains nearly all.
GRID = grid(
    "twelve",
    """\
parameters:
  x: {values: [0.01, 0.03, 0.1, 0.3, 1, 3]}
  kind: {values: [a, b]}
""",
)

TWO = GRID.replace(
    "metric: {name: loss, goal: minimize}",
    "objectives: [{name: loss, goal: minimize}, {name: size, goal: minimize}]",
)


def trials(page):
    return page.get_by_role("region", name="Trials", exact=True).locator("tr[data-row]")


def axes(mine) -> list[str]:
    return [line["name"] for line in mine.lines("Parameters")]


def test_the_charts_follow_the_trials(server, window):
    sweep = server.sweep(GRID, TRAINER)
    server.wait_for_runs(2, "running")
    mine = window()
    page = mine.page
    mine.sign_in(server, f"/p/paced/sweeps/{sweep}")
    page.evaluate("window.sameDocument = true")
    said = page.get_by_role("region", name="What the trials say")
    matters = page.get_by_role("region", name="What matters")
    expect(said).to_contain_text("No trial has ended yet.")
    expect(matters).to_contain_text("What matters can be said from 4 complete trials on: there are none yet.")

    # A few: the importances are there, and say that they are a first guess.
    server.allow(6)
    expect(said).to_contain_text("of 6 trials is 0.1, by trial 0.")
    expect(said).to_contain_text("It is too early to say whether the search still improves")
    bars = matters.get_by_role("listitem")
    expect(bars).to_have_count(2)
    expect(bars.first).to_contain_text("kind")  # as long as x is small
    expect(matters).to_contain_text("From 6 complete trials this is a first guess")
    wait_until("six values and two that run", lambda: mine.points("Parameters") == 3 * 8 - 2)

    server.allow("all")
    expect(page.locator("h1 .pill")).to_have_text("finished")
    expect(said).to_contain_text(re.compile("It (still|hardly|no longer) improves"))
    expect(said).to_contain_text(re.compile(r"x explains \d+ % of the differences in loss"))
    wait_until("all values", lambda: mine.points("Parameters") == 3 * 12)
    history = {line["id"]: line["points"] for line in mine.lines("loss by trial")}
    assert history == {"objective": 12, "best": 12}
    assert page.evaluate("window.sameDocument"), "the page was loaded anew"

    # By another method, with what it means; it is remembered.
    matters.get_by_role("button", name="Among the best").click()
    expect(matters).to_contain_text("PED-ANOVA")
    page.reload()
    expect(matters).to_contain_text("PED-ANOVA")

    # Each parameter alone, with the forest's mean.
    alone = page.get_by_role("region", name="Each parameter alone")
    alone.scroll_into_view_if_needed()
    wait_until(
        "the mean over x",
        lambda: {line["id"]: line["points"] for line in mine.lines("loss over x")} == {"trials": 12, "line": 6},
    )
    wait_until("the chart over kind is drawn", lambda: mine.told("loss over kind", "yDomain"))
    chart = page.get_by_role("application", name=re.compile("^loss over kind"))
    chart.focus()
    page.keyboard.press("End")
    expect(page.get_by_text(re.compile(r"^trial \d+, complete, kind b, loss \d"))).to_be_attached()


@pytest.mark.parametrize("look", LOOKS)
def test_an_axis_filters_the_trials_and_moves(server, window, look):
    size, scheme = look
    sweep = server.sweep(GRID, TRAINER)
    server.allow("all")
    mine = window(size, scheme)
    page = mine.page
    mine.sign_in(server, f"/p/paced/sweeps/{sweep}")
    expect(page.locator("h1 .pill")).to_have_text("finished")
    expect(trials(page)).to_have_count(12)
    card = page.get_by_role("region", name="Parameters")
    card.scroll_into_view_if_needed()
    wait_until("the axes of the file", lambda: axes(mine) == ["x", "kind", "loss (log)"])
    mine.fits()

    # By keys: the lower quarter of kind is a; a little up it is nothing, and Escape takes it away.
    slider = card.get_by_role("slider", name="Filter by kind")
    slider.focus()
    page.keyboard.press("ArrowUp")
    expect(card.locator("output")).to_have_text("6 of 12 trials")
    expect(trials(page)).to_have_count(6)
    expect(slider).to_have_attribute("aria-valuetext", "a")
    page.keyboard.press("ArrowUp")
    expect(trials(page)).to_have_count(0)
    page.keyboard.press("Escape")
    expect(trials(page)).to_have_count(12)

    # With the pointer: the lower half of x, on which its values stand at equal distances.
    strip = card.get_by_role("slider", name="Filter by x")
    strip.evaluate("(each) => each.scrollIntoView({block: 'center'})")
    box = strip.bounding_box()
    across = box["x"] + box["width"] / 2
    page.mouse.move(across, box["y"] + box["height"] * 0.5)
    page.mouse.down()
    page.mouse.move(across, box["y"] + box["height"] * 0.75)
    page.mouse.move(across, box["y"] + box["height"] - 2)
    page.mouse.up()
    expect(trials(page)).to_have_count(6)
    card.get_by_role("button", name="Clear the filter").click()
    expect(trials(page)).to_have_count(12)

    # An axis is moved by its menu and dragged by its name; the address keeps what was made of it.
    card.get_by_role("button", name=re.compile("^kind")).click()
    page.get_by_role("menuitem", name="Move left").click()
    wait_until("kind before x", lambda: axes(mine) == ["kind", "x", "loss (log)"])
    card.scroll_into_view_if_needed()
    name, last = (card.get_by_role("button", name=re.compile(f"^{each}")) for each in ("kind", "loss"))
    start, end = name.bounding_box(), last.bounding_box()
    if size == WIDE:
        page.mouse.move(start["x"] + 8, start["y"] + 8)
        page.mouse.down()
        page.mouse.move(start["x"] + 100, start["y"] + 8)
        page.mouse.move(end["x"] + end["width"] - 4, end["y"] + 8)
        page.mouse.up()
        wait_until("kind behind loss", lambda: axes(mine) == ["x", "loss (log)", "kind"])
    card.get_by_role("button", name=re.compile("^loss")).click()
    page.get_by_role("menuitem", name="Linear").click()
    wait_until("a linear axis", lambda: "loss" in axes(mine))
    kept = axes(mine)
    card.get_by_label("Colour").select_option("kind")
    expect(card.get_by_role("listitem")).to_have_text(["a", "b"])
    page.reload()
    wait_until("the axes as they were", lambda: axes(mine) == kept)
    expect(card.get_by_label("Colour")).to_have_value("kind")
    card.get_by_role("button", name="Axes as in the file").click()
    wait_until("the axes of the file again", lambda: axes(mine) == ["x", "kind", "loss (log)"])
    mine.fits()


def test_several_objectives_have_a_front(server, window):
    sweep = server.sweep(TWO, TRAINER)
    server.allow("all")
    mine = window()
    page = mine.page
    mine.sign_in(server, f"/p/paced/sweeps/{sweep}")
    expect(page.locator("h1 .pill")).to_have_text("finished")
    front = page.get_by_role("region", name="Pareto front")
    # The larger x, the smaller the size and the higher the loss; b only costs.
    expect(front).to_contain_text("size over loss, 6 of 12 trials")
    expect(front.get_by_role("listitem")).to_have_text(["complete", "on the front"])
    wait_until("the line of the front", lambda: [each["points"] for each in mine.lines("Pareto front")] == [12, 6])
    page.get_by_role("region", name="Hypervolume by trial").scroll_into_view_if_needed()
    wait_until("a history of the volume", lambda: mine.points("Hypervolume by trial") > 0)

    # The other objective.
    page.get_by_role("group", name="Objective").get_by_role("button", name="size").click()
    expect(page).to_have_url(re.compile(r"objective=1"))
    expect(page.get_by_role("region", name="What the trials say")).to_contain_text("The best size")
    wait_until("its history", lambda: mine.points("size by trial") > 0)


def test_an_analysis_that_fails_leaves_the_rest(server, window):
    sweep = server.sweep(GRID, TRAINER)
    server.allow("all")
    mine = window()
    mine.tolerated = re.compile("503")
    page = mine.page
    failing = [True]
    broken = '{"error": {"code": "unavailable", "message": "The disk is full.", "hint": null}}'

    def answer(route) -> None:
        if failing[0]:
            route.fulfill(status=503, content_type="application/json", body=broken)
        else:
            route.continue_()

    page.route("**/analysis?*", answer)
    mine.sign_in(server, f"/p/paced/sweeps/{sweep}")
    expect(page.locator("h1 .pill")).to_have_text("finished")
    expect(page.get_by_role("alert")).to_contain_text("The disk is full.")
    wait_until("the history is there", lambda: mine.points("loss by trial") > 0)
    wait_until("the parallel coordinates are there", lambda: mine.points("Parameters") == 3 * 12)
    failing[0] = False
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_role("region", name="What matters").get_by_role("listitem")).to_have_count(2)
    expect(page.get_by_role("alert")).to_have_count(0)


HALVING = """\
import os, pathlib, time
import martlet

# The loss is x at every step; a trial goes on until it is stopped, or the gate is open.
run = martlet.init(project="paced")
gate, step = pathlib.Path(os.environ["GATE"]), 0
while gate.read_text() == "0":
    step += 1
    run.log({"loss": float(run.config["x"]) + (1 if step == 1 else 0)}, step=step)
    time.sleep(0.1)
run.finish()
"""

STOPPED = grid(
    "stopped",
    """\
parameters:
  x: {values: [1, 2, 3, 4]}
early_terminate: {type: hyperband, max_iter: 6, s: 1, eta: 2, strict: true}
""",
)


@pytest.mark.parametrize("look", LOOKS)
def test_trials_that_were_ended_early_say_why(server, window, look):
    sweep = server.sweep(STOPPED, HALVING)
    mine = window(*look)
    page = mine.page
    mine.sign_in(server, f"/p/paced/sweeps/{sweep}")
    early = page.get_by_role("region", name="Ended early")
    expect(early).to_contain_text(
        "At step 3 the best 1/2 of the trials that came so far, by loss, go on; the others end. "
        "Those that went on are judged again at each report."
    )
    expect(early.get_by_role("heading")).to_contain_text("3 of 4 trials")
    expect(early.get_by_role("row")).to_have_text(["StepCame no further", "33 trials ended: 1, 2, 3"])
    server.allow("all")
    expect(page.locator("h1 .pill")).to_have_text("finished")
    told = early.get_by_role("list", name="What was said of them")
    expect(told.get_by_role("listitem")).to_have_count(3)
    expect(told).to_contain_text("Its loss at step 3, 2, is not among the best 1 of 2 (1 or lower).")
    expect(page.get_by_role("region", name="How it searches")).to_contain_text("Every point of the grid in its order.")
    mine.fits()

    # Their curves end with a mark.
    curves = page.get_by_role("region", name="Curves")
    curves.scroll_into_view_if_needed()
    wait_until("four curves", lambda: sum(line["points"] >= 3 for line in mine.lines("loss")) == 4)
    expect(curves.get_by_role("listitem")).to_have_text(["pruned"])
    early.get_by_role("link").first.click()
    expect(page).to_have_url(re.compile("/runs/"))


AUTO = """\
name: auto
project: paced
program: train.py
method: auto
metric: {name: loss, goal: minimize}
parameters:
  x: {min: 0.0, max: 3.0}
  kind: {values: [a, b]}
budget: 2
max_parallel: 2
"""


def test_the_best_part_a_trial_by_hand_and_another_space(server, window):
    sweep = server.sweep(AUTO, TRAINER)
    server.wait_for_runs(2, "running")
    mine = window()
    page = mine.page
    mine.sign_in(server, f"/p/paced/sweeps/{sweep}")
    method = page.get_by_role("region", name="How it searches")
    expect(method.locator("[aria-current=step]")).to_contain_text("now")
    expect(method).to_contain_text("Chosen for 2 parameters, 1 of them categorical")

    # One more trial than the file allows.
    page.get_by_role("textbox", name="Trials at most").fill("1")
    expect(page.get_by_role("textbox", name="Trials at most")).to_have_attribute("aria-invalid", "true")
    page.get_by_role("textbox", name="Trials at most").fill("3")
    page.keyboard.press("Enter")
    expect(page.get_by_text("At most 3 trials.")).to_be_visible()

    # It is the one that is written by hand; a point outside of the space is refused in words.
    page.get_by_role("button", name="Pause", exact=True).click()
    expect(page.locator("h1 .pill")).to_have_text("paused")
    page.get_by_role("button", name="More about this sweep").click()
    page.get_by_role("menuitem", name="Add a trial…").click()
    form = page.get_by_role("dialog", name="Add a trial")
    mine.tolerated = re.compile("422")
    form.get_by_label(re.compile("^x")).fill("7")
    form.get_by_label(re.compile("^kind")).select_option("a")
    form.get_by_role("button", name="Add it").click()
    expect(form.get_by_role("alert")).to_contain_text("The point does not lie in the space")
    form.get_by_label(re.compile("^x")).fill("0.125")
    form.get_by_role("button", name="Add it").click()
    expect(page.get_by_text("The point is tried next.")).to_be_visible()

    # Another file: what is wrong in it is said, what is right is taken.
    page.get_by_role("button", name="More about this sweep").click()
    page.get_by_role("menuitem", name="Edit what it searches…").click()
    editor = page.get_by_role("dialog", name="What auto searches")
    source = editor.get_by_label("Sweep file")
    text = source.input_value()
    source.fill(text.replace("min: 0.0, max: 3.0", "min: 9.0, max: 3.0"))
    editor.get_by_role("button", name="Save").click()
    expect(editor.get_by_role("alert")).to_contain_text("Line")
    source.fill(text.replace("[a, b]", "[a, b, c]").replace("budget: 2", "budget: 3"))
    editor.get_by_role("button", name="Save").click()
    expect(editor).to_have_count(0)
    wait_until("another space", lambda: server.get(f"/sweeps/{sweep}")["space_version"] == 2)
    page.get_by_role("button", name="Resume", exact=True).click()
    server.allow("all")
    expect(page.locator("h1 .pill")).to_have_text("finished")
    expect(trials(page)).to_have_count(3)
    assert server.get(f"/sweeps/{sweep}/trials")["items"][2]["params"]["x"] == 0.125

    # Both files are kept, and each trial says whose it is.
    assert [trial["space_version"] for trial in server.get(f"/sweeps/{sweep}/trials")["items"]] == [1, 1, 2]
    expect(page.get_by_role("columnheader", name="File")).to_be_visible()
    page.get_by_text("Definition", exact=True).click()
    definition = page.locator("details.definition")
    expect(definition.locator("pre")).to_contain_text("[a, b, c]")
    definition.get_by_role("combobox", name="File").select_option("1")
    expect(definition.locator("pre")).not_to_contain_text("[a, b, c]")
    page.get_by_text("Definition", exact=True).click()

    # The best third of them is one; the address says so.
    card = page.get_by_role("region", name="Parameters")
    card.get_by_label("Best").fill("33")
    expect(card.locator("output")).to_have_text("1 of 3 trials")
    expect(trials(page)).to_have_count(1)
    expect(page).to_have_url(re.compile("top=33"))
    card.get_by_role("button", name="Clear the filter").click()
    expect(trials(page)).to_have_count(3)
