// What a sweep file would do, in words and without doing it: `martlet sweep run --dry-run`, and the check of the dashboard.

package import MartletModel
import MartletScheduling
package import MartletSearch
import OrderedCollections

/// The plan of a sweep.
package struct SweepPlan: Sendable {
  /// One thing that is to be known before it begins.
  package struct Row: Sendable, Hashable {
    package var name: String
    package var words: String
  }

  /// A point that is among the first.
  package struct FirstPoint: Sendable, Hashable {
    /// Its run's.
    package var name: String
    package var point: Point
  }

  /// Points that are shown.
  private static let shownPoints = 5

  package let title: String
  package let rows: [Row]
  package let points: [FirstPoint]
  /// What the points are not told by: a sentence without its full stop; nil: they are as they will be.
  package let doubt: String?
  /// What a person should know though it is no error.
  package let notes: [String]

  /// How long trials took that were like those to come.
  package struct Pace: Sendable, Hashable {
    /// Of half of them less, of half more.
    package var seconds: Double
    /// Whose they are, like "sweep 'digits'".
    package var source: String

    package init(seconds: Double, source: String) { (self.seconds, self.source) = (seconds, source) }
  }

  /// - Parameters:
  ///   - imported: what its search learns from at its beginning; nil: nobody here knows the sweeps that the file names.
  ///   - pace: nil: nobody knows how long trials take.
  /// - Throws: `SearchError`.
  package init(
    _ specification: SweepSpecification, imported: ImportedTrials?, pace: Pace? = nil
  ) throws(SearchError) {
    title = specification.title
    notes = specification.notes
    let seed = specification.seed ?? 0
    var search = try specification.search(seed: seed, imported: imported ?? ImportedTrials())
    var first: [Point] = []
    var end: String?
    while end == nil, first.count < Self.shownPoints, first.count < specification.budget ?? .max {
      switch search.ask(trial: first.count) {
      case .trial(let suggestion): first.append(suggestion.point)
      case .exhausted(let reason): end = reason
      case .wait, .resume: end = ""
      }
    }
    points = first.enumerated().map { number, point in
      FirstPoint(name: specification.runName(for: point, number: number, seed: seed), point: point)
    }
    let isWithout = first.isEmpty && end?.isEmpty == false
    doubt =
      isWithout
      ? end.map { "there is nothing to try: \($0.hasSuffix(".") ? String($0.dropLast()) : $0)" }
      : Self.doubt(specification)
    var rows = [
      Row(name: "Trials", words: Self.trials(specification)),
      Row(name: "Method", words: Self.method(specification)),
    ]
    if !specification.objectives.isEmpty {
      let words = specification.objectives.map {
        "\($0.goal.rawValue) \($0.metric) (\($0.statistic.rawValue))"
      }
      rows.append(Row(name: "Looks for", words: words.joined(separator: ", ")))
    }
    rows += specification.constraints.map { Row(name: "Has to meet", words: Self.words(for: $0)) }
    rows += specification.softBounds.map { soft in
      Row(
        name: "At a price",
        words: Self.words(for: soft.bound) + ", weight \(soft.weight), steepness \(soft.steepness)")
    }
    if let words = specification.penaltyWords { rows.append(Row(name: "Failures", words: words)) }
    if let words = Self.learning(specification, imported) {
      rows.append(Row(name: "Learns from", words: words))
    }
    rows.append(
      Row(
        name: "Parameters", words: specification.space.parameters.map(\.name).joined(separator: ", ")))
    rows.append(Row(name: "Needs", words: Self.needs(specification, of: first.first)))
    rows.append(Row(name: "Time", words: Self.time(specification, pace)))
    self.rows = rows
  }

  package var json: JSONValue {
    [
      "name": .string(title),
      "rows": .array(rows.map { ["name": .string($0.name), "words": .string($0.words)] }),
      "points": .array(points.map { ["name": .string($0.name), "params": $0.point.flat] }),
      "doubt": JSONValue(doubt), "notes": JSONValue(notes),
    ]
  }

  // MARK: - Words

  /// Why the first points may be others.
  private static func doubt(_ specification: SweepSpecification) -> String? {
    let method = specification.method
    if method == PointsSampler.method { return nil }
    let isInOrder = method == gridMethod && specification.methodOptions["order"]?.string != "seeded"
    if isInOrder { return nil }
    if specification.seed == nil { return "drawn with seed 0; a sweep without 'seed' draws one of its own" }
    let learnsNothing: Set = [gridMethod, RandomSampler.method, SobolSampler.method]
    return learnsNothing.contains(method)
      ? nil : "asked at once; what has ended by then decides about later ones"
  }

  private static func trials(_ specification: SweepSpecification) -> String {
    var words = specification.budget.map { "\($0)" } ?? "without end"
    if let size = specification.space.cardinality, size != .max {
      // No point comes twice, but where trials go on from each other's checkpoints.
      let isOnce = specification.method != PopulationBasedSampler.method
      if isOnce { words = "\(min(specification.budget ?? size, size))" }
      words += " of \(Spoken.count(size, "point"))"
    }
    let limits = specification.furtherLimits.json.object ?? [:]
    if !limits.isEmpty {
      words += "; ends by " + limits.map { "\($0.key) \($0.value.text)" }.joined(separator: ", ")
    }
    return words
  }

  private static func method(_ specification: SweepSpecification) -> String {
    var words = specification.method
    if !specification.methodOptions.isEmpty {
      words +=
        " with " + specification.methodOptions.map { "\($0.key)=\($0.value.text)" }.joined(separator: ", ")
    }
    if !specification.points.isEmpty {
      words += ", after \(Spoken.count(specification.points.count, "point")) of the file"
    }
    let rules = specification.earlyTerminate.array ?? [specification.earlyTerminate]
    let types = rules.compactMap { $0["type"]?.string }
    if !types.isEmpty {
      words += "; \(types.joined(separator: ", ")) \(types.count == 1 ? "stops" : "stop") trials early"
    }
    return words
  }

  private static func words(for constraint: OutcomeConstraint) -> String {
    let least = constraint.least.map { "≥ \($0)" }
    let most = constraint.most.map { "≤ \($0)" }
    return constraint.metric + " " + [least, most].compactMap(\.self).joined(separator: " and ")
  }

  private static func needs(_ specification: SweepSpecification, of point: Point?) -> String {
    guard let rule = specification.needs, let point else { return "a device each where there are any" }
    switch rule.needs(of: point) {
    case .success(let needs):
      var words = needs.devices == 0 ? ["no device"] : [Spoken.count(needs.devices, "device")]
      if let memory = needs.deviceMemory { words.append("\(memory >> 20) MiB on each") }
      if needs.memory > 0 { words.append("\(needs.memory >> 20) MiB of memory") }
      return words.joined(separator: ", ") + " for the first trial"
    case .failure(let fault): return fault.reason
    }
  }

  private static func learning(_ specification: SweepSpecification, _ imported: ImportedTrials?) -> String? {
    guard !specification.warmStart.isEmpty else { return nil }
    let names = specification.warmStart.map { "'\($0)'" }.joined(separator: ", ")
    let sweeps = specification.warmStart.count == 1 ? "sweep \(names)" : "sweeps \(names)"
    guard let imported else {
      return "\(sweeps), which a server knows: none is up, so these points know nothing of it"
    }
    let inside = imported.items.count {
      UnitCube(specification.space).coordinates(of: Point(values: $0.parameters)) != nil
    }
    let trials = Spoken.count(inside, "trial")
    return inside == imported.items.count
      ? "\(trials) of \(sweeps)"
      : "\(trials) of \(sweeps); \(imported.items.count - inside) more do not lie in this space"
  }

  private static func time(_ specification: SweepSpecification, _ pace: Pace?) -> String {
    let parallel = specification.maxParallel
    var words = [
      specification.isAutomatic
        ? "as many at a time as there is room for"
        : parallel == 0 ? "agents run them, as many at a time as there are" : "\(parallel) at a time"
    ]
    let isFixed = !specification.isAutomatic && parallel > 0
    let rounds = specification.budget.map { (Double($0) / Double(max(parallel, 1))).rounded(.up) }
    if let pace {
      let each = "\(Spoken.duration(pace.seconds)) a trial as in \(pace.source)"
      switch (rounds, specification.budget) {
      case (let rounds?, _) where isFixed:
        words.append("about \(Spoken.duration(rounds * pace.seconds)) in all, \(each)")
      case (_, let budget?):
        words.append(
          "about \(Spoken.duration(Double(budget) * pace.seconds)) if it were one at a time, \(each)")
      default: words.append("about \(each)")
      }
    }
    if let timeout = specification.timeout {
      let again = specification.isRetrying ? ", what is retried beside" : ""
      let each = "\(Spoken.duration(timeout)) a trial\(again)"
      let whole = isFixed ? rounds.map { "\(Spoken.duration($0 * timeout)), " } : nil
      words.append("at most \(whole ?? "")\(each)")
    }
    if let seconds = specification.furtherLimits.seconds {
      let last = specification.timeout.map { ", and the last takes \(Spoken.duration($0)) at most" } ?? ""
      words.append("no trial begins after \(Spoken.duration(seconds))\(last)")
    }
    if words.count == 1 { words.append("nothing limits a trial, so nobody can say how long") }
    return words.joined(separator: "; ")
  }
}

extension SweepSpecification {
  /// Whether a trial whose program fails or takes too long is begun again.
  fileprivate var isRetrying: Bool {
    retries.limits.contains { cause, limit in cause != .infra && limit > 0 }
  }
}
