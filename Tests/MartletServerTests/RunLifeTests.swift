// Runs resumed, rewound, forked, defined, deleted: over HTTP and over the live feed.

import HTTPTypes
import Hummingbird
import MartletModel
import Testing

@testable import MartletServer

@Suite(.serialized) struct RunLifeTests {
  @Test func `a run goes on under its client's name`() async throws {
    try await TestServer.run { server in
      let body: JSONValue = ["project": "digits", "id": "night-7", "resume": "allow", "config": ["lr": 1]]
      let first = try await server.post("/api/v1/runs", body)
      #expect(first.status == 201)
      let id = try #require(first.json["id"]?.string)
      #expect(try await server.post("/api/v1/runs/\(id)/finish", ["exit_code": 1]).status == 200)
      let again = try await server.post("/api/v1/runs", body.merging(["config": ["epochs": 3]]))
      #expect(again.status == 200)
      #expect(again.json["id"]?.string == id)
      #expect(again.json["state"] == "running")
      #expect(again.json["config"] == ["lr": 1, "epochs": 3])
      #expect(try await server.post("/api/v1/runs", body.merging(["resume": "never"])).status == 409)
      #expect(
        try await server.post("/api/v1/runs", body.merging(["resume": "must", "id": "other"])).status == 404)
      for wrong: JSONValue in [
        ["project": "digits", "resume": "allow"], body.merging(["resume": "maybe"]),
        body.merging(["id": ""]), body.merging(["id": 7]),
      ] { #expect(try await server.post("/api/v1/runs", wrong).status == 422, "\(wrong)") }
    }
  }

  @Test func `a run goes back and branches off`() async throws {
    try await TestServer.run { server in
      let run = try await server.newRun()
      try await server.log(run, (0..<10).map { ["loss": .int($0)] })
      let rewound = try await server.post("/api/v1/runs/\(run)/rewind", ["step": 4])
      #expect(rewound.json["last_step"] == 4)
      #expect(rewound.json["summary"]?["loss"]?["count"] == 5)
      let fork = try await server.post("/api/v1/runs/\(run)/fork", ["step": 2, "name": "branch"])
      #expect(fork.status == 201)
      #expect(fork.json["name"] == "branch")
      #expect(fork.json["forked_from"] == ["run": .string(run.rawValue), "step": 2])
      #expect(fork.json["summary"]?["loss"]?["count"] == 3)
      for (path, body) in [("rewind", [:]), ("rewind", ["step": "a"]), ("fork", ["stp": 1])]
        as [(String, JSONValue)]
      {
        #expect(try await server.post("/api/v1/runs/\(run)/\(path)", body).status == 422)
      }
    }
  }

