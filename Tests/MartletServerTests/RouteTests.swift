// Every route of the table, asked in every way that must not work.

import HTTPTypes
import MartletModel
import OrderedCollections
import Testing

@testable import MartletServer

@Suite(.serialized) struct RouteTests {
  /// A route's path with something in each parameter's place.
  private func path(of route: Route, run: PublicID) -> String {
    let path = route.segments.map { segment in
      switch segment {
      case ":run": run.rawValue
      case ":project": "digits"
      case ":sweep", ":token": "aaaaaaaa"
      case ":sha256": String(repeating: "0", count: 64)
      case ":address": "nothing"
      default: String(segment)
      }
    }.joined(separator: "/")
    let parameters = route.query.filter(\.isRequired).map { "\($0.name)=\(Self.samples[$0.name] ?? "x")" }
    return parameters.isEmpty ? path : path + "?" + parameters.joined(separator: "&")
  }

  /// What parameters that must be there take.
  private static let samples = [
    "client": "client-1", "offset": "0", "path": "a.txt", "by": "state", "agent": "agent-01", "attempt": "1",
  ]
  /// Bodies that are right, of the routes that look at theirs before they look for the run.
  private static let bodies = [
    "RunRewind": #"{"step": 0}"#, "NewAlert": #"{"title": "x"}"#,
    "NewRunFile": #"{"sha256": "\#(String(repeating: "0", count: 64))"}"#,
    "QueueMove": #"{"priority": 1}"#, "LeaseBeat": #"{"agent": "agent-01", "attempt": 1}"#,
    "LeaseEnd": #"{"agent": "agent-01", "attempt": 1, "given_back": "x"}"#,
  ]

  private func call(
    _ server: TestServer, _ route: Route, run: PublicID, method: String? = nil, token: String?
  ) async throws -> HTTPAnswer {
    try await server.request(
      method ?? route.method.rawValue, path(of: route, run: run), token: token,
      headers: route.body?.forms.first.map { [("Content-Type", $0.rawValue)] } ?? [],
      body: route.body.map { Array((Self.bodies[$0.schema] ?? "{}").utf8) })
  }

