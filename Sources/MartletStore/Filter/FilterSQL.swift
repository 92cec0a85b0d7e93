// Filters as conditions on rows of `run`, with every value bound.

import Foundation
import GRDB
import MartletModel

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

  static let never: SQL = "0"

  func condition(_ filter: ResolvedFilter) throws -> SQL {
    switch filter {
    case .or(let branches):
      return branches.isEmpty ? Self.never : "(\(try branches.map(condition).joined(separator: " OR ")))"
    case .and(let terms):
      return terms.isEmpty ? "1" : "(\(try terms.map(condition).joined(separator: " AND ")))"
    case .not(let inner): return "NOT (\(try condition(inner)))"
    case .text(let text): return isFound(text.inNormalForm)
    case .test(let subject, let test): return try condition(subject, test)
    }
  }

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
    case .duration: "((coalesce(run.ended_at, \(now.microseconds)) - run.started_at) / 1e6)"
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
      let listed = wanted.filter { $0 != .notANumber }.map { "\($0.stored)" as SQL }
      var parts: [SQL] = listed.isEmpty ? [] : ["\(value) IN (\(listed.joined(separator: ", ")))"]
      if listed.count < wanted.count { parts.append("\(value) IS NULL") }
      return "(\(parts.joined(separator: " OR ")))"
    case .compareTime(let comparison, let time): return compare(value, comparison, time)
    case .isInTimes(let times):
      return "(\(times.map { compare(value, .equal, $0) }.joined(separator: " OR ")))"
    case .matches(let regex, let isNegated):
      return isNegated
        ? "NOT martlet_found(\(regex.pattern), \(value))" : "martlet_found(\(regex.pattern), \(value))"
    }
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
