// Points in, series and histories out.

package import MartletModel
package import MartletSeries
package import MartletStore
import OrderedCollections

/// The two forms in which rows come.
package enum RowForm: Sendable {
  /// JSON lines.
  case lines
  /// Records of a spool.
  case records
}

/// Which part of a run's history.
package struct HistoryRequest: Sendable, Hashable {
  /// Nil: all.
  package var keys: [String]?
  package var fromStep: Int64?
  package var toStep: Int64?
  /// Only rows behind this one, in the order of arrival.
  package var after: Int64?

  package init(keys: [String]? = nil, fromStep: Int64? = nil, toStep: Int64? = nil, after: Int64? = nil) {
    (self.keys, self.fromStep, self.toStep, self.after) = (keys, fromStep, toStep, after)
  }
}

extension Tracking {
  /// Decodes a body, makes its rows durable, tells watchers.
  ///
  /// - Throws: `Problem`: `unprocessable` with the place of the first fault, `conflict` with `details.next_seq` when rows are
  ///   missing before these, `unavailable` when too much waits.
  package func append(
    _ id: PublicID, client: String, body: [UInt8], form: RowForm, access: Access
  ) async throws -> AppendReceipt {
    try Self.checkClient(client)
    if access.run != nil || access.project != nil { try await place(id, access) }
    let now = clock.now
    let batch = try body.withUnsafeBytes { bytes in
      switch form {
      case .lines: try LogLines.decode(bytes, now: now)
      case .records: try LogRecords.decode(bytes)
      }
    }
    return try await append(batch, to: id, client: client, bytes: body.count)
  }

  static func checkClient(_ client: String) throws(Problem) {
    guard (8...64).contains(client.utf8.count),
      client.utf8.allSatisfy({ byte in
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
          || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
      })
    else {
      throw Problem(
        .unprocessable, "'client' must be 8 to 64 characters of A–Z, a–z, 0–9, _ and -.",
        hint: "Use a fresh random id for each process, such as a UUID in hexadecimal.")
    }
  }

  /// Makes rows durable, tells watchers.
  package func append(_ batch: RowBatch, to id: PublicID, client: String) async throws -> AppendReceipt {
    try await append(batch, to: id, client: client, bytes: 0)
  }

  private func append(
    _ batch: RowBatch, to id: PublicID, client: String, bytes: Int
  ) async throws -> AppendReceipt {
    let (receipt, stored) = try await ingest.append(batch, to: id, client: client, bytes: bytes)
    if stored != nil {
      await changes.note(id)
      tellListener(of: id)
    }
    return receipt
  }

  package func series(_ request: SeriesRequest, access: Access) async throws -> [Series] {
    let runs = OrderedSet(request.runs)
    guard runs.count <= Self.seriesLimit else {
      throw Problem(
        .unprocessable,
        "Series of \(runs.count) runs were asked for; \(Self.seriesLimit) are allowed at once.",
        hint: "Ask for fewer runs at a time.")
    }
    if request.isSystem { return try await sampledSeries(runs, request.window, access: access) }
    // Nothing is read of any before all are allowed. A snapshot each: one of all would hold up checkpoints for as long
    // as the longest request takes.
    if access.run != nil || access.project != nil { try await check(runs, access: access) }
    var series: [Series] = []
    var left = Self.seriesPointLimit
    for id in runs {
      try Task.checkCancellation()
      let limit = left
      let found = try await store.series(run: id, request.window, limit: limit)
      left -= found.reduce(0) { $0 + $1.steps.count }
      series += found
    }
    return series
  }

  // MARK: - Histories

  /// Rows in the order of their arrival, and from where on there are more.
  ///
  /// - Parameter limit: rows at most.
  package func history(
    _ id: PublicID, _ request: HistoryRequest, limit: Int, access: Access
  ) async throws -> HistoryPage {
    try await store.read { reader in
      try Self.check(try reader.place(of: id), id, access)
      return try reader.history(
        run: id, keys: request.keys, fromStep: request.fromStep, toStep: request.toStep,
        after: request.after, limit: limit)
    }
  }

  /// The names of all that a run has logged, in order.
  package func loggedNames(_ id: PublicID, access: Access) async throws -> [String] {
    let run = try await run(id, access: access)
    return Set(run.metrics.filter { !$0.isDerived }.map(\.name) + run.values.map(\.name)).sorted()
  }
}
