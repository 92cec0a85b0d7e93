// A row for each trial of a sweep, in columns.

import MartletModel
import MartletSearch
import OrderedCollections

/// The trials that ended with what they were given and what they came to.
struct TrialTable {
  let json: JSONValue

  /// - Parameters:
  ///   - history: of the objective.
  ///   - trials: those that ended, by number.
  init(_ analysis: SweepAnalysis, _ history: OptimizationHistory, _ trials: [Trial], objective: Int) {
    let inside = Set(analysis.history.observations.lazy.map(\.trial))
    let places = analysis.places(objective: objective)
    var names = OrderedSet(analysis.history.cube.space.parameters.map(\.name))
    for trial in trials { names.formUnion(trial.parameters.keys) }
    let parameters = names.map { name in
      (name, JSONValue.array(trials.map { $0.parameters[name] ?? .null }))
    }
    let metrics = analysis.objectives.indices.map { place in
      JSONValue.array(
        analysis.ended.map { trial in
          trial.losses.isEmpty ? .null : .double(analysis.value(trial.losses[place], place))
        })
    }
    json = [
      "trials": .array(trials.map { .int(Int64($0.number)) }),
      "states": .array(trials.map { .string($0.state.rawValue) }),
      // Of a trial that was not trained to its end, or has no value, nobody knows.
      "feasible": .array(
        analysis.ended.map { $0.state == .complete && !$0.losses.isEmpty ? .bool($0.isFeasible) : .null }),
      "outside": .array(trials.map { .bool(!inside.contains($0.number)) }),
      "parameters": .object(JSONObject(uniqueKeysWithValues: parameters)), "metrics": .array(metrics),
      "best": .array(history.rows.map { JSONValue($0.best) }),
      "rank": .array(trials.map { JSONValue(places[$0.number]) }),
    ]
  }
}
