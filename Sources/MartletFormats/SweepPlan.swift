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

  /// - Parameter imported: what its search learns from at its beginning.
  /// - Throws: `SearchError`.
  package init(
    _ specification: SweepSpecification, imported: ImportedTrials = ImportedTrials()
  ) throws(SearchError) {
    title = specification.title
    notes = specification.notes
    let seed = specification.seed ?? 0
    var search = try specification.search(seed: seed, imported: imported)
    var first: [Point] = []
    while first.count < Self.shownPoints, first.count < specification.budget ?? .max,
      case .trial(let suggestion) = search.ask(trial: first.count)
    {
      first.append(suggestion.point)
    }
    points = first.enumerated().map { number, point in
      FirstPoint(name: specification.runName(for: point, number: number, seed: seed), point: point)
    }
    doubt = Self.doubt(specification)
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
    rows.append(
      Row(
        name: "Parameters", words: specification.space.parameters.map(\.name).joined(separator: ", ")))
    rows.append(Row(name: "Needs", words: Self.needs(specification, of: first.first)))
    rows.append(Row(name: "Time", words: Self.time(specification)))
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
    if let size = specification.space.cardinality, size != .max { words += " of \(size) points" }
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
    if let type = specification.earlyTerminate["type"]?.string { words += "; \(type) stops trials early" }
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

  private static func time(_ specification: SweepSpecification) -> String {
    let parallel = specification.maxParallel
    let window =
      specification.isAutomatic
      ? "as many at a time as there is room for"
      : parallel == 0 ? "agents run them, as many at a time as there are" : "\(parallel) at a time"
    guard let timeout = specification.timeout else {
      return "\(window); nothing limits a trial, so nobody can say how long"
    }
    guard let budget = specification.budget, !specification.isAutomatic, parallel > 0 else {
      return "\(window); at most \(Spoken.duration(timeout)) a trial"
    }
    let rounds = (Double(budget) / Double(parallel)).rounded(.up)
    return
      "\(window); at most \(Spoken.duration(rounds * timeout)), \(Spoken.duration(timeout)) a trial"
  }
}
