// Which parameters matter, three ways, and which matter together.

public import MartletModel
import OrderedCollections

/// How much one parameter matters.
public struct ParameterImportance: Hashable, Sendable {
  public var name: String
  /// The share of the variance of the loss that the parameter explains alone (functional ANOVA), 0 to 1.
  public var variance: Double
  /// Its part in telling the best tenth from all trials (PED-ANOVA), 0 to 1: all parameters together 1.
  public var amongTheBest: Double
  /// Its part in the forest's splits (mean decrease in impurity), 0 to 1: all parameters together 1.
  public var impurity: Double
  /// Of how many completed trials it had a value.
  public var trials: Int

  public var json: JSONValue {
    [
      "name": .string(name), "variance": .double(variance), "among_the_best": .double(amongTheBest),
      "impurity": .double(impurity), "trials": .int(Int64(trials)),
    ]
  }
}

/// How much two parameters matter together.
public struct ParameterInteraction: Hashable, Sendable {
  public var first: String
  public var second: String
  /// The share of the variance that both explain together and neither alone, 0 to 1.
  public var variance: Double

  public var json: JSONValue {
    ["first": .string(first), "second": .string(second), "variance": .double(variance)]
  }
}

extension SweepAnalysis {
  /// All parameters, the one that explains most first. `model` must be of the same objective.
  public func importances(_ model: ResponseModel, objective: Int = 0) -> [ParameterImportance] {
    let effects = model.mainEffects
    let impurities = model.impurityDecreases
    let divergences = divergences(objective)
    let rows = parameters.indices.map { axis in
      ParameterImportance(
        name: parameters[axis], variance: effects[axis], amongTheBest: divergences[axis],
        impurity: impurities[axis], trials: columns[axis].count { !$0.isNaN })
    }
    return rows.indices
      .sorted { rows[$0].variance == rows[$1].variance ? $0 < $1 : rows[$0].variance > rows[$1].variance }
      .map { rows[$0] }
  }

  private func divergences(_ objective: Int) -> [Double] {
    let order = completed.indices.sorted { a, b in
      let (left, right) = (completed[a].losses[objective], completed[b].losses[objective])
      return left == right ? a < b : left < right
    }
    let count = max(2, Int((LocalImportance.share * Double(order.count)).rounded(.up)))
    let best = order.prefix(count)
    let divergences = columns.enumerated().map { axis, column in
      LocalImportance.divergence(history.cube.axes[axis], best: best.map { column[$0] }, all: column)
    }
    let sum = divergences.reduce(0, +)
    return sum > 0 ? divergences.map { $0 / sum } : divergences
  }

  /// Pairs among the `most` parameters with the largest effects, the strongest pair first.
  public func interactions(_ model: ResponseModel, among most: Int = 8) -> [ParameterInteraction] {
    let effects = model.mainEffects
    let leading = effects.indices
      .sorted { effects[$0] == effects[$1] ? $0 < $1 : effects[$0] > effects[$1] }
      .prefix(most).sorted()
    let pairs = leading.enumerated().flatMap { place, a in leading.dropFirst(place + 1).map { (a, $0) } }
    let rows = zip(pairs, model.interactions(pairs)).map { pair, share in
      ParameterInteraction(first: parameters[pair.0], second: parameters[pair.1], variance: share)
    }
    return rows.indices
      .sorted { rows[$0].variance == rows[$1].variance ? $0 < $1 : rows[$0].variance > rows[$1].variance }
      .map { rows[$0] }
  }
}
