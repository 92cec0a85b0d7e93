// Points in, series out.

import HTTPTypes
import Hummingbird
import MartletModel
import MartletSeries
import MartletTracking
import NIOCore

let trackingRoutes: [Route] = [
  Route(
    .post, "/runs/:run/log", .scope(.ingest), "Points, one log() call a line; durable when answered.",
    query: [
      QueryParameter(
        name: "client",
        summary: "The sender's id, new for each process; rows count once by it and their `seq`.",
        schema: ["type": "string", "pattern": "^[A-Za-z0-9_-]{8,64}$"], isRequired: true)
    ],
    body: RouteBody(forms: [.lines, .records], schema: "LogRow", isRequired: false, limit: 16 << 20),
    answer: RouteAnswer(schema: "AppendReceipt")
  ) { request in
    let receipt = try await request.services.tracking.append(
      request.id("run"), client: request.query.string("client") ?? "", body: request.body,
      form: request.form == .records ? .records : .lines, access: request.access)
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
    body: RouteBody(schema: "SeriesRequest", isRequired: true),
    answer: RouteAnswer(schema: "SeriesList", otherTypes: [SeriesFrame.mediaType])
  ) { request in
    let wanted = try SeriesRequest(json: request.json())
    let series = try await request.services.tracking.series(wanted, access: request.access)
    if request.accepts(SeriesFrame.mediaType) {
      return Response(
        status: .ok, headers: [.contentType: SeriesFrame.mediaType, .cacheControl: "no-store"],
        body: ResponseBody(byteBuffer: ByteBuffer(bytes: SeriesFrame.encode(series))))
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(series.reduce(32) { $0 + $1.estimatedJSONLength })
    bytes += "{\"series\":[".utf8
    for (index, one) in series.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      one.write(to: &bytes)
    }
    bytes += "]}".utf8
    return .json(bytes: bytes)
  },
]
