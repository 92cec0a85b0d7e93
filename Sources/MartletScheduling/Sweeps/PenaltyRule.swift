// What a trial that failed counts as for the search, by how it ended and how far it had come.

package import MartletModel
import OrderedCollections

/// From the end of a failed trial to a value of the metric.
///
/// Only the search hears of it: such a trial has no objective, and is never the best.
package struct PenaltyRule: Sendable, Hashable {
  /// A value, from a share of the time limit on.
  package struct Grade: Sendable, Hashable {
    /// From 0 on, less than 1.
    package var share: Double
    /// Of the metric, with its own sign.
    package var value: Double

    package init(from share: Double = 0, _ value: Double) { (self.share, self.value) = (share, value) }
  }

  /// By cause, ascending by share, the first at 0. A cause without grades: the search hears that the trial failed, no more.
  package var grades: [Fault: [Grade]]

  package init(_ grades: [Fault: [Grade]] = [:]) { self.grades = grades }

  /// The same for whatever the point itself may be blamed for: all but the machine.
  package init(value: Double) {
    self.init([.failure: [Grade(value)], .oom: [Grade(value)], .timeout: [Grade(value)]])
  }

  /// The sooner the worse, and worst where memory ran out: those of autotuner, on the side of the metric's bad values.
  package static func graded(_ goal: Objective.Goal) -> PenaltyRule {
    let sign: Double = goal == .minimize ? 1 : -1
    func grades(_ factor: Double) -> [Grade] {
      [(0, 1000), (0.2, 500), (0.6, 200), (0.95, 100)].map { Grade(from: $0, sign * factor * $1) }
    }
    return PenaltyRule([.failure: grades(1), .oom: grades(1.5), .timeout: [Grade(sign * 100)]])
  }

  /// What a trial counts as whose last attempt ended so; nil: nothing is said of that.
  ///
  /// - Parameters:
  ///   - seconds: that it ran.
  ///   - limit: seconds that it had; nil: nothing limited them, so that nobody can tell how far it came.
  package func value(of fault: Fault, after seconds: Double, limit: Double?) -> Double? {
    let share = limit.map { seconds.isFinite && $0 > 0 ? seconds / $0 : 0 } ?? 0
    return grades[fault]?.last { $0.share <= share }?.value
  }

  /// Whether it asks how far a trial came.
  package var needsLimit: Bool { grades.values.contains { $0.count > 1 } }

  /// By cause the value, or values by the share from which they hold.
  package var json: JSONValue {
    var members = JSONObject()
    for fault in Fault.allCases {
      guard let grades = grades[fault], let first = grades.first else { continue }
      members[fault.rawValue] =
        grades.count == 1
        ? .double(first.value)
        : .object(JSONObject(uniqueKeysWithValues: grades.map { ("\($0.share)", .double($0.value)) }))
    }
    return .object(members)
  }

  /// A sentence for people.
  ///
  /// - Parameter metric: the name of what the values are values of.
  package func words(metric: String) -> String {
    let causes = Fault.allCases.compactMap { fault -> String? in
      guard let grades = grades[fault] else { return nil }
      let values = grades.map { grade in
        grade.share > 0
          ? "\(grade.value.brief) from \(percent(grade.share)) % of its time on" : grade.value.brief
      }
      return "\(Self.names[fault] ?? fault.rawValue) as \(values.joined(separator: ", "))"
    }
    return
      "For the search alone, a trial that failed counts as a value of \(metric): \(causes.joined(separator: "; "))."
  }

  /// Without the crumbs of the product.
  private func percent(_ share: Double) -> String { ((share * 1e8).rounded() / 1e6).brief }

  private static let names: [Fault: String] = [
    .failure: "one whose program failed", .oom: "one that ran out of memory",
    .timeout: "one that ran out of time",
    .infra: "one that its machine lost",
  ]
}

extension Double {
  /// Without a point where it is whole.
  fileprivate var brief: String {
    Int64(exactly: self).map { "\($0)" } ?? "\(self)"
  }
}

extension SweepMachine.Outcome {
  /// What the end of the last attempt of a trial means for the trial.
  ///
  /// - Parameter limit: seconds that the attempt had.
  init(of end: JobEnd, _ penalties: PenaltyRule, limit: Double?) {
    func failed(_ fault: Fault) -> Self {
      .failed(reason: end.reason, penalty: penalties.value(of: fault, after: end.seconds, limit: limit))
    }
    self =
      switch end.kind {
      case .success(let value, let measured): .complete(objective: value, measured)
      case .pruned(let value, let measured): .pruned(objective: value, measured, reason: end.reason)
      case .paused(let value, let measured): .paused(objective: value, measured, reason: end.reason)
      case .fault(let fault): failed(fault)
      case .hopeless: failed(.failure)
      // Whoever asked it to leave judged no point.
      case .left, .abandoned: .failed(reason: end.reason)
      case .impossible, .neverStarted: .notStarted(reason: end.reason)
      }
  }
}
