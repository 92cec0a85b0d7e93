// Questions about many runs: how many, in which groups, what names they have, what a filter means.

import Hummingbird
import MartletModel
import MartletTracking

/// Which runs a question is about.
let runFilterParameters = [
  QueryParameter(
    name: "project", summary: "Only this project's, by name or id.", schema: ["type": "string"]),
  QueryParameter(
    name: "q", summary: "Only those that this filter holds for: docs/filter.md.", schema: ["type": "string"]),
  QueryParameter(
    name: "sweep", summary: "Only this sweep's.",
    schema: ["type": "string", "pattern": "^([a-z0-9]{8})?$"]),
  QueryParameter(
    name: "state", summary: "Only in these states, a comma list.", schema: commaList(RunState.self)),
  QueryParameter(name: "search", summary: "Only with this in the name.", schema: ["type": "string"]),
  QueryParameter(
    name: "deleted", summary: "The runs in the trash instead of all others.",
    schema: ["type": "boolean", "default": false]),
  QueryParameter(
    name: "archived", summary: "The archived runs instead of all others, or `any` of both.",
    schema: ["type": "string", "enum": ["", "false", "true", "any"], "default": "false"]),
  QueryParameter(
    name: "parent", summary: "Only those nested in this run.",
    schema: ["type": "string", "pattern": "^([a-z0-9]{8})?$"]),
  QueryParameter(
    name: "roots", summary: "Without those that are nested in another run of the list.",
    schema: ["type": "boolean", "default": false]),
]

let questionRoutes: [Route] = [
  Route(
    .get, "/runs/count", .scope(.read), "How many runs there are, and in which states.",
    query: runFilterParameters, answer: RouteAnswer(schema: "RunCount")
  ) { request in
    let query = try runQuery(request.query)
    return .json(try await request.services.tracking.countRuns(query, access: request.access).json)
  },
  Route(
    .get, "/runs/groups", .scope(.read), "Runs in groups, and what their numbers come to.",
    query: runFilterParameters + [
      QueryParameter(
        name: "by", summary: "Fields that runs of a group have in common, a comma list.",
        schema: ["type": "string"], isRequired: true),
      QueryParameter(
        name: "values", summary: "Fields with numbers to sum up, a comma list: val/loss.min,duration.",
        schema: ["type": "string"]),
      QueryParameter(
        name: "sort", summary: "count, a field of 'by', or one of 'values' (its mean); missing ones last.",
        schema: ["type": "string", "default": "-count"]),
    ] + pageParameters, answer: RouteAnswer(schema: "RunGroupList")
  ) { request in
    let query = try runQuery(request.query)
    let page = try await request.services.tracking.groups(
      query, grouping(request.query), request.query.page(), access: request.access)
    return .json(list(page, \.json))
  },
  Route(
    .get, "/fields", .scope(.read), "The names that runs have: configuration, metrics, attributes.",
    query: [
      QueryParameter(
        name: "project", summary: "Only this project's, by name or id.", schema: ["type": "string"]),
      QueryParameter(name: "search", summary: "Only names with this in them.", schema: ["type": "string"]),
      QueryParameter(
        name: "limit", summary: "Names of each kind, the most frequent first.",
        schema: ["type": "integer", "minimum": 1, "maximum": 10_000, "default": 1_000]),
    ], answer: RouteAnswer(schema: "FieldList")
  ) { request in
    let fields = try await request.services.tracking.fields(
      project: request.query.string("project"), search: request.query.string("search"),
      limit: request.query.int("limit", in: 1...10_000) ?? 1_000, access: request.access)
    return .json(fields.json)
  },
  Route(
    .get, "/filter", .scope(.read),
    "A filter that is being written: what is wrong in it, what could come next.",
    query: [
      QueryParameter(
        name: "project", summary: "Whose names are known, by name or id; else all.",
        schema: ["type": "string"]),
      QueryParameter(name: "q", summary: "The filter.", schema: ["type": "string"]),
      QueryParameter(
        name: "at", summary: "Where the cursor stands, in UTF-16 code units; else at the end.",
        schema: ["type": "integer", "minimum": 0]),
    ], answer: RouteAnswer(schema: "FilterAdvice")
  ) { request in
    let advice = try await request.services.tracking.advice(
      on: request.query.string("q") ?? "", project: request.query.string("project"),
      at: request.query.int("at", in: 0...Int.max), access: request.access)
    return .json(advice.json)
  },
]

