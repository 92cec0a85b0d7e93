// Which runs are exported, read a page at a time.

import MartletModel

/// Runs that were named, or those of a project or a sweep, or all.
struct RunSelection {
  private enum Source {
    case named([JSONValue])
    case listed(Client.Query)
  }

  private let client: Client
  private let source: Source

  private static let pageRuns = 200

  /// - Throws: `Failure` when what is named is not there.
  init(runs: [String], project: String?, sweep: String?, _ client: Client) async throws {
    self.client = client
    guard runs.isEmpty else {
      var found: [JSONValue] = []
      for name in runs {
        let run = try await client.find(.run, name)
        if !found.contains(where: { $0.id == run.id }) { found.append(run) }
      }
      source = .named(found)
      return
    }
    var sweepID: String?
    if let sweep { sweepID = try await client.find(.sweep, sweep).id }
    source = .listed([
      ("project", project), ("sweep", sweepID), ("sort", "created"), ("archived", "any"),
    ])
  }

  /// Calls `body` with one run after the other, in the order in which they were created or named.
  func each(_ body: (JSONValue) async throws -> Void) async throws {
    switch source {
    case .named(let runs):
      for run in runs { try await body(run) }
    case .listed(let query):
      var cursor: String?
      repeat {
        let page = try await client.page("/runs", query: query, count: Self.pageRuns, cursor: cursor)
        for run in page.items { try await body(run) }
        cursor = page.next
      } while cursor != nil
    }
  }

  /// All of them, by id and name.
  func references() async throws -> [RunReference] {
    var runs: [RunReference] = []
    try await each { runs.append(RunReference(id: $0.id, name: $0["name"]?.string ?? "")) }
    return runs
  }
}
