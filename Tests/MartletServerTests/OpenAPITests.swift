// The OpenAPI document against the router.

import HTTPTypes
import MartletModel
import OrderedCollections
import Testing

@testable import MartletServer

@Suite struct OpenAPITests {
  private let document = OpenAPIDocument(routes: apiRoutes).json

  @Test func `the document has each route, and no other`() throws {
    var documented = Set<String>()
    for (path, item) in try #require(document["paths"]?.object) {
      for method in try #require(item.object).keys { documented.insert("\(method.uppercased()) \(path)") }
    }
    let routed = apiRoutes.map { route in
      let path = route.path.split(separator: "/").map {
        $0.hasPrefix(":") ? "{\($0.dropFirst())}" : String($0)
      }
      return "\(route.method.rawValue) /\(path.joined(separator: "/"))"
    }
    #expect(documented == Set(routed))
    #expect(routed.count == Set(routed).count)
  }

  @Test func `every documented operation is routed where it says`() throws {
    let table = RouteTable(apiRoutes)
    for (path, item) in try #require(document["paths"]?.object) {
      let example = path.replacing("{run}", with: "abcd1234").replacing("{sweep}", with: "abcd1234")
        .replacing("{token}", with: "abcd1234").replacing(
          "{sha256}", with: String(repeating: "0", count: 64)
        ).replacing("{index}", with: "0").replacing("{trial}", with: "0").replacing("{address}", with: "a.b")
        .replacing("{project}", with: "a%20b%2Fc")
      let match = try #require(table.match(example[...]), "\(path)")
      if path.contains("{project}") { #expect(match.parameters["project"] == "a b/c") }
      for (method, operation) in try #require(item.object) {
        let route = try #require(match.routes.first { $0.method.rawValue == method.uppercased() })
        #expect(
          (operation["security"]?.array?.isEmpty ?? true) == (route.access == .open), "\(method) \(path)")
      }
    }
  }

  @Test func `each reference points to a schema, and each schema is used`() throws {
    let schemas = try #require(document["components"]?["schemas"]?.object)
    var referred = Set<String>()
    func collect(_ value: JSONValue) {
      if let name = value["$ref"]?.string {
        referred.insert(String(name.dropFirst("#/components/schemas/".count)))
      }
      for item in value.array ?? [] { collect(item) }
      for item in (value.object ?? [:]).values { collect(item) }
    }
    collect(document)
    #expect(referred.isSubset(of: schemas.keys))
    // Lines have no schema of their own in OpenAPI: the text names it.
    #expect(Set(schemas.keys).subtracting(referred) == ["LogRow"])
  }

  @Test func `the schemas name each member that the objects have`() throws {
    let schemas = try #require(document["components"]?["schemas"]?.object)
    let id = try #require(PublicID(rawValue: "abcd1234"))
    let time = Timestamp(microseconds: 1)
    var run = Run(id: id, project: "p", name: "n", state: .running, createdAt: time, createdBy: "local")
    run.environment = [:]
    let alert = Alert(
      id: 1, run: id, runName: "n", project: "p", at: time, level: .info, title: "t", text: "", key: nil,
      by: "local")
    let event = RunEvent(at: time, type: "created", by: "local", payload: [:])
    let file = RunFile(path: "a", hash: "", size: 0, mediaType: nil, createdAt: time)
    let model = try ModelSummary(json: [:], path: "model")
    let sweep = Sweep(
      id: id, project: "p", name: "n", description: "", state: .running, method: "grid", objective: nil,
      parameters: [], maxParallel: 2, timeout: nil, command: [], workdir: "/", outputDirectory: "/",
      spaceSize: nil,
      budget: nil, createdAt: time, createdBy: "local", seed: 1, source: "")
    let trial = Trial(
      number: 0, state: .running, run: id, runName: "n", runState: .running, parameters: [:], createdAt: time)
    let attempt = Attempt(
      number: 1, state: .running, createdAt: time, startedAt: nil, endedAt: nil, exit: nil, pid: nil,
      devices: [],
      directory: "/")
    let token = TokenRecord(
      id: id, name: "n", principal: "n", scopes: [.read], project: nil, run: nil, createdAt: time,
      createdBy: "local",
      expiresAt: nil, revokedAt: nil, lastUsedAt: nil)
    var metric = MetricSummary(name: "loss", value: 1, step: 0, time: time)
    metric.isDerived = true
    let derived = DerivedMetric(name: "gap", expression: "a - b", createdAt: time, createdBy: "local")
    for (name, value) in [
      ("Run", run.json), ("Sweep", sweep.json), ("Trial", trial.json), ("Attempt", attempt.json),
      ("Token", token.json), ("MetricSummary", metric.json), ("DerivedMetric", derived.json),
      ("Alert", alert.json), ("RunEvent", event.json), ("RunFile", file.json), ("ModelSummary", model.json),
    ] {
      let members = try #require(value.object?.keys)
      #expect(Set(try #require(schemas[name]?["properties"]?.object?.keys)) == Set(members), "\(name)")
    }
  }

  @Test func `the server hands the document out`() async throws {
    try await TestServer.run { server in
      let answer = try await server.request("GET", "/api/v1/openapi.json")
      #expect(answer.status == 200)
      #expect(answer.json == document)
      #expect(answer.json["openapi"] == "3.1.0")
    }
  }
}
