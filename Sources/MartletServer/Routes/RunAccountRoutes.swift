// What is told of a run beside its points: events, model, alerts, named files.

import Hummingbird
import MartletModel
import MartletTracking

private let pathParameter = QueryParameter(
  name: "path", summary: "The file's name: relative, with '/' between folders.", schema: filePathSchema,
  isRequired: true)

let runAccountRoutes: [Route] = [
  Route(
    .get, "/runs/:run/events", .scope(.read), "What happened to a run, when and by whom, oldest first.",
    query: pageParameters, answer: RouteAnswer(schema: "RunEventList")
  ) { request in
    let page = try await request.services.tracking.events(
      request.id("run"), request.query.page(), access: request.access)
    return .json(list(page, \.json))
  },
  Route(
    .get, "/runs/:run/model", .scope(.read), "The layers of a run's model; none when nobody told them.",
    answer: RouteAnswer(schema: "ModelSummary")
  ) { request in
    let model = try await request.services.tracking.model(request.id("run"), access: request.access)
    let none: JSONValue = ["layers": [], "parameters": nil, "trainable": nil, "framework": nil]
    return .json(model?.json ?? none)
  },
  Route(
    .post, "/runs/:run/alerts", .scope(.ingest),
    "Raises an alert; one of a key that the run has raised before is answered as it was, with status 200.",
    body: RouteBody(schema: "NewAlert", isRequired: true), answer: RouteAnswer(status: 201, schema: "Alert")
  ) { request in
    let alert = try NewAlert(json: request.json())
    let (raised, isNew) = try await request.services.tracking.raise(
      alert, of: request.id("run"), access: request.access)
    return .json(raised.json, status: isNew ? 201 : 200)
  },
  Route(
    .get, "/runs/:run/alerts", .scope(.read), "The alerts of a run, newest first.", query: pageParameters,
    answer: RouteAnswer(schema: "AlertList")
  ) { request in
    let page = try await request.services.tracking.alerts(
      of: request.id("run"), request.query.page(), access: request.access)
    return .json(list(page, \.json))
  },
  Route(
    .get, "/alerts", .scope(.read), "Alerts of all runs but those in the trash, newest first.",
    query: [
      QueryParameter(name: "project", summary: "Only this project's, by name or id.", schema: stringSchema),
      QueryParameter(
        name: "after", summary: "Only those after the alert of this id.",
        schema: ["type": "integer", "minimum": 0]),
    ] + pageParameters, answer: RouteAnswer(schema: "AlertList")
  ) { request in
    let query = request.query
    let page = try await request.services.tracking.alerts(
      project: query.string("project"), after: query.int("after", in: 0 ... .max).map(Int64.init),
      query.page(), access: request.access)
    return .json(list(page, \.json))
  },
  Route(
    .get, "/runs/:run/files", .scope(.read), "The files of a run, by path.",
    query: [
      QueryParameter(
        name: "path", summary: "Only this one; 404 when there is none.", schema: stringSchema),
      QueryParameter(name: "prefix", summary: "Only paths that begin so.", schema: stringSchema),
    ] + pageParameters, answer: RouteAnswer(schema: "RunFileList")
  ) { request in
    let (tracking, query, run) = (request.services.tracking, request.query, try request.id("run"))
    if let path = query.string("path") {
      let file = try await tracking.file(path, of: run, access: request.access)
      return .json(list(Page(items: [file]), \.json))
    }
    let page = try await tracking.files(
      run, prefix: query.string("prefix") ?? "", query.page(), access: request.access)
    return .json(list(page, \.json))
  },
  Route(
    .put, "/runs/:run/files", .scope(.ingest),
    "Gives a run a file under a name, in place of what had it; its bytes were put before.",
    query: [pathParameter], body: RouteBody(schema: "NewRunFile", isRequired: true),
    answer: RouteAnswer(schema: "RunFile")
  ) { request in
    let path = try filePath(request.query)
    let reader = try JSONReader(request.json())
    try reader.allowOnly(["sha256", "media_type"])
    let text = try reader.requiredString("sha256")
    guard let hash = ContentHash(text) else {
      throw JSONMemberError(
        key: "sha256", message: "must be 64 hexadecimal digits in lower case, not '\(text.prefix(100))'")
    }
    let type = try reader.string("media_type")
    if let type, !isMediaType(type) {
      throw JSONMemberError(
        key: "media_type", message: "must be a media type such as text/csv, not '\(type.prefix(100))'")
    }
    let file = try await request.services.tracking.setFile(
      path, hash, mediaType: type, of: request.id("run"), access: request.access)
    return .json(file.json)
  },
  Route(
    .delete, "/runs/:run/files", .scope(.write),
    "Takes a file's name away, and its bytes where nothing else of the run refers to them.",
    query: [pathParameter], answer: RouteAnswer(schema: "RunFile")
  ) { request in
    let file = try await request.services.tracking.deleteFile(
      try filePath(request.query), of: request.id("run"), access: request.access)
    return .json(file.json)
  },
]

/// - Throws: `badRequest` for what is no path of a file.
private func filePath(_ query: Query) throws(Problem) -> String {
  let path = query.string("path") ?? ""
  guard let fault = RunFile.fault(ofPath: path) else { return path }
  throw Problem(
    .badRequest, "The parameter 'path' \(fault).",
    hint: "A file's name is relative, like checkpoints/last.pt, without '.' and '..'.")
}
