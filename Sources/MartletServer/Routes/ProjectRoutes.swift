// Projects.

import Hummingbird
import MartletModel
import MartletTracking

let projectRoutes: [Route] = [
  Route(
    .get, "/projects", .scope(.read), "All projects.", query: pageParameters,
    answer: RouteAnswer(schema: "ProjectList")
  ) { request in
    let page = try await request.services.tracking.projects(request.query.page(), access: request.access)
    return .json(list(page, \.json))
  },
  Route(
    .get, "/projects/:project", .scope(.read), "A project, by its name or id.",
    answer: RouteAnswer(schema: "Project")
  ) { request in
    let project = try await request.services.tracking.project(
      request.parameters["project"] ?? "", access: request.access)
    return .json(project.json)
  },
  Route(
    .patch, "/projects/:project", .scope(.write), "Changes what is said of a project.",
    body: RouteBody(schema: "ProjectPatch", isRequired: true), answer: RouteAnswer(schema: "Project")
  ) { request in
    let reader = try JSONReader(request.json())
    try reader.allowOnly(["description"])
    let project = try await request.services.tracking.describeProject(
      request.parameters["project"] ?? "", try reader.requiredString("description"), access: request.access)
    return .json(project.json)
  },
]

/// The parameters of every list.
let pageParameters = [
  QueryParameter(
    name: "limit", summary: "How many at most.",
    schema: ["type": "integer", "minimum": 1, "maximum": 1000, "default": 100]),
  QueryParameter(
    name: "cursor", summary: "Where the page before ended (`next`).", schema: ["type": "string"]),
]

/// A page as every list answers it.
func list<Item>(_ page: Page<Item>, _ json: (Item) -> JSONValue) -> JSONValue {
  ["items": .array(page.items.map(json)), "next": JSONValue(page.next)]
}
