#!/usr/bin/env python3
"""What `make bench-search` makes of runs: hypervolumes, regrets, scores, and rows that are kept."""

import pathlib
import random
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Benchmarks"))

from search import rows  # noqa: E402 (Benchmarks is on the path from here on)
from search.conformance.subject import CONDITIONAL  # noqa: E402
from search.optimizers.base import Random, Task  # noqa: E402
from search.problems.functions import conditional, of_numbers  # noqa: E402
from search.scoring import hypervolume, reaching, regret  # noqa: E402
from search.scoring.scores import Scores  # noqa: E402
from search.simulation import simulate  # noqa: E402
from search.spaces import real, space  # noqa: E402


def step(true, seen=None, constraints=()):
    return rows.Step([true], [true if seen is None else seen], list(constraints), 0.0, 0.0)


class HypervolumeTests(unittest.TestCase):
    def test_history_is_the_share_of_a_fine_grid_that_is_dominated(self):
        source = random.Random(3)
        points = [(source.randrange(12), source.randrange(12)) for _ in range(60)]
        cells = [(x, y) for x in range(10) for y in range(10)]
        for count, area in enumerate(hypervolume.history(points, (10, 10)), 1):
            expected = sum(any(a <= x and b <= y for a, b in points[:count]) for x, y in cells)
            self.assertEqual(area, expected, points[:count])


class RegretTests(unittest.TestCase):
    def test_incumbent_is_the_true_value_of_the_best_seen_point_that_meets_the_constraints(self):
        steps = [step(5, constraints=[1]), step(4, 4.5, [0]), step(3, 5, [-1]), step(6, 1, [0]), step(0, 0, [0.1])]
        self.assertEqual(regret.incumbents(steps), [6, 4, 4, 6, 6])

    def test_score_is_0_for_random_search_and_100_at_the_optimum(self):
        problems = [of_numbers(f"p{place}", space(real("x", 0, 1)), sum, 0.0) for place in range(3)]
        runs = {}
        for problem in problems:
            for seed, levels in enumerate([(8, 4, 4), (8, 8, 2), (8, 2, 2)]):
                runs[rows.Key(problem.name, "random", seed, 1)] = [step(level) for level in levels]
                runs[rows.Key(problem.name, "half", seed, 1)] = [step(level / 2) for level in levels]
                runs[rows.Key(problem.name, "ideal", seed, 1)] = [step(8), step(0), step(0)]
        found = regret.regrets(problems, runs)
        scores = Scores(found, 3)
        self.assertEqual([item.searcher for item in scores.standings()], ["ideal", "half", "random"])
        self.assertEqual([item.score.mean for item in scores.standings()], [100, 50, 0])
        self.assertEqual([item.rank.mean for item in Scores(found | renamed(found), 3).standings()], [1, 2, 3])
        difference = scores.difference("half", "random")
        self.assertEqual((difference.won, difference.tied, difference.lost, difference.difference.low), (9, 0, 0, 50))
        goal = reaching.goal(found, "p0", 3)
        self.assertEqual(reaching.first(found["p0", "half"][0], goal), 2)

    def test_what_random_search_solves_is_left_out(self):
        problem = of_numbers("p", space(real("x", 0, 1)), sum, 0.0)
        runs = {rows.Key("p", "random", 0, 1): [step(1), step(0)]}
        scores = Scores(regret.regrets([problem], runs), 2)
        self.assertEqual((scores.problems, scores.solved), ([], ["p"]))


def renamed(regrets):
    """Two more problems with the same runs: ranks take five."""
    return {(f"{problem} again", name): runs for (problem, name), runs in regrets.items() if problem != "p2"}


class RowsTests(unittest.TestCase):
    def test_finished_runs_are_read_again_and_the_longest_counts(self):
        problem = conditional()
        with tempfile.TemporaryDirectory() as scratch:
            folder = pathlib.Path(scratch)
            places = rows.Places(folder / "peers", folder / "ours")
            key = rows.Key(problem.name, "random", 3, 2)
            kept = rows.Runs(places)
            for trials in (5, 9, 7):
                result = simulate(problem, Random(Task(problem.space, 3)), 3, trials, 2)
                self.assertEqual(result.invalid, 0)
                kept.add(key, "public", problem.kind, result, is_ours=False)
            with (folder / "peers" / "runs.csv").open("a") as file:
                file.write(f"public,{problem.name},synthetic,random,4,2,1,0.5,0.5,,0.0,0.1,0\r\npublic,cut off by a ki")
            kept.add(key, "public", problem.kind, result, is_ours=False)
            again = rows.Runs(places)
            self.assertEqual((kept.length(key), again.length(key)), (9, 9))
            self.assertEqual(again.length(key._replace(seed=4)), 1)
            self.assertEqual(again.all(2)[key], kept.all(2)[key])
            self.assertEqual(again.all(1), {})


class SpaceTests(unittest.TestCase):
    def test_drawn_points_are_valid_and_spoilt_ones_are_not(self):
        source = random.Random(5)
        for _ in range(200):
            point = CONDITIONAL.draw(source)
            self.assertEqual(CONDITIONAL.faults(point), [])
            name = source.choice(list(point))
            self.assertTrue(CONDITIONAL.faults({key: value for key, value in point.items() if key != name}), name)
            self.assertTrue(CONDITIONAL.faults({**point, name: "nothing"}), name)
            self.assertTrue(CONDITIONAL.faults({**point, "other": 1}))
        point.update(b=1)
        self.assertTrue(CONDITIONAL.faults(point), "1 is not true")
        self.assertTrue(CONDITIONAL.parameters[1].fault(0.3), "off its step")


if __name__ == "__main__":
    unittest.main()
