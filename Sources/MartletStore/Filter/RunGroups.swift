// Groups of runs and their statistics, from one pass over the runs that a filter leaves.

import GRDB
package import MartletModel
import OrderedCollections

extension StoreReader {
  /// A page of groups. A run with several values of a field (tags) is in the group of each; one that lacks a field is in a
  /// group of those that do.
  ///
  /// - Throws: `Problem`: `badRequest` for a wrong field or filter, with its place; `notFound`; `unprocessable` when it
  ///   takes too long.
  package func groups(
    _ query: RunQuery, _ grouping: RunGrouping, _ page: PageRequest
  ) throws -> Page<RunGroup> {
    let offset = try Cursor.offset(page.cursor)
    return try limited {
      let question = try RunQuestion(self, query)
      let reading = try GroupReading(question, grouping)
      let groups = reading.sorted(try reading.read())
      let shown = groups.dropFirst(offset).prefix(page.limit + 1).map(reading.group)
      return Cursor.page(Array(shown), page, offset: offset)
    }
  }
}

/// One answer about groups while it is made.
private struct GroupReading {
  /// What is gathered of one group.
  struct Gathered {
    var key: [FilterScalar?]
    var states: OrderedDictionary<RunState, Int> = [:]
    var numbers: [[Double]]
    var count = 0
  }

  let question: RunQuestion
  let grouping: RunGrouping
  let by: [FilterSubject]
  let values: [FilterSubject]
  /// Whether a filter has room for the question's and a condition for each field of `by`; how long these are is another
  /// matter.
  private let hasFilters: Bool

  init(_ question: RunQuestion, _ grouping: RunGrouping) throws {
    (self.question, self.grouping) = (question, grouping)
    let catalog = StoreCatalog(reader: question.reader, project: question.project)
    let resolver = FilterResolver(catalog: catalog, now: question.query.now)
    func subjects(_ fields: [FilterField], _ parameter: String) throws -> [FilterSubject] {
      try fields.map { field in
        do {
          return try resolver.subject(of: field)
        } catch let error as FilterError {
          throw Problem(
            .badRequest, "\(error.message)", hint: error.hint,
            details: ["parameter": .string(parameter), "field": .string(field.text)])
        }
      }
    }
    by = try subjects(grouping.by, "by")
    values = try subjects(grouping.values, "values")
    hasFilters = Self.isFilter(
      Self.filter(of: grouping.by.map { .not(.exists($0)) }, within: question.query.filter))
    for (subject, field) in zip(values, grouping.values) {
      if case .attribute(let attribute) = subject, attribute.kind != .duration {
        throw Problem(
          .badRequest, "'\(field.text)' is no number that could be summed up.",
          hint: "'values' takes metrics, numbers of the configuration, and duration.")
      }
    }
    if let sort = grouping.sort, !(grouping.by + grouping.values).contains(sort), sort.name != "count" {
      throw Problem(
        .badRequest, "Groups cannot be sorted by '\(sort.text)'.",
        hint: "'sort' takes count, or a field of 'by' or 'values', with '-' before it for descending.")
    }
  }

  // MARK: - Reading

  /// The value of a field in each run, as a column; NULL with `lacks` 1 where there is none, which NaN is not.
  private func column(_ subject: FilterSubject, _ place: Int, _ joins: inout [SQL]) throws -> (
    value: SQL, lacks: SQL
  ) {
    let name = SQL(sql: "g\(place)")
    func join(_ table: SQL, _ condition: SQL) { joins.append("LEFT JOIN \(table) \(name) ON \(condition)") }
    if case .attribute(let attribute) = subject {
      switch attribute {
      case .tag:
        join("run_tag", "\(name).run_id = run.id")
        return ("\(name).tag", "\(name).tag IS NULL")
      case .device:
        join(
          """
          json_each(coalesce((SELECT devices FROM attempt WHERE run_id = run.id ORDER BY number DESC LIMIT 1), '[]'))
          """, "1")
        return ("\(name).value", "\(name).value IS NULL")
      case .sweep:
        let value: SQL = "(SELECT public_id FROM sweep WHERE sweep.id = run.sweep_id)"
        return (value, "\(value) IS NULL")
      default:
        let value = FilterSQL.value(of: attribute, now: question.query.now)
        return (value, "\(value) IS NULL")
      }
    }
    guard let source = try question.sql.source(of: subject) else { return ("NULL", "1") }
    // Its pieces speak of a table `s`.
    join(
      """
      (SELECT s.run_id AS run_id, \(source.value) AS value FROM \(source.table) s
        WHERE \(source.keys) AND \(source.isThere))
      """, "\(name).run_id = run.id")
    return ("\(name).value", "\(name).run_id IS NULL")
  }

