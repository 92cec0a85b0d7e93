// A run's rows as they came, as text.

import HTTPTypes
import Hummingbird
import MartletModel
import MartletSeries
import MartletStore
import MartletTracking
import NIOCore

/// The forms of a history.
private enum HistoryForm: String, CaseIterable {
  case jsonl, csv

  var mediaType: String { self == .csv ? "text/csv; charset=utf-8" : "application/x-ndjson" }
}

let historyRoutes: [Route] = [
  Route(
    .get, "/runs/:run/history", .scope(.read),
    "A run's rows in the order of their arrival; all of them, or a page with `Martlet-Next`.",
    query: [
      QueryParameter(
        name: "keys", summary: "Only these names, a comma list, or a JSON list where a name holds a comma.",
        schema: ["type": "string"]),
      QueryParameter(name: "from_step", summary: "The lowest step.", schema: integerSchema),
      QueryParameter(name: "to_step", summary: "The highest step.", schema: integerSchema),
      QueryParameter(name: "after", summary: "Only rows behind this one.", schema: integerSchema),
      QueryParameter(
        name: "limit", summary: "Rows at most; all when absent.",
        schema: ["type": "integer", "minimum": 1, "maximum": .int(Int64(Tracking.historyLimit))]),
      QueryParameter(
        name: "format", summary: "JSON lines or CSV.",
        schema: ["type": "string", "enum": ["jsonl", "csv"], "default": "jsonl"]),
    ], answer: RouteAnswer(type: "application/x-ndjson", otherTypes: ["text/csv"])
  ) { request in try await history(request) }
]

/// Values in one piece: about what is in memory of a history at a time.
private let pieceValues = 200_000
/// Bytes of a page at which it ends before its limit.
private let largestPage = 32 << 20

private func history(_ request: APIRequest) async throws -> Response {
  let query = request.query
  let wanted = HistoryRequest(
    keys: try keys(query.string("keys")), fromStep: try query.int("from_step").map(Int64.init),
    toStep: try query.int("to_step").map(Int64.init), after: try query.int("after").map(Int64.init))
  let limit = try query.int("limit", in: 1...Tracking.historyLimit)
  let source = try await HistorySource(request, wanted)
  // Read before the answer begins: what is wrong can still be said.
  var (text, next) = (source.head, wanted.after)
  var left = limit ?? source.piece
  repeat {
    let page = try await source.page(after: next, limit: min(left, source.piece))
    source.form.write(page.rows, names: source.names, to: &text)
    (next, left) = (page.next, left - page.rows.count)
  } while next != nil && left > 0 && text.count < largestPage
  var headers: HTTPFields = [.contentType: source.form.mediaType, .cacheControl: "no-store"]
  if limit != nil {
    if let next { headers[.next] = String(next) }
    return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: text)))
  }
  let (begin, rest) = (text, next)
  let body = ResponseBody { writer in
    try await writer.write(ByteBuffer(bytes: begin))
    var (text, next) = ([UInt8](), rest)
    while next != nil {
      let page = try await source.page(after: next, limit: source.piece)
      text.removeAll(keepingCapacity: true)
      source.form.write(page.rows, names: source.names, to: &text)
      // Waits until the client has taken it: nothing is read ahead.
      try await writer.write(ByteBuffer(bytes: text))
      next = page.next
    }
    try await writer.finish(nil)
  }
  return Response(status: .ok, headers: headers, body: body)
}

/// What is asked for, and where it comes from.
private struct HistorySource: Sendable {
  let tracking: Tracking
  let run: PublicID
  let access: Access
  let wanted: HistoryRequest
  let form: HistoryForm
  /// The columns of a CSV.
  let names: [String]

  init(_ request: APIRequest, _ wanted: HistoryRequest) async throws {
    (tracking, run, access) = (request.services.tracking, try request.id("run"), try request.access)
    form = try request.query.choice("format", HistoryForm.self) ?? .jsonl
    self.wanted = wanted
    names = if let keys = wanted.keys { keys } else { try await tracking.loggedNames(run, access: access) }
  }

  /// Rows that are read at a time.
  var piece: Int { max(64, min(4_096, pieceValues / max(1, names.count))) }

  var head: [UInt8] {
    var out: [UInt8] = []
    if form == .csv { HistoryText.writeCSVHeader(names: names, to: &out) }
    return out
  }

  func page(after row: Int64?, limit: Int) async throws -> HistoryPage {
    var wanted = wanted
    wanted.after = row
    return try await tracking.history(run, wanted, limit: limit, access: access)
  }
}

extension HistoryForm {
  fileprivate func write(_ rows: [HistoryRow], names: [String], to out: inout [UInt8]) {
    for row in rows {
      switch self {
      case .jsonl: HistoryText.writeJSONLine(row, to: &out)
      case .csv: HistoryText.writeCSVLine(row, names: names, to: &out)
      }
    }
  }
}

private func keys(_ text: String?) throws -> [String]? {
  guard let text else { return nil }
  guard text.hasPrefix("[") else { return text.split(separator: ",").map(String.init) }
  guard let items = (try? JSONValue.parse(text))?.array, items.allSatisfy({ $0.string != nil }) else {
    throw Problem(
      .badRequest, "The parameter 'keys' begins like a JSON list and is no list of names.",
      hint: #"Write names with commas between them, or ["a", "b"]."#)
  }
  return items.compactMap(\.string)
}
