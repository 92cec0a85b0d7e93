"""A sweep begun from its page, like another one, gone on with when it has ended, and its trials tried again."""

import re
import subprocess

import pytest
from conftest import LOOKS, PROGRAM, TRAINER, wait_until
from playwright.sync_api import expect

FILE = """\
name: fresh
program: train.py
method: grid
metric: {name: val/loss, goal: minimize}
parameters:
  lr: {values: [0.1, 0.2, 0.3]}
max_parallel: 2
timeout: 60
"""

REFUSED = re.compile("status of (409|422)")


def trials(page):
    return page.get_by_role("region", name="Trials", exact=True).locator("tr[data-row]")


def pill(page):
    return page.locator("h1 .pill")


def begun(server, page, file=FILE):
    """Writes the file on the page of a new sweep and begins it; gives its id."""
    (server.folder / "train.py").write_text(TRAINER)
    server.allow("all")
    page.get_by_role("textbox", name="Working directory").fill(str(server.folder))
    page.get_by_role("textbox", name="Sweep file").fill(file)
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page).to_have_url(re.compile(r"/sweeps/[a-z0-9]{8}$"))
    return page.url.rsplit("/", 1)[1]


@pytest.mark.parametrize("look", LOOKS)
def test_a_sweep_is_written_checked_and_begun(server, window, look):
    size, scheme = look
    (server.folder / "train.py").write_text(TRAINER)
    server.allow("all")
    mine = window(size, scheme)
    page = mine.page
    mine.tolerated = REFUSED
    server.new_run("paced")
    mine.sign_in(server, "/p/paced/sweeps")
    expect(page.get_by_role("heading", name="No sweeps in paced yet")).to_be_visible()
    page.keyboard.press("n")
    file = page.get_by_role("textbox", name="Sweep file")
    folder = page.get_by_role("textbox", name="Working directory")
    # What the command line writes, to the letter.
    written = subprocess.run([PROGRAM, "sweep", "new", "-"], capture_output=True, text=True, check=True)
    expect(file).to_have_value(written.stdout)
    expect(folder).to_have_value("")

    # What is missing is said where it is missing; nothing is sent.
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Say where the trials start.")
    expect(folder).to_be_focused()
    folder.fill("/nowhere/at/all")
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("The working directory /nowhere/at/all does not exist")
    expect(folder).to_have_attribute("aria-invalid", "true")

    # Two flaws, each with its place, by the keys of the editor; the caret stands at the first.
    folder.fill(str(server.folder))
    file.fill(FILE.replace("method: grid", "metod: grid").replace("timeout: 60", "timeout: soon"))
    file.press("Control+Enter")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Line 3, column 1: unknown key 'metod'; did you mean 'method'?")
    expect(alert).to_contain_text("Line 8, column 10: ")
    expect(page.locator(".source-lines .wrong")).to_have_text(["3", "8"])
    expect(file).to_be_focused()
    at = "document.activeElement.value.slice(document.activeElement.selectionStart).split('\\n')[0]"
    assert page.evaluate(at) == "metod: grid"
    alert.get_by_role("button", name="Line 8, column 10").click()
    assert page.evaluate(at) == "soon"
    mine.fits()

    # What it would do; changed, that is old.
    file.fill(FILE)
    file.press("Control+Enter")
    plan = page.get_by_role("region", name="What it would do")
    expect(plan).to_contain_text("3 of 3 points")
    expect(plan).to_contain_text("minimize val/loss (best)")
    expect(plan).to_contain_text("2 at a time; at most 2 min 0 s, 1 min 0 s a trial")
    expect(plan.get_by_role("listitem")).to_have_count(3)
    expect(plan.get_by_role("listitem").first).to_contain_text("lr 0.1")
    mine.fits()
    file.fill(FILE.replace("[0.1, 0.2, 0.3]", "[0.1, 0.2]"))
    expect(plan).to_contain_text("The file has changed since.")
    plan.get_by_role("button", name="Check again").click()
    expect(plan).to_contain_text("2 of 2 points")
    assert server.get("/sweeps")["items"] == []

    # Whoever looks something up finds what was written.
    page.get_by_role("link", name="Sweeps").first.click()
    page.get_by_role("button", name="New sweep").click()
    expect(file).to_have_value(FILE.replace("[0.1, 0.2, 0.3]", "[0.1, 0.2]"))
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("heading", name="fresh")).to_be_visible()
    expect(pill(page)).to_have_text("finished")
    expect(trials(page)).to_have_count(2)
    found = server.get("/sweeps")["items"]
    assert [(each["project"], each["name"], each["workdir"]) for each in found] == [
        ("paced", "fresh", str(server.folder))
    ]


