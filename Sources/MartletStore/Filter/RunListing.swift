// Which runs a question is about, in order, a page at a time: the plan is chosen by how many runs its filter leaves.

import GRDB
package import MartletModel
import OrderedCollections

/// A question about runs, its names looked up.
struct RunQuestion {
  let reader: StoreReader
  let query: RunQuery
  /// The row of the project; nil: all.
  let project: Int64?
  let filter: ResolvedFilter?
  let sql: FilterSQL
  /// `filter` as SQL is made of it.
  private let flat: ResolvedFilter?

  init(_ reader: StoreReader, _ query: RunQuery) throws {
    self.reader = reader
    self.query = query
    let project = try query.project.map { try reader.requireProject($0) }
    self.project = project
    sql = FilterSQL(reader: reader, project: project, now: query.now)
    let resolver = FilterResolver(catalog: StoreCatalog(reader: reader, project: project), now: query.now)
    do {
      filter = try query.filter.map(resolver.resolve)
    } catch let error as FilterError {
      throw error.problem
    }
    flat = filter?.flattened
    // Values at steps are read of those runs alone that all the rest leaves.
    let rest: [ResolvedFilter] =
      switch flat {
      case .and(let terms): terms.filter { !$0.asksForSteps }
      case .some(let other) where !other.asksForSteps: [other]
      default: []
      }
    sql.steps.conditions = {
      let plain = FilterSQL(reader: reader, project: project, now: query.now)
      return Self.scope(query, project) + (try rest.map(plain.condition))
    }
  }

  /// Conditions on `run`, whose row id is also `id`.
  func conditions(_ id: SQL = "run.id") throws -> [SQL] {
    var conditions = Self.scope(query, project)
    if let flat {
      var sql = sql
      sql.run = id
      conditions.append(try sql.condition(flat))
    }
    return conditions
  }

  /// The conditions on a row of `run` by which it is in the list, not in the trash or on the other side of the archive.
  private static func sides(_ query: RunQuery, of run: SQL) -> [SQL] {
    if query.deleted { return ["\(run).deleted_at IS NOT NULL AND \(run).purge IS NULL"] }
    var sides: [SQL] = ["\(run).deleted_at IS NULL"]
    switch query.archive {
    case .outside: sides.append("\(run).archived_at IS NULL")
    case .inside: sides.append("\(run).archived_at IS NOT NULL")
    case .any: break
    }
    return sides
  }

  /// All conditions but the filter.
  private static func scope(_ query: RunQuery, _ project: Int64?) -> [SQL] {
    var conditions = sides(query, of: "run")
    if let parent = query.parent {
      conditions.append(
        "run.parent_id = (SELECT id FROM run parent WHERE parent.public_id = \(parent.rawValue))")
    }
    if query.onlyRoots {
      // A parent is in the same project always.
      let isBeside = sides(query, of: "parent").joined(separator: " AND ")
      conditions.append(
        """
        (run.parent_id IS NULL OR NOT EXISTS (
          SELECT 1 FROM run AS parent WHERE parent.id = run.parent_id AND \(isBeside)))
        """)
    }
    if let project { conditions.append("run.project_id = \(project)") }
    if let sweep = query.sweep {
      conditions.append("run.sweep_id = (SELECT id FROM sweep WHERE public_id = \(sweep.rawValue))")
    }
    if let states = query.states {
      let words = states.map(\.rawValue).sorted().map { "\($0)" as SQL }
      conditions.append(words.isEmpty ? FilterSQL.never : "run.state IN (\(words.joined(separator: ", ")))")
    }
    if let only = query.only { conditions.append("run.public_id = \(only.rawValue)") }
    if let search = query.search?.inNormalForm {
      conditions.append("instr(lower(run.name), lower(\(search))) > 0")
    }
    return conditions
  }

  /// Above so many runs that a filter leaves, a walk along the order finds a page sooner than sorting them does: for a page
  /// of 100 of 100,000 runs both look at some thousands.
  var driverBound = 3_000

  /// The rows to begin with: those of the sweep or the one run that is asked for, else what the filter's index finds.
  func driver() throws -> FilterDriver? {
    let bound = driverBound
    var drivers: [FilterDriver] = []
    if let only = query.only {
      return FilterDriver("SELECT id AS run_id FROM run WHERE public_id = \(only.rawValue)", count: 1)
    }
    if let sweep = query.sweep {
      let rows: SQL = """
        SELECT id AS run_id FROM run WHERE sweep_id = (SELECT id FROM sweep WHERE public_id = \(sweep.rawValue))
        """
      drivers.append(FilterDriver(rows, count: try sql.count(rows, bound: bound)))
    }
    if let parent = query.parent {
      let rows: SQL = """
        SELECT id AS run_id FROM run WHERE parent_id = (SELECT id FROM run parent WHERE parent.public_id = \(parent.rawValue))
        """
      drivers.append(FilterDriver(rows, count: try sql.count(rows, bound: bound)))
    }
    if let flat, let driver = try sql.driver(for: flat, bound: bound) { drivers.append(driver) }
    return drivers.min { $0.count < $1.count }
  }

