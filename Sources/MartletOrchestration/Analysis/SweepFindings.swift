// What the trials of a sweep showed about one of its objectives, as the API tells it.

import Foundation
import MartletFormats
import MartletModel
import MartletScheduling
import MartletSearch
import OrderedCollections

/// The findings of a sweep; a function of its trials, but for what is left out because time is up.
struct SweepFindings: Sendable {
  /// What is asked of a sweep, in its own terms.
  struct Question: Hashable, Sendable {
    /// The place of an objective.
    var objective = 0
    var charts: Set<AnalysisChart> = []
    /// The parameters of charts of two; nil: those that matter most.
    var x: String?
    var y: String?
  }

  /// Steps of work in a part whose size grows with a power of the trials; above it the part is left out.
  static let mostWork = 4e8
  /// Values in a chart that has one for each trial and parameter; above it the chart is left out.
  static let mostCells = 1_000_000
  /// After so long no further part is begun.
  static let patience = Duration.seconds(5)
  /// Values at which the distribution is told; more trials are thinned to so many.
  static let distributionSize = 200

  let json: JSONValue

  /// - Parameter trials: all of the sweep, by number.
  init(
    of sweep: PublicID, _ specification: SweepSpecification, _ trials: [Trial], _ question: Question,
    patience: Duration = SweepFindings.patience, mostCells: Int = SweepFindings.mostCells
  ) {
    let objective = question.objective
    let ended = trials.filter(\.state.isEnd)
    let analysis = Self.analysis(of: ended, specification)
    var budget = AnalysisBudget(patience, mostCells: mostCells)
    let model = analysis.response(objective: objective)
    let importances =
      model.flatMap { budget.allows("importance") ? analysis.importances($0, objective: objective) : nil }
      ?? []
    let interactions =
      model.flatMap { budget.allows("interactions") ? analysis.interactions($0) : nil } ?? []
    let needsSlices = model != nil || question.charts.contains(.slices)
    let slices = analysis.parameters.compactMap { name -> SliceChart? in
      guard needsSlices, budget.allows("slices") else { return nil }
      return analysis.slice(name, objective: objective, model: model)
    }
    let pareto = Self.pareto(analysis, &budget)
    let front = pareto?.rows.filter(\.isOnFront).map(\.trial)
    let volume = front.flatMap { Self.volume(analysis, front: $0.count, &budget) }
    let distribution = analysis.distribution(objective: objective)
    let silence = model == nil ? Self.silence(analysis) : nil
    let charts = SweepCharts(
      of: question, analysis, ended,
      parts: SweepCharts.Parts(
        model: model, importances: importances, interactions: interactions, slices: slices,
        distribution: distribution, pareto: pareto, volume: volume, silence: silence), &budget)
    let notes = [silence, analysis.outsideSentence].compactMap(\.self)
    let importance: JSONValue = [
      "needed": .int(Int64(ResponseModel.leastTrials)), "trials": .int(Int64(analysis.completed.count)),
      "note": notes.isEmpty ? .null : .string(notes.joined(separator: " ")),
      "parameters": .array(importances.map(\.json)), "interactions": .array(interactions.map(\.json)),
    ]
    // The file was read when the sweep began: neither can fail now.
    let plan = try? SearchPlan(
      method: specification.method, specification.problem(seed: 0), failures: specification.penaltyWords)
    let targets = specification.targets
    let target = targets.indices.contains(objective) ? targets[objective] : nil
    json = [
      "sweep": .string(sweep.rawValue), "objective": .int(Int64(objective)),
      "objectives": .array(specification.objectives.map(\.json)), "trials": Self.counts(analysis),
      "search": plan?.json(at: trials.count) ?? .null, "stopping": Self.stopping(trials, specification),
      "progress": analysis.progress(objective: objective, target: target).json, "importance": importance,
      "slices": .array(slices.compactMap(Self.mean)),
      "distribution": distribution.thinned(to: Self.distributionSize).json,
      "front": front.map { .array($0.map { .int(Int64($0)) }) } ?? .null,
      "hypervolume": volume?.json ?? .null, "charts": .object(charts.members),
      "chart_notes": .object(charts.notes), "left_out": JSONValue(budget.leftOut),
    ]
  }

  private static func counts(_ analysis: SweepAnalysis) -> JSONValue {
    [
      "ended": .int(Int64(analysis.ended.count)), "complete": .int(Int64(analysis.finished.count)),
      "feasible": .int(Int64(analysis.finished.count { $0.isFeasible })),
      "outside": .int(Int64(analysis.outside)),
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

  /// Trials that do not lie in the space of the file, because it has changed since, stand beside it.
  private static func analysis(of ended: [Trial], _ specification: SweepSpecification) -> SweepAnalysis {
    let cube = UnitCube(specification.space)
    let objectives = specification.objectives
    var history = History(cube: cube)
    var others: [Observation] = []
    for trial in ended {
      let record = SweepMachine.TrialRecord(trial, in: specification.space)
      // What a failure counts as for the search is nothing that was found.
      let losses = trial.state == .failed ? [] : record.losses(objectives)
      let isUsable = losses.count == objectives.count && losses.allSatisfy(\.isFinite)
      let coordinates = cube.coordinates(of: record.point)
      let observation = Observation(
        trial: trial.number, coordinates: coordinates ?? [], state: trial.state,
        losses: isUsable ? losses : [], violations: record.measured.violations)
      if coordinates == nil { others.append(observation) } else { history.end(observation) }
    }
    return SweepAnalysis(history, others: others, objectives: objectives)
  }

  /// Why nothing can be said of what matters.
  private static func silence(_ analysis: SweepAnalysis) -> String {
    if analysis.parameters.isEmpty { return "Every parameter has one value: there is nothing to compare." }
    let needed = ResponseModel.leastTrials
    let completed = analysis.completed.count
    guard completed >= needed else {
      let there = completed == 0 ? "none yet" : "\(completed)"
      let verb = completed == 1 ? "is" : "are"
      return "What matters can be said from \(needed) complete trials on: there \(verb) \(there)."
    }
    return "All complete trials came to the same value: there is nothing to explain."
  }

  /// The mean alone: a trial's own values stand in the list of trials. Nil: there is none.
  private static func mean(_ slice: SliceChart) -> JSONValue? {
    guard !slice.means.isEmpty else { return nil }
    return [
      "name": .string(slice.axis.name), "values": .array(slice.means.map(\.value)),
      "metric": .array(slice.means.map { .double($0.metric) }),
    ]
  }

  /// The trials by their objectives, with the front; nil with one objective.
  private static func pareto(_ analysis: SweepAnalysis, _ budget: inout AnalysisBudget) -> ParetoChart? {
    guard analysis.objectives.count > 1 else { return nil }
    guard pow(Double(analysis.finished.count), 2) <= mostWork else {
      budget.leaveOut("front")
      budget.leaveOut("hypervolume")
      return nil
    }
    return analysis.pareto()
  }

  /// How the volume behind the front grew: a volume for each change of the front.
  private static func volume(
    _ analysis: SweepAnalysis, front: Int, _ budget: inout AnalysisBudget
  ) -> HypervolumeHistory? {
    guard pow(Double(front), Double(analysis.objectives.count)) <= mostWork else {
      budget.leaveOut("hypervolume")
      return nil
    }
    return analysis.hypervolumeHistory()
  }
}