def test_a_sweep_like_another_begins_with_its_file_folder_and_environment(server, window):
    tracer = TRAINER.replace(
        'print("training with"', 'pathlib.Path("seen").open("a").write(os.environ["COLOUR"])\nprint("training with"'
    )
    server.environment["COLOUR"] = "red."
    first = server.sweep(FILE.replace("name: fresh", "name: fresh\nproject: paced"), tracer)
    server.allow("all")
    del server.environment["COLOUR"]
    mine = window()
    page = mine.page
    mine.sign_in(server, f"/p/paced/sweeps/{first}")
    expect(pill(page)).to_have_text("finished")
    page.get_by_role("button", name="More about this sweep").click()
    page.get_by_role("menuitem", name="New sweep like this one").click()
    file = page.get_by_role("textbox", name="Sweep file")
    expect(file).to_have_value(server.get(f"/sweeps/{first}")["source"])
    expect(page.get_by_role("textbox", name="Working directory")).to_have_value(str(server.folder))
    expect(page.get_by_text("with the environment of fresh.")).to_be_visible()
    file.fill(file.input_value().replace("name: fresh", "name: second").replace("[0.1, 0.2, 0.3]", "[0.4]"))
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("heading", name="second")).to_be_visible()
    expect(pill(page)).to_have_text("finished")
    assert (server.folder / "seen").read_text() == 4 * "red."


