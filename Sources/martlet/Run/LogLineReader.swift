// The lines of a log over the API, page after page.

import MartletModel

/// Reads lines from a place on: first those that are closed, in the end the rest.
struct LogLineReader {
  let run: String
  let scope: LogScope
  /// Nil: the newest when reading began, from then on the same.
  private(set) var attempt: Int?
  /// The next line to read.
  private(set) var number: Int64 = 0
  private(set) var hasEnded = false

  private static let pageLines = 2_000

  init(run: String, scope: LogScope, attempt: Int?) {
    (self.run, self.scope, self.attempt) = (run, scope, attempt)
  }

  /// Goes on so many lines before the end.
  mutating func begin(before lines: Int, _ client: inout PatientClient) async throws {
    let total = try await page(count: 0, &client)["total"]?.int ?? 0
    number = max(0, total - Int64(lines))
  }

  /// The next lines that are closed; empty when there are none yet.
  mutating func next(_ client: inout PatientClient) async throws -> [JSONValue] {
    let page = try await page(count: Self.pageLines, &client)
    let settled = page["settled"]?.int ?? 0
    let lines = (page["items"]?.array ?? []).filter { $0["n"]?.int ?? 0 < settled }
    number += Int64(lines.count)
    hasEnded = page["ended"]?.bool == true && number >= settled
    return lines
  }

  /// What stands behind the closed lines now.
  mutating func rest(_ client: inout PatientClient) async throws -> [JSONValue] {
    let lines = try await page(count: Self.pageLines, &client)["items"]?.array ?? []
    number += Int64(lines.count)
    return lines
  }

  private mutating func page(count: Int, _ client: inout PatientClient) async throws -> JSONValue {
    let page = try await client.get(
      "/runs/\(run)/logs/lines",
      query: place + [("from", String(number)), ("count", String(count))])
    // An attempt that begins meanwhile has a log of its own.
    if attempt == nil, let newest = page["attempt"]?.int, newest > 0 { attempt = Int(newest) }
    return page
  }

  /// A page of lines that hold a text.
  func matches(
    of text: String, isRegex: Bool, matchCase: Bool, after: Int64?, _ client: inout PatientClient
  ) async throws -> JSONValue {
    try await client.get(
      "/runs/\(run)/logs/search",
      query: place + [
        ("text", text), ("regex", String(isRegex)), ("case", String(matchCase)),
        ("after", after.map(String.init)), ("limit", "1000"),
      ])
  }

  private var place: Client.Query {
    [("stream", scope.rawValue), ("attempt", attempt.map(String.init))]
  }

  /// A line's text without the SGR sequences in it.
  static func withoutColors(_ text: String) -> String {
    guard text.utf8.contains(0x1B) else { return text }
    var plain: [UInt8] = []
    var isInside = false
    for byte in text.utf8 {
      if isInside {
        isInside = byte != UInt8(ascii: "m")
      } else if byte == 0x1B {
        isInside = true
      } else {
        plain.append(byte)
      }
    }
    return String(decoding: plain, as: UTF8.self)
  }
}
