// Sweeps that are held back, taken up again and changed while they run.

import Hummingbird
import MartletModel
import MartletOrchestration
import OrderedCollections

let sweepControlRoutes: [Route] = [
  Route(
    .get, "/sweeps/:sweep/events", .scope(.read), "What happened to a sweep and its trials, oldest first.",
    query: pageParameters, answer: RouteAnswer(schema: "RunEventList")
  ) { request in
    let page = try await request.services.engine.events(
      ofSweep: request.id("sweep"), request.query.page(), access: request.access)
    return .json(list(page, \.json))
  },
  Route(
    .post, "/sweeps/:sweep/pause", .scope(.run),
    "Makes no more trials until it is resumed; those that there are go on.",
    body: RouteBody(schema: "Empty", isRequired: false), answer: RouteAnswer(schema: "Sweep")
  ) { request in
    try JSONReader(request.json()).allowOnly([])
    return .json(
      try await request.services.engine.pauseSweep(request.id("sweep"), access: request.access).json)
  },
  Route(
    .post, "/sweeps/:sweep/resume", .scope(.run), "Goes on with a sweep that is paused.",
    body: RouteBody(schema: "Empty", isRequired: false), answer: RouteAnswer(schema: "Sweep")
  ) { request in
    try JSONReader(request.json()).allowOnly([])
    return .json(
      try await request.services.engine.resumeSweep(request.id("sweep"), access: request.access).json)
  },
  Route(
    .patch, "/sweeps/:sweep", .scope(.run),
    "Changes how a sweep runs: trials at a time, priority, and the time limit of attempts that have not begun.",
    body: RouteBody(schema: "SweepPatch", isRequired: true), answer: RouteAnswer(schema: "Sweep")
  ) { request in
    let change = try sweepChange(request.json())
    return .json(
      try await request.services.engine.changeSweep(request.id("sweep"), change, access: request.access).json)
  },
  Route(
    .post, "/sweeps/:sweep/trials/:trial/stop", .scope(.run), "Asks one trial to end; the others go on.",
    body: RouteBody(schema: "RunStop", isRequired: false), answer: RouteAnswer(status: 202, schema: "Trial")
  ) { request in
    let text = request.parameters["trial"] ?? ""
    guard let number = Int(text) else {
      throw Problem(
        .notFound, "There is no trial '\(text.prefix(100))'.", hint: "Trials are numbered from 0.")
    }
    let reader = try JSONReader(request.json())
    try reader.allowOnly(["grace_s"])
    let trial = try await request.services.engine.stopTrial(
      number, of: request.id("sweep"), grace: grace(reader), access: request.access)
    return .json(trial.json, status: 202)
  },
]

private func sweepChange(_ json: JSONValue) throws -> SweepChange {
  let reader = try JSONReader(json)
  try reader.allowOnly(["max_parallel", "priority", "timeout"])
  var change = SweepChange()
  if case .string(let word)? = reader.value("max_parallel") {
    guard word == "auto" else {
      throw JSONMemberError(key: "max_parallel", message: "must be a number or auto, not '\(word)'")
    }
    change.isAutomatic = true
  } else {
    change.maxParallel = try wholeNumber(reader, "max_parallel", in: 1...1_000_000)
  }
  change.priority = try wholeNumber(reader, "priority", in: -1_000_000...1_000_000)
  if reader.members.keys.contains("timeout") {
    let seconds = try reader.double("timeout")
    if let seconds, !(seconds > 0 && seconds < 1e9) {
      throw JSONMemberError(
        key: "timeout", message: "must be a number of seconds above 0, or null for no limit")
    }
    change.timeout = .some(seconds)
  }
  if change == SweepChange() {
    throw JSONMemberError(key: "body", message: "names nothing that is to be changed")
  }
  return change
}
