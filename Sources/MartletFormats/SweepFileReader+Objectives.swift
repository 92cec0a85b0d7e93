// What a file looks for: metrics, which of their numbers, and bounds on others.

import Foundation
import MartletModel
import MartletSearch
import OrderedCollections

extension SweepFileReader {
  /// Nil: something is wrong with them. Empty: nothing is looked for.
  mutating func objectives(_ file: FileSection) -> [Objective]? {
    guard let member = file["objectives"] else {
      guard let place = file["metric"] else { return [] }
      guard let section = section(place, in: file, example: "{name: val_loss, goal: minimize}") else {
        return nil
      }
      return objective(section).map { [$0] }
    }
    if let metric = file["metric"] {
      flaws.append(
        Flaw(
          at: metric.mark, key: "metric", expected: "one of them",
          message: "'metric' and 'objectives' say the same thing: give one of them"))
    }
    guard let items = member.value.items, !items.isEmpty else {
      flaws.append(
        wrong(member, in: file, expected: "a list, like [{name: val_loss, goal: minimize}, {name: latency}]"))
      return nil
    }
    let before = flaws.count
    var objectives: [Objective] = []
    for (index, item) in items.enumerated() {
      let path = "objectives[\(index)]"
      let place = FileNode.Member(key: path, mark: item.mark, value: item)
      let root = FileSection(members: [], mark: item.mark, path: "")
      guard let section = section(place, in: root, example: "{name: val_loss, goal: minimize}"),
        let objective = objective(section)
      else { continue }
      if objectives.contains(where: { $0.metric == objective.metric }) {
        flaws.append(
          Flaw(
            at: item.mark, key: path, message: "the metric '\(objective.metric)' is an objective twice"))
      }
      objectives.append(objective)
    }
    return flaws.count == before ? objectives : nil
  }

  private mutating func objective(_ section: FileSection) -> Objective? {
    checkKeys(
      of: section, known: ["name", "goal", "of", "target", "fallback"],
      ignored: ["impute", "impute_while_running"])
    let name = require("name", in: section, expected: "the name under which the program logs it")
      .flatMap { text($0, in: section) }
    let goal = choice(section["goal"], in: section, among: ["minimize", "maximize"])
    let statistic = choice(
      section["of"], in: section, among: Objective.Statistic.allCases.map(\.rawValue))
    let fallback = text(section["fallback"], in: section)
    guard let name else { return nil }
    return Objective(
      metric: name, goal: goal.flatMap(Objective.Goal.init(rawValue:)) ?? .minimize,
      statistic: statistic.flatMap(Objective.Statistic.init(rawValue:)) ?? .best, fallback: fallback)
  }

  /// The value that each objective aims at, in their order; nil: that one aims at none. Empty: none of them does.
  mutating func targets(_ file: FileSection) -> [Double?] {
    let items =
      file["objectives"]?.value.items?.enumerated().map { ($1, "objectives[\($0)]") }
      ?? file["metric"].map { [($0.value, "metric")] } ?? []
    let targets = items.map { node, path -> Double? in
      let section = FileSection(members: node.members ?? [], mark: node.mark, path: path)
      return number(section["target"], in: section)
    }
    return targets.contains { $0 != nil } ? targets : []
  }

  /// `latency <= 20`, or `{metric: latency, max: 20, of: last}`; with `weight` it may be missed at a price.
  mutating func constraints(_ file: FileSection) -> (hard: [OutcomeConstraint], soft: [SoftBound]) {
    var (hard, soft) = ([OutcomeConstraint](), [SoftBound]())
    guard let member = file["constraints"] else { return (hard, soft) }
    let example = "like [latency <= 20] or [{metric: latency, max: 20}]"
    guard let items = member.value.items else {
      flaws.append(wrong(member, in: file, expected: "a list, \(example)"))
      return (hard, soft)
    }
    for (index, item) in items.enumerated() {
      let path = "constraints[\(index)]"
      if case .scalar(.string(let text), _) = item.content {
        if let constraint = Self.constraint(text) {
          hard.append(constraint)
          continue
        }
        flaws.append(
          Flaw(
            at: item.mark, key: path, expected: "a metric, <= or >=, and a number",
            message: "'\(text)' is no constraint: write a metric, <= or >=, and a number, \(example)"))
        continue
      }
      let place = FileNode.Member(key: path, mark: item.mark, value: item)
      let root = FileSection(members: [], mark: item.mark, path: "")
      guard let section = section(place, in: root, example: "{metric: latency, max: 20}") else { continue }
      checkKeys(
        of: section, known: ["metric", "min", "max", "of", "weight", "steepness", "continuous"])
      let metric = require("metric", in: section, expected: "the name under which the program logs it")
        .flatMap { text($0, in: section) }
      let statistic = choice(
        section["of"], in: section, among: Objective.Statistic.allCases.map(\.rawValue))
      let (least, most) = (number(section["min"], in: section), number(section["max"], in: section))
      if section["min"] == nil, section["max"] == nil {
        flaws.append(
          Flaw(
            at: item.mark, key: path, expected: "min or max",
            message: "'\(path)' bounds nothing: give it min, max or both"))
      }
      guard let metric else { continue }
      let bound = OutcomeConstraint(
        metric: metric, statistic: statistic.flatMap(Objective.Statistic.init(rawValue:)) ?? .last,
        least: least, most: most)
      if ["weight", "steepness", "continuous"].allSatisfy({ section[$0] == nil }) {
        hard.append(bound)
      } else if let bound = softBound(section, bound) {
        soft.append(bound)
      }
    }
    return (hard, soft)
  }

  private mutating func softBound(_ section: FileSection, _ bound: OutcomeConstraint) -> SoftBound? {
    let weight = require("weight", in: section, expected: "what missing the bound costs")
      .flatMap { positive($0, in: section) }
    let steepness = section["steepness"].map { positive($0, in: section) } ?? 0.1
    let isContinuous = choice(section["continuous"], in: section, among: ["true", "false"]) == "true"
    for key in ["min", "max"] {
      // It is missed by a share of it.
      guard let member = section[key], member.value.value.double == 0 else { continue }
      flaws.append(wrong(member, in: section, expected: "another number than 0, since there is a weight"))
    }
    guard let weight, let steepness else { return nil }
    return SoftBound(bound, weight: weight, steepness: steepness, isContinuous: isContinuous)
  }

  /// Prices are added to the one metric there is.
  ///
  /// - Parameter member: what has weights.
  mutating func checkSoftBounds(_ member: FileNode.Member?, _ specification: SweepSpecification) {
    guard let member, !specification.softBounds.isEmpty, specification.objectives.count != 1 else { return }
    flaws.append(
      Flaw(
        at: member.mark, key: member.key, expected: "metric",
        message: "the weights in '\(member.key)' make the metric worse that 'metric' names: "
          + (specification.objectives.isEmpty ? "there is none" : "there are several objectives")))
  }

  private static func constraint(_ text: String) -> OutcomeConstraint? {
    for (sign, isMost) in [("<=", true), (">=", false), ("≤", true), ("≥", false), ("<", true), (">", false)]
    {
      guard let place = text.range(of: sign) else { continue }
      let metric = text[..<place.lowerBound].trimmed
      guard let bound = Double(text[place.upperBound...].trimmed), bound.isFinite, !metric.isEmpty else {
        return nil
      }
      return OutcomeConstraint(metric: metric, least: isMost ? nil : bound, most: isMost ? bound : nil)
    }
    return nil
  }
}

extension Substring {
  fileprivate var trimmed: String {
    String(drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
  }
}
