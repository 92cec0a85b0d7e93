// What the writer remembers of runs that points come for, so that it need not ask the database each time.

import GRDB
import MartletModel
import MartletSeries

/// A run as the writer knows it.
///
/// It is ahead of the database only while a transaction runs: when that fails, the run is forgotten and read again.
final class HotRun {
  let id: PublicID
  let row: Int64
  let createdBy: Int64
  var rows: Int64
  var points: Int64
  var lastStep: Int64?
  /// A run from outside that gave no sign of life: points bring it back.
  var isLost: Bool
  let isDeleted: Bool
  let hasEnded: Bool
  /// The next sequence number of clients that were heard.
  var clients: [String: Int64] = [:]
  /// Summaries that were read or written, by key.
  var metrics: [Int64: RunningSummary] = [:]
  /// Of the run, also those that `metrics` has not.
  var metricCount: Int
  let goals: MetricGoals
  /// Keys under which texts were logged; nil: not read yet.
  var textKeys: Set<Int64>?
  /// Names of files and alerts that it has; nil: not counted yet.
  var files: Int?
  var alerts: Int?

  init(
    id: PublicID, row: Int64, createdBy: Int64, rows: Int64, points: Int64, lastStep: Int64?, isLost: Bool,
    isDeleted: Bool,
    hasEnded: Bool, metricCount: Int, goals: MetricGoals
  ) {
    (self.id, self.row, self.createdBy, self.rows, self.points) = (id, row, createdBy, rows, points)
    (self.lastStep, self.isLost, self.isDeleted) = (lastStep, isLost, isDeleted)
    self.hasEnded = hasEnded
    self.metricCount = metricCount
    self.goals = goals
  }
}

/// The writer's memory, bounded, and true after every transaction, however that ended.
///
/// `@unchecked`: it is used on the writer's queue alone.
final class HotRuns: @unchecked Sendable {
  /// Where a transaction, or a savepoint in it, began.
  struct Mark {
    fileprivate var touched = 0
    fileprivate var keys = 0
    fileprivate var news = 0
  }

  /// What others have to know of when a transaction has been committed.
  enum News {
    /// One block more in the tail, of so many rows and bytes.
    case appended(run: Int64, rows: Int, bytes: Int, hasEnded: Bool)
    case ended(run: Int64, Bool)
    /// Nothing is left in the tail.
    case rewritten(run: Int64)
    case purge
    /// The derived metrics of a project changed.
    case derived(project: Int64)
    /// The configuration of a run changed, or its project.
    case reconfigured(run: Int64, hasEnded: Bool)
  }

  private static let runLimit = 512
  private static let metricLimit = 50_000
  private static let keyLimit = 100_000

  private var runs: [Int64: HotRun] = [:]
  private var rows: [PublicID: Int64] = [:]
  private var keys: [String: Int64] = [:]
  private var metricCount = 0
  private var dataVersion: Int64?

  private var touched: [Int64] = []
  private var newKeys: [String] = []
  private var news: [News] = []

  // MARK: - Transactions

  /// Forgets everything when another connection has written: another process may have opened the file.
  func begin(_ db: Database) throws {
    let statement = try RawStatement(db, "PRAGMA data_version")
    guard try statement.step() else { return }
    let version = statement.int(0)
    statement.reset()
    if version != dataVersion { forgetAll() }
    dataVersion = version
    if metricCount > Self.metricLimit || runs.count > Self.runLimit { forgetAll() }
    if keys.count > Self.keyLimit { keys = [:] }
  }

  func mark() -> Mark { Mark(touched: touched.count, keys: newKeys.count, news: news.count) }

  /// What has been since `mark` was undone.
  func undo(to mark: Mark = Mark()) {
    for row in touched[mark.touched...] { forget(row) }
    for key in newKeys[mark.keys...] { keys[key] = nil }
    touched.removeSubrange(mark.touched...)
    newKeys.removeSubrange(mark.keys...)
    news.removeSubrange(mark.news...)
  }

  /// Everything since the begin is durable.
  func commit() -> [News] {
    defer { (touched, newKeys, news) = ([], [], []) }
    return news
  }

  func tell(_ piece: News) { news.append(piece) }

  /// What the database holds of this run is no longer what is remembered.
  func forget(_ row: Int64) {
    guard let run = runs.removeValue(forKey: row) else { return }
    metricCount -= run.metrics.count + (run.textKeys?.count ?? 0)
    rows[run.id] = nil
  }

  private func forgetAll() {
    (runs, rows, keys, metricCount) = ([:], [:], [:], 0)
  }

  // MARK: - Reading

