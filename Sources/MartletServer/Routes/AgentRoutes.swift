// Agents: trials lent to people's own processes, and what becomes of them.

import Hummingbird
import MartletModel
import MartletOrchestration
import MartletScheduling
import MartletTracking
import OrderedCollections

let agentRoutes: [Route] = [
  Route(
    .get, "/sweeps/:sweep/agents", .scope(.read), "Which agents have which trials of a sweep.",
    answer: RouteAnswer(schema: "LentTrialList")
  ) { request in
    let trials = try await request.services.engine.lentTrials(
      of: request.id("sweep"), access: request.access)
    return .json(["items": .array(trials.map(\.json))])
  },
  Route(
    .post, "/sweeps/:sweep/lease", .scope(.run),
    "Gives an agent a trial that nobody else is given; the same again where it asks again.",
    body: RouteBody(schema: "NewLease", isRequired: true), answer: RouteAnswer(schema: "LeaseAnswer")
  ) { request in
    let reader = try JSONReader(request.json())
    try reader.allowOnly(["agent", "name", "devices"])
    let id = try agentID(reader)
    let name = try reader.string("name") ?? id
    guard !name.isEmpty, name.utf8.count <= 200, !name.unicodeScalars.contains(where: { $0.value < 32 })
    else {
      throw JSONMemberError(key: "name", message: "must be 1 to 200 bytes without control characters")
    }
    let agent = Agent(id: id, name: name, devices: try wholeNumber(reader, "devices", in: 0...65_536) ?? 0)
    return .json(
      try await request.services.engine.lend(request.id("sweep"), to: agent, access: request.access).json)
  },
  Route(
    .post, "/runs/:run/lease", .scope(.run),
    "A sign of life of the agent that runs a run's attempt; with `began` the attempt runs. The answer says what was asked "
      + "of it.",
    body: RouteBody(schema: "LeaseBeat", isRequired: true), answer: RouteAnswer(schema: "LeaseOrders")
  ) { request in
    let reader = try JSONReader(request.json())
    try reader.allowOnly(["agent", "attempt", "began"])
    let claim = LeaseClaim(
      run: try request.id("run"), attempt: try attemptNumber(reader), agent: try agentID(reader))
    let beginning = try reader.object("began").map { try leaseBeginning(.object($0)) }
    return .json(
      try await request.services.engine.beat(claim, beginning, access: request.access).json)
  },
  Route(
    .post, "/runs/:run/lease/logs", .scope(.run),
    "A piece of what an agent's attempt prints; durable when answered.",
    query: [
      QueryParameter(
        name: "agent", summary: "The agent's id.", schema: agentIDSchema, isRequired: true),
      QueryParameter(
        name: "attempt", summary: "Which attempt.", schema: ["type": "integer", "minimum": 1],
        isRequired: true),
    ] + LogPiece.parameters,
    body: LogPiece.body, answer: RouteAnswer(schema: "LogReceipt")
  ) { request in
    let query = request.query
    guard let agent = query.string("agent"), let attempt = try query.int("attempt", in: 1...Int(Int32.max))
    else {
      throw Problem(.badRequest, "The parameters 'agent' and 'attempt' are needed.")
    }
    let piece = try await LogPiece(reading: request)
    let claim = LeaseClaim(run: try request.id("run"), attempt: attempt, agent: agent)
    return LogPiece.receipt(
      try await request.services.engine.keepOutput(
        claim, piece.stream, at: piece.offset, time: piece.time, piece.bytes, access: request.access))
  },
  Route(
    .post, "/runs/:run/lease/end", .scope(.run),
    "An agent is done with an attempt: its command ended (`exit`), it goes back (`given_back`), or it could not be begun "
      + "(`refused`).",
    body: RouteBody(schema: "LeaseEnd", isRequired: true), answer: RouteAnswer(schema: "Run")
  ) { request in
    let reader = try JSONReader(request.json())
    try reader.allowOnly(["agent", "attempt", "exit", "given_back", "refused"])
    let claim = LeaseClaim(
      run: try request.id("run"), attempt: try attemptNumber(reader), agent: try agentID(reader))
    let ends = [
      try reader.object("exit").map { LeaseEnd.exited(.object($0)) },
      try reader.string("given_back").map(LeaseEnd.givenBack),
      try reader.string("refused").map(LeaseEnd.refused),
    ].compactMap(\.self)
    guard ends.count == 1 else {
      throw JSONMemberError(key: "exit", message: "or 'given_back' or 'refused' is needed, one of them")
    }
    return .json(
      try await request.services.engine.endLease(claim, ends[0], access: request.access).json)
  },
]

private func agentID(_ reader: JSONReader) throws(JSONMemberError) -> String {
  let id = try reader.requiredString("agent")
  let isPlain = id.utf8.allSatisfy { byte in
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: true
    default: false
    }
  }
  guard isPlain, (8...64).contains(id.utf8.count) else {
    throw JSONMemberError(key: "agent", message: "must be 8 to 64 characters of A-Z, a-z, 0-9, - and _")
  }
  return id
}

private func attemptNumber(_ reader: JSONReader) throws(JSONMemberError) -> Int {
  try reader.required("attempt", wholeNumber(reader, "attempt", in: 1...Int64(Int32.max)))
}

private func leaseBeginning(_ json: JSONValue) throws(JSONMemberError) -> LeaseBeginning {
  let reader = try JSONReader(json, path: "began")
  try reader.allowOnly(["pid", "host", "workdir", "dir", "limits"])
  return LeaseBeginning(
    pid: try reader.required("began.pid", wholeNumber(reader, "pid", in: 1...Int64(Int32.max))),
    host: try reader.requiredString("host"), workdir: try reader.requiredString("workdir"),
    directory: try reader.requiredString("dir"),
    limits: try reader.object("limits").map(JSONValue.object) ?? .null)
}
