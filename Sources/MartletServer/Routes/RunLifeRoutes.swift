// Runs that go back, branch off, or go.

import Hummingbird
import MartletModel
import MartletTracking

let runLifeRoutes: [Route] = [
  Route(
    // The service asks for more, but of an attempt in its own run.
    .post, "/runs/:run/rewind", .scope(.ingest), "Takes back all rows above a step.",
    body: RouteBody(schema: "RunRewind", isRequired: true), answer: RouteAnswer(schema: "Run")
  ) { request in
    let rewind = try RunRewind(json: request.json())
    return .json(
      try await request.services.tracking.rewindRun(request.id("run"), rewind, access: request.access).json)
  },
  Route(
    .post, "/runs/:run/fork", .scope(.write), "A new run with the history of this one, up to a step.",
    body: RouteBody(schema: "RunFork", isRequired: false), answer: RouteAnswer(status: 201, schema: "Run")
  ) { request in
    let fork = try RunFork(json: request.json())
    return .json(
      try await request.services.tracking.forkRun(request.id("run"), fork, access: request.access).json,
      status: 201)
  },
  Route(
    .delete, "/runs/:run", .scope(.write), "Puts a run into the trash; it is kept there for 30 days.",
    query: [
      QueryParameter(
        name: "purge", summary: "All of it goes at once, and for ever.",
        schema: ["type": "boolean", "default": false])
    ], answer: RouteAnswer(schema: "Run")
  ) { request in
    let purge = try request.query.bool("purge") ?? false
    return .json(
      try await request.services.tracking.deleteRun(request.id("run"), purge: purge, access: request.access)
        .json)
  },
  Route(
    .post, "/runs/:run/restore", .scope(.write), "Takes a run out of the trash.",
    body: RouteBody(schema: "Empty", isRequired: false), answer: RouteAnswer(schema: "Run")
  ) { request in
    try JSONReader(request.json()).allowOnly([])
    return .json(
      try await request.services.tracking.restoreRun(request.id("run"), access: request.access).json)
  },
]