  /// Nil: there is no such run.
  func run(_ id: PublicID, _ db: Database) throws -> HotRun? {
    // A row's number may be another run's by now: those of purged runs are given again.
    if let row = rows[id], let run = runs[row], run.id == id { return run }
    let statement = try RawStatement(
      db,
      """
      SELECT id, created_by, rows, points, last_step, state = 'lost' AND is_executed = 0, deleted_at IS NOT NULL,
        ended_at IS NOT NULL, (SELECT count(*) FROM metric_summary WHERE run_id = run.id)
      FROM run WHERE public_id = ? AND purge IS NULL
      """)
    try statement.bind(1, id.rawValue)
    guard try statement.step() else { return nil }
    defer { statement.reset() }
    let run = HotRun(
      id: id, row: statement.int(0), createdBy: statement.int(1), rows: statement.int(2),
      points: statement.int(3),
      lastStep: statement.optionalInt(4), isLost: statement.int(5) == 1, isDeleted: statement.int(6) == 1,
      hasEnded: statement.int(7) == 1, metricCount: Int(statement.int(8)),
      goals: try StoreReader(db: db).metricGoals(of: statement.int(0)))
    forget(run.row)
    runs[run.row] = run
    rows[id] = run.row
    // Read in a transaction that may yet fail.
    touched.append(run.row)
    return run
  }

  /// How many rows of a table, which are counted once, a run has.
  func count(
    _ count: ReferenceWritableKeyPath<HotRun, Int?>, in table: String, of run: HotRun, _ db: Database
  ) throws -> Int {
    if let known = run[keyPath: count] { return known }
    let statement = try RawStatement(db, "SELECT count(*) FROM \(table) WHERE run_id = ?")
    try statement.bind(1, run.row)
    let found = try statement.step() ? Int(statement.int(0)) : 0
    statement.reset()
    run[keyPath: count] = found
    return found
  }

  /// A run has so many more rows that are counted, or fewer.
  func add(_ difference: Int, to count: ReferenceWritableKeyPath<HotRun, Int?>, of row: Int64) {
    guard let run = runs[row], let before = run[keyPath: count] else { return }
    touch(run)
    run[keyPath: count] = before + difference
  }

  /// `run` is about to be changed.
  func touch(_ run: HotRun) { touched.append(run.row) }

  func next(of client: String, in run: HotRun, _ db: Database) throws -> Int64 {
    if let next = run.clients[client] { return next }
    let statement = try RawStatement(db, "SELECT next_seq FROM client WHERE run_id = ? AND client = ?")
    try statement.bind(1, run.row)
    try statement.bind(2, client)
    guard try statement.step() else { return 0 }
    defer { statement.reset() }
    run.clients[client] = statement.int(0)
    return statement.int(0)
  }

  /// Nil: nothing was logged under this key.
  func metric(_ key: Int64, of run: HotRun, _ db: Database) throws -> RunningSummary? {
    if let known = run.metrics[key] { return known }
    let statement = try RawStatement(
      db,
      """
      SELECT last, last_step, last_at, min, min_step, max, max_step, sum, count, nan_count
      FROM metric_summary WHERE run_id = ? AND key_id = ?
      """)
    try statement.bind(1, run.row)
    try statement.bind(2, key)
    guard try statement.step() else { return nil }
    defer { statement.reset() }
    var summary = RunningSummary(
      last: statement.double(0), lastStep: statement.int(1), lastTime: statement.int(2),
      sum: statement.double(7), count: statement.int(8), nanCount: statement.int(9))
    if summary.hasNumbers {
      (summary.min, summary.minStep) = (statement.double(3), statement.int(4))
      (summary.max, summary.maxStep) = (statement.double(5), statement.int(6))
    }
    remember(summary, key, of: run)
    return summary
  }

  func remember(_ summary: RunningSummary, _ key: Int64, of run: HotRun) {
    if run.metrics.updateValue(summary, forKey: key) == nil { metricCount += 1 }
  }

  /// The keys under which texts were logged in a run.
  func textKeys(of run: HotRun, _ db: Database) throws -> Set<Int64> {
    if let known = run.textKeys { return known }
    let statement = try RawStatement(db, "SELECT key_id FROM logged_value WHERE run_id = ?")
    try statement.bind(1, run.row)
    var keys: Set<Int64> = []
    while try statement.step() { keys.insert(statement.int(0)) }
    run.textKeys = keys
    metricCount += keys.count
    return keys
  }

  func rememberText(_ key: Int64, of run: HotRun) {
    if run.textKeys?.insert(key).inserted ?? false { metricCount += 1 }
  }

  /// The id of a metric's name, which is in normal form; nil: no run has it.
  func knownKey(_ name: String, _ db: Database) throws -> Int64? {
    if let key = keys[name] { return key }
    let statement = try RawStatement(db, "SELECT id FROM metric_key WHERE name = ?")
    try statement.bind(1, name)
    guard try statement.step() else { return nil }
    defer { statement.reset() }
    keys[name] = statement.int(0)
    newKeys.append(name)
    return statement.int(0)
  }

  /// The id of a metric's name, which is in normal form and is made where it is missing.
  func key(_ name: String, _ db: Database) throws -> Int64 {
    if let key = try knownKey(name, db) { return key }
    let statement = try RawStatement(db, "INSERT INTO metric_key (name) VALUES (?)")
    try statement.bind(1, name)
    try statement.run()
    keys[name] = db.lastInsertedRowID
    newKeys.append(name)
    return db.lastInsertedRowID
  }
}
