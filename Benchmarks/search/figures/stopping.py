"""`stopping`: epochs until a stopping rule has the best fully trained loss of random search without one.

Learning curves of LCBench, 52 epochs each, four at a time, an epoch after the other. The points are those of random
search with the same seed, so that only the rule differs. A loss counts once its curve has run to its end.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple, Optional

from tracking.report import Report

from search import rows
from search.bench import Bench
from search.document import shown
from search.optimizers.base import Optimizer, Task
from search.optimizers.martlet import Martlet
from search.optimizers.optuna import Optuna
from search.problems import surrogates
from search.problems.surrogates import EPOCHS, Curve

COLUMNS = ("task", "rule", "seed", "epochs_spent", "best_final", "started", "finished")
AT_ONCE = 4
RULES = ("median", "asha", "hyperband")
AIMED = ("asha", "hyperband")
SHARE = 1 / 3  # of random search's epochs, the aim


class Key(NamedTuple):
    task: str
    rule: str
    seed: int


class Spent(NamedTuple):
    """Where a run stands."""

    epochs: int
    best: float  # of curves that ran to their end; infinite: none yet
    started: int
    finished: int


@dataclass
class _Running:
    trial: int
    curve: list[float]
    epochs: int = 0


def measure(bench: Bench, report: Report) -> None:
    folder = bench.options.yahpo
    if folder is None:
        bench.document.title("stopping")
        bench.document.note("Left out: YAHPO=DIR names the folder whose `lcbench` holds the learning curves.")
        return
    runs = _known(bench)
    for seed in bench.options.seeds:
        for task in surrogates.CURVES:
            for rule, family in _rules(bench):
                key = Key(task, f"{family}:{rule}", seed)
                is_finished = key in runs and runs[key][-1].epochs >= bench.options.epochs
                if is_finished or bench.deadline.leaves("runs of stopping"):
                    continue
                with report.cell(f"stopping: {key.rule} on {task}, seed {seed}"):
                    curve = surrogates.curve(folder, task)
                    optimizer = _begun(bench, family, rule, curve, seed)
                    try:
                        runs[key] = _spend(optimizer, curve, bench.options.epochs)
                    finally:
                        optimizer.close()
                    cells = [[*key, item.epochs, f"{item.best:.6f}", item.started, item.finished] for item in runs[key]]
                    rows.append(bench.places.of(family != "optuna", "stopping.csv"), COLUMNS, cells)
    _table(bench, report, runs)


def _rules(bench: Bench) -> list[tuple[str, str]]:
    """Each with the family whose random search it is compared with."""
    families = [bench.options.name, *(["optuna"] if "optuna-tpe" in bench.peers else [])]
    return [(rule, family) for family in families for rule in ("random", *RULES)]


def _begun(bench: Bench, family: str, rule: str, curve: Curve, seed: int) -> Optimizer:
    task = Task(curve.space, seed, None, AT_ONCE)
    if family == "optuna":
        return Optuna(task, "random", "none" if rule == "random" else rule, EPOCHS)
    return Martlet(task, bench.service.program(), rule, {"steps": EPOCHS})


def _spend(optimizer: Optimizer, curve: Curve, epochs: int) -> list[Spent]:
    """Where the run stands whenever a better curve has run to its end, and at its own end."""
    under_way: deque[_Running] = deque()
    started = finished = 0
    best, history = math.inf, []
    for spent in range(1, epochs + 1):
        while len(under_way) < AT_ONCE:
            trial = optimizer.ask()
            under_way.append(_Running(trial.number, curve.losses(trial.point)))
            started += 1
        current = under_way.popleft()
        value = current.curve[current.epochs]
        current.epochs += 1
        is_stopped = optimizer.report(current.trial, current.epochs, value)
        if current.epochs == EPOCHS:
            optimizer.tell(current.trial, [value])
            finished += 1
            if value < best:
                best = value
                history.append(Spent(spent, best, started, finished))
        elif is_stopped:
            optimizer.tell(current.trial, [value], state="pruned")
        else:
            under_way.append(current)
    return [*history, Spent(epochs, best, started, finished)]


def _known(bench: Bench) -> dict[Key, list[Spent]]:
    runs: dict[Key, list[Spent]] = {}
    for is_ours in (False, True):
        for row in rows.read(bench.places.of(is_ours, "stopping.csv")):
            key = Key(row["task"], row["rule"], int(row["seed"]))
            item = Spent(int(row["epochs_spent"]), float(row["best_final"]), int(row["started"]), int(row["finished"]))
            if key in runs and item.epochs < runs[key][-1].epochs:
                runs[key] = []  # the same run again, longer than before
            runs.setdefault(key, []).append(item)
    return runs


def _share(runs: dict[Key, list[Spent]], key: Key, epochs: int) -> Optional[float]:
    """The epochs to random search's loss, as a share of all; infinite: not reached; None: it has none."""
    family = key.rule.partition(":")[0]
    reference = runs.get(key._replace(rule=f"{family}:random"))
    if reference is None:
        return None
    goal = min((item.best for item in reference if item.epochs <= epochs), default=math.inf)
    if math.isinf(goal):
        return None
    return min((item.epochs / epochs for item in runs[key] if item.best <= goal), default=math.inf)


def _table(bench: Bench, report: Report, runs: dict[Key, list[Spent]]) -> None:
    epochs = bench.options.epochs
    table = []
    shares: dict[str, list[float]] = {}
    for rule in dict.fromkeys(key.rule for key in runs):
        mine = [key for key in sorted(runs) if key.rule == rule]
        found = [share for key in mine if (share := _share(runs, key, epochs)) is not None]
        if not found or rule.endswith(":random"):
            continue
        shares[rule] = found
        middle = median(found)
        soon = sum(share <= SHARE for share in found)
        ends = [runs[key][-1] for key in mine]
        counts = [shown(median(item.started for item in ends)), shown(median(item.finished for item in ends))]
        shown_middle = "–" if math.isinf(middle) else f"{100 * middle:.0f} %"
        table.append([rule, str(len(found)), shown_middle, f"{soon} of {len(found)}", *counts])
        report.add("stopping", {"rule": rule, "runs": len(found), "share": middle, "within_a_third": soon})
    bench.document.title(f"stopping: epochs to the best loss of random search in {epochs:,} epochs")
    titles = ["", "runs", "share of its epochs, median", "within a third", "trials started", "run to their end"]
    bench.document.table(titles, table)
    for rule in AIMED:
        found = shares.get(f"{bench.options.name}:{rule}", [])
        report.at_most(f"stopping: {rule}, share of random search's epochs", median(found) if found else None, SHARE)
