"""Fits a line, is interrupted halfway in its first attempt, and goes on from its newest checkpoint in the next."""

import json
import os
import sys

import martlet

run = martlet.init()
lr, epochs = run.config["lr"], run.config["epochs"]
with open(os.path.join(os.environ["MARTLET_SHARED_DIR"], "points.json")) as file:
    points = json.load(file)
train, held_out = points[:150], points[150:]

state = {"epoch": 0, "a": 0.0, "b": 0.0}
if os.environ.get("MARTLET_RESUME_FROM"):
    with open(os.environ["MARTLET_RESUME_FROM"]) as file:
        state = json.load(file)
    print(f"going on from epoch {state['epoch']}")


def loss(data):
    return sum((state["a"] * x + state["b"] - y) ** 2 for x, y in data) / len(data)


while state["epoch"] < epochs:
    for name, slope in (("a", lambda x: x), ("b", lambda x: 1)):
        errors = [(state["a"] * x + state["b"] - y) * slope(x) for x, y in train]
        state[name] -= lr * 2 * sum(errors) / len(errors)
    state["epoch"] += 1
    run.log({"train/loss": loss(train), "val/loss": loss(held_out)}, step=state["epoch"])
    # Written under another name first: what is interrupted here leaves no half checkpoint.
    place = os.path.join(os.environ["MARTLET_CHECKPOINT_DIR"], f"epoch{state['epoch']}.json")
    with open(place + ".tmp", "w") as file:
        json.dump(state, file)
    os.replace(place + ".tmp", place)
    if state["epoch"] == epochs // 2 and os.environ["MARTLET_ATTEMPT"] == "1":
        sys.exit("interrupted, as a power cut would")
