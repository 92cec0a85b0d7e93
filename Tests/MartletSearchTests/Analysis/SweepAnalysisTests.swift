// What charts and statements are made of.

import MartletModel
import OrderedCollections
import Testing

@testable import MartletSearch

private func history(_ losses: [[Double]], states: [Int: TrialState] = [:], violations: [Int: Double] = [:])
  throws -> History
{
  let space = try Space([
    Parameter("lr", .real(.logUniformValues(min: 0.001, max: 0.1))),
    Parameter("kind", .categorical(["a", "b", "c"])),
  ])
  var history = History(cube: UnitCube(space))
  for (trial, own) in losses.enumerated() {
    history.end(
      Observation(
        trial: trial, coordinates: [Double(trial) / Double(max(losses.count - 1, 1)), Double(trial % 3)],
        state: states[trial] ?? .complete, losses: states[trial] == .failed ? [] : own,
        violations: violations[trial].map { [$0] } ?? []))
  }
  return history
}

private let loss = Objective(metric: "loss", goal: .minimize)
private let accuracy = Objective(metric: "accuracy", goal: .maximize)

@Suite struct SweepAnalysisTests {
  @Test func theBestSoFarCountsFeasibleCompletedTrials() throws {
    let analysis = SweepAnalysis(
      try history(
        [[-0.5], [-0.9], [-0.7], [-0.95], [-0.8], [0]], states: [3: .pruned, 5: .failed], violations: [1: 2]),
      objectives: [accuracy])
    let rows = analysis.optimizationHistory().rows
    #expect(rows.map(\.best) == [0.5, 0.5, 0.7, 0.7, 0.8, 0.8])
    #expect(rows.map(\.metric) == [0.5, 0.9, 0.7, 0.95, 0.8, nil])
    #expect(rows.map(\.isFeasible) == [true, false, true, true, true, true])
    // The better first; the infeasible one was measured as well.
    #expect(analysis.distribution().metric == [0.9, 0.8, 0.7, 0.5])
    #expect(analysis.distribution().share == [0.25, 0.5, 0.75, 1])
    #expect(analysis.distribution().thinned(to: 4) == analysis.distribution())
    #expect(
      analysis.distribution().thinned(to: 2) == DistributionChart(metric: [0.9, 0.5], share: [0.25, 1]))
    #expect(analysis.distribution().thinned(to: 3).metric == [0.9, 0.8, 0.5])
  }

  @Test func chartsHaveValuesPlacesAndRanks() throws {
    let analysis = SweepAnalysis(try history([[3], [1], [2], [2], [5]]), objectives: [loss])
    let contour = try #require(analysis.contour(x: "lr", y: "kind"))
    #expect(contour.rows.map(\.rank) == [0.75, 0, 0.375, 0.375, 1])
    #expect(contour.rows.map(\.y) == ["a", "b", "c", "a", "b"])
    #expect(contour.gridY == ["a", "b", "c"])
    #expect(contour.x.isLogarithmic && contour.y.isCategorical)
    let parallel = analysis.parallelCoordinates()
    #expect(parallel.positions == [[0, 0.25, 0.5, 0.75, 1], [0, 0.5, 1, 0, 0.5]])
    #expect(parallel.values[1] == ["a", "b", "c", "a", "b"])
    #expect(parallel.metric == [3, 1, 2, 2, 5])
    #expect(analysis.contour(x: "lr", y: "lr") == nil)
    #expect(analysis.slice("width") == nil)
    // Through JSON, with nothing that has no literal.
    #expect(try JSONValue.parse(parallel.json.text) == parallel.json)
  }

  @Test func frontsAndTheirVolumeGrow() throws {
    let analysis = SweepAnalysis(
      try history([[4, -1], [2, -2], [4, -2], [0, 0], [2, -3], [1, -9]], violations: [5: 1]),
      objectives: [loss, accuracy])
    #expect(analysis.pareto().rows.filter(\.isOnFront).map(\.trial) == [3, 4])
    #expect(analysis.pareto().rows[1].metrics == [2, 2])
    let volume = try #require(analysis.hypervolumeHistory())
    #expect(volume.reference == [4, 0])
    // In units of the ranges 0...4 and −3...0: trial 1 dominates 2/4 × 2/3, trial 4 then 2/4 × 3/3; trial 0 and 3 lie on
    // the border of the box.
    #expect(volume.trials == [0, 1, 3, 4])
    #expect(zip(volume.volumes, [0, 1.0 / 3, 1.0 / 3, 0.5]).allSatisfy { abs($0 - $1) < 1e-12 })
    #expect(SweepAnalysis(try history([[1]]), objectives: [loss]).hypervolumeHistory() == nil)
  }

  @Test func trialsOutsideTheSpaceCountInAllButCharts() throws {
    let others = [
      Observation(trial: 7, coordinates: [], state: .complete, losses: [0.5]),
      Observation(trial: 1, coordinates: [], state: .pruned, losses: [0.1]),
      Observation(trial: 8, coordinates: [], state: .complete, losses: [0.2], violations: [1]),
    ]
    let inside = try history([[3], [2], [1], [4]])
    var renumbered = History(cube: inside.cube)
    for (place, observation) in inside.observations.enumerated() {
      var trial = observation
      trial.trial = 2 * place
      renumbered.end(trial)
    }
    let analysis = SweepAnalysis(renumbered, others: others, objectives: [loss])
    #expect(analysis.ended.map(\.trial) == [0, 1, 2, 4, 6, 7, 8])
    #expect(analysis.outside == 3)
    #expect(analysis.finished.map(\.trial) == [0, 2, 4, 6, 7, 8])
    #expect(analysis.completed.map(\.trial) == [0, 2, 4, 6])
    #expect(analysis.columns[0] == [0, 1.0 / 3, 2.0 / 3, 1])
    #expect(analysis.progress().bestTrial == 7)
    #expect(analysis.progress().statements.last?.hasPrefix("3 trials lie outside the space") == true)
    #expect(analysis.optimizationHistory().rows.map(\.best) == [3, 3, 2, 1, 1, 0.5, 0.5])
    #expect(analysis.distribution().metric == [0.2, 0.5, 1, 2, 3, 4])
    #expect(analysis.places() == [7: 1, 4: 2, 2: 3, 0: 4, 6: 5])
    #expect(analysis.parallelCoordinates().trials == [0, 2, 4, 6])
    #expect(analysis.slice("lr")?.rows.map(\.trial) == [0, 2, 4, 6])
  }

  @Test func lanesAreAsManyAsRunAtOnce() {
    let timeline = SweepTimeline(
      [
        .init(trial: 0, start: 0, end: 4, state: .complete),
        .init(trial: 1, start: 1, end: 2, state: .failed),
        .init(trial: 3, start: 4, end: nil, state: .running),
        .init(trial: 2, start: 2, end: 4, state: .pruned),
      ], now: 8)
    #expect(timeline.spans.map(\.trial) == [0, 1, 2, 3])
    #expect(timeline.lanes == [0, 1, 1, 0])
    #expect(timeline.laneCount == 2)
    #expect(timeline.utilization == 11.0 / 16)
    #expect(timeline.until == 8)
    #expect(SweepTimeline([], now: 1).utilization == nil)
  }

  @Test func progressInWords() throws {
    func progress(_ losses: [Double], target: Double? = nil) throws -> SearchProgress {
      SweepAnalysis(try history(losses.map { [$0] }), objectives: [loss]).progress(target: target)
    }
    let still = try progress((0..<20).map { 1 / Double($0 + 1) }, target: 0.01)
    #expect(
      still.statements == [
        "The best loss of 20 trials is 0.05, by trial 19.",
        "It is 0.04 away from the target, 0.01.",
        "It still improves: the last quarter of the trials brought 2 % of all that was gained, the last time with the "
          + "newest trial.",
      ])
    let stuck = try progress([5, 1] + Array(repeating: 3, count: 18), target: 2)
    #expect(stuck.sinceBest == 18)
    #expect(stuck.regret == 0)
    #expect(
      stuck.statements == [
        "The best loss of 20 trials is 1, by trial 1.", "The target, 2, is reached.",
        "It no longer improves: 18 trials of 20 have brought nothing better. At random one of the next 2 trials would "
          + "be better with a chance of 9 %.",
      ])
    #expect(try progress([2, 1]).statements.last?.hasPrefix("It is too early") == true)
    #expect(try progress([]).statements == ["No trial has ended yet."])
    let failed = SweepAnalysis(try history([[1]], states: [0: .failed]), objectives: [loss]).progress()
    #expect(
      failed.statements == ["None of 1 trial that ended is complete and meets every constraint."])
  }
}