/// - Throws: `Problem.badRequest`, of a wrong filter with its place in `details`.
func runQuery(_ query: Query) throws -> RunQuery {
  var runs = RunQuery(
    project: query.string("project"), states: try query.choices("state", RunState.self),
    search: query.string("search"))
  runs.deleted = try query.bool("deleted") ?? false
  runs.archive = try query.choice("archived", RunQuery.Archive.self) ?? .outside
  if let text = query.string("parent") {
    guard let parent = PublicID(rawValue: text) else {
      throw Problem(.badRequest, "The parameter 'parent' must be a run's id, not '\(text.prefix(100))'.")
    }
    runs.parent = parent
  }
  runs.onlyRoots = try query.bool("roots") ?? false
  if let text = query.string("sweep") {
    guard let sweep = PublicID(rawValue: text) else {
      throw Problem(.badRequest, "The parameter 'sweep' must be a sweep's id, not '\(text.prefix(100))'.")
    }
    runs.sweep = sweep
  }
  if let text = query.string("q") {
    do {
      runs.filter = try ParsedFilter(text).expression
    } catch {
      throw error.problem
    }
  }
  return runs
}

private func grouping(_ query: Query) throws(Problem) -> RunGrouping {
  let by = try fields(query.string("by") ?? "", of: "by")
  guard (1...8).contains(by.count) else {
    throw Problem(
      .badRequest, "The parameter 'by' must name 1 to 8 fields.", hint: "Like by=lr,optimizer.name")
  }
  let values = try fields(query.string("values") ?? "", of: "values")
  guard values.count <= 20 else {
    throw Problem(.badRequest, "The parameter 'values' names \(values.count) fields; at most 20 are allowed.")
  }
  var grouping = RunGrouping(by: by, values: values)
  if let text = query.string("sort") {
    grouping.isDescending = text.hasPrefix("-")
    let name = grouping.isDescending ? String(text.dropFirst()) : text
    guard let field = try fields(name, of: "sort").first else {
      throw Problem(.badRequest, "The parameter 'sort' names no field.")
    }
    grouping.sort = name == "count" ? nil : field
  }
  return grouping
}

/// Fields with commas between them; a comma in back-quotes is part of a name.
private func fields(_ text: String, of parameter: String) throws(Problem) -> [FilterField] {
  var parts: [String] = [""]
  var isQuoted = false
  for character in text {
    if character == "`" { isQuoted.toggle() }
    if character == ",", !isQuoted { parts.append("") } else { parts[parts.count - 1].append(character) }
  }
  var found: [FilterField] = []
  for part in parts where !part.isEmpty {
    guard let field = FilterField(part) else {
      throw Problem(
        .badRequest, "The parameter '\(parameter)' has no field '\(part.prefix(100))'.",
        hint: "Names with other signs than letters, digits and . / _ - stand in back-quotes.")
    }
    found.append(field)
  }
  return found
}

/// The parameter `sort` of a list of runs.
func runOrder(_ text: String) throws(Problem) -> RunQuery.Order {
  guard let order = RunQuery.Order(text) else {
    throw Problem(
      .badRequest, "The parameter 'sort' has no value '\(text.prefix(100))'.",
      hint:
        "It is a field like created, lr or val/loss.min, or metric:NAME.min, with '-' before it for descending."
    )
  }
  return order
}
