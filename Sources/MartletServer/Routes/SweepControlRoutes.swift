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
    "Changes how a sweep runs: trials at a time, priority, the time limit of attempts that have not begun, how many "
      + "trials there are at most, which takes one up again that has ended; and, while it is paused, what it searches: the text of another file.",
    body: RouteBody(schema: "SweepPatch", isRequired: true), answer: RouteAnswer(schema: "Sweep")
  ) { request in
    let (id, engine, access) = try (request.id("sweep"), request.services.engine, request.access)
    let json = try request.json()
    let change = try sweepChange(json)
    if let source = try JSONReader(json).string("source") {
      _ = try await engine.changeSpace(of: id, source: source, access: access)
    }
    if json.object?.keys.contains("budget") == true {
      let budget = try wholeNumber(JSONReader(json), "budget", in: 1...1_000_000_000)
      _ = try await engine.extendSweep(id, to: budget, access: access)
    }
    guard let change else { return .json(try await engine.sweep(id, access: access).json) }
    return .json(try await engine.changeSweep(id, change, access: access).json)
  },
  Route(
    .post, "/sweeps/:sweep/points", .scope(.run),
    "Adds a point, which is tried before the sweep's method is asked again; or has the point of a trial tried again.",
    body: RouteBody(schema: "NewPoint", isRequired: true), answer: RouteAnswer(status: 201, schema: "Sweep")
  ) { request in
    let reader = try JSONReader(request.json())
    try reader.allowOnly(["params", "trial", "times"])
    let (id, engine, access) = try (request.id("sweep"), request.services.engine, request.access)
    guard let trial = try wholeNumber(reader, "trial", in: 0...1_000_000_000) else {
      guard reader.value("times") == nil else {
        throw JSONMemberError(key: "times", message: "goes with 'trial'")
      }
      let parameters = try reader.required("params", reader.object("params"))
      return .json(try await engine.addPoint(parameters, to: id, access: access).json, status: 201)
    }
    guard reader.value("params") == nil else {
      throw JSONMemberError(key: "params", message: "does not go with 'trial'")
    }
    let times = try wholeNumber(reader, "times", in: 1...1_000) ?? 1
    let sweep = try await engine.repeatTrial(trial, of: id, times: times, access: access)
    return .json(sweep.json, status: 201)
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

/// Nil: only what the sweep's search may do is changed.
private func sweepChange(_ json: JSONValue) throws -> SweepChange? {
  let reader = try JSONReader(json)
  try reader.allowOnly(["max_parallel", "priority", "timeout", "budget", "source"])
  var change = SweepChange()
  if case .string(let word)? = reader.value("max_parallel") {
    guard word == "auto" else {
      throw JSONMemberError(key: "max_parallel", message: "must be a number or auto, not '\(word)'")
    }
    change.isAutomatic = true
  } else {
    change.maxParallel = try wholeNumber(reader, "max_parallel", in: 0...1_000_000)
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
  guard change == SweepChange() else { return change }
  guard reader.members.keys.contains("budget") || reader.members.keys.contains("source") else {
    throw JSONMemberError(key: "body", message: "names nothing that is to be changed")
  }
  return nil
}
