// Which part of a filter finds its runs by an index, and how many these are.

import GRDB
import MartletModel

/// Rows to begin with: all runs that a filter can hold for are among them.
struct FilterDriver {
  /// Queries of run ids; within each, every run at most once.
  var parts: [SQL]
  /// How many there are; `bound` or more are not counted.
  var count: Int

  init(_ rows: SQL, count: Int) { (parts, self.count) = ([rows], count) }

  init(_ parts: [SQL], count: Int) { (self.parts, self.count) = (parts, count) }

  /// A query of run ids, each at most once.
  var rows: SQL {
    parts.count == 1 ? parts[0] : parts.map { "SELECT * FROM (\($0))" }.joined(separator: " UNION ")
  }
}

extension FilterSQL {
  /// The part of a flattened filter that leaves the fewest runs, counted up to `bound`; nil: no index helps.
  func driver(for filter: ResolvedFilter, bound: Int) throws -> FilterDriver? {
    switch filter {
    case .and(let terms):
      return try terms.compactMap { try driver(for: $0, bound: bound) }.min { $0.count < $1.count }
    case .or(let branches):
      var drivers: [FilterDriver] = []
      for branch in branches {
        guard let driver = try driver(for: branch, bound: bound) else { return nil }
        drivers.append(driver)
      }
      guard !drivers.isEmpty else { return nil }
      // Side by side however deep they stood: SQLite's parser does not hold many brackets.
      return FilterDriver(drivers.flatMap(\.parts), count: drivers.reduce(0) { $0 + $1.count })
    case .not, .text: return nil
    case .test(let subject, let test):
      guard let rows = try rows(subject, test) else { return nil }
      return FilterDriver(rows, count: try count(rows, bound: bound))
    }
  }

  func count(_ rows: SQL, bound: Int) throws -> Int {
    try SQLRequest<Int>(literal: "SELECT count(*) FROM (SELECT 1 FROM (\(rows)) LIMIT \(bound))")
      .fetchOne(reader.db) ?? 0
  }

  private func rows(_ subject: FilterSubject, _ test: FilterTest) throws -> SQL? {
    // Values at steps have no index, and reading them tells nothing of how many there are.
    guard Self.isRange(test), !subject.isAtStep else { return nil }
    if case .attribute(let attribute) = subject { return rows(attribute, test) }
    guard let source = try source(of: subject) else { return "SELECT id AS run_id FROM run WHERE 0" }
    guard let index = source.index else { return nil }
    return """
      SELECT s.run_id FROM \(source.table) s INDEXED BY \(index)
      WHERE \(source.keys) AND \(Self.test(source.value, test, isNumber: source.isNumber))
        AND \(source.isSortable)
      """
  }

  /// Whether a test asks for values that lie beside each other. NaN and null do not.
  private static func isRange(_ test: FilterTest) -> Bool {
    switch test {
    case .compare(.notEqual, _), .compareTime(.notEqual, _), .matches, .exists: false
    case .compare(_, let value): isKey(value)
    case .isIn(let values): values.allSatisfy(isKey)
    case .compareTime, .isInTimes: true
    }
  }

  private static func isKey(_ value: FilterScalar) -> Bool {
    switch value {
    case .null, .notANumber: false
    case .bool, .number, .text: true
    }
  }

  private func rows(_ attribute: FilterAttribute, _ test: FilterTest) -> SQL? {
    switch attribute {
    case .tag: return "SELECT DISTINCT t.run_id FROM run_tag t WHERE \(Self.test("t.tag", test))"
    case .id: return "SELECT id AS run_id FROM run WHERE \(Self.test("run.public_id", test))"
    case .sweep:
      return """
        SELECT id AS run_id FROM run WHERE run.sweep_id IN (SELECT w.id FROM sweep w
          WHERE \(Self.test("w.public_id", test)) OR \(Self.test("w.name", test)))
        """
    case .state, .name, .group, .started, .ended:
      guard let project else { return nil }
      let value = Self.value(of: attribute, now: now)
      let index = SQL(sql: Self.index(of: attribute) ?? "")
      // The index of groups has no others.
      return """
        SELECT id AS run_id FROM run INDEXED BY \(index)
        WHERE run.project_id = \(project) AND \(value) IS NOT NULL AND \(Self.test(value, test))
        """
    case .project, .job, .user, .host, .created, .duration, .flow, .device: return nil
    }
  }

  /// The index of a project's runs by an attribute.
  static func index(of attribute: FilterAttribute) -> String? {
    switch attribute {
    case .state: "run_by_state"
    case .name: "run_by_name"
    case .group: "run_by_group"
    case .started: "run_by_start"
    case .ended: "run_by_end"
    default: nil
    }
  }
}
