// Filters as conditions on rows of `run`, with every value bound.

import Foundation
import GRDB
import MartletModel
import OrderedCollections

/// Compiles filters to SQL.
///
/// Each condition is true or false, never NULL, so that `NOT` turns it round. Names never enter the text: they are looked
/// up, and the ids of their keys are bound.
struct FilterSQL {
  let reader: StoreReader
  /// The row of the one project that is asked about; nil: all.
  let project: Int64?
  let now: Timestamp
  /// The run's row id in what is built. Where it comes from a table that is read before `run`, what can be asked by it
  /// alone is asked before `run` is read.
  var run: SQL = "run.id"
  /// Shared by all copies: what has been read for one question.
  var steps = StepValues()

  static let never: SQL = "0"

  // MARK: - Trees

  /// A condition to stand among others that are joined by AND.
  ///
  /// The parser of SQLite (before 3.46) holds 100 symbols that are not reduced yet, of which an open bracket takes one and
  /// what stands before an operand two more. So what needs most stands first: then a bracket within brackets costs one
  /// symbol, however the filter was written (as registers are saved by R. Sethi, J. Ullman, "The Generation of Optimal
  /// Code for Arithmetic Expressions", 1970).
  func condition(_ filter: ResolvedFilter) throws -> SQL {
    try printed(filter.flattened, isInAnd: true).sql
  }

  /// SQL, and how many symbols wait at most while the conditions in it are read.
  private typealias Printed = (sql: SQL, depth: Int)

  private func printed(_ filter: ResolvedFilter, isInAnd: Bool) throws -> Printed {
    switch filter {
    case .or(let branches):
      guard !branches.isEmpty else { return (Self.never, 0) }
      let (sql, depth) = Self.joined(try branches.map { try printed($0, isInAnd: false) }, by: " OR ")
      guard isInAnd else { return (sql, depth) }
      return ("(\(sql))", depth + 1)
    case .and(let terms):
      guard !terms.isEmpty else { return ("1", 0) }
      return Self.joined(try terms.map { try printed($0, isInAnd: true) }, by: " AND ")
    case .not(let inner):
      let (sql, depth) = try printed(inner, isInAnd: true)
      return ("NOT (\(sql))", depth + 2)
    case .text(let text): return (isFound(text.inNormalForm), 0)
    case .test(let subject, let test): return (try condition(subject, test), 0)
    }
  }

  /// The deepest first, the others as they were.
  private static func joined(_ parts: [Printed], by word: String) -> Printed {
    let order = parts.indices.sorted { a, b in
      parts[a].depth == parts[b].depth ? a < b : parts[a].depth > parts[b].depth
    }
    let depths = order.map { parts[$0].depth }
    let sql = order.map { parts[$0].sql }.joined(separator: word)
    return (sql, max(depths[0], depths.count > 1 ? depths[1] + 2 : 0))
  }

  /// Any of these. A plain chain is as deep as it is long, and SQLite takes expressions of a depth of 1,000.
  private static func either(_ parts: [SQL]) -> SQL {
    let width = 32
    guard parts.count > width else { return "(\(parts.joined(separator: " OR ")))" }
    return either(
      stride(from: 0, to: parts.count, by: width).map { start in
        either(Array(parts[start..<min(start + width, parts.count)]))
      })
  }

  // MARK: - Conditions

  private func isFound(_ text: String) -> SQL {
    """
    (instr(lower(run.name), lower(\(text))) > 0 OR instr(lower(run.notes), lower(\(text))) > 0
      OR EXISTS (SELECT 1 FROM run_tag t WHERE t.run_id = \(run) AND instr(lower(t.tag), lower(\(text))) > 0))
    """
  }

  private func condition(_ subject: FilterSubject, _ test: FilterTest) throws -> SQL {
    guard case .attribute(let attribute) = subject else {
      guard let source = try source(of: subject) else { return Self.never }
      return source.has(
        run, "\(source.isThere) AND \(Self.test(source.value, test, isNumber: source.isNumber))")
    }
    switch attribute {
    case .flow: return Self.never
    case .tag:
      return Self.anyOf(test) { test in
        "EXISTS (SELECT 1 FROM run_tag t WHERE t.run_id = \(run) AND \(Self.test("t.tag", test)))"
      }
    case .device:
      return Self.anyOf(test) { test in
        """
        EXISTS (SELECT 1 FROM json_each(coalesce((SELECT devices FROM attempt WHERE run_id = run.id
          ORDER BY number DESC LIMIT 1), '[]')) j WHERE \(Self.test("j.value", test, isNumber: true)))
        """
      }
    case .sweep:
      return Self.anyOf(test) { test in
        """
        EXISTS (SELECT 1 FROM sweep w WHERE w.id = run.sweep_id
          AND (\(Self.test("w.public_id", test)) OR \(Self.test("w.name", test))))
        """
      }
    default:
      let value = Self.value(of: attribute, now: now)
      return "(\(value) IS NOT NULL AND \(Self.test(value, test, isNumber: attribute.kind == .duration)))"
    }
  }

