"""What a run logged besides numbers, in the run's tab Media."""

import io
import json
import re
import struct
import wave
import zlib

import pytest
from conftest import LOOKS, wait_until
from playwright.sync_api import expect


def png(width: int, height: int, shade: int) -> bytes:
    """A grey image with a gradient, as the smallest PNG that says it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes((shade + 9 * x + 5 * y) % 256 for x in range(width)) for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def sound() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(8000))
    return out.getvalue()


def histogram(middle: int) -> dict:
    counts = [max(0, 50 - 10 * abs(i - middle)) for i in range(10)]
    return {"_type": "histogram", "edges": [i / 10 for i in range(11)], "counts": counts}


@pytest.fixture
def logged(server):
    """A run that logged something of every kind at steps 0, 10 and 20, and its id."""
    run = server.new_run(name="with-media")
    rows = []
    for step in (0, 10, 20):
        images = [
            server.put(
                run,
                "image",
                png(16, 12, step + 40 * i),
                "image/png",
                caption=f"image {i} at {step}",
                width=16,
                height=12,
            )
            for i in range(2)
        ]
        table = {"_type": "table", "columns": ["word", "score"], "rows": [["b", 2], ["a", step], ["c", None]]}
        values = {
            "weights": histogram(2 + step // 10),
            "samples": images,
            "guesses": table,
            "curve": [step, 1, 4, 9],
            "confusion": [[step, 1], [2, 3]],
            "tone": server.put(run, "audio", sound(), "audio/wav", caption="a tone"),
            "model": server.put(run, "file", b"weights" * step + b"end", "application/octet-stream", name="model.bin"),
        }
        rows.append((step, values))
    body = json.dumps({"columns": ["n"], "rows": [[i] for i in range(1200)]}).encode()
    large = server.put(run, "table", body, "application/json", columns=["n"], rows=1200)
    server.log(run, [*rows, (20, {"large": large}), (20, {"loss": 0.5})])
    return run


def card(page, name: str):
    return page.get_by_role("region", name=name, exact=True)


@pytest.mark.parametrize("look", LOOKS)
def test_every_kind_of_value_is_shown(server, window, logged, look):
    size, scheme = look
    mine = window(size, scheme)
    page = mine.page
    mine.sign_in(server, f"/p/logged/runs/{logged}?tab=media")
    expect(page.get_by_role("tab", name="Media")).to_have_attribute("aria-selected", "true")
    for name in ("weights", "samples", "guesses", "curve", "confusion", "tone", "model", "large"):
        card(page, name).scroll_into_view_if_needed()
        expect(card(page, name).locator(".media-step")).to_have_text("step 20")
        mine.fits(name)
    card(page, "weights").scroll_into_view_if_needed()
    wait_until("a histogram", lambda: mine.told("weights", "kind") == "histogram")
    wait_until("its ten bins", lambda: [line["points"] for line in mine.lines("weights")][:1] == [10])
    wait_until("three steps in the heat map", lambda: mine.points("weights over steps") == 3)
    wait_until("a curve", lambda: [line["points"] for line in mine.lines("curve")][:1] == [4])
    images = card(page, "samples").locator("img")
    card(page, "samples").scroll_into_view_if_needed()
    expect(images).to_have_count(2)
    wait_until(
        "the images' pixels", lambda: images.evaluate_all("all => all.every((image) => image.naturalWidth === 16)")
    )
    expect(images.first).to_have_attribute("alt", "image 0 at 20")
    card(page, "tone").scroll_into_view_if_needed()
    audio = card(page, "tone").locator("audio")
    wait_until("the sound's length", lambda: audio.evaluate("element => element.duration") == 0.5)


def test_a_logged_page_is_shown_and_its_scripts_do_not_run(server, window):
    run = server.new_run(name="with-page")
    html = b"<h1>a page</h1><script>document.body.append('scripts ran')</script>"
    server.log(run, [(0, {"report": server.put(run, "html", html, "text/html", name="report.html")})])
    mine = window()
    mine.tolerated = re.compile("Blocked script execution")  # the browser says so itself
    mine.sign_in(server, f"/p/logged/runs/{run}?tab=media")
    frame = card(mine.page, "report").frame_locator("iframe")
    expect(frame.get_by_role("heading", name="a page")).to_be_visible()
    expect(frame.get_by_text("scripts ran")).to_have_count(0)
    assert card(mine.page, "report").locator("iframe").get_attribute("sandbox") == ""


def test_the_step_slider_moves_every_card(server, window, logged):
    mine = window()
    page = mine.page
    mine.sign_in(server, f"/p/logged/runs/{logged}?tab=media")
    page.get_by_label("Kind").select_option("histogram")
    slider = page.get_by_label("Step of weights")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    expect(card(page, "weights").locator(".media-step")).to_have_text("step 10")
    page.get_by_label("Kind").select_option("image")
    expect(card(page, "samples").locator(".media-step")).to_have_text("step 10")
    expect(card(page, "samples").locator("img").first).to_have_attribute("alt", "image 0 at 10")
    expect(page).to_have_url(re.compile("step=10"))
    page.reload()
    expect(card(page, "samples").locator(".media-step")).to_have_text("step 10")
    page.get_by_role("button", name="from step 10 to the last").click()
    expect(card(page, "samples").locator(".media-step")).to_have_text("step 20")
    page.get_by_label("One step for all").uncheck()
    page.get_by_role("button", name="samples: the step before").click()
    expect(card(page, "samples").locator(".media-step")).to_have_text("step 10")
    page.get_by_label("Kind").select_option("vector")
    expect(card(page, "curve").locator(".media-step")).to_have_text("step 20")


def test_an_image_is_enlarged_and_walked_through_by_keys(server, window, logged):
    mine = window()
    page = mine.page
    mine.sign_in(server, f"/p/logged/runs/{logged}?tab=media")
    page.get_by_label("Kind").select_option("image")
    page.get_by_role("button", name="Enlarge image 0 at 20").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("img")).to_have_attribute("alt", "image 0 at 20")
    expect(dialog.locator(".caption")).to_contain_text("16 × 12")
    page.keyboard.press("ArrowRight")
    expect(dialog.get_by_role("img")).to_have_attribute("alt", "image 1 at 20")
    page.keyboard.press("ArrowRight")
    expect(dialog.get_by_role("img")).to_have_attribute("alt", "image 0 at 20")
    page.keyboard.press("-")
    expect(dialog.locator(".scale-word")).to_have_text(re.compile(r"\d+ %"))
    page.keyboard.press("0")
    expect(dialog.locator(".scale-word")).to_have_text("fits")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_tables_are_sorted_and_cut_at_a_thousand_rows(server, window, logged):
    mine = window()
    page = mine.page
    mine.sign_in(server, f"/p/logged/runs/{logged}?tab=media")
    page.get_by_label("Kind").select_option("table")
    guesses = card(page, "guesses")
    rows = guesses.locator("tr[data-row]")
    expect(rows.locator("td:first-child")).to_have_text(["b", "a", "c"])
    guesses.get_by_role("button", name="score").click()
    expect(rows.locator("td:first-child")).to_have_text(["b", "a", "c"])
    guesses.get_by_role("button", name="score").click()
    expect(rows.locator("td:first-child")).to_have_text(["a", "b", "c"])
    expect(guesses.locator("th", has_text="score")).to_have_attribute("aria-sort", "descending")
    guesses.get_by_role("button", name="Copy the table as CSV").click()
    copied = "navigator.clipboard.readText()"
    wait_until(
        "the table is copied",
        lambda: page.evaluate(copied).replace("\r", "") == "word,score\na,20\nb,2\nc,\n",
    )
    expect(card(page, "large")).to_contain_text("the first 1,000 of 1,200 rows")


def test_a_file_is_saved_under_its_name(server, window, logged):
    mine = window()
    page = mine.page
    mine.sign_in(server, f"/p/logged/runs/{logged}?tab=media")
    page.get_by_label("Kind").select_option("file")
    with page.expect_download() as saved:
        card(page, "model").get_by_role("button", name="Download").click()
    assert saved.value.suggested_filename == "model.bin"
    with open(saved.value.path(), "rb") as file:
        assert file.read() == b"weights" * 20 + b"end"


def test_what_is_logged_meanwhile_appears(server, window, logged):
    mine = window()
    page = mine.page
    mine.sign_in(server, f"/p/logged/runs/{logged}?tab=media")
    page.get_by_label("Kind").select_option("vector")
    expect(card(page, "curve")).to_contain_text("3 / 3")
    server.log(logged, [(30, {"curve": [7, 7], "later": [1, 2, 3]})], client="another-client")
    expect(card(page, "curve").locator(".media-step")).to_have_text("step 30")
    expect(card(page, "curve")).to_contain_text("4 / 4")
    expect(card(page, "later")).to_be_visible()


def test_a_run_without_media_says_how_to_log_one(server, window):
    run = server.new_run(name="bare")
    mine = window()
    mine.sign_in(server, f"/p/logged/runs/{run}?tab=media")
    expect(mine.page.get_by_text("No media were logged")).to_be_visible()
    expect(mine.page.locator(".snippet")).to_contain_text("martlet.Image")
