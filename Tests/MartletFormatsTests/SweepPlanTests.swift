// What a sweep file would do, in words: how long it takes, what stops trials, what it learns from.

import MartletModel
import MartletSearch
import OrderedCollections
import Testing

@testable import MartletFormats

@Suite struct SweepPlanTests {
  private func row(
    _ name: String, _ more: String, imported: ImportedTrials? = ImportedTrials(), pace: Double? = nil
  ) throws -> String? {
    let file = try SweepSpecification.read(
      source: "program: t.py\nmetric: {name: loss}\nparameters: {a: {min: 1, max: 100}}\n\(more)\n")
    let plan = try SweepPlan(
      file, imported: imported, pace: pace.map { SweepPlan.Pace(seconds: $0, source: "sweep 'old'") })
    return plan.rows.first { $0.name == name }?.words
  }

  @Test(
    arguments: [
      ("", nil, "2 at a time; nothing limits a trial, so nobody can say how long"),
      ("run_cap: 9\ntimeout: 60", nil, "2 at a time; at most 5 min 0 s, 1 min 0 s a trial"),
      ("run_cap: 9", 60, "2 at a time; about 5 min 0 s in all, 1 min 0 s a trial as in sweep 'old'"),
      ("", 60, "2 at a time; about 1 min 0 s a trial as in sweep 'old'"),
      (
        "run_cap: 10\nmax_parallel: auto\ntimeout: 60", 30,
        "as many at a time as there is room for; about 5 min 0 s if it were one at a time, 30 s a trial as in "
          + "sweep 'old'; at most 1 min 0 s a trial"
      ),
      ("budget: {time: 1h}", nil, "2 at a time; no trial begins after 1 h 0 min"),
      (
        "budget: {time: 1h}\ntimeout: 30m", nil,
        "2 at a time; at most 30 min 0 s a trial; no trial begins after 1 h 0 min, and the last "
          + "takes 30 min 0 s at most"
      ),
      (
        "run_cap: 2\ntimeout: 60\nretries: {oom: 1}", nil,
        "2 at a time; at most 1 min 0 s, 1 min 0 s a trial, what is retried beside"
      ),
    ] as [(String, Double?, String)]) func time(more: String, pace: Double?, words: String) throws
  {
    #expect(try row("Time", "method: random\n\(more)", pace: pace) == words)
  }

  @Test(arguments: [
    ("method: asha", "random; asha stops trials early"),
    (
      "method: random\nearly_terminate: [{type: median}, {type: threshold, upper: 9}]",
      "random; median, threshold stop trials early"
    ),
  ]) func rules(more: String, words: String) throws {
    #expect(try row("Method", more) == words)
  }

  @Test func howManyTrials() throws {
    #expect(try row("Trials", "method: random") == "100 of 100 points")
    #expect(try row("Trials", "method: random\nrun_cap: 900") == "100 of 100 points")
    #expect(try row("Trials", "method: random\nrun_cap: 9") == "9 of 100 points")
    #expect(try row("Trials", "method: pbt\nrun_cap: 900") == "900 of 100 points")
    let file = try SweepSpecification.read(
      source: "program: t.py\nmethod: grid\nparameters: {a: {values: [x, y]}}\nwhere: a != 'x' and a != 'y'\n"
    )
    let plan = try SweepPlan(file, imported: ImportedTrials())
    #expect(plan.points.isEmpty)
    #expect(plan.doubt?.hasPrefix("there is nothing to try: ") == true)
  }

  @Test func whatItLearnsFrom() throws {
    let item = ImportedTrials.Item(parameters: ["a": 5], losses: [1], violations: [])
    let outside = ImportedTrials.Item(parameters: ["a": 500], losses: [1], violations: [])
    let warm = "method: random\nwarm_start: [one, two]"
    #expect(
      try row("Learns from", warm, imported: ImportedTrials(items: [item, outside]))
        == "1 trial of sweeps 'one', 'two'; 1 more do not lie in this space")
    #expect(try row("Learns from", warm, imported: nil)?.contains("none is up") == true)
    #expect(try row("Learns from", "method: random") == nil)
  }
}
