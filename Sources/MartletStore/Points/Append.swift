// Points on their way in: counted once, laid into a block, summed up, in one transaction.

import GRDB
package import MartletModel
package import MartletSeries
import OrderedCollections

extension StoreWriter {
  /// Appends one client's rows to a run; those that it has already change nothing.
  ///
  /// - Parameters:
  ///   - batch: its names are in normal form.
  ///   - keyLimit: how many metrics a run may have, and under how many names it may have logged texts.
  /// - Returns: the receipt, and what was new with all steps decided; nil when nothing was new.
  /// - Throws: `Problem`: `notFound` also for a run in the trash; `conflict` with `details.next_seq` when rows are missing
  ///   before these; `unprocessable` when the run would have more names than `keyLimit`.
  package func append(
    _ batch: RowBatch, to id: PublicID, client: String, keyLimit: Int, now: Timestamp
  ) throws -> (receipt: AppendReceipt, stored: RowBatch?) {
    let run = try hotRun(id)
    let next = try hot.next(of: client, in: run, db)
    let duplicates = Int(min(Int64(batch.count), max(0, next - batch.firstSequence)))
    guard duplicates < batch.count else {
      return (AppendReceipt(accepted: 0, duplicates: batch.count, nextSequence: next), nil)
    }
    guard batch.firstSequence <= next else {
      throw Problem(
        .conflict, "Row \(batch.firstSequence) of client '\(client)' came, but row \(next) is expected.",
        hint: "Send again from row \(next).", details: ["next_seq": .int(next)])
    }
    var batch = batch
    batch.removeFirst(duplicates)
    try checkKeys(of: batch, in: run, limit: keyLimit)
    hot.touch(run)
    let range = batch.decideSteps(after: run.lastStep)
    try writeSummaries(of: batch, run)
    let bytes = try writeBlock(batch, of: run, client: client, steps: range, now: now)
    try count(batch, in: run, client: client, highest: range.upperBound, now: now)
    hot.tell(.appended(run: run.row, rows: batch.count, bytes: bytes, hasEnded: run.hasEnded))
    return (
      AppendReceipt(accepted: batch.count, duplicates: duplicates, nextSequence: batch.nextSequence), batch
    )
  }

  private func hotRun(_ id: PublicID) throws -> HotRun {
    guard let run = try hot.run(id, db) else { throw StoreReader.noRun(id) }
    guard !run.isDeleted else {
      throw Problem(
        .notFound, "Run '\(id)' is in the trash and takes no points.",
        hint: "'martlet run restore \(id)' takes it out.")
    }
    return run
  }

  /// Before anything is written: what is refused here leaves nothing behind.
  private func checkKeys(of batch: RowBatch, in run: HotRun, limit: Int) throws {
    var added = 0
    for column in batch.numbers {
      guard let key = try hot.knownKey(column.name, db), try hot.metric(key, of: run, db) != nil else {
        added += 1
        continue
      }
    }
    try Self.check(run.metricCount + added, limit, isMore: added > 0, "metrics")
    guard !batch.texts.isEmpty else { return }
    let known = try hot.textKeys(of: run, db)
    added = try batch.texts.count { try hot.knownKey($0.name, db).map { !known.contains($0) } ?? true }
    try Self.check(known.count + added, limit, isMore: added > 0, "names of texts and other values")
  }

  private static func check(_ count: Int, _ limit: Int, isMore: Bool, _ what: String) throws(Problem) {
    guard isMore, count > limit else { return }
    throw Problem(
      .unprocessable, "This run would have \(count) \(what); at most \(limit) are allowed.",
      hint: "Log what belongs together as one value (a list or an object), or use fewer names.")
  }

  private func writeBlock(
    _ batch: RowBatch, of run: HotRun, client: String, steps: ClosedRange<Int64>, now: Timestamp
  ) throws -> Int {
    let block = RowBlock(
      batch, numberKeys: try batch.numbers.map { try hot.key($0.name, db) },
      textKeys: try batch.texts.map { try hot.key($0.name, db) })
    return try insertBlock(
      block, run: run.row, firstRow: run.rows,
      origin: .client(client, firstSequence: batch.firstSequence, count: batch.count),
      steps: steps, receivedAt: now.microseconds)
  }

  private func count(
    _ batch: RowBatch, in run: HotRun, client: String, highest: Int64, now: Timestamp
  ) throws {
    let isKnown = run.clients[client] != nil
    let clients = try RawStatement(
      db,
      isKnown
        ? "UPDATE client SET next_seq = ?1 WHERE run_id = ?2 AND client = ?3"
        : "INSERT INTO client (next_seq, run_id, client) VALUES (?1, ?2, ?3)")
    try clients.bind(1, batch.nextSequence)
    try clients.bind(2, run.row)
    try clients.bind(3, client)
    try clients.run()
    run.clients[client] = batch.nextSequence

    run.rows += Int64(batch.count)
    run.points += Int64(batch.points)
    run.lastStep = max(run.lastStep ?? highest, highest)
    let runs = try RawStatement(
      db, "UPDATE run SET rows = ?, points = ?, last_step = ?, last_seen_at = ? WHERE id = ?")
    try runs.bind(1, run.rows)
    try runs.bind(2, run.points)
    try runs.bind(3, run.lastStep)
    try runs.bind(4, now.microseconds)
    try runs.bind(5, run.row)
    try runs.run()
    if run.isLost, let creator = try principal(row: run.createdBy) {
      try setRunState(run.row, .running, exit: nil, by: creator, now: now)
    }
  }