  // MARK: - Pages

  /// Row ids of a page, and where the next one begins. Its times count from the query's `now`, whatever the cursor says.
  func page(_ request: PageRequest) throws -> (rows: [Int64], next: String?) {
    let cursor = try RunMark(request.cursor)?.cursor
    let (sorting, isDescending) = try sorting()
    var found: [RunCursor] = []
    let wanted = request.limit + 1
    let driver = try driver().flatMap { $0.count < driverBound ? $0 : nil }
    if case .created = sorting {
      let after: Int64? = try place(cursor) { if case .row(let row) = $0 { row } else { nil } }
      found = try created(driver, after: after, isDescending, limit: wanted)
    } else {
      if case .row? = cursor { throw Cursor.wrong(request.cursor ?? "") }
      var missingAfter: Int64?
      if case .missing(let row)? = cursor {
        missingAfter = row
      } else if let ordered = ordered(sorting, isDescending, driver) {
        found = try valued(ordered, after: cursor, isDescending, limit: wanted)
      }
      if found.count < wanted {
        found += try missing(sorting, driver, after: missingAfter, limit: wanted - found.count)
      }
    }
    let kept = found.prefix(request.limit)
    guard found.count > request.limit, let last = kept.last else { return (kept.map(\.run), nil) }
    // The order of creation without a filter is the same at all times.
    let isTimeless = if case .created = sorting { query.filter == nil } else { false }
    return (kept.map(\.run), RunMark(cursor: last, now: isTimeless ? nil : query.now).text)
  }

  private func place(_ cursor: RunCursor?, _ row: (RunCursor) -> Int64?) throws -> Int64? {
    guard let cursor else { return nil }
    guard let row = row(cursor) else { throw Cursor.wrong(cursor.text) }
    return row
  }

  private func sorting() throws -> (RunSorting, isDescending: Bool) {
    switch query.order {
    case .created(let isDescending): return (.created, isDescending)
    case .name(let isDescending): return (.attribute(.name), isDescending)
    case .metric(let name, let aggregate, let isDescending):
      let aggregate = FilterAggregate(aggregate.rawValue) ?? .last
      let normal = name.inNormalForm
      let isDerived = try StoreCatalog(reader: reader, project: project).hasDerived(normal)
      let source = try sql.source(of: isDerived ? .derived(normal, aggregate) : .metric(normal, aggregate))
      return (source.map(RunSorting.field) ?? .nothing, isDescending)
    case .field(let field, let isDescending):
      do {
        let resolver = FilterResolver(catalog: StoreCatalog(reader: reader, project: project), now: query.now)
        switch try resolver.subject(of: field) {
        case .attribute(.created): return (.created, isDescending)
        case .attribute(let attribute): return (.attribute(attribute), isDescending)
        case let subject:
          return (try sql.source(of: subject).map(RunSorting.field) ?? .nothing, isDescending)
        }
      } catch let error as FilterError {
        throw error.problem
      }
    }
  }

  private func created(
    _ driver: FilterDriver?, after: Int64?, _ isDescending: Bool, limit: Int
  ) throws -> [RunCursor] {
    var conditions = try conditions(Self.id(driver))
    if let after { conditions.append(isDescending ? "run.id < \(after)" : "run.id > \(after)") }
    return try Int64.fetchAll(
      """
      SELECT run.id FROM \(Self.begin(driver)) WHERE \(conditions.joined(separator: " AND "))
      ORDER BY run.id \(Self.direction(isDescending)) LIMIT \(limit)
      """, reader.db
    ).map(RunCursor.row)
  }

  private static func direction(_ isDescending: Bool) -> SQL { isDescending ? "DESC" : "ASC" }

  /// `run`, or the rows of a driver joined with it, in this order.
  static func begin(_ driver: FilterDriver?) -> SQL {
    driver.map { "(\($0.rows)) AS driver CROSS JOIN run ON run.id = driver.\(sql: "run_id")" } ?? "run"
  }

  /// The row id of a run in what `begin` begins.
  private static func id(_ driver: FilterDriver?) -> SQL { driver == nil ? "run.id" : "driver.run_id" }

  /// A query's tables, value and run, in the order of the value.
  private struct Ordered {
    var tables: SQL
    var conditions: SQL
    var value: SQL
    var run: SQL
  }

