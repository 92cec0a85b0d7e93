// `martlet sweep run --dry-run`: what a sweep file would do, without doing it.

import Foundation
import MartletFormats
import MartletModel
import MartletScheduling
import MartletSearch
import OrderedCollections

/// The plan of a sweep in words.
struct SweepPlanText {
  /// Points that are shown.
  private static let shownPoints = 5

  var specification: SweepSpecification
  var seed: UInt64 { specification.seed ?? 0 }

  /// - Throws: `SearchError`.
  func lines() throws -> [String] {
    var lines = ["Sweep '\(Terminal.plain(specification.title))'"]
    lines.append(row("Trials", trials))
    lines.append(row("Method", method))
    if !specification.objectives.isEmpty { lines.append(row("Looks for", objectives)) }
    lines += specification.constraints.map { row("Has to meet", words(for: $0)) }
    lines += specification.softBounds.map { soft in
      row("At a price", words(for: soft.bound) + ", weight \(soft.weight), steepness \(soft.steepness)")
    }
    if let words = specification.penaltyWords { lines.append(row("Failures", Terminal.plain(words))) }
    lines.append(row("Parameters", parameters))
    lines.append(row("Needs", needs))
    lines.append(row("Time", time))
    let points = try firstPoints()
    lines.append("First points")
    for (number, point) in points.enumerated() {
      lines.append(
        "  \(number)  \(Terminal.plain(specification.runName(for: point, number: number, seed: seed)))")
      lines.append(
        "     " + point.values.map { "\($0.key)=\(Terminal.plain($0.value.text))" }.joined(separator: " "))
    }
    if specification.seed == nil, specification.method != "grid" {
      lines.append("  (drawn with seed 0; a sweep without 'seed' draws one of its own)")
    }
    lines.append("Nothing was started.")
    return lines
  }

  private func row(_ name: String, _ words: String) -> String {
    name.padding(toLength: 12, withPad: " ", startingAt: 0) + words
  }

  private var trials: String {
    var words = specification.budget.map { "\($0)" } ?? "without end"
    if let size = specification.space.cardinality, size != .max { words += " of \(size) points" }
    let limits = specification.furtherLimits.json.object ?? [:]
    if !limits.isEmpty {
      words += "; ends by " + limits.map { "\($0.key) \($0.value.text)" }.joined(separator: ", ")
    }
    return words
  }

  private var method: String {
    var words = specification.method
    if !specification.methodOptions.isEmpty {
      words +=
        " with " + specification.methodOptions.map { "\($0.key)=\($0.value.text)" }.joined(separator: ", ")
    }
    if !specification.points.isEmpty {
      words += ", after \(Words.count(Int64(specification.points.count), "point")) of the file"
    }
    if let type = specification.earlyTerminate["type"]?.string { words += "; \(type) stops trials early" }
    return words
  }

  private var objectives: String {
    specification.objectives.map {
      "\($0.goal.rawValue) \(Terminal.plain($0.metric)) (\($0.statistic.rawValue))"
    }.joined(separator: ", ")
  }

  private func words(for constraint: OutcomeConstraint) -> String {
    let least = constraint.least.map { "≥ \($0)" }
    let most = constraint.most.map { "≤ \($0)" }
    return Terminal.plain(constraint.metric) + " "
      + [least, most].compactMap(\.self).joined(separator: " and ")
  }

  private var parameters: String {
    let names = specification.space.parameters.map(\.name)
    return Terminal.plain(names.joined(separator: ", "))
  }

  private var needs: String {
    let first = try? firstPoints().first
    guard let rule = specification.needs, let point = first else {
      return "a device each where there are any"
    }
    switch rule.needs(of: point) {
    case .success(let needs):
      var words = needs.devices == 0 ? ["no device"] : [Words.count(Int64(needs.devices), "device")]
      if let memory = needs.deviceMemory { words.append("\(memory >> 20) MiB on each") }
      if needs.memory > 0 { words.append("\(needs.memory >> 20) MiB of memory") }
      return words.joined(separator: ", ") + " for the first trial"
    case .failure(let fault): return fault.reason
    }
  }

  private var time: String {
    let parallel = specification.isAutomatic ? nil : specification.maxParallel
    let window = parallel.map { "\($0) at a time" } ?? "as many at a time as there is room for"
    guard let timeout = specification.timeout else {
      return "\(window); nothing limits a trial, so nobody can say how long"
    }
    guard let budget = specification.budget, let parallel else { return window }
    let rounds = (Double(budget) / Double(parallel)).rounded(.up)
    return "\(window); at most \(Words.duration(rounds * timeout)), \(Words.duration(timeout)) a trial"
  }

  private func firstPoints() throws -> [Point] {
    var search = try specification.search(seed: seed)
    var points: [Point] = []
    while points.count < Self.shownPoints, points.count < specification.budget ?? .max,
      case .trial(let suggestion) = search.ask(trial: points.count)
    {
      points.append(suggestion.point)
    }
    return points
  }
}
