// Filters, counts, groups and names of fields over HTTP.

import HTTPTypes
import Hummingbird
import MartletModel
import Testing

@testable import MartletServer

@Suite(.serialized) struct QuestionRouteTests {
  /// Four runs of `digits`, one of `letters`.
  private func fill(_ server: TestServer) async throws -> [String] {
    var ids: [String] = []
    for number in 0..<5 {
      let project = number == 4 ? "letters" : "digits"
      var body: JSONValue = [
        "project": .string(project), "name": .string("run-\(number)"),
        "config": ["lr": .double(0.1 * Double(number)), "opt": .string(number % 2 == 0 ? "adamw" : "lion")],
        "metrics": ["loss": ["goal": "minimize"]],
      ]
      if number == 1 { body = body.merging(["tags": ["ablation"]]) }
      let made = try await server.post("/api/v1/runs", body)
      let id = try #require(made.json["id"]?.string.flatMap(PublicID.init(rawValue:)))
      if number != 3 { try await server.log(id, [["loss": .int(Int64(10 - number))], ["loss": 20]]) }
      ids.append(id.rawValue)
    }
    _ = try await server.post("/api/v1/runs/\(ids[0])/finish", [:])
    return ids
  }

  private func names(_ server: TestServer, _ query: String) async throws -> [String] {
    let answer = try await server.get("/api/v1/runs?\(query)")
    #expect(answer.status == 200, "\(answer.json)")
    return (answer.json["items"]?.array ?? []).compactMap { $0["name"]?.string }
  }