  /// Nil: no run has a value.
  private func ordered(_ sorting: RunSorting, _ isDescending: Bool, _ driver: FilterDriver?) -> Ordered? {
    switch sorting {
    case .created, .nothing: return nil
    case .attribute(let attribute):
      let value = FilterSQL.value(of: attribute, now: query.now)
      var tables = Self.begin(driver)
      if driver == nil, project != nil, let index = FilterSQL.index(of: attribute) {
        tables = "run INDEXED BY \(sql: index)"
      }
      return Ordered(tables: tables, conditions: "\(value) IS NOT NULL", value: value, run: Self.id(driver))
    case .field(let source):
      let keys: SQL = "\(source.keys) AND \(source.isThere) AND \(source.isSortable)"
      if source.isList {
        return Ordered(
          tables: "\(source.table) s CROSS JOIN run ON run.id = s.run_id", conditions: keys,
          value: source.value,
          run: "run.id")
      }
      guard driver == nil, let index = source.index else {
        return Ordered(
          tables: "\(Self.begin(driver)) CROSS JOIN \(source.table) s ON s.run_id = run.id", conditions: keys,
          value: source.value, run: Self.id(driver))
      }
      // Under names of its own: conditions have an `s` too.
      return Ordered(
        tables: """
          (SELECT s.run_id AS run_id, \(source.value) AS value FROM \(source.table) s INDEXED BY \(index)
            WHERE \(keys)) AS walk CROSS JOIN run ON run.id = walk.run_id
          """, conditions: "1", value: "walk.value", run: "walk.run_id")
    }
  }

  private func valued(
    _ ordered: Ordered, after cursor: RunCursor?, _ isDescending: Bool, limit: Int
  ) throws -> [RunCursor] {
    var conditions = [ordered.conditions] + (try conditions(ordered.run))
    if case .value(let value, let row)? = cursor {
      let comparison: SQL = isDescending ? "<" : ">"
      conditions.append("(\(ordered.value), \(ordered.run)) \(comparison) (\(value), \(row))")
    }
    let direction = Self.direction(isDescending)
    let request = SQLRequest<Row>(
      literal: """
        SELECT \(ordered.run), \(ordered.value) FROM \(ordered.tables) WHERE \(conditions.joined(separator: " AND "))
        ORDER BY \(ordered.value) \(direction), \(ordered.run) \(direction) LIMIT \(limit)
        """)
    return try Row.fetchAll(reader.db, request).map { .value($0[1], $0[0]) }
  }

  /// Runs without a value, newest first whichever way the others are sorted.
  private func missing(
    _ sorting: RunSorting, _ driver: FilterDriver?, after: Int64?, limit: Int
  ) throws -> [RunCursor] {
    let id = Self.id(driver)
    var conditions = try conditions(id)
    switch sorting {
    case .created, .nothing: break
    case .attribute(let attribute):
      conditions.append("\(FilterSQL.value(of: attribute, now: query.now)) IS NULL")
    case .field(let source):
      conditions.append("NOT \(source.has(id, "\(source.isThere) AND \(source.isSortable)"))")
    }
    if let after { conditions.append("run.id < \(after)") }
    return try Int64.fetchAll(
      """
      SELECT run.id FROM \(Self.begin(driver)) WHERE \(conditions.joined(separator: " AND "))
      ORDER BY run.id DESC LIMIT \(limit)
      """, reader.db
    ).map(RunCursor.missing)
  }
}

extension RunCursor {
  fileprivate var run: Int64 {
    switch self {
    case .row(let row), .missing(let row), .value(_, let row): row
    }
  }
}

extension Int64 {
  fileprivate static func fetchAll(_ sql: SQL, _ db: Database) throws -> [Int64] {
    try SQLRequest<Int64>(literal: sql).fetchAll(db)
  }
}

extension StoreReader {
  func requireProject(_ nameOrID: String) throws -> Int64 {
    if let row = try projectRowID(nameOrID) { return row }
    let hint = nearest(to: nameOrID, in: try projectNames()).map { "Did you mean '\($0)'?" }
    throw Problem(.notFound, "There is no project '\(nameOrID)'.", hint: hint)
  }

  /// How many runs there are, and how many of them in each state.
  ///
  /// - Throws: `Problem`: `badRequest` with the place in a wrong filter; `notFound`; `unprocessable` when it takes too long.
  package func count(_ query: RunQuery) throws -> RunCount {
    try limited {
      let question = try RunQuestion(self, query)
      let request = SQLRequest<Row>(
        literal: """
          SELECT run.state, count(*) FROM \(RunQuestion.begin(try question.driver()))
          WHERE \(try question.conditions().joined(separator: " AND ")) GROUP BY run.state
          """)
      var count = RunCount()
      for row in try Row.fetchAll(db, request) {
        guard let state = RunState(rawValue: row[0]) else { continue }
        count.states[state] = row[1]
      }
      return count
    }
  }
}