  func read() throws -> [Gathered] {
    var joins: [SQL] = []
    var columns: [SQL] = ["run.state"]
    for (place, subject) in (by + values).enumerated() {
      let (value, lacks) = try column(subject, place, &joins)
      columns += [value, lacks]
    }
    let request = SQLRequest<Row>(
      literal: """
        SELECT \(columns.joined(separator: ", "))
        FROM \(RunQuestion.begin(try question.driver())) \(joins.joined(separator: " "))
        WHERE \(try question.conditions().joined(separator: " AND "))
        """)
    var groups: [[FilterScalar?]: Gathered] = [:]
    let rows = try Row.fetchCursor(question.reader.db, request)
    while let row = try rows.next() {
      func scalar(_ place: Int) -> FilterScalar? {
        (row[2 * place + 2] as Bool) ? nil : FilterScalar(stored: row[2 * place + 1])
      }
      let key = by.indices.map { scalar($0)?.inOneForm }
      var group = groups.removeValue(forKey: key) ?? Gathered(key: key, numbers: values.map { _ in [] })
      group.count += 1
      if let state = RunState(rawValue: row[0]) { group.states[state, default: 0] += 1 }
      for place in values.indices {
        if case .number(let number)? = scalar(by.count + place), number.double.isFinite {
          group.numbers[place].append(number.double)
        }
      }
      groups[key] = group
    }
    return Array(groups.values)
  }

  // MARK: - Order

  /// Missing ones last either way; equal ones by their keys.
  func sorted(_ groups: [Gathered]) -> [Gathered] {
    let place = grouping.sort.flatMap { grouping.by.firstIndex(of: $0) }
    let value = grouping.sort.flatMap { grouping.values.firstIndex(of: $0) }
    let means = value.map { value in groups.map { GroupStatistics($0.numbers[value])?.mean } }
    return groups.indices.sorted { a, b in
      var order: Int
      if let place {
        order = Self.order(groups[a].key[place], groups[b].key[place], grouping.isDescending)
      } else if let means {
        order = Self.order(
          means[a].map { .number(.double($0)) }, means[b].map { .number(.double($0)) }, grouping.isDescending)
      } else {
        order = groups[a].count - groups[b].count
        if grouping.isDescending { order = -order }
      }
      if order != 0 { return order < 0 }
      for (x, y) in zip(groups[a].key, groups[b].key) {
        let order = Self.order(x, y, false)
        if order != 0 { return order < 0 }
      }
      return false
    }.map { groups[$0] }
  }

  private static func order(_ a: FilterScalar?, _ b: FilterScalar?, _ isDescending: Bool) -> Int {
    guard let a, let b else { return (a == nil ? 1 : 0) - (b == nil ? 1 : 0) }
    let order = a.order(b) ?? (a.rank - b.rank)
    return isDescending ? -order : order
  }

  func group(_ gathered: Gathered) -> RunGroup {
    var terms: [FilterExpression] = []
    for (place, field) in grouping.by.enumerated() {
      guard let value = gathered.key[place] else {
        terms.append(.not(.exists(field)))
        continue
      }
      let literal: FilterLiteral =
        if case .attribute = by[place], case .text(let text) = value {
          // An attribute takes a word as text, whatever it looks like.
          FilterLiteral(.string(text))
        } else {
          FilterLiteral.exactly(value)
        }
      terms.append(.comparison(field, .equal, literal))
    }
    var count = RunCount()
    count.states = gathered.states
    let filter = Self.filter(of: terms, within: question.query.filter)
    return RunGroup(
      key: gathered.key, filter: hasFilters && Self.isShort(filter) ? filter : nil, count: count,
      values: grouping.values.enumerated().map { place, field in
        (field.text, GroupStatistics(gathered.numbers[place]))
      })
  }

  private static func filter(
    of terms: [FilterExpression], within filter: FilterExpression?
  ) -> FilterExpression {
    let all = (filter.map { $0 == .all ? [] : [$0] } ?? []) + terms
    return all.count == 1 ? all[0] : .and(all)
  }

  /// Whether a filter's text is read, but for what its values are.
  private static func isFilter(_ filter: FilterExpression) -> Bool {
    (try? ParsedFilter(filter.description)) != nil
  }

  private static func isShort(_ filter: FilterExpression) -> Bool {
    let text = filter.description
    return text.utf16.count <= FilterLimits.length && !text.utf8.contains(0)
  }
}

extension FilterScalar {
  /// 1 and 1.0 are one group.
  fileprivate var inOneForm: FilterScalar {
    guard case .number(.double(let number)) = self else { return self }
    return .number(FilterNumber(number))
  }

  fileprivate var rank: Int {
    switch self {
    case .notANumber: -1
    case .number: 0
    case .text: 1
    case .bool(let flag): flag ? 3 : 2
    case .null: 4
    }
  }
}
