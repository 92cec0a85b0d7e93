// What trials that failed count as for the search.

import MartletModel
import MartletScheduling
import MartletSearch

extension SweepFileReader {
  private static let kinds =
    "a value of the metric, one for each cause like {failure: 1000, timeout: 100}, graded or none"

  /// `penalties: 1000`, `{failure: {0: 1000, 0.5: 500}, timeout: 100}`, or `graded`.
  mutating func readPenalties(_ file: FileSection, _ specification: inout SweepSpecification) {
    guard let member = file["penalties"] else { return }
    let before = flaws.count
    let rule = penalties(member, in: file, goal: specification.objective?.goal ?? .minimize)
    guard flaws.count == before, rule != PenaltyRule() else { return }
    guard specification.objectives.count == 1 else {
      let reason =
        specification.objectives.isEmpty
        ? "'penalties' needs 'metric': they are values of it"
        : "'penalties' are values of one metric: they do not go with several 'objectives'"
      flaws.append(Flaw(at: member.mark, key: member.key, expected: "metric", message: reason))
      return
    }
    if rule.needsLimit, specification.timeout == nil {
      flaws.append(
        Flaw(
          at: member.mark, key: member.key, expected: "timeout",
          message:
            "'penalties' asks how much of its time a trial had used, and 'timeout' says nothing of that time")
      )
      return
    }
    specification.penalties = rule
  }

  private mutating func penalties(
    _ member: Member, in file: FileSection, goal: Objective.Goal
  ) -> PenaltyRule {
    switch member.value.content {
    case .scalar(.string("graded"), _): return .graded(goal)
    case .scalar(.string("none"), _): return PenaltyRule()
    case .scalar(.int, _), .scalar(.double, _):
      return number(member, in: file).map(PenaltyRule.init(value:)) ?? PenaltyRule()
    case .scalar, .list:
      flaws.append(wrong(member, in: file, expected: Self.kinds))
      return PenaltyRule()
    case .object: break
    }
    guard let section = section(member, in: file, example: "{failure: 1000, timeout: 100}") else {
      return PenaltyRule()
    }
    checkKeys(of: section, known: Fault.allCases.map(\.rawValue))
    var rule = PenaltyRule()
    for fault in Fault.allCases {
      guard let member = section[fault.rawValue] else { continue }
      rule.grades[fault] =
        member.value.members == nil
        ? number(member, in: section).map { [PenaltyRule.Grade($0)] } : grades(member, in: section)
    }
    return rule
  }

  /// `{0: 1000, 0.5: 500}`: from which share of its time on a trial counts as what.
  private mutating func grades(_ member: Member, in section: FileSection) -> [PenaltyRule.Grade]? {
    let example = "{0: 1000, 0.5: 500}"
    guard let inner = self.section(member, in: section, example: example) else { return nil }
    var grades: [PenaltyRule.Grade] = []
    for place in inner.members {
      guard let share = Double(place.key), share >= 0, share < 1 else {
        flaws.append(
          Flaw(
            at: place.mark, key: inner.path(place.key),
            expected: "a share of the time, from 0 to less than 1",
            message:
              "'\(place.key)' in '\(inner.path)' must be a share of the time, from 0 to less than 1, as in \(example)"
          ))
        continue
      }
      if grades.contains(where: { $0.share == share }) {
        flaws.append(
          Flaw(
            at: place.mark, key: inner.path(place.key),
            message: "'\(inner.path)' says twice what holds from \(place.key) on"))
      }
      if let value = number(place, in: inner) { grades.append(PenaltyRule.Grade(from: share, value)) }
    }
    grades.sort { $0.share < $1.share }
    if let first = grades.first, first.share > 0 {
      flaws.append(
        Flaw(
          at: member.mark, key: inner.path, expected: "a value from 0 on",
          message: "'\(inner.path)' does not say what holds from 0 on, as in \(example)"))
    }
    return grades
  }
}
