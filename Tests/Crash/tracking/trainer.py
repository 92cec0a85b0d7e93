"""A training program that notes what it logs. Run as `trainer.py ORDERS`, ORDERS being JSON of `Orders`.

It ends when its rows are logged (and, if it is to wait, when its standard input is closed), or soon after standard
input is closed: whoever started it may die, and it ends as well.
"""

from __future__ import annotations

import dataclasses
import json
import os
import random
import sys
import threading
import time
from typing import Optional

from tracking.logged import Note, Notes, Steps, row


@dataclasses.dataclass(frozen=True)
class Orders:
    """What a trainer is to do."""

    name: str  # of its run, and of its notes
    notes: str  # directory
    seed: int
    rows: int  # of each writer
    steps: int = Steps.ABSENT
    processes: int = 1  # forked from the one that called init, which then logs nothing
    threads: int = 1  # of each process
    pause: float = 0.0  # seconds after each row
    every: int = 1  # … or after so many rows
    waits: bool = False
    ending: str = "return"  # return, exit, raise, vanish
    project: str = "crash"
    mode: str = "online"
    directory: Optional[str] = None


def random_orders(numbers: random.Random, name: str) -> Orders:
    """One of the kinds of trainers that there are; its notes' directory is said by whoever starts it."""
    kind = numbers.choice(("steady", "steady", "burst", "short", "short", "processes", "threads"))
    steps = numbers.choice(list(Steps))
    orders = Orders(name=name, notes="", seed=numbers.randrange(1_000_000), rows=20_000, steps=steps)
    if kind == "steady":
        return dataclasses.replace(orders, pause=0.002)
    if kind == "burst":
        return dataclasses.replace(orders, rows=numbers.randrange(1_000, 9_000), waits=True)
    if kind == "short":
        ending = numbers.choice(("return", "exit", "raise", "vanish"))
        return dataclasses.replace(orders, rows=numbers.randrange(1, 30), ending=ending)
    if kind == "threads":
        return dataclasses.replace(orders, threads=4, pause=0.004)
    return dataclasses.replace(orders, processes=8, rows=numbers.randrange(50, 2_000), pause=0.004, every=4)


def write(orders: Orders, writer: int, over: threading.Event) -> None:
    """One writer's rows, in its own thread."""
    run = martlet.run
    notes = Notes(os.path.join(orders.notes, f"{orders.name}.{writer}"))
    steps = Steps(orders.steps)
    for index in range(orders.rows):
        if over.is_set():
            return
        step, values = row(orders.seed, writer, index, steps)
        dropped = run.dropped
        notes.add(index, Note.BEFORE)
        run.log(values, None if steps is Steps.ABSENT and orders.threads == 1 else step)
        # Threads share the count: only a process of one writer can tell which of its rows was dropped.
        notes.add(index, Note.DROPPED if orders.threads == 1 and run.dropped > dropped else Note.AFTER)
        if orders.pause and index % orders.every == 0:
            time.sleep(orders.pause)


def wait_for_the_end(over: threading.Event) -> None:
    os.read(0, 1)  # not sys.stdin, whose lock the end of the interpreter wants
    over.set()


def write_all(orders: Orders, process: int) -> None:
    """One process's writers."""
    over = threading.Event()
    threading.Thread(target=wait_for_the_end, args=(over,), daemon=True).start()
    writers = [
        threading.Thread(target=write, args=(orders, process * orders.threads + thread, over))
        for thread in range(1, orders.threads)
    ]
    for writer in writers:
        writer.start()
    write(orders, process * orders.threads, over)
    for writer in writers:
        writer.join()
    if orders.waits:
        over.wait()


def main(orders: Orders) -> None:
    martlet.init(orders.project, orders.name, {"seed": orders.seed}, mode=orders.mode, directory=orders.directory)
    if orders.processes == 1:
        write_all(orders, 0)
    else:
        children = [fork(orders, process) for process in range(orders.processes)]
        for child in children:
            os.waitpid(child, 0)
    if orders.ending == "exit":
        sys.exit(3)
    if orders.ending == "raise":
        raise RuntimeError("the loss is no number")
    if orders.ending == "vanish":
        os._exit(0)


def fork(orders: Orders, process: int) -> int:
    child = os.fork()
    if child == 0:
        write_all(orders, process)
        os._exit(0)
    return child


if __name__ == "__main__":
    import martlet

    main(Orders(**json.loads(sys.argv[1])))
