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
        scores = Scores(_of_many(bench, found, trials), trials)
        if scores.problems:
            bench.document.title(f"{section}: {trials} trials, {workers} at a time")
            _standings(bench, report, scores, section)
            _comparisons(bench, report, scores, section)
            if trials == bench.options.at[-1]:
                _by_problem(bench, scores)
            _aims(bench, report, scores, section)
    _reached(bench, found, workers)


def _fewest(bench: Bench) -> int:
    return min(FEWEST_PROBLEMS, len(bench.problems))


def _of_many(bench: Bench, found: Regrets, trials: int) -> Regrets:
    """Without searchers that have run on a few problems only."""
    counts: dict[str, int] = {}
    for (_, searcher), runs in found.items():
        counts[searcher] = counts.get(searcher, 0) + any(len(values) >= trials for values in runs.values())
    return {key: runs for key, runs in found.items() if counts[key[1]] >= _fewest(bench)}


def _standings(bench: Bench, report: Report, scores: Scores, section: str) -> None:
    rows = []
    for item in scores.standings():
        seeds = "–".join(str(count) for count in dict.fromkeys(item.seeds))
        figures = [interval(item.score), shown(item.regret), shown(item.area), interval(item.rank, 2)]
        rows.append([item.searcher, str(item.problems), seeds, *figures])
        report.add(section, {"trials": scores.trials, **vars(item)})
    titles = ["", "problems", "seeds", "score [95 %]", "median regret", "mean regret on the way", "mean rank [95 %]"]
    bench.document.table(titles, rows)
    if scores.solved:
        bench.document.note(f"Left out, since random search solves them: {', '.join(scores.solved)}.")


def _comparisons(bench: Bench, report: Report, scores: Scores, section: str) -> None:
    """Whatever is no peer, less each peer."""
    peers = [name for name in scores.searchers if name in bench.peers]
    rows = []
    for searcher in scores.searchers:
        for peer in peers:
            found = None if searcher in (*peers, RANDOM) else scores.difference(searcher, peer)
            if found:
                rows.append([searcher, peer, *_words(found)])
                report.add(section, {"searcher": searcher, "less": peer, "trials": scores.trials, **vars(found)})
    if rows:
        bench.document.note("Same problems, same seeds:")
        titles = ["", "less", "problems", "runs", "score", "other's", "difference [95 %]", "won, tied, lost"]
        bench.document.table(titles, rows)


def _by_problem(bench: Bench, scores: Scores) -> None:
    names = [item.searcher for item in scores.standings()]
    rows = []
    for problem in scores.problems:
        reached = [scores.reached(problem, name) if scores.has(problem, name) else None for name in names]
        cells = ["–" if values is None else f"{scores.score(problem, values):.0f}" for values in reached]
        rows.append([problem, *cells])
    bench.document.note("Scores by problem:")
    bench.document.table(["", *names], rows)


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

    peers = [peer for peer in NAMESAKES.values() if peer in bench.peers]
    if "auto" in bench.options.methods and "optuna-tpe" in peers:
        aim("auto", "optuna-tpe", 0.0)
    if "auto" in bench.options.methods and "optuna-gp" in peers:
        aim("auto", "optuna-gp", SLACK)
        found = scores.difference(bench.ours("auto").name, "optuna-gp")
        what = f"{section}, {scores.trials} trials: auto − optuna-gp, mean"
        report.at_least(what, found.difference.mean if found else None, 0.0)
    for method, peer in NAMESAKES.items():
        if method in bench.options.methods and peer in peers:
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
        if len(counts) >= _fewest(bench):
            times = sum(count < math.inf for count in counts)
            rows.append([searcher, reaching.shown(reaching.middle(counts)), f"{times} of {len(counts)}"])
    if rows:
        bench.document.title(f"trials to what random search reaches in {trials}, {workers} at a time")
        bench.document.table(["", "median over problems", "reached by most runs"], rows)
