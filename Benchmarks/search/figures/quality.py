"""`quality` and `pending`: how near to the optimum so many trials come, one at a time and with several under way."""

from __future__ import annotations

import math

from tracking.report import Report

from search.bench import Bench
from search.document import interval, shown
from search.figures import running
from search.optimizers import NAMESAKES, RANDOM
from search.scoring import reaching
from search.scoring.regret import Regrets, regrets
from search.scoring.scores import Difference, Scores

FEWEST_PROBLEMS = 3  # of a searcher that is in a table
SLACK = -2.0  # points of score that a lower bound may lie below zero where a peer is to be equalled


def sequential(bench: Bench, report: Report) -> None:
    _measure(bench, report, "quality", 1)


def pending(bench: Bench, report: Report) -> None:
    _measure(bench, report, "pending", bench.options.workers)


def _measure(bench: Bench, report: Report, section: str, workers: int) -> None:
    running.run(bench, report, section, running.jobs(bench, bench.problems, bench.searchers(), [workers]))
    found = regrets(bench.problems, bench.runs.all(workers))
    if not any(searcher == RANDOM for _, searcher in found):
        report.failed(f"{section}: there are no runs of random search, which scores are relative to")
        return
    for trials in bench.options.at:
        scores = Scores(_known(found, trials), trials)
        if scores.problems:
            _tables(bench, report, scores, section, workers)
            _aims(bench, report, scores, section)
    _reached(bench, found, workers)


def _known(found: Regrets, trials: int) -> Regrets:
    """Without searchers that have run on a few problems only."""
    counts: dict[str, int] = {}
    for (_, searcher), runs in found.items():
        counts[searcher] = counts.get(searcher, 0) + any(len(values) >= trials for values in runs.values())
    return {key: runs for key, runs in found.items() if counts[key[1]] >= FEWEST_PROBLEMS}


def _tables(bench: Bench, report: Report, scores: Scores, section: str, workers: int) -> None:
    document = bench.document
    document.title(f"{section}: {scores.trials} trials, {workers} at a time")
    standings = scores.standings()
    rows = []
    for item in standings:
        seeds = f"{item.seeds[0]}" if item.seeds[0] == item.seeds[1] else f"{item.seeds[0]}–{item.seeds[1]}"
        rows.append(
            [item.searcher, str(item.problems), seeds, interval(item.score), shown(item.regret), shown(item.area)]
            + [interval(item.rank, 2)]
        )
        record = {"searcher": item.searcher, "trials": scores.trials, "problems": item.problems, "seeds": item.seeds}
        report.add(section, {**record, "score": item.score, "regret": item.regret, "area": item.area})
    document.table(
        ["", "problems", "seeds", "score [95 %]", "median regret", "mean regret on the way", "mean rank [95 %]"], rows
    )
    if scores.solved:
        document.note(f"Left out, since random search solves them: {', '.join(scores.solved)}.")
    references = [name for name in scores.searchers if name in bench.peers]
    pairs = []
    for item in standings:
        for other in references:
            difference = scores.difference(item.searcher, other) if other != item.searcher else None
            if difference and item.searcher not in references and item.searcher != RANDOM:
                pairs.append([item.searcher, other, *_words(difference)])
                figures = {"difference": difference.difference, "runs": difference.runs}
                report.add(section, {"searcher": item.searcher, "other": other, "trials": scores.trials, **figures})
    if pairs:
        document.note("Same problems, same seeds:")
        titles = ["", "less", "problems", "runs", "score", "other's", "difference [95 %]", "won, tied, lost"]
        document.table(titles, pairs)
    if scores.trials == bench.options.at[-1]:
        names = [item.searcher for item in standings]
        document.note("Scores by problem:")
        by_problem = [
            [problem]
            + [
                f"{scores.score(problem, scores.reached(problem, name)):.0f}" if scores.has(problem, name) else "–"
                for name in names
            ]
            for problem in scores.problems
        ]
        document.table(["", *names], by_problem)


def _words(item: Difference) -> list[str]:
    counts = f"{item.won}, {item.tied}, {item.lost}"
    scores = [f"{item.score:.1f}", f"{item.other:.1f}", interval(item.difference, 1, "+")]
    return [str(item.problems), str(item.runs), *scores, counts]


def _aims(bench: Bench, report: Report, scores: Scores, section: str) -> None:
    def aim(method: str, peer: str, limit: float) -> None:
        """Of the lower end of what is ours less the peer's."""
        found = scores.difference(bench.ours(method).name, peer)
        what = f"{section}, {scores.trials} trials: {method} − {peer}, lower bound"
        report.at_least(what, found.difference.low if found else None, limit)

    if "auto" in bench.options.methods:
        aim("auto", "optuna-tpe", 0.0)
        aim("auto", "optuna-gp", SLACK)
        found = scores.difference(bench.ours("auto").name, "optuna-gp")
        what = f"{section}, {scores.trials} trials: auto − optuna-gp, mean"
        report.at_least(what, found.difference.mean if found else None, 0.0)
    for method, peer in NAMESAKES.items():
        if method in bench.options.methods and peer in bench.peers:
            aim(method, peer, SLACK)


def _reached(bench: Bench, found: Regrets, workers: int) -> None:
    """How soon each is where random search is in the end."""
    trials = bench.options.at[-1]
    goals = {problem.name: reaching.goal(found, problem.name, trials) for problem in bench.problems}
    rows = []
    for searcher in sorted({name for _, name in found}):
        counts = []
        for problem, goal in goals.items():
            runs = found.get((problem, searcher))
            if goal is not None and runs:
                counts.append(reaching.middle([reaching.first(values, goal) for values in runs.values()]) or math.inf)
        if len(counts) >= FEWEST_PROBLEMS:
            times = sum(count < math.inf for count in counts)
            rows.append([searcher, reaching.shown(reaching.middle(counts)), f"{times} of {len(counts)}"])
    if rows:
        bench.document.title(f"trials to what random search reaches in {trials}, {workers} at a time")
        bench.document.table(["", "median over problems", "reached by most runs"], rows)