  @Test func `filtered, sorted, counted`() async throws {
    try await TestServer.run { server in
      _ = try await fill(server)
      #expect(try await names(server, "project=digits&q=lr%3C0.25") == ["run-2", "run-1", "run-0"])
      #expect(try await names(server, "q=opt:adamw+not+state:finished") == ["run-4", "run-2"])
      #expect(try await names(server, "q=tag:ablation") == ["run-1"])
      #expect(
        try await names(server, "project=digits&sort=loss.best") == ["run-2", "run-1", "run-0", "run-3"])
      #expect(
        try await names(server, "project=digits&sort=-loss.best") == ["run-0", "run-1", "run-2", "run-3"])
      #expect(try await names(server, "sort=-lr&limit=2") == ["run-4", "run-3"])
      #expect(try await names(server, "sort=config.opt&q=lr%3E0.05") == ["run-2", "run-4", "run-1", "run-3"])
      #expect(try await names(server, "sort=metric:loss.min&limit=1") == ["run-4"])
      let count = try await server.get("/api/v1/runs/count?q=loss+exists").json
      #expect(count == ["total": 4, "states": ["running": 3, "finished": 1]])
      #expect(try await server.get("/api/v1/runs/count?project=letters").json["total"] == 1)
    }
  }

  @Test func `what is wrong says where`() async throws {
    try await TestServer.run { server in
      _ = try await fill(server)
      for (query, from, to, words) in [
        ("runs?q=lr%3C", 2, 3, "value is missing"), ("runs?q=loos%3C1", 0, 4, "No run has 'loos'"),
        ("runs/count?q=(", 0, 1, "Nothing"), ("runs/groups?by=lr&q=state:runing", 6, 12, "no state"),
        ("runs?sort=nothing", 0, 7, "No run has"),
        ("runs?project=letters&q=tag:x+name~%5B", 11, 12, "regular expression"),
      ] as [(String, Int64, Int64, String)] {
        let answer = try await server.get("/api/v1/\(query)")
        #expect(answer.status == 400, "\(query)")
        let error = try #require(answer.json["error"])
        #expect(error["message"]?.string?.contains(words) == true, "\(query): \(error)")
        #expect(
          error["details"]?["from"]?.int == from && error["details"]?["to"]?.int == to, "\(query): \(error)")
        #expect(error["hint"]?.string != nil, "\(query)")
      }
      for query in [
        "runs?sort=%28", "runs?sort=lr&cursor=x", "runs?sort=lr&cursor=r3", "runs/groups", "runs/groups?by=",
        "runs/groups?by=name&values=name", "runs/groups?by=lr&sort=loss", "runs/groups?by=a%28",
        "filter?at=-1",
        "runs/groups?by=nothing", "fields?limit=0", "runs?parent=x",
      ] { #expect(try await server.get("/api/v1/\(query)").status == 400, "\(query)") }
      #expect(try await server.get("/api/v1/fields?project=nobody").status == 404)
    }
  }

  @Test func `groups with their statistics`() async throws {
    try await TestServer.run { server in
      _ = try await fill(server)
      let answer = try await server.get("/api/v1/runs/groups?by=opt&values=loss.min,duration&q=lr+exists")
        .json
      let groups = try #require(answer["items"]?.array)
      #expect(groups.map { $0["key"] } == [["adamw"], ["lion"]])
      #expect(groups.map { $0["count"] } == [3, 2])
      #expect(groups[0]["states"] == ["running": 2, "finished": 1])
      let loss = try #require(groups[0]["values"]?["loss.min"])
      #expect(
        loss["count"] == 3 && loss["mean"] == 8.0 && loss["median"] == 8.0 && loss["sd"] == 2.0, "\(loss)")
      #expect(groups[1]["values"]?["loss.min"]?["ci95"] == .null)
      let filter = try #require(groups[1]["filter"]?.string)
      #expect(filter == "lr exists opt = lion")
      #expect(try await names(server, "q=lr+exists+opt+%3D+lion") == ["run-3", "run-1"])
      let first = try await server.get("/api/v1/runs/groups?by=lr&limit=2&sort=lr").json
      #expect(first["items"]?.array?.count == 2)
      let next = try #require(first["next"]?.string)
      let rest = try await server.get("/api/v1/runs/groups?by=lr&limit=10&sort=lr&cursor=\(next)").json
      #expect(rest["items"]?.array?.count == 3 && rest["next"] == .null)
    }
  }

  @Test func `a filter that is being written`() async throws {
    try await TestServer.run { server in
      _ = try await fill(server)
      let answer = try await server.get("/api/v1/filter?project=digits&q=opt%3Dada").json
      #expect(answer["valid"] == true && answer["error"] == .null && answer["canonical"] == "opt = ada")
      #expect(answer["clauses"] == [["from": 0, "to": 7, "text": "opt = ada"]])
      #expect(answer["completion"]?["from"] == 4 && answer["completion"]?["to"] == 7)
      #expect(answer["completion"]?["items"]?.array?.map { $0["text"] } == ["adamw"])
      let wrong = try await server.get("/api/v1/filter?q=lr+%3C").json
      #expect(wrong["valid"] == false && wrong["error"]?["from"] == 3 && wrong["canonical"] == .null)
      let fields = try await server.get("/api/v1/fields?project=digits").json
      #expect(fields["config"]?.array?.map { $0["name"] } == ["lr", "opt"])
      #expect(fields["metrics"] == [["name": "loss", "runs": 3, "goal": "minimize"]])
      #expect(fields["attributes"]?.array?.contains("duration") == true)
    }
  }

  /// Whoever is bound to a project learns nothing of another's, and to a run of no other run.
  @Test func `a question reaches no further than its token`() async throws {
    try await TestServer.run { server in
      let ids = try await fill(server)
      let digits = try await server.newToken([.read], project: "digits")
      #expect(try await server.get("/api/v1/runs/count", token: digits).json["total"] == 4)
      #expect(try await server.get("/api/v1/runs/count?project=letters", token: digits).status == 404)
      #expect(try await server.get("/api/v1/fields?project=letters", token: digits).status == 404)
      let groups = try await server.get("/api/v1/runs/groups?by=project", token: digits).json
      #expect(groups["items"]?.array?.map { $0["key"] } == [["digits"]])
      #expect(
        try await server.get("/api/v1/fields", token: digits).json["metrics"]?.array?.first?["runs"] == 3)
      let own = try await server.newToken([.read], project: "digits", run: PublicID(rawValue: ids[2]))
      #expect(try await server.get("/api/v1/runs/count?q=lr+exists", token: own).json["total"] == 1)
      #expect(try await server.get("/api/v1/runs?q=lr+exists", token: own).json["items"]?.array?.count == 1)
      let values = try await server.get("/api/v1/filter?q=name%3D", token: own).json
      #expect(values["completion"]?["items"]?.array?.map { $0["text"] } == ["run-2"])
    }
  }

  /// What the parser takes is answered, however deep it is.
  @Test func `filters at their limits`() async throws {
    try await TestServer.run { server in
      _ = try await fill(server)
      let depth = FilterLimits.depth
      let deep = (0..<depth).reduce("state:lost") { inner, _ in "state:lost+or+(state:lost+(\(inner)))" }
      #expect(try await server.get("/api/v1/runs?q=\(deep)").status == 400)
      let most = (0..<depth / 2).reduce("lr%3C0.25") { inner, _ in "state:lost+or+(lr%3C0.25+(\(inner)))" }
      #expect(try await names(server, "project=digits&q=\(most)") == ["run-2", "run-1", "run-0"])
      let nots = String(repeating: "not+", count: depth)
      #expect(try await names(server, "q=\(nots)opt:lion") == ["run-3", "run-1"])
      #expect(
        try await server.get("/api/v1/runs/groups?by=opt&q=\(most)").json["items"]?.array?.count == 2)
    }
  }
}