  /// Of a field with several values: `!=` and `!~` hold where there is a value, and none is the one or matches.
  private static func anyOf(_ test: FilterTest, _ exists: (FilterTest) -> SQL) -> SQL {
    switch test {
    case .compare(.notEqual, let value):
      "(\(exists(.exists)) AND NOT \(exists(.compare(.equal, value))))"
    case .matches(let regex, isNegated: true):
      "(\(exists(.exists)) AND NOT \(exists(.matches(regex, isNegated: false))))"
    case .exists, .compare, .compareTime, .isIn, .isInTimes, .matches: exists(test)
    }
  }

  /// An attribute with one value, as SQL; NULL where a run lacks it.
  static func value(of attribute: FilterAttribute, now: Timestamp) -> SQL {
    switch attribute {
    case .state: "run.state"
    case .name: "run.name"
    case .id: "run.public_id"
    case .project: "(SELECT name FROM project WHERE project.id = run.project_id)"
    case .group: "run.group_name"
    case .job: "run.job_type"
    case .user: "(SELECT name FROM principal WHERE principal.id = run.created_by)"
    case .host: "run.host"
    case .created: "run.created_at"
    case .started: "run.started_at"
    case .ended: "run.ended_at"
    case .duration:
      // As of `now`: what ended behind it had not ended then.
      "((min(coalesce(run.ended_at, \(now.microseconds)), \(now.microseconds)) - run.started_at) / 1e6)"
    case .sweep: "(SELECT name FROM sweep WHERE sweep.id = run.sweep_id)"
    case .tag: "(SELECT min(tag) FROM run_tag WHERE run_tag.run_id = run.id)"
    case .device: "(SELECT devices FROM attempt WHERE run_id = run.id ORDER BY number DESC LIMIT 1)"
    case .flow: "NULL"
    }
  }

  // MARK: - Tests of one value

  /// - Parameter isNumber: the value is a number, or NULL for NaN; else it may be anything.
  static func test(_ value: SQL, _ test: FilterTest, isNumber: Bool = false) -> SQL {
    switch test {
    case .exists: return "1"
    case .compare(let comparison, let wanted): return compare(value, comparison, wanted, isNumber)
    case .isIn(let wanted):
      // Each once: the values of one statement are limited.
      let listed = OrderedSet(wanted).filter { $0 != .notANumber }.map { "\($0.stored)" as SQL }
      var parts: [SQL] = listed.isEmpty ? [] : ["\(value) IN (\(listed.joined(separator: ", ")))"]
      if wanted.contains(.notANumber) { parts.append("\(value) IS NULL") }
      return "(\(parts.joined(separator: " OR ")))"
    case .compareTime(let comparison, let time): return compare(value, comparison, time)
    case .isInTimes(let times):
      return either(Self.merged(times).map { compare(value, .equal, $0) })
    case .matches(let regex, let isNegated):
      return isNegated
        ? "NOT martlet_found(\(regex.pattern), \(value))" : "martlet_found(\(regex.pattern), \(value))"
    }
  }

  /// The same stretches of time, none of which touches another.
  private static func merged(_ times: [FilterTime]) -> [FilterTime] {
    var merged: [FilterTime] = []
    for time in times.sorted(by: { $0.from < $1.from }) {
      if let last = merged.last, time.from <= last.to {
        merged[merged.count - 1].to = max(last.to, time.to)
      } else {
        merged.append(time)
      }
    }
    return merged
  }

  private static func compare(
    _ value: SQL, _ comparison: FilterTest.Comparison, _ wanted: FilterScalar, _ isNumber: Bool
  ) -> SQL {
    switch comparison {
    case .equal: return wanted == .notANumber ? "\(value) IS NULL" : "\(value) = \(wanted.stored)"
    case .notEqual: return "\(value) IS NOT \(wanted.stored)"
    case .less, .lessOrEqual, .greater, .greaterOrEqual: break
    }
    // SQLite has all numbers before all texts before all blobs: each is compared with its own kind.
    let floor: SQL
    let ceiling: SQL
    switch wanted {
    case .number: (floor, ceiling) = ("1", isNumber ? "1" : "\(value) < ''")
    case .text: (floor, ceiling) = ("\(value) >= ''", "\(value) < x''")
    case .null, .bool, .notANumber: return never
    }
    return switch comparison {
    case .less: "(\(value) < \(wanted.stored) AND \(floor))"
    case .lessOrEqual: "(\(value) <= \(wanted.stored) AND \(floor))"
    case .greater: "(\(value) > \(wanted.stored) AND \(ceiling))"
    case .greaterOrEqual: "(\(value) >= \(wanted.stored) AND \(ceiling))"
    case .equal, .notEqual: never
    }
  }

  private static func compare(_ value: SQL, _ comparison: FilterTest.Comparison, _ time: FilterTime) -> SQL {
    switch comparison {
    case .equal: "(\(value) >= \(time.from) AND \(value) < \(time.to))"
    case .notEqual: "(\(value) < \(time.from) OR \(value) >= \(time.to))"
    case .less: "\(value) < \(time.from)"
    case .lessOrEqual: "\(value) < \(time.to)"
    case .greater: "\(value) >= \(time.to)"
    case .greaterOrEqual: "\(value) >= \(time.from)"
    }
  }
}
