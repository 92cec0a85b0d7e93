// What runs and their machines use: samples in, an overview out. Their series are read as all others are.

import Hummingbird
import MartletModel
import MartletTracking

let systemRoutes: [Route] = [
  Route(
    .post, "/runs/:run/system", .scope(.ingest),
    "Samples of system metrics, one a line; steps are milliseconds since 1970.",
    query: [
      QueryParameter(
        name: "client",
        summary: "The sender's id, new for each process; samples count once by it and their `seq`.",
        schema: ["type": "string", "pattern": "^[A-Za-z0-9_-]{8,64}$"], isRequired: true)
    ],
    body: RouteBody(forms: [.lines], schema: "LogRow", isRequired: false, limit: 16 << 20),
    answer: RouteAnswer(schema: "AppendReceipt")
  ) { request in
    let receipt = try await request.services.tracking.appendSystem(
      request.id("run"), client: request.query.string("client") ?? "", body: request.body,
      access: request.access)
    return .json(receipt.json)
  },
  Route(
    .get, "/runs/:run/system", .scope(.read), "Which system metrics a run has, and their bounds.",
    answer: RouteAnswer(schema: "SystemOverview")
  ) { request in
    .json(
      try await request.services.tracking.systemOverview(request.id("run"), access: request.access).json)
  },
]
