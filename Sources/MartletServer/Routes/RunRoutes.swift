// Runs: what there is, begin, change, end.

import Hummingbird
import MartletModel
import MartletOrchestration
import MartletTracking

let runRoutes: [Route] = [
  Route(
    .get, "/runs", .scope(.read), "Runs, newest first.",
    query: [
      QueryParameter(
        name: "sort",
        summary:
          "A field of the filter language, or metric:NAME.last, .min, .max, .mean or .best; missing values last.",
        schema: ["type": "string"])
    ] + runFilterParameters + pageParameters, answer: RouteAnswer(schema: "RunList")
  ) { request in
    var query = try runQuery(request.query)
    if let text = request.query.string("sort") { query.order = try runOrder(text) }
    let asked = query
    let page = try await request.services.tracking.runs(asked, request.query.page(), access: request.access)
    return runList(page)
  },
  Route(
    .post, "/runs", .scope(.ingest),
    "Begins a run from outside, or goes on with one (then the status is 200).",
    body: RouteBody(schema: "NewRun", isRequired: true), answer: RouteAnswer(status: 201, schema: "Run")
  ) { request in
    let new = try NewRun(json: request.json())
    if new.details.state != nil {
      throw JSONMemberError(key: "state", message: "cannot be given: a new run is running")
    }
    let (run, isNew) = try await request.services.tracking.createRun(new, access: request.access)
    return .json(run.json, status: isNew ? 201 : 200)
  },
  Route(
    .post, "/executions", .scope(.run), "Begins a run that Martlet executes.",
    body: RouteBody(schema: "NewExecution", isRequired: true), answer: RouteAnswer(status: 201, schema: "Run")
  ) { request in
    let new = try NewExecution(json: request.json())
    return .json(try await request.services.engine.execute(new, access: request.access).json, status: 201)
  },
  Route(.get, "/runs/:run", .scope(.read), "A run.", answer: RouteAnswer(schema: "Run")) { request in
    .json(try await request.services.tracking.wholeRun(request.id("run"), access: request.access).json)
  },
  Route(
    .patch, "/runs/:run", .scope(.ingest),
    "Changes a run; what `config` names is replaced, the rest of it stays.",
    body: RouteBody(schema: "RunPatch", isRequired: true), answer: RouteAnswer(schema: "Run")
  ) { request in
    let patch = try RunPatch(json: request.json())
    return .json(
      try await request.services.tracking.patchRun(request.id("run"), patch, access: request.access).json)
  },
  Route(
    .post, "/runs/:run/finish", .scope(.ingest), "Ends a run from outside.",
    body: RouteBody(schema: "RunFinish", isRequired: false), answer: RouteAnswer(schema: "Run")
  ) { request in
    let finish = try RunFinish(json: request.json())
    return .json(
      try await request.services.tracking.finishRun(request.id("run"), finish, access: request.access).json)
  },
  Route(
    .post, "/runs/:run/heartbeat", .scope(.ingest), "A sign of life from a run from outside.",
    body: RouteBody(schema: "Empty", isRequired: false), answer: RouteAnswer(schema: "Heartbeat")
  ) { request in
    try JSONReader(request.json()).allowOnly([])
    let (state, stopRequested) = try await request.services.tracking.heartbeat(
      request.id("run"), access: request.access)
    return .json(["state": .string(state.rawValue), "stop_requested": .bool(stopRequested)])
  },
  Route(
    .post, "/runs/:run/stop", .scope(.run), "Asks a run to stop; it is killed when the grace is over.",
    body: RouteBody(schema: "RunStop", isRequired: false), answer: RouteAnswer(status: 202, schema: "Run")
  ) { request in
    let reader = try JSONReader(request.json())
    try reader.allowOnly(["grace_s"])
    let run = try await request.services.engine.stopRun(
      request.id("run"), grace: grace(reader), access: request.access)
    return .json(run.json, status: 202)
  },
]

/// Seconds between asking and killing; nil: the run's own.
func grace(_ reader: JSONReader) throws(JSONMemberError) -> Double? {
  guard let seconds = try reader.double("grace_s") else { return nil }
  guard seconds >= 0, seconds <= 86_400 else {
    throw JSONMemberError(key: "grace_s", message: "must be 0 to 86,400 seconds")
  }
  return seconds
}

/// A page of runs, written without a tree of values between: a hundred of them have some ten thousand members.
func runList(_ page: Page<Run>) -> Response {
  var text = JSONText()
  text.object { answer in
    answer.put("items", objects: page.items) { run, members in run.put(into: &members) }
    answer.put("next", page.next)
  }
  return .json(bytes: text.bytes)
}
