// The pool: who runs, who waits for what, and the devices they share.

import Hummingbird
import MartletModel
import MartletOrchestration

let poolRoutes: [Route] = [
  Route(
    .get, "/pool", .scope(.read), "Devices with their holders, what runs, and who waits for what.",
    query: [
      QueryParameter(name: "run", summary: "Only this run in what runs and waits.", schema: idSchema),
      QueryParameter(name: "sweep", summary: "Only this sweep's trials, likewise.", schema: idSchema),
      QueryParameter(
        name: "limit", summary: "Entries of the queue; all without it.",
        schema: ["type": "integer", "minimum": 0, "maximum": 1_000_000]),
    ], answer: RouteAnswer(schema: "Pool")
  ) { request in
    let pool = await request.services.engine.pool(
      run: try id(request.query, "run"), sweep: try id(request.query, "sweep"),
      limit: try request.query.int("limit", in: 0...1_000_000), access: try request.access)
    return .json(pool)
  },
  Route(
    .patch, "/runs/:run/queue", .scope(.run), "Gives a run that waits another place in the line.",
    body: RouteBody(schema: "QueueMove", isRequired: true), answer: RouteAnswer(schema: "QueueEntry")
  ) { request in
    let reader = try JSONReader(request.json())
    try reader.allowOnly(["priority", "move"])
    let priority = try wholeNumber(reader, "priority", in: -1_000_000...1_000_000)
    let end = try reader.word("move", QueueEnd.self)
    let change: QueueChange
    switch (priority, end) {
    case (let priority?, nil): change = .priority(priority)
    case (nil, .front?): change = .front
    case (nil, .back?): change = .back
    case (.some, .some): throw JSONMemberError(key: "move", message: "cannot stand beside priority")
    case (nil, nil): throw JSONMemberError(key: "move", message: "is missing, and so is priority")
    }
    return .json(
      try await request.services.engine.move(request.id("run"), change, access: request.access))
  },
  Route(
    .post, "/runs/:run/preempt", .scope(.run),
    "Asks a run to give its devices back; another attempt follows when it is its turn.",
    body: RouteBody(schema: "RunPreempt", isRequired: false), answer: RouteAnswer(status: 202, schema: "Run")
  ) { request in
    let reader = try JSONReader(request.json())
    try reader.allowOnly(["keep_place"])
    let run = try await request.services.engine.preempt(
      request.id("run"), keepsPlace: reader.bool("keep_place") ?? true, access: request.access)
    return .json(run.json, status: 202)
  },
]

/// Where in the line.
enum QueueEnd: String, Sendable, CaseIterable {
  case front, back
}

/// - Throws: `Problem.badRequest` for what can be no id.
private func id(_ query: Query, _ name: String) throws(Problem) -> PublicID? {
  guard let text = query.string(name) else { return nil }
  guard let id = PublicID(rawValue: text) else {
    throw Problem(.badRequest, "The parameter '\(name)' must be an id, not '\(text.prefix(100))'.")
  }
  return id
}

func wholeNumber(
  _ reader: JSONReader, _ key: String, in range: ClosedRange<Int64>
) throws(JSONMemberError) -> Int? {
  guard let number = try reader.int(key) else { return nil }
  guard range.contains(number) else {
    throw JSONMemberError(key: key, message: "must be \(range.lowerBound) to \(range.upperBound)")
  }
  return Int(number)
}
