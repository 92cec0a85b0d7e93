#!/usr/bin/env python3
"""Writes what a terminal emulator shows of many logs, for the tests of TerminalFold to compare with.

    python3 -m venv venv && venv/bin/pip install pyte==0.8.2
    venv/bin/python scripts/terminal-corpus.py > Tests/MartletTrackingTests/Fixtures/terminal.json

The emulator is pyte (https://github.com/selectel/pyte). Each log begins with as many line ends as its screen has
rows: the cursor is at the bottom then, as it is in a log that has gone on for a while. What pyte does otherwise than
other terminals is not in the logs: halves of wide characters that are written over, and erasing with a colour set.
"""

import base64
import json
import random
import unicodedata

import pyte

ROWS = 64
COLUMNS = 2000
COLORS = ["black", "red", "green", "brown", "blue", "magenta", "cyan", "white"]


def codes(char):
    """The SGR parameters of a character, in the order of TerminalStyle."""
    flags = [
        (1, char.bold),
        (3, char.italics),
        (4, char.underscore),
        (5, char.blink),
        (7, char.reverse),
        (9, char.strikethrough),
    ]
    found = [str(number) for number, is_set in flags if is_set]
    for name, dark, bright in [(char.fg, 30, 90), (char.bg, 40, 100)]:
        if name in COLORS:
            found.append(str(dark + COLORS.index(name)))
        elif name.startswith("bright"):
            found.append(str(bright + COLORS.index(name[len("bright") :])))
    return ";".join(found)


def text(line):
    """A row in the normal form of TerminalRow, without plain blanks at its end."""
    cells = [line[column] for column in range(max(line, default=-1) + 1)]
    while cells and cells[-1].data == " " and codes(cells[-1]) == "":
        cells.pop()
    out, current = "", ""
    for cell in cells:
        if cell.data == "":  # the right half of a wide character
            continue
        wanted = codes(cell)
        if wanted != current:
            out += "\x1b[" + ("0" if wanted == "" else ("0;" if current else "") + wanted) + "m"
            current = wanted
        out += cell.data
    return unicodedata.normalize("NFC", out + ("\x1b[0m" if current else ""))


def show(log):
    screen = pyte.HistoryScreen(COLUMNS, ROWS, history=100_000)
    screen.set_mode(pyte.modes.LNM)
    screen.reset_mode(pyte.modes.DECAWM)
    pyte.ByteStream(screen).feed(log)
    rows = [text(line) for line in screen.history.top]
    rows += [text(screen.buffer[row]) for row in range(ROWS)]
    while rows and rows[-1] == "":
        rows.pop()
    return rows


def bars(dice):
    """tqdm's nested bars, as it writes them."""
    out = ""
    for epoch in range(3):
        for step in range(5):
            for place in range(3):
                percent = step * 25 if place else epoch * 50
                out += "\n" * place + f"\r  {percent:3}%|{'█' * (percent // 10)}{' ' * (10 - percent // 10)}| {step}/5"
                out += "\x1b[A" * place
            if dice.random() < 0.3:
                out += f"\x1b[K\repoch {epoch}: loss {dice.random():.4f}\n\n\n\x1b[A\x1b[A"
    return out + "\n\n\n"


REALISTIC = [
    "plain\nlines\n\nwith a blank one\n",
    "windows\r\nline ends\r\n",
    "\r 10%|#         |\r 50%|#####     |\r100%|##########|\ndone\n",
    "a long line\rshort\n",
    "Downloading\x1b[K\rDownloading 50\x1b[K\rDone\x1b[K\n",
    "\x1b[1m\x1b[31merror\x1b[0m: \x1b[33mwarning\x1b[39m plain \x1b[4;92munder\x1b[24m bright\x1b[m\n",
    "\x1b[31mred over\nlines\nuntil\x1b[0m here\n",
    "typo\b\b\b\bdone\n",
    "name\tvalue\n1\t2\n12345678\t9\n",
    "\x1b]0;a title\x07text after a title\n\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\n",
    "\x1b[?25lhidden cursor\x1b[?25h\n\x1b(Bcharset\n",
    "宽字符 and emoji 🚀 and é and e\u0301 and so on\n",
    "three\nlines\nhere\x1b[2A\rTHREE\x1b[2B\n",
    "\x1b[2K\x1b[1G\x1b[32m✔\x1b[39m step\n",
    "one\ntwo\nthree\n\x1b[3A\x1b[Jgone below\n",
    "abcdef\x1b[3D\x1b[2P|\x1b[1G\x1b[2@\n",
    "abcdef\x1b[4D\x1b[2X!\n",
    "unfinished",
    "ends in a sequence \x1b[3",
]

PIECES = ["loss", "0.25", "epoch 3", "█▌", "ok", "x", "naïve", "  ", "=" * 12, "|"]


def random_log(dice):
    out, is_styled = "", False
    for _ in range(dice.randrange(10, 60)):
        kind = dice.random()
        if kind < 0.38:
            out += dice.choice(PIECES)
        elif kind < 0.50:
            out += "\n"
        elif kind < 0.60:
            out += "\r"
        elif kind < 0.64:
            out += dice.choice("\b\t")
        elif kind < 0.80:
            number = dice.choice(["", "1", "2", "3", "70"] if dice.random() < 0.9 else ["0"])
            out += f"\x1b[{number}{dice.choice('ABCDEFG' if number != '70' else 'ABEF')}"
        elif kind < 0.90:
            if dice.random() < 0.4:
                out += "\x1b[0m"
                is_styled = False
            else:
                count = dice.randrange(1, 4)
                styles = [1, 3, 4, 5, 7, 9, 22, 23, 24, 25, 27, 29, 31, 33, 36, 39, 42, 49, 91, 97, 100, 104]
                out += f"\x1b[{';'.join(str(dice.choice(styles)) for _ in range(count))}m"
                is_styled = True
        else:
            if is_styled:
                out += "\x1b[m"
                is_styled = False
            out += dice.choice(["\x1b[K", "\x1b[1K", "\x1b[2K", "\x1b[J", "\x1b[P", "\x1b[2P", "\x1b[@", "\x1b[3X"])
    return out


def main():
    dice = random.Random(20)
    logs = [log.encode() for log in REALISTIC]
    logs += [bars(dice).encode() for _ in range(3)]
    logs += [b"bad \xff\xfe bytes\n", b"cut \xe2\x82\n", b"cut \xf0\x9f\x9a rest\n", b"\xc0\xaf\xed\xa0\x80\n"]
    logs += [random_log(dice).encode() for _ in range(250)]
    logs += [("\x1b[m\n".join(random_log(dice) for _ in range(12))).encode() for _ in range(6)]
    cases = []
    for log in logs:
        log = b"\n" * ROWS + log
        rows = show(log)
        first = next((i for i, row in enumerate(rows) if row), len(rows))
        cases.append({"log": base64.b64encode(log[ROWS:]).decode(), "first": first, "rows": rows[first:]})
    print(json.dumps({"screen": ROWS, "cases": cases}, ensure_ascii=False, separators=(",", ":")))


main()
