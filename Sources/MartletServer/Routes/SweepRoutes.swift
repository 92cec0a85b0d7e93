// Sweeps and their trials.

import Hummingbird
import MartletModel
import MartletOrchestration

let sweepRoutes: [Route] = [
  Route(
    .get, "/sweeps", .scope(.read), "Sweeps, newest first.",
    query: [
      QueryParameter(
        name: "project", summary: "Only this project's, by name or id.", schema: ["type": "string"]),
      QueryParameter(
        name: "state", summary: "Only in these states, a comma list.", schema: commaList(SweepState.self)),
    ] + pageParameters, answer: RouteAnswer(schema: "SweepList")
  ) { request in
    let query = SweepQuery(
      project: request.query.string("project"), states: try request.query.choices("state", SweepState.self))
    let page = try await request.services.engine.sweeps(query, request.query.page(), access: request.access)
    return .json(list(page, \.json))
  },
  Route(
    .post, "/sweeps", .scope(.run), "Begins a sweep from the text of its file.",
    body: RouteBody(schema: "NewSweep", isRequired: true), answer: RouteAnswer(status: 201, schema: "Sweep")
  ) { request in
    let new = try NewSweep(json: request.json())
    return .json(try await request.services.engine.createSweep(new, access: request.access).json, status: 201)
  },
  Route(
    .get, "/sweep-template", .scope(.read),
    "What a new sweep may begin with: a file with comments, or what another sweep was begun with.",
    query: [
      QueryParameter(
        name: "program", summary: "The script that its trials run.",
        schema: ["type": "string", "default": "train.py"]),
      QueryParameter(
        name: "like", summary: "The sweep that it is to be like.",
        schema: ["type": "string", "pattern": "^([a-z0-9]{8})?$"]),
    ], answer: RouteAnswer(schema: "SweepTemplate")
  ) { request in
    guard let like = request.query.string("like") else {
      return .json(Engine.template(program: request.query.string("program") ?? "train.py"))
    }
    guard let id = PublicID(rawValue: like) else {
      throw Problem(.notFound, "There is no sweep '\(like.prefix(100))'.")
    }
    return .json(try await request.services.engine.template(like: id, access: request.access))
  },
  Route(
    .post, "/sweep-plan", .scope(.run),
    "What POST /sweeps would do with this body, in words; nothing is begun.",
    body: RouteBody(schema: "NewSweep", isRequired: true), answer: RouteAnswer(schema: "SweepPlan")
  ) { request in
    let new = try NewSweep(json: request.json())
    return .json(try await request.services.engine.plan(new, access: request.access))
  },
  Route(.get, "/sweeps/:sweep", .scope(.read), "A sweep.", answer: RouteAnswer(schema: "Sweep")) { request in
    .json(try await request.services.engine.sweep(request.id("sweep"), access: request.access).json)
  },
  Route(
    .get, "/sweeps/:sweep/versions", .scope(.read),
    "The versions of a sweep's file whose text is kept, oldest first.",
    answer: RouteAnswer(schema: "SweepVersionList")
  ) { request in
    let versions = try await request.services.engine.versions(
      ofSweep: request.id("sweep"), access: request.access)
    return .json(["items": .array(versions.map(\.json))])
  },
  Route(
    .get, "/sweeps/:sweep/trials", .scope(.read), "Trials of a sweep: all, unless a parameter says which.",
    query: [
      QueryParameter(
        name: "sort",
        summary: "By number, or best first, with those that miss a constraint behind and failed ones last.",
        schema: ["type": "string", "enum": ["number", "rank"], "default": "number"]),
      QueryParameter(
        name: "from", summary: "Only those of this number and higher ones.",
        schema: ["type": "integer", "minimum": 0]),
      QueryParameter(
        name: "ended_since",
        summary:
          "Only those that ended then or later, in microseconds since 1970: of a sweep that goes on, what is new.",
        schema: ["type": "integer"]),
    ], answer: RouteAnswer(schema: "TrialList")
  ) { request in
    let order = try request.query.choice("sort", TrialOrder.self) ?? .number
    let trials = try await request.services.engine.trials(
      request.id("sweep"), order: order, from: request.query.int("from", in: 0 ... .max) ?? 0,
      endedSince: request.query.int("ended_since").map { Timestamp(microseconds: Int64($0)) },
      access: request.access)
    return .json(["items": .array(trials.map(\.json))])
  },
  Route(
    .get, "/sweeps/:sweep/analysis", .scope(.read),
    "What the trials of a sweep showed: how the search goes, what matters, fronts, and charts.",
    query: [
      QueryParameter(
        name: "objective", summary: "What it is about: the place of an objective, or its metric's name.",
        schema: ["type": "string", "default": "0"]),
      QueryParameter(
        name: "charts", summary: "What it has under 'charts', a comma list.",
        schema: commaList(AnalysisChart.self)),
      QueryParameter(
        name: "x",
        summary: "The parameter across of contour and rank; absent: one of those that matter most.",
        schema: ["type": "string"]),
      QueryParameter(name: "y", summary: "The parameter up of contour and rank.", schema: ["type": "string"]),
    ], answer: RouteAnswer(schema: "SweepAnalysis")
  ) { request in
    let query = request.query
    let question = try AnalysisQuestion(
      objective: query.string("objective"), charts: query.string("charts"), x: query.string("x"),
      y: query.string("y"))
    return .json(
      bytes: try await request.services.engine.analysis(
        ofSweep: request.id("sweep"), question, access: request.access))
  },
  Route(
    .post, "/sweeps/:sweep/stop", .scope(.run),
    "Stops a sweep: at once, or when its running trials have ended.",
    body: RouteBody(schema: "SweepStop", isRequired: false), answer: RouteAnswer(status: 202, schema: "Sweep")
  ) { request in
    let reader = try JSONReader(request.json())
    try reader.allowOnly(["mode", "grace_s"])
    let text = try reader.string("mode") ?? StopMode.now.rawValue
    guard let mode = StopMode(rawValue: text) else {
      throw JSONMemberError(key: "mode", message: "must be now or drain, not '\(text)'")
    }
    let sweep = try await request.services.engine.stopSweep(
      request.id("sweep"), mode: mode, grace: grace(reader), access: request.access)
    return .json(sweep.json, status: 202)
  },
]
