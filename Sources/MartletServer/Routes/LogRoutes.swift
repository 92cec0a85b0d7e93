// What attempts printed, and what the clients of runs from outside send of their output.

import HTTPTypes
import Hummingbird
import MartletModel
import MartletTracking
import OrderedCollections

private let logParameters = [
  QueryParameter(
    name: "stream", summary: "Which output.",
    schema: ["type": "string", "enum": ["stdout", "stderr"], "default": "stdout"]),
  QueryParameter(
    name: "attempt", summary: "Which attempt; the newest when absent.",
    schema: ["type": "integer", "minimum": 1]),
]

private let lineParameters = [
  QueryParameter(
    name: "stream", summary: "Which output; both as they came.",
    schema: ["type": "string", "enum": ["stdout", "stderr", "all"], "default": "all"]),
  QueryParameter(
    name: "attempt", summary: "Which attempt; the newest when absent.",
    schema: ["type": "integer", "minimum": 1]),
]

let logRoutes: [Route] = [
  Route(
    .get, "/runs/:run/logs", .scope(.read), "A piece of a log.",
    query: logParameters + [
      QueryParameter(
        name: "offset", summary: "First byte; negative: from the end.",
        schema: ["type": "integer", "default": 0]),
      QueryParameter(
        name: "limit", summary: "Bytes at most.",
        schema: [
          "type": "integer", "minimum": 1, "maximum": .int(Int64(Tracking.largestLogPiece)), "default": 65536,
        ]),
    ], answer: RouteAnswer(schema: "LogPiece")
  ) { request in
    let query = request.query
    let slice = try await request.services.tracking.log(
      request.id("run"), stream: query.choice("stream", LogStream.self) ?? .stdout,
      attempt: query.int("attempt", in: 1...Int(Int32.max)), offset: query.int("offset") ?? 0,
      limit: query.int("limit", in: 1...Tracking.largestLogPiece) ?? 65_536, access: request.access)
    return .json(slice.json)
  },
  Route(
    .post, "/runs/:run/logs", .scope(.ingest),
    "A piece of the output of a run from outside; durable when answered.",
    query: [
      QueryParameter(
        name: "client", summary: "The sender's id, new for each process: each has a log of its own.",
        schema: ["type": "string", "pattern": "^[A-Za-z0-9_-]{8,64}$"], isRequired: true)
    ] + LogPiece.parameters,
    body: LogPiece.body, answer: RouteAnswer(schema: "LogReceipt")
  ) { request in
    let piece = try await LogPiece(reading: request)
    return LogPiece.receipt(
      try await request.services.tracking.appendLog(
        request.id("run"), client: request.query.string("client") ?? "", stream: piece.stream,
        offset: piece.offset, time: piece.time, piece: piece.bytes, access: request.access))
  },
  Route(
    .get, "/runs/:run/logs/lines", .scope(.read), "Lines of a log, as a terminal would show them.",
    query: lineParameters + [
      QueryParameter(
        name: "from", summary: "First line, from 0; negative: so many before the end.",
        schema: ["type": "integer", "default": 0]),
      QueryParameter(
        name: "count", summary: "Lines at most.",
        schema: [
          "type": "integer", "minimum": 0, "maximum": .int(Int64(Tracking.largestLinePage)), "default": 500,
        ]),
      QueryParameter(
        name: "at",
        summary:
          "Begin with the first line of this time or later, in microseconds since 1970, instead of 'from'.",
        schema: ["type": "integer", "minimum": 0]),
    ], answer: RouteAnswer(schema: "LogLines")
  ) { request in
    let query = request.query
    let page = try await request.services.tracking.logLines(
      request.id("run"), query.choice("stream", LogScope.self) ?? .all,
      attempt: query.int("attempt", in: 1...Int(Int32.max)), from: query.int("from") ?? 0,
      count: query.int("count", in: 0...Tracking.largestLinePage) ?? 500,
      at: query.int("at", in: 0...Int(Int64.max)).map { Timestamp(microseconds: Int64($0)) },
      access: request.access)
    return .json(page.json)
  },
  Route(
    .get, "/runs/:run/logs/search", .scope(.read), "Lines of a log in which a text is.",
    query: lineParameters + [
      QueryParameter(
        name: "text", summary: "What to look for.", schema: ["type": "string", "maxLength": 1_000],
        isRequired: true),
      QueryParameter(
        name: "regex", summary: "Whether 'text' is a regular expression.",
        schema: ["type": "boolean", "default": false]),
      QueryParameter(
        name: "case", summary: "Whether capital letters are other letters than small ones.",
        schema: ["type": "boolean", "default": false]),
      QueryParameter(
        name: "after", summary: "The line behind which to begin.", schema: ["type": "integer", "minimum": 0]),
      QueryParameter(
        name: "limit", summary: "Lines at most.",
        schema: [
          "type": "integer", "minimum": 1, "maximum": .int(Int64(Tracking.largestMatchPage)), "default": 100,
        ]),
    ], answer: RouteAnswer(schema: "LogMatches")
  ) { request in
    let query = request.query
    let (text, isCaseSensitive) = (query.string("text") ?? "", try query.bool("case") ?? false)
    let pattern =
      try query.bool("regex") ?? false
      ? LogPattern(regex: text, isCaseSensitive: isCaseSensitive)
      : LogPattern(text, isCaseSensitive: isCaseSensitive)
    let matches = try await request.services.tracking.searchLog(
      request.id("run"), pattern, query.choice("stream", LogScope.self) ?? .all,
      attempt: query.int("attempt", in: 1...Int(Int32.max)), after: query.int("after", in: 0...(Int.max - 1)),
      limit: query.int("limit", in: 1...Tracking.largestMatchPage) ?? 100, access: request.access)
    return .json(matches.json)
  },
  Route(
    .get, "/runs/:run/logs/download", .scope(.read), "A whole log, as a file.", query: logParameters,
    answer: RouteAnswer(type: "text/plain", isRanged: true)
  ) { request in
    let file = try await request.services.tracking.logFile(
      request.id("run"), stream: request.query.choice("stream", LogStream.self) ?? .stdout,
      attempt: request.query.int("attempt", in: 1...Int(Int32.max)), access: request.access)
    return try await download(file, request)
  },
]

