// The server about itself.

import Glibc
import Hummingbird
import Logging
import MartletModel
import MartletOrchestration
import MartletStore

let serverRoutes: [Route] = [
  Route(
    .get, "/health", .open, "Whether the server answers.", answer: RouteAnswer(schema: "Health"),
    outsideAPI: true
  ) { _ in .json(["status": "ok"]) },
  Route(.get, "/version", .open, "Which program and version answers.", answer: RouteAnswer(schema: "Version"))
  { _ in
    .json(["name": "martlet", "version": .string(martletVersion), "api": 1])
  },
  Route(.get, "/openapi.json", .open, "This document.", answer: RouteAnswer(schema: "Document")) { request in
    .json(bytes: request.services.openAPI)
  },
  Route(
    .get, "/live", .open, "The live feed: a WebSocket, whose token comes in the header or the first message.",
    answer: RouteAnswer(status: 101)
  ) { _ in
    throw Problem(
      .upgradeRequired, "The live feed is a WebSocket.",
      hint: "Ask for the upgrade in a connection's first request, with Sec-WebSocket-Version 13.")
  },
  Route(.get, "/status", .server(.read), "How the server is doing.", answer: RouteAnswer(schema: "Status")) {
    request in
    .json(try await status(request.services))
  },
  Route(
    .get, "/doctor", .server(.admin), "The checks that only the server can make.",
    answer: RouteAnswer(schema: "Checks")
  ) { request in
    .json(["checks": .array(try await doctorChecks(request.services).map(\.json))])
  },
  Route(
    .post, "/shutdown", .server(.admin), "Ends the server as SIGTERM does; running attempts go on.",
    body: RouteBody(schema: "Empty", isRequired: false), answer: RouteAnswer(status: 202, schema: "Ending")
  ) { request in
    try JSONReader(request.json()).allowOnly([])
    let name = try request.access.principal.name
    request.services.logger.notice("Asked to end by \(name).")
    request.services.shutDown()
    return .json(["status": "ending"], status: 202)
  },
]

private func status(_ services: Services) async throws -> JSONValue {
  let health = try await services.store.health()
  let load = await services.engine.load()
  let devices = await services.engine.devices()
  return [
    "version": .string(martletVersion), "pid": .int(Int64(getpid())),
    "started_at": JSONValue(services.startedAt),
    "data": .string(services.engine.data.path), "address": .string(services.address.address),
    "url": .string(services.address.url), "uptime_s": .double(services.clock.now - services.startedAt),
    "devices": .array(
      devices.map { ["index": .int(Int64($0.index)), "holder": JSONValue($0.holder?.rawValue)] }),
    "running": .int(Int64(load.running)), "queued": .int(Int64(load.queued)),
    "counts": [
      "projects": .int(Int64(health.counts.projects)), "runs": .int(Int64(health.counts.runs)),
      "sweeps": .int(Int64(health.counts.sweeps)), "points": .int(health.counts.points),
    ],
    "database": [
      "bytes": .int(health.bytes), "wal_bytes": .int(health.walBytes),
      "synchronous": .int(Int64(health.synchronous)),
      "journal_mode": .string(health.journalMode),
    ],
  ]
}