  @Test func `an attempt takes back rows of its own run, and nothing more`() async throws {
    try await TestServer.run { server in
      let (own, other) = (try await server.newRun(), try await server.newRun())
      for run in [own, other] { try await server.log(run, (0..<10).map { ["loss": .int($0)] }) }
      let attempt = try await server.newToken([.read, .ingest], project: "digits", run: own)
      let rewound = try await server.post("/api/v1/runs/\(own)/rewind", ["step": 4], token: attempt)
      #expect(rewound.status == 200)
      #expect(rewound.json["last_step"] == 4)
      #expect(
        try await server.post("/api/v1/runs/\(other)/rewind", ["step": 4], token: attempt).status == 404)
      let forked = try await server.post("/api/v1/runs/\(own)/fork", ["step": 2], token: attempt)
      #expect(forked.status == 403)
      let logger = try await server.newToken([.ingest])
      let refused = try await server.post("/api/v1/runs/\(own)/rewind", ["step": 2], token: logger)
      #expect(refused.status == 403)
      #expect(refused.message?.contains("'write'") == true)
      for (run, step) in [(own, 4), (other, 9)] as [(PublicID, Int64)] {
        #expect(try await server.get("/api/v1/runs/\(run)").json["last_step"]?.int == step)
      }
    }
  }

  @Test func `metrics are defined, sorted by, and their summaries set`() async throws {
    try await TestServer.run { server in
      let runs = [try await server.newRun(name: "a"), try await server.newRun(name: "b")]
      try await server.log(runs[0], [["loss": 1], ["loss": 5]])
      try await server.log(runs[1], [["loss": 2], ["loss": 3]])
      for run in runs {
        let patched = try await server.send(
          "PATCH", "/api/v1/runs/\(run)",
          [
            "metrics": [
              "loss": ["goal": "minimize", "summary": "best", "step_metric": "epoch"],
              "sys/*": ["hidden": true],
            ],
            "summary": ["verdict": ["good": true]],
          ])
        #expect(patched.status == 200)
        #expect(
          patched.json["metrics"]?["loss"]
            == ["summary": "best", "step_metric": "epoch", "goal": "minimize", "hidden": false])
        #expect(patched.json["metrics"]?["sys/*"]?["hidden"] == true)
        #expect(patched.json["summary"]?["verdict"]?["value"] == ["good": true])
      }
      #expect(try await server.get("/api/v1/runs/\(runs[0])").json["summary"]?["loss"]?["best"] == 1.0)
      for (sort, names) in [
        ("metric:loss.best", ["a", "b"]), ("-metric:loss.best", ["b", "a"]),
        ("metric:loss.mean", ["b", "a"]),
        ("-metric:loss.mean", ["a", "b"]),
      ] {
        let list = try await server.get("/api/v1/runs?sort=\(sort)").json["items"]?.array
        #expect(list?.compactMap { $0["name"]?.string } == names, "\(sort)")
      }
      let taken = try await server.send(
        "PATCH", "/api/v1/runs/\(runs[0])", ["metrics": ["loss": nil], "summary": ["verdict": nil]])
      #expect(taken.json["metrics"]?["loss"] == nil)
      #expect(taken.json["summary"]?["verdict"] == nil)
      for wrong: JSONValue in [
        ["metrics": ["loss": ["goal": "best"]]], ["metrics": ["loss": ["gaol": "minimize"]]],
        ["metrics": ["": ["goal": "minimize"]]], ["metrics": [1]], ["summary": [1]],
        ["summary": ["a\u{7}": 1]],
      ] {
        #expect(try await server.send("PATCH", "/api/v1/runs/\(runs[0])", wrong).status == 422, "\(wrong)")
      }
    }
  }

  @Test func `a deleted run vanishes before its watchers' eyes`() async throws {
    try await TestServer.run { server in
      let run = try await server.newRun()
      let other = try await server.newRun("letters")
      try await server.log(run, [["loss": 1]])
      let socket = try await WebSocketClient(server, token: server.token)
      _ = try await socket.message("ready")
      try await socket.send(["type": "subscribe", "id": 1, "topic": "runs", "project": "digits"])
      _ = try await socket.message("subscribed")
      let deleted = try await server.request("DELETE", "/api/v1/runs/\(run)", token: server.token)
      #expect(deleted.status == 200)
      #expect(deleted.json["deleted_at"]?.int != nil)
      let told = try await socket.message("deleted")
      #expect(told["run"]?.string == run.rawValue)
      #expect(told["id"] == 1)
      #expect(try await server.get("/api/v1/runs").json["items"]?.array?.count == 1)
      let trash = try await server.get("/api/v1/runs?deleted=true").json["items"]?.array
      #expect(trash?.compactMap { $0["id"]?.string } == [run.rawValue])
      #expect(try await server.get("/api/v1/runs?deleted=maybe").status == 400)
      #expect(try await server.post("/api/v1/runs/\(run)/restore", [:]).json["deleted_at"] == JSONValue.null)
      #expect(try await socket.message("run")["run"]?["id"]?.string == run.rawValue)
      #expect(
        try await server.request("DELETE", "/api/v1/runs/\(run)?purge=true", token: server.token).status
          == 200)
      #expect(try await socket.message("deleted")["run"]?.string == run.rawValue)
      #expect(try await server.get("/api/v1/runs/\(run)").status == 404)
      #expect(try await server.get("/api/v1/runs?deleted=true").json["items"]?.array?.isEmpty == true)
      #expect(try await server.get("/api/v1/runs/\(other)").status == 200)
    }
  }

  @Test func `a rewound run's points are to be read again`() async throws {
    try await TestServer.run { server in
      let run = try await server.newRun()
      let socket = try await WebSocketClient(server, token: server.token)
      _ = try await socket.message("ready")
      try await socket.send([
        "type": "subscribe", "id": 3, "topic": "points", "runs": [.string(run.rawValue)],
      ])
      _ = try await socket.message("subscribed")
      try await server.log(run, (0..<5).map { ["loss": .int($0)] })
      #expect(try await server.post("/api/v1/runs/\(run)/rewind", ["step": 1]).status == 200)
      let changed = try await socket.message("changed")
      #expect(changed["runs"] == [.string(run.rawValue)])
    }
  }

  @Test func `503 says when to come again`() async throws {
    #expect(Response.problem(Problem(.unavailable, "Full.")).headers[.retryAfter] == "1")
    #expect(Response.problem(Problem(.tooManyRequests, "Slow.")).headers[.retryAfter] == "60")
  }
}