/// A log as a file, or the part of it that the request asks for: those who have the beginning can go on there.
private func download(_ file: LogFile, _ request: APIRequest) async throws -> Response {
  var headers: HTTPFields = [
    .contentType: "text/plain; charset=utf-8",
    .contentDisposition: disposition("attachment", name: file.name), .cacheControl: "no-store",
    .acceptRanges: "bytes",
    // What a program printed is nobody's page, even if a browser were talked into showing it.
    .contentSecurityPolicy: "sandbox; default-src 'none'",
  ]
  do {
    // A log has no version that `If-Range` could name.
    guard let wanted = request.headers[.range], request.headers[.ifRange] == nil else {
      let body = try await FileIO().loadFile(path: file.path, context: request.context)
      return Response(status: .ok, headers: headers, body: body)
    }
    let size = try await blocking { try file.size() }
    switch ByteRange(wanted, size: size) {
    case .whole:
      let body = try await FileIO().loadFile(path: file.path, context: request.context)
      return Response(status: .ok, headers: headers, body: body)
    case .part(let range):
      headers[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(size)"
      let body = try await FileIO().loadFile(
        path: file.path, range: Int(range.lowerBound)...Int(range.upperBound - 1), context: request.context)
      return Response(status: .partialContent, headers: headers, body: body)
    case .unsatisfiable:
      throw Problem(
        .rangeNotSatisfiable,
        "The log has \(size) bytes by now; the part that was asked for lies behind its end.",
        hint: "Ask for bytes below \(size), or without 'Range'.", details: ["size": .int(size)])
    }
  } catch let error as HTTPError where error.status == .notFound {
    throw Problem(.notFound, "The log of this attempt is no longer there.", hint: "It was \(file.path).")
  }
}
