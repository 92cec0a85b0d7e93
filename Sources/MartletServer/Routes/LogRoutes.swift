// What attempts printed.

import HTTPTypes
import Hummingbird
import MartletModel
import MartletTracking

private let logParameters = [
  QueryParameter(
    name: "stream", summary: "Which output.",
    schema: ["type": "string", "enum": ["stdout", "stderr"], "default": "stdout"]),
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
    .get, "/runs/:run/logs/download", .scope(.read), "A whole log, as a file.", query: logParameters,
    answer: RouteAnswer(type: "text/plain")
  ) { request in
    let file = try await request.services.tracking.logFile(
      request.id("run"), stream: request.query.choice("stream", LogStream.self) ?? .stdout,
      attempt: request.query.int("attempt", in: 1...Int(Int32.max)), access: request.access)
    let body: ResponseBody
    do {
      body = try await FileIO().loadFile(path: file.path, context: request.context)
    } catch let error as HTTPError where error.status == .notFound {
      throw Problem(.notFound, "The log of this attempt is no longer there.", hint: "It was \(file.path).")
    }
    return Response(
      status: .ok,
      headers: [
        .contentType: "text/plain; charset=utf-8",
        .contentDisposition: disposition("attachment", name: file.name),
        .cacheControl: "no-store",
        // What a program printed is nobody's page, even if a browser were talked into showing it.
        .contentSecurityPolicy: "sandbox; default-src 'none'",
      ], body: body)
  },
]
