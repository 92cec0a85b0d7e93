// A run's history over the API, page after page, so that never more than a page of it is in memory.

import Foundation
import MartletModel

/// Which rows and names of a history are meant.
struct HistoryWindow: Sendable {
  /// Nil: all.
  var keys: [String]?
  var fromStep: Int64?
  var toStep: Int64?
  /// Rows at most; nil: all.
  var limit: Int?

  init(keys: [String]? = nil, fromStep: Int64? = nil, toStep: Int64? = nil, limit: Int? = nil) {
    (self.keys, self.fromStep, self.toStep, self.limit) = (keys, fromStep, toStep, limit)
  }

  fileprivate var query: Client.Query {
    [
      ("keys", keys.map { JSONValue($0).text }), ("from_step", fromStep.map(String.init)),
      ("to_step", toStep.map(String.init)),
    ]
  }
}

/// Reads a history as JSON lines.
struct HistoryPages {
  let client: Client
  /// The run's id.
  let run: String
  let window: HistoryWindow

  private var after: String?
  private var left: Int?
  private var isAtEnd = false

  /// The most rows that the server gives in one page.
  private static let pageRows = 10_000

  init(_ client: Client, run: String, window: HistoryWindow) {
    (self.client, self.run, self.window) = (client, run, window)
    left = window.limit
    isAtEnd = window.limit == 0
  }

  /// The next rows, a line each; nil at the end.
  mutating func next() async throws -> [UInt8]? {
    guard !isAtEnd else { return nil }
    let rows = min(Self.pageRows, left ?? Self.pageRows)
    let answer = try await client.exchange(
      .get, "/runs/\(run)/history",
      query: window.query + [("format", "jsonl"), ("limit", String(rows)), ("after", after)])
    after = answer["Martlet-Next"]
    let lines = [UInt8](answer.bytes)
    left = left.map { $0 - lines.count(where: { $0 == UInt8(ascii: "\n") }) }
    isAtEnd = after == nil || left.map { $0 <= 0 } ?? false
    return lines
  }

  /// The names that the run has logged, in the order of its columns.
  ///
  /// Only one row is asked for: the heading of a CSV has all names that the run has by now.
  static func names(of run: String, _ client: Client) async throws -> [String] {
    let answer = try await client.exchange(
      .get, "/runs/\(run)/history", query: [("format", "csv"), ("limit", "1")])
    guard let heading = CSV.firstRecord(of: [UInt8](answer.bytes)), heading.count >= fixed.count else {
      throw Failure(.internalError, "The server sent a history that cannot be read.")
    }
    return Array(heading.dropFirst(fixed.count))
  }

  /// The columns of a history before its names.
  static let fixed = ["row", "step", "time"]
}
