// Runs read back: one, or a page of them, with their summaries.

import GRDB
package import MartletModel

extension StoreReader {
  func runRow(_ id: PublicID) throws -> Int64? {
    try Int64.fetchOne(
      db.cachedStatement(sql: "SELECT id FROM run WHERE public_id = ? AND purge IS NULL"),
      arguments: [id.rawValue])
  }

  func requireRunRow(_ id: PublicID) throws -> Int64 {
    guard let row = try runRow(id) else { throw Self.noRun(id) }
    return row
  }

  static func noRun(_ id: PublicID) -> Problem {
    Problem(.notFound, "There is no run '\(id)'.", hint: "'martlet run list' shows the runs there are.")
  }

  /// Also a run in the trash, which says so; nil: there is none.
  package func run(_ id: PublicID) throws -> Run? {
    try runs(sql: "WHERE run.public_id = ? AND run.purge IS NULL", arguments: [id.rawValue]).first
  }

  func run(row: Int64) throws -> Run {
    guard let run = try runs(sql: "WHERE run.id = ?", arguments: [row]).first else {
      throw Problem(.internal, "Run row \(row) is missing.", hint: "Run 'martlet doctor'.")
    }
    return run
  }

  /// All runs of a sweep, also those in the trash.
  package func runs(ofSweep id: PublicID) throws -> [Run] {
    try runs(sql: "WHERE run.sweep_id = ? AND run.purge IS NULL", arguments: [try requireSweepRow(id)])
  }

  /// Bytes of the largest value that a list has of a run.
  private static let listedValueLimit = 32 << 10

  /// A page of runs; values above `listedValueLimit` are left out.
  ///
  /// - Throws: `Problem`: `badRequest` for a wrong filter, with its place, or a wrong cursor; `notFound` for a project that
  ///   is not there; `unprocessable` when it takes too long.
  package func runs(_ query: RunQuery, _ page: PageRequest) throws -> Page<Run> {
    try limited {
      var query = query
      if let now = try RunMark(page.cursor)?.now { query.now = now }
      let (rows, next) = try RunQuestion(self, query).page(page)
      guard !rows.isEmpty else { return Page(items: [], next: next) }
      let found = try runs(
        sql: "JOIN json_each(?) picked ON picked.value = run.id ORDER BY picked.key",
        arguments: [JSONValue.array(rows.map(JSONValue.int)).text], valueLimit: Self.listedValueLimit)
      return Page(items: found, next: next)
    }
  }

  /// - Parameters:
  ///   - sql: follows the joins of a run: more joins, conditions, order; one of few texts, which are kept compiled.
  ///   - valueLimit: logged values of more bytes are left out.
  func runs(sql: String, arguments: StatementArguments, valueLimit: Int = .max) throws -> [Run] {
    var found: [(row: Int64, sweepMetric: String?, sweepGoal: Objective.Goal?, run: Run)] = []
    try forEachRow(
      """
      SELECT run.*, project.name AS project_name, sweep.public_id AS sweep_public_id, sweep.name AS sweep_name,
        principal.name AS creator_name, sweep.metric AS sweep_metric, sweep.goal AS sweep_goal,
        (SELECT count(*) FROM attempt WHERE run_id = run.id) AS attempts,
        (SELECT devices FROM attempt WHERE run_id = run.id ORDER BY number DESC LIMIT 1) AS devices,
        (SELECT public_id FROM run AS parent
          WHERE parent.id = run.parent_id AND parent.purge IS NULL) AS parent_public_id,
        (SELECT count(*) FROM run AS child
          WHERE child.parent_id = run.id AND child.deleted_at IS NULL) AS children,
        (SELECT hardware FROM environment WHERE environment.id = run.environment_id) AS hardware
      FROM run JOIN project ON project.id = run.project_id JOIN principal ON principal.id = run.created_by
        LEFT JOIN sweep ON sweep.id = run.sweep_id
      \(sql)
      """, arguments
    ) { row in
      let goal = (row["sweep_goal"] as String?).flatMap(Objective.Goal.init(rawValue:))
      found.append((row["id"], row["sweep_metric"], goal, try Self.run(row)))
    }
    let ids = found.map(\.row)
    let metrics = try summaries(of: ids)
    let values = try loggedValues(of: ids, upTo: valueLimit)
    let definitions = try metricDefinitions(of: ids)
    let summaryValues = try summaryValues(of: ids)
    return found.map { row, sweepMetric, sweepGoal, run in
      var run = run
      run.definitions = definitions[row] ?? []
      run.summaryValues = summaryValues[row] ?? []
      run.metrics = Self.withGoals(
        metrics[row] ?? [], definitions: run.definitions, sweepMetric: sweepMetric, sweepGoal: sweepGoal)
      run.values = values[row] ?? []
      return run
    }
  }

  private static func run(_ row: NamedRow) throws -> Run {
    guard let id = PublicID(rawValue: row["public_id"]), let state = RunState(rawValue: row["state"]) else {
      throw Problem(.internal, "A stored run has an unknown id or state.", hint: "Run 'martlet doctor'.")
    }
    var run = Run(
      id: id, project: row["project_name"], name: row["name"], state: state,
      createdAt: Timestamp(microseconds: row["created_at"]), createdBy: row["creator_name"])
    run.sweep = (row["sweep_public_id"] as String?).flatMap(PublicID.init(rawValue:))
    run.sweepName = row["sweep_name"]
    run.trial = row["trial"]
    run.config = try row.json("config")
    run.tags = try row.strings("tags") ?? []
    run.notes = row["notes"]
    run.group = row["group_name"]
    run.jobType = row["job_type"]
    run.command = try row.strings("command")
    run.workdir = row["workdir"]
    run.directory = row["directory"]
    run.host = row["host"]
    run.pid = row["pid"]
    let git = try row.json("git")
    run.git = git.isNull ? nil : try GitState(json: git, path: "git")
    run.python = row["python"]
    run.startedAt = row.time("started_at")
    run.endedAt = row.time("ended_at")
    run.lastSeenAt = row.time("last_seen_at")
    run.exit = row.exitRecord()
    run.attempts = row["attempts"]
    run.attempt = run.attempts
    run.devices = try row.devices()
    run.points = row["points"]
    run.lastStep = row["last_step"]
    run.deletedAt = row.time("deleted_at")
    run.forkedFrom = (row["forked_from"] as String?).flatMap(PublicID.init(rawValue:))
    run.forkStep = row["fork_step"]
    run.archivedAt = row.time("archived_at")
    run.lockedAt = row.time("locked_at")
    run.parent = (row["parent_public_id"] as String?).flatMap(PublicID.init(rawValue:))
    run.children = row["children"]
    run.hardware = row["hardware"]
    return run
  }
}
