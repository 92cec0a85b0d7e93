"""Runs that are wanted and not there yet."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

from tracking.report import Report

from search.bench import Bench
from search.optimizers import SLOW_PEERS, Searcher
from search.optimizers.base import Task
from search.problems import NAME
from search.problems.base import Problem
from search.simulation import simulate
from search.steps import Key

MOST_FAILURES = 3  # of a searcher in a section, after which its other runs are left out


class Job(NamedTuple):
    key: Key
    problem: Problem
    searcher: Searcher
    trials: int


def jobs(bench: Bench, problems: Sequence[Problem], searchers: Sequence[Searcher], workers: Sequence[int]) -> list[Job]:
    """All runs of a section, seed by seed, so that a part of them is a smaller benchmark and not a lopsided one."""
    options = bench.options
    found = []
    for seed in sorted({*options.seeds, *options.slow_seeds}):
        for problem in problems:
            for searcher in searchers:
                is_slow = searcher.name in SLOW_PEERS
                if seed not in (options.slow_seeds if is_slow else options.seeds):
                    continue
                if not searcher.can_search(problem.space.objectives):
                    continue
                trials = min(options.trials, options.slow_trials) if is_slow else options.trials
                for count in workers:
                    found.append(Job(Key(problem.name, searcher.name, seed, count), problem, searcher, trials))
    return found


def run(bench: Bench, report: Report, section: str, wanted: Sequence[Job]) -> None:
    """Those that are missing, as long as there is time."""
    missing = [job for job in wanted if bench.runs.length(job.key) < job.trials]
    print(f"  {section}: {len(missing)} of {len(wanted)} runs are missing", file=sys.stderr, flush=True)
    failures: dict[str, int] = {}
    for job in missing:
        name = job.searcher.name
        if failures.get(name, 0) >= MOST_FAILURES or bench.deadline.leaves(f"runs of {section}"):
            continue
        try:
            _run(bench, report, job)
        except Exception as error:
            failures[name] = failures.get(name, 0) + 1
            report.failed(f"{section}: {name} on {job.key.problem}, seed {job.key.seed}: {error!r}"[:400])


def _run(bench: Bench, report: Report, job: Job) -> None:
    key = job.key
    began = time.monotonic()
    optimizer = job.searcher.begin(Task(job.problem.space, key.seed, job.trials, key.workers), bench.service)
    try:
        result = simulate(job.problem, optimizer, key.seed, job.trials, key.workers)
    finally:
        optimizer.close()
    bench.runs.add(key, NAME, job.problem.kind, result, is_ours=job.searcher.method is not None)
    if result.invalid:
        report.failed(f"{key.searcher} on {key.problem}, seed {key.seed}: {result.invalid} points outside the space")
    best = min(trial.outcome.true[0] for trial in result.trials)
    words = f"{key.problem} {key.searcher} seed {key.seed}, {key.workers} pending: {best:.5g}"
    print(f"    {words} ({time.monotonic() - began:.1f} s)", file=sys.stderr, flush=True)
