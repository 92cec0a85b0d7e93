// The OpenAPI 3.1 document, made from the same table as the router.

import HTTPTypes
import MartletModel
import OrderedCollections

struct OpenAPIDocument: Sendable {
  let json: JSONValue

  init(routes: [Route]) {
    var paths = JSONObject()
    for route in routes {
      let path = route.segments.map { $0.hasPrefix(":") ? "{\($0.dropFirst())}" : String($0) }.joined(
        separator: "/")
      guard case .object(var item) = paths[path] ?? .object([:]) else { continue }
      item[route.method.rawValue.lowercased()] = Self.operation(route)
      paths[path] = .object(item)
    }
    json = [
      "openapi": "3.1.0",
      "info": [
        "title": "Martlet", "version": .string(martletVersion),
        "description": "Runs, watches and keeps machine-learning experiments.",
        "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"],
      ],
      "servers": [["url": "/"]], "paths": .object(paths),
      "components": [
        "schemas": .object(
          [requestSchemas, analysisSchemas, poolAnswerSchemas, poolRequestSchemas].reduce(answerSchemas) {
            $0.merging($1) { _, new in new }
          }),
        "securitySchemes": [
          "token": [
            "type": "http", "scheme": "bearer",
            "description": "Scopes: read, ingest, write (read and ingest), run (write), admin (all).",
          ]
        ],
      ],
    ]
  }

  private static func operation(_ route: Route) -> JSONValue {
    var operation: JSONObject = [
      "operationId": .string(operationID(route)), "summary": .string(route.summary),
      "description": .string(accessInWords(route.access)),
      "security": route.access == .open ? [] : [["token": []]],
    ]
    let path = route.parameterNames.map { name -> JSONValue in
      [
        "name": .string(name), "in": "path", "required": true,
        "schema": parameterSchema(name),
      ]
    }
    let query = route.query.map { parameter -> JSONValue in
      [
        "name": .string(parameter.name), "in": "query", "required": .bool(parameter.isRequired),
        "description": .string(parameter.summary), "schema": parameter.schema,
      ]
    }
    if !path.isEmpty || !query.isEmpty { operation["parameters"] = .array(path + query) }
    if let body = route.body {
      let content = body.forms.map { ($0.rawValue, JSONValue.object(["schema": bodySchema(body, $0)])) }
      operation["requestBody"] = [
        "required": .bool(body.isRequired),
        "content": .object(JSONObject(uniqueKeysWithValues: content)),
      ]
    }
    operation["responses"] = responses(route)
    return .object(operation)
  }

  private static func parameterSchema(_ name: String) -> JSONValue {
    switch name {
    case "project", "address": ["type": "string", "minLength": 1]
    case "sha256": hashSchema
    case "index", "trial": countSchema
    default: idSchema
    }
  }

  /// OpenAPI 3.1 has no word for "one of these a line": each line is one. Bytes have no schema at all.
  private static func bodySchema(_ body: RouteBody, _ form: RouteBody.Form) -> JSONValue {
    switch form {
    case .json: schema(body.schema)
    case .lines: ["type": "string", "description": .string("Lines, each a JSON object like \(body.schema).")]
    case .records: ["description": "Records of a spool: docs/spool.md."]
    case .bytes: [:]
    }
  }

  private static func responses(_ route: Route) -> JSONValue {
    var all: JSONObject = [:]
    var success: JSONObject = ["description": .string(route.summary)]
    if route.answer.status != 101 {
      if route.answer.isRanged || route.answer.type == RouteBody.Form.bytes.rawValue {
        all["206"] = ["description": "The part that `Range` asked for.", "content": [route.answer.type: [:]]]
      }
      if route.answer.type == RouteBody.Form.bytes.rawValue {
        all["304"] = ["description": "The client has it already (`If-None-Match`)."]
      }
      var content: JSONObject = [route.answer.type: ["schema": answerSchema(of: route)]]
      for type in route.answer.otherTypes { content[type] = [:] }
      success["content"] = .object(content)
    }
    all[String(route.answer.status)] = .object(success)
    var problems: [Problem.Code] = [.badRequest, .forbidden]
    if route.access != .open { problems.append(.unauthenticated) }
    if !route.parameterNames.isEmpty || !route.query.isEmpty || route.body != nil {
      problems.append(.notFound)
    }
    if route.body != nil { problems += [.conflict, .tooLarge, .unprocessable] }
    if route.body?.schema == "SignIn" { problems += [.unauthenticated, .tooManyRequests] }
    if route.answer.status == 101 { problems.append(.upgradeRequired) }
    if route.answer.isRanged || route.answer.type == RouteBody.Form.bytes.rawValue {
      problems.append(.rangeNotSatisfiable)
    }
    problems += [.internal, .unavailable]
    for code in problems {
      all[String(code.status)] = [
        "description": .string(code.rawValue), "content": ["application/json": ["schema": schema("Error")]],
      ]
    }
    return .object(all)
  }

  private static func answerSchema(of route: Route) -> JSONValue {
    if let name = route.answer.schema { return schema(name) }
    return route.answer.type.hasPrefix("text/") || route.answer.type == RouteBody.Form.lines.rawValue
      ? stringSchema : [:]
  }

  /// `GET /api/v1/runs/:run/logs` → `getRunsRunLogs`.
  private static func operationID(_ route: Route) -> String {
    let words = route.path.dropFirst(route.path.hasPrefix(Route.prefix) ? Route.prefix.count : 0)
      .split { !$0.isLetter && !$0.isNumber }
    return route.method.rawValue.lowercased()
      + words.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
  }

  private static func accessInWords(_ access: RouteAccess) -> String {
    switch access {
    case .open: "Needs no token."
    case .anyToken: "Needs a token."
    case .scope(let scope): "Needs the scope \(scope.rawValue)."
    case .server(let scope):
      "Needs the scope \(scope.rawValue), of a token that is bound to no project or run."
    }
  }
}