  @Test func `nothing but the open routes answers without a token`() async throws {
    try await TestServer.run { server in
      let run = try await server.newRun()
      for route in apiRoutes where route.access != .open {
        for token in [nil, "x", "wrong-token-wrong-token-wrong-token-wrong-token"] {
          let answer = try await call(server, route, run: run, token: token)
          #expect(answer.status == 401, "\(route.method) \(route.path)")
          #expect(answer.code == "unauthenticated")
          #expect(answer.headers["www-authenticate"]?.hasPrefix("Bearer") == true)
        }
      }
      let open = apiRoutes.filter { $0.access == .open }.map(\.path)
      #expect(
        open == [
          "/health", "/api/v1/version", "/api/v1/openapi.json", "/api/v1/live", "/api/v1/session",
          "/api/v1/blobs/:address",
        ])
    }
  }

  @Test func `a token without the scope is refused`() async throws {
    try await TestServer.run { server in
      let run = try await server.newRun()
      for route in apiRoutes {
        let needed: Scope
        switch route.access {
        case .open, .anyToken: continue
        case .scope(let scope), .server(let scope): needed = scope
        }
        // The most that a token can hold without holding this.
        let held = Scope.allCases.filter { !$0.held.contains(needed) }
        let answer = try await call(server, route, run: run, token: try await server.newToken(held))
        #expect(answer.status == 403, "\(route.method) \(route.path)")
        #expect(answer.code == "forbidden")
        #expect(answer.message?.contains(needed.rawValue) == true)
      }
    }
  }

  @Test func `an attempt's token reaches its own run and nothing else`() async throws {
    try await TestServer.run { server in
      let (own, other) = (try await server.newRun(), try await server.newRun("letters"))
      let token = try await server.newToken([.read, .ingest, .run], run: own)
      for route in apiRoutes where route.path.contains(":run") && !route.path.hasSuffix("/download") {
        let answer = try await call(server, route, run: other, token: token)
        // A batch for another run must not be read, nor the run be seen.
        #expect([403, 404].contains(answer.status), "\(route.method) \(route.path): \(answer.status)")
      }
      for route in apiRoutes {
        guard case .server = route.access else { continue }
        #expect(
          try await call(server, route, run: own, token: token).status == 403, "\(route.method) \(route.path)"
        )
      }
      #expect(try await server.get("/api/v1/runs/\(own)", token: token).status == 200)
      let runs = try await server.get("/api/v1/runs", token: token)
      #expect(runs.json["items"]?.array?.compactMap { $0["id"]?.string } == [own.rawValue])
      let projects = try await server.get("/api/v1/projects", token: token)
      #expect(projects.json["items"]?.array?.compactMap { $0["name"]?.string } == ["digits"])
      #expect(try await server.get("/api/v1/projects/letters", token: token).status == 404)
      #expect(try await server.post("/api/v1/runs", ["project": "digits"], token: token).status == 403)
      #expect(try await server.get("/api/v1/me", token: token).json["run"]?.string == own.rawValue)
    }
  }

  @Test func `a project's token sees its project only`() async throws {
    try await TestServer.run { server in
      let (own, other) = (try await server.newRun(), try await server.newRun("letters"))
      let token = try await server.newToken([.run], project: "digits")
      #expect(try await server.get("/api/v1/runs/\(own)", token: token).status == 200)
      #expect(try await server.get("/api/v1/runs/\(other)", token: token).status == 404)
      #expect(try await server.get("/api/v1/projects/letters", token: token).status == 404)
      let projects = try await server.get("/api/v1/projects", token: token)
      #expect(projects.json["items"]?.array?.compactMap { $0["name"]?.string } == ["digits"])
      let status = try await server.get("/api/v1/status", token: token)
      #expect(status.status == 403)
      #expect(status.message?.contains("project 'digits'") == true)
    }
  }

  @Test func `other methods are named as not allowed`() async throws {
    try await TestServer.run { server in
      let run = try await server.newRun()
      let byPath = Dictionary(grouping: apiRoutes, by: \.path)
      for (_, routes) in byPath {
        guard let route = routes.first else { continue }
        let allowed = Set(routes.map(\.method.rawValue))
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"]
        where !allowed.contains(method) {
          let answer = try await call(server, route, run: run, method: method, token: server.token)
          #expect(answer.status == 405, "\(method) \(route.path)")
          #expect(answer.code == "methodNotAllowed")
          let names = Set(answer.headers["allow"]?.split(separator: ",").map { $0.trimmingSpaces } ?? [])
          #expect(names == allowed.union(allowed.contains("GET") ? ["HEAD", "OPTIONS"] : ["OPTIONS"]))
        }
        let options = try await server.request("OPTIONS", path(of: route, run: run))
        #expect(options.status == 204)
        #expect(options.headers["allow"]?.contains("OPTIONS") == true)
        #expect(options.headers["access-control-allow-origin"] == nil)
      }
    }
  }

  @Test func `HEAD answers like GET without a body`() async throws {
    try await TestServer.run { server in
      for path in ["/health", "/api/v1/me", "/api/v1/runs", "/"] {
        let (head, get) = (
          try await server.request("HEAD", path, token: server.token), try await server.get(path)
        )
        #expect(head.status == get.status)
        #expect(head.body.isEmpty)
        #expect(head.headers["content-length"] == get.headers["content-length"])
      }
      #expect(try await server.request("HEAD", "/api/v1/runs").status == 401)
    }
  }

  @Test func `an unknown path of the API has our error's shape`() async throws {
    try await TestServer.run { server in
      for path in [
        "/api/v1/run", "/api/v1/runs/", "/api/v1", "/api/", "/api/v2/runs", "/api/v1/runs/a/b/c/d/e",
      ] {
        let answer = try await server.get(path)
        #expect(answer.status == 404, "\(path)")
        #expect(answer.code == "notFound")
        #expect(answer.headers["content-type"] == "application/json")
      }
      let missing = try await server.get("/api/v1/runs/aaaaaaaa")
      #expect(missing.status == 404)
      #expect(missing.message == "There is no run 'aaaaaaaa'.")
      #expect(try await server.get("/api/v1/runs/No-Id").status == 404)
    }
  }

  @Test func `every answer carries the security headers`() async throws {
    try await TestServer.run { server in
      for path in ["/", "/health", "/api/v1/me", "/api/v1/nothing", "/app.js", "/api/v1/runs?x=1"] {
        for token in [nil, server.token] {
          let answer = try await server.request("GET", path, token: token)
          #expect(
            answer.headers["content-security-policy"]?.contains("default-src 'self'") == true, "\(path)")
          #expect(answer.headers["content-security-policy"]?.contains("frame-ancestors 'none'") == true)
          #expect(answer.headers["x-content-type-options"] == "nosniff")
          #expect(answer.headers["referrer-policy"] == "no-referrer")
          #expect(answer.headers["cross-origin-opener-policy"] == "same-origin")
        }
      }
    }
  }
}
