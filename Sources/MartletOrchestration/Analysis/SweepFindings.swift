// What the trials of a sweep showed about one of its objectives, as the API tells it.

import Foundation
import MartletFormats
import MartletModel
import MartletScheduling
import MartletSearch
import OrderedCollections

/// The findings of a sweep; a function of its trials, but for what is left out because time is up.
struct SweepFindings: Sendable {
  /// Steps of work in a part whose size grows with a power of the trials; above it the part is left out.
  static let mostWork = 4e8
  /// After so long no further part is begun.
  static let patience = Duration.seconds(5)
  /// Values at which the distribution is told; more trials are thinned to so many.
  static let distributionSize = 200

  let json: JSONValue

  /// - Parameters:
  ///   - trials: all of the sweep, by number.
  ///   - objective: its place among those of the sweep.
  init(
    of sweep: PublicID, _ specification: SweepSpecification, _ trials: [Trial], objective: Int,
    patience: Duration = SweepFindings.patience
  ) {
    let deadline = ContinuousClock.now + patience
    let ended = trials.filter(\.state.isEnd)
    let analysis = SweepAnalysis(
      Self.history(of: ended, specification), objectives: specification.objectives)
    let completed = analysis.history.observations.filter { $0.state == .complete && !$0.losses.isEmpty }
    let model = analysis.response(objective: objective)
    var leftOut: [String] = []
    func isTime(for part: String) -> Bool {
      if ContinuousClock.now < deadline { return true }
      if !leftOut.contains(part) { leftOut.append(part) }
      return false
    }
    let importances =
      model.flatMap { isTime(for: "importance") ? analysis.importances($0, objective: objective) : nil } ?? []
    let interactions = model.flatMap { isTime(for: "interactions") ? analysis.interactions($0) : nil } ?? []
    let slices = analysis.parameters.compactMap { name -> JSONValue? in
      guard let model, isTime(for: "slices") else { return nil }
      return analysis.slice(name, objective: objective, model: model).map(Self.json)
    }
    let front = Self.front(analysis, completed.count, &leftOut)
    let volume = front.flatMap { Self.volume(analysis, front: $0.count, &leftOut) }
    let progress = analysis.progress(
      objective: objective, target: specification.targets.isEmpty ? nil : specification.targets[objective])
    let note: String? = model == nil ? Self.silence(completed.count, analysis) : nil
    let counts: JSONValue = [
      "ended": .int(Int64(ended.count)), "complete": .int(Int64(completed.count)),
      "feasible": .int(Int64(completed.count { $0.isFeasible })),
    ]
    let importance: JSONValue = [
      "needed": .int(Int64(ResponseModel.leastTrials)), "note": JSONValue(note),
      "parameters": .array(importances.map(\.json)), "interactions": .array(interactions.map(\.json)),
    ]
    // The file was read when the sweep began: neither can fail now.
    let plan = try? SearchPlan(
      method: specification.method, specification.problem(seed: 0), failures: specification.penaltyWords)
    let numbers = front.map { trials in JSONValue.array(trials.map { .int(Int64($0)) }) }
    json = [
      "sweep": .string(sweep.rawValue), "objective": .int(Int64(objective)),
      "objectives": .array(specification.objectives.map(\.json)), "trials": counts,
      "search": plan?.json(at: trials.count) ?? .null, "stopping": Self.stopping(trials, specification),
      "progress": progress.json, "importance": importance, "slices": .array(slices),
      "distribution": analysis.distribution(objective: objective).thinned(to: Self.distributionSize).json,
      "front": numbers ?? .null, "hypervolume": volume?.json ?? .null, "left_out": JSONValue(leftOut),
    ]
  }

  /// The rule by which trials are stopped, and who was, by how far they had come; null: there is none.
  private static func stopping(_ trials: [Trial], _ specification: SweepSpecification) -> JSONValue {
    guard let rule = try? specification.stoppingRule() else { return .null }
    let steps = rule.rungs
    var rungs: OrderedDictionary<Int64, (stopped: [JSONValue], paused: [JSONValue])> = [:]
    for trial in trials where trial.state == .pruned || trial.state == .paused {
      guard let step = Measured(json: trial.measured).step,
        let rung = steps.last(where: { $0 <= Int64(step) })
      else { continue }
      let number = JSONValue.int(Int64(trial.number))
      if trial.state == .paused {
        rungs[rung, default: ([], [])].paused.append(number)
      } else {
        rungs[rung, default: ([], [])].stopped.append(number)
      }
    }
    rungs.sort { $0.key < $1.key }
    return [
      "rules": JSONValue(rule.sentences(specification.objectives)),
      "rungs": .array(
        rungs.map { step, trials in
          ["step": .int(step), "stopped": .array(trials.stopped), "paused": .array(trials.paused)]
        }),
    ]
  }

  /// Trials that do not lie in the space of the file, because it has changed since, are left out.
  private static func history(of ended: [Trial], _ specification: SweepSpecification) -> History {
    let cube = UnitCube(specification.space)
    let objectives = specification.objectives
    var history = History(cube: cube)
    for trial in ended {
      let record = SweepMachine.TrialRecord(trial, in: specification.space)
      guard let coordinates = cube.coordinates(of: record.point) else { continue }
      // What a failure counts as for the search is nothing that was found.
      let losses = trial.state == .failed ? [] : record.losses(objectives)
      let isUsable = losses.count == objectives.count && losses.allSatisfy(\.isFinite)
      history.end(
        Observation(
          trial: trial.number, coordinates: coordinates, state: trial.state, losses: isUsable ? losses : [],
          violations: record.measured.violations))
    }
    return history
  }

  /// Why nothing can be said of what matters.
  private static func silence(_ completed: Int, _ analysis: SweepAnalysis) -> String {
    if analysis.parameters.isEmpty { return "Every parameter has one value: there is nothing to compare." }
    let needed = ResponseModel.leastTrials
    guard completed >= needed else {
      let there = completed == 0 ? "none yet" : "\(completed)"
      let verb = completed == 1 ? "is" : "are"
      return "What matters can be said from \(needed) complete trials on: there \(verb) \(there)."
    }
    return "All complete trials came to the same value: there is nothing to explain."
  }

  /// The mean alone: a trial's own values stand in the list of trials.
  private static func json(_ slice: SliceChart) -> JSONValue {
    [
      "name": .string(slice.axis.name), "values": .array(slice.means.map(\.value)),
      "metric": .array(slice.means.map { .double($0.metric) }),
    ]
  }

  /// The numbers of the trials on the front; nil with one objective.
  private static func front(_ analysis: SweepAnalysis, _ trials: Int, _ leftOut: inout [String]) -> [Int]? {
    guard analysis.objectives.count > 1 else { return nil }
    guard pow(Double(trials), 2) <= mostWork else {
      leftOut += ["front", "hypervolume"]
      return nil
    }
    return analysis.pareto().rows.filter(\.isOnFront).map(\.trial)
  }

  /// How the volume behind the front grew: a volume for each change of the front.
  private static func volume(
    _ analysis: SweepAnalysis, front: Int, _ leftOut: inout [String]
  ) -> HypervolumeHistory? {
    guard pow(Double(front), Double(analysis.objectives.count)) <= mostWork else {
      leftOut.append("hypervolume")
      return nil
    }
    return analysis.hypervolumeHistory()
  }
}