@pytest.mark.parametrize("look", LOOKS)
def test_the_best_is_run_again_and_a_sweep_that_ended_goes_on(server, window, look):
    size, scheme = look
    mine = window(size, scheme)
    page = mine.page
    mine.tolerated = REFUSED
    mine.sign_in(server, "/p/paced/sweeps/new")
    file = FILE.replace("method: grid", "method: random\nrun_cap: 2").replace("[0.1, 0.2, 0.3]", "[0.1, 0.2, 0.3, 0.4]")
    sweep = begun(server, page, file)
    expect(pill(page)).to_have_text("finished")
    best = server.get(f"/sweeps/{sweep}")["best"]["trial"]
    page.get_by_role("region", name="Best so far").get_by_role("button", name="Run it again…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("The sweep has ended, and is taken up again for it. Then it ends again.")
    field = dialog.get_by_role("textbox", name="As how many trials")
    field.fill("0")
    expect(dialog).to_contain_text("A whole number from 1 to 1,000.")
    expect(dialog.get_by_role("button", name="Run it again")).to_be_disabled()
    field.fill("2")
    expect(dialog).to_contain_text("2 more trials, each with a seed of its own")
    mine.fits()
    field.press("Enter")
    expect(dialog).to_have_count(0)
    expect(trials(page)).to_have_count(4)
    expect(pill(page)).to_have_text("finished")
    items = server.get(f"/sweeps/{sweep}/trials")["items"]
    assert [each["params"] for each in items[2:]] == 2 * [items[best]["params"]]

    # On with more trials: as many as there are is too few.
    page.get_by_role("button", name="Go on…").click()
    field = dialog.get_by_role("textbox", name=re.compile("Trials at most"))
    expect(field).to_have_value("14")
    field.fill("4")
    expect(dialog).to_contain_text("A whole number from 5 on; nothing: no limit.")
    field.fill("6")
    expect(dialog).to_contain_text("learned from 4 trials, has up to 2 more, and ends again.")
    mine.fits()
    dialog.get_by_role("button", name="Go on", exact=True).click()
    expect(trials(page)).to_have_count(6)
    expect(pill(page)).to_have_text("finished")

    # Nothing is left to try: why, and what else there is.
    page.get_by_role("button", name="Go on…").click()
    dialog.get_by_role("button", name="Go on", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("has nothing more to do")
    dialog.get_by_role("link", name="A new sweep like this one").click()
    expect(page.get_by_role("textbox", name="Sweep file")).to_have_value(file)


def test_a_running_sweep_has_a_trial_again_by_keys_and_is_left_to_agents(server, window):
    sweep = server.sweep(FILE.replace("name: fresh", "name: fresh\nproject: paced") + "breaker: 9\n")
    first = server.wait_for_runs(2, "running")[0]
    mine = window()
    page = mine.page
    mine.sign_in(server, f"/p/paced/sweeps/{sweep}")
    shares = page.get_by_role("region", name="Share of trials by val/loss")
    expect(shares).to_contain_text("No trial has come to its end with a value of val/loss yet.")
    # None here: agents run what comes.
    field = page.get_by_role("textbox", name="Trials at a time")
    field.fill("0")
    field.press("Enter")
    expect(page.locator(".toast")).to_contain_text("Agents run all that come.")
    expect(page.locator(".sentence")).to_contain_text("run by agents")
    expect(page.get_by_text(f"martlet agent {sweep}")).to_be_visible()
    mine.fits()
    page.get_by_role("button", name="Trials at a time: more").click()
    expect(page.locator(".sentence")).to_contain_text("1 at a time")
    expect(page.get_by_text(f"martlet agent {sweep}")).to_have_count(0)

    page.get_by_role("button", name=f"Stop trial {first['trial']}", exact=True).click()
    expect(page.locator(f'tr[data-row="t{first["trial"]}"]')).to_contain_text(re.compile("stopped|killed"))
    for _ in range(3):
        page.keyboard.press("j")
    page.keyboard.press("a")
    dialog = page.get_by_role("dialog", name=f"Run {first['name']} again")
    expect(dialog).to_contain_text(
        "It is tried before grid is asked again. There are 4 trials at most then, in place of 3."
    )
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.get_by_role("button", name=f"Run trial {first['trial']} again…").click()
    dialog.get_by_role("button", name="Run it again").click()
    wait_until("one more", lambda: server.get(f"/sweeps/{sweep}")["budget"] == 4)
    server.allow("all")
    expect(pill(page)).to_have_text("finished")
    expect(trials(page)).to_have_count(4)


TWO = """\
name: {name}
project: paced
program: train.py
method: random
seed: {seed}
run_cap: 8
metric: {{name: loss, goal: minimize}}
parameters:
  x: {{min: 0.001, max: 1.0, distribution: log_uniform_values}}
  kind: {{values: [a, b, c]}}
max_parallel: 4
"""

MEASURE = """\
import martlet

run = martlet.init(project="paced")
run.log({"loss": run.config["x"] * (2 if run.config["kind"] == "a" else 1)}, step=0)
run.finish()
"""


@pytest.mark.parametrize("look", LOOKS)
def test_ranks_over_two_parameters_and_the_share_of_trials_beside_another_sweep(server, window, look):
    size, scheme = look
    (server.folder / "train.py").write_text(MEASURE)
    for number, name in enumerate(("before", "after", "elsewhere")):
        file = server.folder / f"{name}.yaml"
        text = TWO.format(name=name, seed=number)
        file.write_text(text.replace("project: paced", "project: other") if name == "elsewhere" else text)
        server.martlet("sweep", "run", str(file), "--detach")
    after, before = (each["id"] for each in server.get("/sweeps?project=paced")["items"])
    mine = window(size, scheme)
    page = mine.page
    mine.sign_in(server, f"/p/paced/sweeps/{after}")
    expect(pill(page)).to_have_text("finished")
    ranks = page.get_by_role("region", name=re.compile("^Ranks over"))
    ranks.scroll_into_view_if_needed()
    ranks.get_by_label("Across").select_option("kind")
    expect(ranks).to_have_attribute("aria-label", "Ranks over kind and x")
    wait_until("eight ranks", lambda: mine.points("Ranks over kind and x") == 8)
    wait_until("they are drawn", lambda: mine.told("Ranks over kind and x", "yDomain"))
    chart = ranks.get_by_role("application")
    chart.focus()
    page.keyboard.press("Home")
    told = ranks.locator("[aria-live]")
    expect(told).to_have_text(re.compile(r"^trial \d, complete, kind [abc], x 0\.\d+, loss 0\.\d+$"))

    shares = page.get_by_role("region", name="Share of trials by loss")
    shares.scroll_into_view_if_needed()
    wait_until("eight shares", lambda: [line["points"] for line in mine.lines("Share of trials by loss")] == [8, 9])
    shares.get_by_label("Beside").select_option(before)
    wait_until("the other's", lambda: [each["points"] for each in mine.lines("Share of trials by loss")] == [8, 9, 9])
    expect(shares).to_contain_text("before")
    chart = shares.get_by_role("application")
    chart.focus()
    page.keyboard.press("End")
    expect(shares.locator("[aria-live]")).to_have_text(
        re.compile(r"loss 0\.\d+, at least as good 100 % of the trials$")
    )
    mine.fits()
    # A link shows what its sender saw.
    page.reload()
    shares.scroll_into_view_if_needed()
    wait_until("both again", lambda: [each["points"] for each in mine.lines("Share of trials by loss")] == [8, 9, 9])
    expect(ranks).to_have_attribute("aria-label", "Ranks over kind and x")
    # So does one that names a sweep which the list has not, or which is gone.
    [elsewhere] = (each["id"] for each in server.get("/sweeps?project=other")["items"])
    page.goto(f"{server.origin}/p/paced/sweeps/{after}?beside={elsewhere}")
    shares.scroll_into_view_if_needed()
    wait_until(
        "another project's", lambda: [each["points"] for each in mine.lines("Share of trials by loss")] == [8, 9, 9]
    )
    expect(shares.get_by_label("Beside")).to_have_value(elsewhere)
    page.goto(f"{server.origin}/p/paced/sweeps/{after}?beside=nobody")
    shares.scroll_into_view_if_needed()
    expect(shares).to_contain_text("nobody")
    expect(shares.get_by_role("button", name="Retry")).to_be_visible()
    [complaint] = mine.complaints
    assert "404" in complaint
    mine.complaints.clear()
    shares.get_by_label("Beside").select_option(before)
    wait_until(
        "the list goes on", lambda: [each["points"] for each in mine.lines("Share of trials by loss")] == [8, 9, 9]
    )
