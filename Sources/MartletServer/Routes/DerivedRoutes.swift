// Derived metrics of a project.

import Hummingbird
import MartletModel
import MartletTracking

let derivedRoutes: [Route] = [
  Route(
    .get, "/projects/:project/derived", .scope(.read), "A project's derived metrics, by name.",
    answer: RouteAnswer(schema: "DerivedMetricList")
  ) { request in
    let metrics = try await request.services.tracking.derivedMetrics(
      inProject: request.parameters["project"] ?? "", access: request.access)
    return .json(["items": .array(metrics.map(\.json))])
  },
  Route(
    .put, "/projects/:project/derived", .scope(.write),
    "Defines a derived metric, in place of the one of that name (201 when there was none).",
    body: RouteBody(schema: "NewDerivedMetric", isRequired: true),
    answer: RouteAnswer(schema: "DefinedMetric")
  ) { request in
    let new = try NewDerivedMetric(json: request.json())
    let (metric, isNew, notes) = try await request.services.tracking.defineDerived(
      new, inProject: request.parameters["project"] ?? "", access: request.access)
    return .json(metric.json.merging(["notes": JSONValue(notes)]), status: isNew ? 201 : 200)
  },
  Route(
    .delete, "/projects/:project/derived", .scope(.write), "Takes a derived metric away.",
    query: [
      QueryParameter(name: "name", summary: "Its name.", schema: ["type": "string"], isRequired: true)
    ], answer: RouteAnswer(schema: "DerivedMetricList")
  ) { request in
    let project = request.parameters["project"] ?? ""
    let tracking = request.services.tracking
    try await tracking.removeDerived(
      request.query.string("name") ?? "", inProject: project, access: request.access)
    let rest = try await tracking.derivedMetrics(inProject: project, access: request.access)
    return .json(["items": .array(rest.map(\.json))])
  },
]
