// Points in, series out.

import Hummingbird
import MartletModel
import MartletTracking

let trackingRoutes: [Route] = [
  Route(
    .post, "/runs/:run/log", .scope(.ingest), "Points, one log() call a line; durable when answered.",
    query: [
      QueryParameter(
        name: "client",
        summary: "The sender's id, new for each process; rows count once by it and their `seq`.",
        schema: ["type": "string", "pattern": "^[A-Za-z0-9_-]{8,64}$"], isRequired: true)
    ],
    body: RouteBody(form: .lines, schema: "LogRow", isRequired: false, limit: 16 << 20),
    answer: RouteAnswer(schema: "AppendReceipt")
  ) { request in
    let receipt = try await request.services.tracking.append(
      request.id("run"), client: request.query.string("client") ?? "", lines: request.body,
      access: request.access)
    return .json(receipt.json)
  },
  Route(
    .get, "/runs/:run/attempts", .scope(.read), "The attempts of a run.",
    answer: RouteAnswer(schema: "AttemptList")
  ) { request in
    let attempts = try await request.services.tracking.attempts(request.id("run"), access: request.access)
    return .json(["items": .array(attempts.map(\.json))])
  },
  Route(
    .post, "/series", .scope(.read),
    "Metrics of runs over their steps: raw, or in buckets that keep every extreme.",
    body: RouteBody(schema: "SeriesRequest", isRequired: true), answer: RouteAnswer(schema: "SeriesList")
  ) { request in
    let wanted = try SeriesRequest(json: request.json())
    let series = try await request.services.tracking.series(wanted, access: request.access)
    var bytes = Array("{\"series\":[".utf8)
    for (index, one) in series.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      one.write(to: &bytes)
    }
    bytes += "]}".utf8
    return .json(bytes: bytes)
  },
]
