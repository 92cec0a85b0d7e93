"""`fronts`: the share of the best hypervolume after so many trials with two objectives, one and several at a time."""

from __future__ import annotations

import random
from collections.abc import Sequence
from statistics import median
from typing import Optional

from tracking.report import Report

from search.bench import Bench
from search.document import interval
from search.figures import running
from search.figures.quality import SLACK
from search.problems.base import Problem
from search.scoring.regret import Regrets, regrets
from search.scoring.scores import RESAMPLES, Interval, between, resampled


def measure(bench: Bench, report: Report) -> None:
    problems = [problem for problem in bench.problems if problem.space.objectives == 2]
    searchers = [searcher for searcher in bench.searchers() if searcher.can_search(2)]
    several = sorted({1, bench.options.workers})
    running.run(bench, report, "fronts", running.jobs(bench, problems, searchers, several))
    for workers in several:
        _measure(bench, report, problems, workers)


def _measure(bench: Bench, report: Report, problems: Sequence[Problem], workers: int) -> None:
    found = regrets(problems, bench.runs.all(workers))
    for trials in bench.options.at:
        shares = _shares(found, trials)
        names = sorted({searcher for _, searcher in shares})
        if not names:
            continue
        bench.document.title(f"fronts: {trials} trials, {workers} at a time, share of the best hypervolume in percent")
        rows = []
        for name in names:
            cells = [_median(shares.get((problem.name, name)), name) for problem in problems]
            rows.append([name, *[interval(cell) for cell in cells]])
            for problem, cell in zip(problems, cells):
                what = {"searcher": name, "problem": problem.name, "trials": trials, "workers": workers}
                report.add("fronts", {**what, "share": cell})
        bench.document.table(["", *[f"{problem.name} [95 %]" for problem in problems]], rows)
        _compare(bench, report, shares, trials, workers)


def _shares(found: Regrets, trials: int) -> dict[tuple[str, str], dict[int, float]]:
    shares = {}
    for key, runs in found.items():
        long_enough = {seed: 100 * (1 - values[trials - 1]) for seed, values in runs.items() if len(values) >= trials}
        if long_enough:
            shares[key] = long_enough
    return shares


def _median(values: Optional[dict[int, float]], name: str) -> Optional[Interval]:
    """Over seeds, which are drawn anew for the interval."""
    if not values:
        return None
    source, known = random.Random(name), list(values.values())
    return between(median(known), [median(source.choices(known, k=len(known))) for _ in range(RESAMPLES)])


def _compare(
    bench: Bench, report: Report, shares: dict[tuple[str, str], dict[int, float]], trials: int, workers: int
) -> None:
    """Each of ours less each peer: the mean over all pairs of runs with the same problem and seed."""
    rows = []
    best: dict[str, Interval] = {}
    for method in bench.options.methods:
        name = bench.ours(method).name
        for peer in bench.peers:
            pairs = [
                value - shares[problem, peer][seed]
                for (problem, searcher), runs in shares.items()
                if searcher == name and (problem, peer) in shares
                for seed, value in runs.items()
                if seed in shares[problem, peer]
            ]
            if len(pairs) < 2:
                continue
            difference = resampled(pairs, random.Random(f"{name} {peer}"))
            rows.append([name, peer, str(len(pairs)), interval(difference, 1, "+")])
            if method not in best or difference.mean < best[method].mean:
                best[method] = difference
    if rows:
        bench.document.note("Same problems, same seeds, in points of that percentage:")
        bench.document.table(["", "less", "runs", "difference [95 %]"], rows)
    for method, difference in best.items():
        if method == "auto":
            figure = f"fronts, {trials} trials, {workers} at a time: auto − the best peer, lower bound"
            report.at_least(figure, difference.low, SLACK)