  // MARK: - Summaries

  private func writeSummaries(of batch: RowBatch, _ run: HotRun) throws {
    for column in batch.numbers {
      let key = try hot.key(column.name, db)
      let known = try hot.metric(key, of: run, db)
      var summary = known ?? RunningSummary()
      var changes = summary.add(column, steps: batch.steps, times: batch.times)
      let goal = run.goals.isEmpty ? nil : run.goals.goal(of: column.name)
      if known == nil {
        try insertSummary(summary, key, run: run.row, goal)
        run.metricCount += 1
      } else {
        if let goal, changes.contains(goal == .minimize ? .min : .max) { changes.insert(.best) }
        try updateSummary(summary, key, run: run.row, goal, changes)
      }
      hot.remember(summary, key, of: run)
    }
    for column in batch.texts {
      guard let (value, step) = column.latest(steps: batch.steps) else { continue }
      let values = try RawStatement(
        db,
        """
        INSERT INTO logged_value (run_id, key_id, value, last_step) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (run_id, key_id) DO UPDATE SET value = ?3, last_step = ?4 WHERE last_step <= ?4
        """)
      try values.bind(1, run.row)
      let key = try hot.key(column.name, db)
      try values.bind(2, key)
      try values.bind(3, text: value)
      try values.bind(4, step)
      try values.run()
      hot.rememberText(key, of: run)
    }
  }

  func insertSummary(_ summary: RunningSummary, _ key: Int64, run: Int64, _ goal: Objective.Goal?) throws {
    let statement = try RawStatement(
      db,
      """
      INSERT INTO metric_summary (run_id, key_id, sum, count, nan_count, last, last_step, last_at, min, min_step, max,
        max_step, best) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """)
    try statement.bind(1, run)
    try statement.bind(2, key)
    try Self.bind(summary, goal, [.last, .min, .max, .best], to: statement, from: 3)
    try statement.run()
  }

  /// Only columns that changed: each of `last`, `min`, `max` and `best` has an index of its own.
  private func updateSummary(
    _ summary: RunningSummary, _ key: Int64, run: Int64, _ goal: Objective.Goal?,
    _ changes: RunningSummary.Changes
  ) throws {
    let statement = try RawStatement(db, Self.updates[changes.rawValue])
    let end = try Self.bind(summary, goal, changes, to: statement, from: 1)
    try statement.bind(end, run)
    try statement.bind(end + 1, key)
    try statement.run()
  }

  /// By `RunningSummary.Changes`.
  private static let updates: [String] = (0..<16).map { raw in
    let changes = RunningSummary.Changes(rawValue: raw)
    var columns = ["sum", "count", "nan_count"]
    if changes.contains(.last) { columns += ["last", "last_step", "last_at"] }
    if changes.contains(.min) { columns += ["min", "min_step"] }
    if changes.contains(.max) { columns += ["max", "max_step"] }
    if changes.contains(.best) { columns.append("best") }
    let list = columns.map { "\($0) = ?" }.joined(separator: ", ")
    return "UPDATE metric_summary SET \(list) WHERE run_id = ? AND key_id = ?"
  }

  /// Returns the next free place.
  @discardableResult
  private static func bind(
    _ summary: RunningSummary, _ goal: Objective.Goal?, _ changes: RunningSummary.Changes,
    to statement: RawStatement, from first: Int32
  ) throws -> Int32 {
    var place = first
    func bind(_ value: Double) throws {
      try statement.bind(place, value)
      place += 1
    }
    func bind(_ value: Int64?) throws {
      try statement.bind(place, value)
      place += 1
    }
    try bind(summary.sum)
    try bind(summary.count)
    try bind(summary.nanCount)
    if changes.contains(.last) {
      try bind(summary.last)
      try bind(summary.lastStep)
      try bind(summary.lastTime)
    }
    if changes.contains(.min) {
      try bind(summary.hasNumbers ? summary.min : .nan)
      try bind(summary.hasNumbers ? summary.minStep : nil)
    }
    if changes.contains(.max) {
      try bind(summary.hasNumbers ? summary.max : .nan)
      try bind(summary.hasNumbers ? summary.maxStep : nil)
    }
    if changes.contains(.best) { try bind(summary.best(goal)) }
    return place
  }
}

extension RowBatch {
  /// Gives every row without a step one more than the highest before it, and 0 to the run's very first.
  ///
  /// - Returns: the lowest and the highest step of the batch, which is not empty.
  fileprivate mutating func decideSteps(after lastStep: Int64?) -> ClosedRange<Int64> {
    if !stepless.isEmpty {
      var highest = lastStep
      var missing = stepless[...]
      for index in steps.indices {
        if missing.first == Int32(index) {
          missing.removeFirst()
          steps[index] = highest.map { $0 == .max ? $0 : $0 + 1 } ?? 0
        }
        highest = Swift.max(highest ?? steps[index], steps[index])
      }
      stepless = []
    }
    return (steps.min() ?? 0)...(steps.max() ?? 0)
  }
}

extension RowBatch.Texts {
  /// The text of the highest step; of equal steps, the later one.
  fileprivate func latest(steps: [Int64]) -> (value: [UInt8], step: Int64)? {
    var best: (value: [UInt8], step: Int64)?
    for (row, value) in zip(rows.indices(of: steps.count), values) {
      let step = steps[Int(row)]
      if step >= best?.step ?? .min { best = (value, step) }
    }
    return best
  }
}
