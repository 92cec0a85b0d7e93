// What is told of runs beside their points, over HTTP and the live feed: marks, nesting, moves, events, alerts, files.

import HTTPTypes
import MartletModel
import MartletTestSupport
import OrderedCollections
import Testing

@testable import MartletServer

@Suite(.serialized) struct RunAccountTests {
  private func ids(_ list: HTTPAnswer) -> [String] {
    list.json["items"]?.array?.compactMap { $0["id"]?.string } ?? []
  }

  @Test func `an archived run leaves the lists, and its account says who did it`() async throws {
    try await TestServer.run { server in
      let (a, b) = (try await server.newRun(name: "a").rawValue, try await server.newRun(name: "b").rawValue)
      let archived = try await server.patch("/api/v1/runs/\(a)", ["archived": true])
      #expect(archived.json["archived_at"]?.int != nil)
      #expect(ids(try await server.get("/api/v1/runs")) == [b])
      #expect(ids(try await server.get("/api/v1/runs?archived=true")) == [a])
      #expect(ids(try await server.get("/api/v1/runs?archived=any")) == [b, a])
      #expect(try await server.get("/api/v1/runs?archived=maybe").status == 400)
      // Again, which changes nothing, and back.
      for flag in [true, false] {
        #expect(try await server.patch("/api/v1/runs/\(a)", ["archived": .bool(flag)]).status == 200)
      }
      #expect(ids(try await server.get("/api/v1/runs")) == [b, a])
      let patch: JSONValue = [
        "name": "c", "add_tags": ["x", "y", "x"], "group": "g", "config": ["lr": 1], "notes": "n",
      ]
      #expect(try await server.patch("/api/v1/runs/\(a)", patch).json["tags"] == ["x", "y"])
      #expect(
        try await server.patch("/api/v1/runs/\(a)", ["remove_tags": ["x", "q"], "add_tags": ["z"]]).json[
          "tags"]
          == ["y", "z"])
      let events = try await server.get("/api/v1/runs/\(a)/events").json["items"]?.array ?? []
      #expect(
        events.map { $0["type"] } == [
          "created", "archived", "unarchived", "tagged", "renamed", "edited", "configured", "tagged",
        ])
      #expect(events[4]["payload"] == ["from": "a", "to": "c"])
      #expect(events[5]["payload"]?["group"] == ["from": nil, "to": "g"])
      #expect(events[6]["payload"] == ["keys": ["lr"], "count": 1])
      #expect(events[7]["payload"] == ["added": ["z"], "removed": ["x"]])
      let principal = try await server.get("/api/v1/me").json["principal"]
      #expect(events.allSatisfy { $0["by"] == principal && $0["at"]?.int != nil })
      // In pages, nothing is missed or told twice.
      var (paged, cursor): ([JSONValue], String?) = ([], nil)
      repeat {
        let rest = cursor.map { "&cursor=\($0)" } ?? ""
        let page = try await server.get("/api/v1/runs/\(a)/events?limit=3\(rest)").json
        paged += page["items"]?.array ?? []
        cursor = page["next"]?.string
      } while cursor != nil
      #expect(paged == events)
    }
  }

  @Test func `what is captured of a run is in its account, once`() async throws {
    try await TestServer.run { server in
      let path = "/api/v1/runs/\(try await server.newRun())"
      let model: JSONValue = ["layers": [["name": "fc", "parameters": 10]], "parameters": 10]
      for patch: JSONValue in [
        ["environment": ["os": "Debian", "cwd": "/"]], ["environment": ["os": "Debian"]],
        ["environment": ["os": "Fedora", "cwd": "/"]], ["model": model], ["model": model],
      ] {
        #expect(try await server.patch(path, patch).status == 200)
      }
      let events = try await server.get("\(path)/events").json["items"]?.array ?? []
      #expect(events.dropFirst().map { $0["type"] } == ["environment", "environment", "model"])
      #expect(
        events.dropFirst().compactMap { $0["payload"] } == [
          ["members": ["os", "cwd"]], ["members": ["os"]], ["layers": 1, "parameters": 10],
        ])
    }
  }

  @Test func `a locked run stays as it is until it is unlocked`() async throws {
    try await TestServer.run { server in
      let run = try await server.newRun()
      let path = "/api/v1/runs/\(run)"
      try await server.log(run, (0..<5).map { ["loss": .int($0)] })
      #expect(try await server.patch(path, ["locked": true]).json["locked_at"]?.int != nil)
      // Its process goes on.
      try await server.log(run, from: 5, [["loss": 5]])
      #expect(try await server.post("\(path)/heartbeat", [:]).status == 200)
      #expect(
        try await server.patch(path, ["environment": ["os": "Debian"], "python": "3.12"]).status == 200)
      #expect(try await server.patch(path, ["config": ["late": 1]]).json["config"] == ["late": 1])
      for patch: JSONValue in [
        ["name": "b"], ["tags": ["x"]], ["state": "failed"], ["project": "other"],
        ["archived": true], ["notes": "n"], ["parent": nil, "python": "3"],
      ] {
        #expect(try await server.patch(path, patch).status == 409, "\(patch)")
      }
      let refused = try await server.request("DELETE", path, token: server.token)
      #expect(refused.status == 409)
      #expect(refused.message?.contains("locked") == true)
      #expect(try await server.request("DELETE", "\(path)?purge=true", token: server.token).status == 409)
      #expect(try await server.post("\(path)/rewind", ["step": 1]).status == 409)
      #expect(try await server.post("\(path)/finish", [:]).json["state"] == "finished")
      #expect(try await server.patch(path, ["python": "3.13"]).status == 409, "it has ended")
      // A late word of its end changes nothing: neither when it ended, nor how.
      let ended = try await server.get(path).json
      #expect(try await server.post("\(path)/finish", ["state": "failed"]).status == 409)
      #expect(try await server.post("\(path)/finish", [:]).status == 200)
      #expect(try await server.get(path).json == ended)
      #expect(try await server.get("\(path)/alerts").json["items"] == [])
      let writer = try await server.newToken([.read, .ingest])
      #expect(try await server.patch(path, ["locked": false], token: writer).status == 403)
      #expect(try await server.patch(path, ["locked": false, "name": "free"]).json["name"] == "free")
      #expect(try await server.request("DELETE", path, token: server.token).status == 200)
    }
  }

  @Test func `runs are nested to any depth, never in a circle, and outlive their parents`() async throws {
    try await TestServer.run { server in
      let top = try await server.newRun(name: "top")
      let created = try await server.post(
        "/api/v1/runs", ["project": "digits", "name": "middle", "parent": .string(top.rawValue)])
      #expect(created.status == 201)
      #expect(created.json["parent"]?.string == top.rawValue)
      let middle = try #require(created.json["id"]?.string)
      let leaf = try await server.newRun(name: "leaf")
      #expect(try await server.patch("/api/v1/runs/\(leaf)", ["parent": .string(middle)]).status == 200)
      #expect(try await server.get("/api/v1/runs/\(top)").json["children"] == 1)
      for parent in [top.rawValue, middle, leaf.rawValue] {
        let circle = try await server.patch("/api/v1/runs/\(top)", ["parent": .string(parent)])
        #expect(circle.status == 422, "\(parent)")
      }
      #expect(try await server.patch("/api/v1/runs/\(leaf)", ["parent": "zzzzzzzz"]).status == 404)
      #expect(try await server.patch("/api/v1/runs/\(leaf)", ["parent": "no id"]).status == 422)
      let far = try await server.newRun("letters").rawValue
      #expect(try await server.patch("/api/v1/runs/\(leaf)", ["parent": .string(far)]).status == 422)
      // Whoever may not see a run nests nothing in it, not by going on with a run either.
      let bound = try await server.newToken([.write], project: "digits")
      let body: JSONValue = ["project": "digits", "id": "x", "resume": "allow"]
      #expect(try await server.post("/api/v1/runs", body, token: bound).status == 201)
      let sneaking = try await server.post(
        "/api/v1/runs", body.merging(["parent": .string(far)]), token: bound)
      #expect(sneaking.status == 404)
      // In the trash the parent is still what it was nested in; purged it is not.
      let path = "/api/v1/runs/\(middle)"
      #expect(try await server.request("DELETE", path, token: server.token).status == 200)
      #expect(try await server.get("/api/v1/runs/\(top)").json["children"] == 0)
      #expect(try await server.get("/api/v1/runs/\(leaf)").json["parent"]?.string == middle)
      #expect(try await server.request("DELETE", "\(path)?purge=true", token: server.token).status == 200)
      let freed = try await server.get("/api/v1/runs/\(leaf)").json
      #expect(freed["parent"]?.isNull == true)
      let events = try await server.get("/api/v1/runs/\(leaf)/events").json["items"]?.array ?? []
      #expect(events.last?["payload"] == ["from": .string(middle), "to": nil])
    }
  }

  @Test func `a list of roots leaves out what is nested in others of the same list`() async throws {
    try await TestServer.run { server in
      func nested(_ name: String, in parent: String) async throws -> String {
        let made = try await server.post(
          "/api/v1/runs", ["project": "digits", "name": .string(name), "parent": .string(parent)])
        return try #require(made.json["id"]?.string)
      }
      func roots(_ more: String = "") async throws -> [String] {
        ids(try await server.get("/api/v1/runs?project=digits&roots=true\(more)"))
      }
      let top = try await server.newRun(name: "top").rawValue
      let middle = try await nested("middle", in: top)
      let leaf = try await nested("leaf", in: middle)
      let other = try await server.newRun(name: "other").rawValue
      #expect(try await roots() == [other, top])
      #expect(try await roots("&sort=name") == [other, top])
      #expect(try await roots("&limit=1&q=name:leaf") == [])
      #expect(ids(try await server.get("/api/v1/runs?parent=\(top)&roots=false")) == [middle])
      #expect(try await server.get("/api/v1/runs/count?roots=true").json["total"] == 2)
      // What is nested in an archived or deleted run would otherwise be in no list.
      _ = try await server.patch("/api/v1/runs/\(middle)", ["archived": true])
      #expect(try await roots() == [other, leaf, top])
      #expect(try await roots("&archived=true") == [middle])
      #expect(try await roots("&archived=any") == [other, top])
      _ = try await server.request("DELETE", "/api/v1/runs/\(top)", token: server.token)
      #expect(try await roots() == [other, leaf])
      #expect(try await roots("&deleted=true") == [top])
      #expect(try await server.get("/api/v1/runs?roots=perhaps").status == 400)
    }
  }

  @Test func `a run moves with its client's name and what is nested in it`() async throws {
    try await TestServer.run { server in
      let body: JSONValue = ["project": "digits", "id": "night-7", "resume": "allow"]
      let run = try #require(try await server.post("/api/v1/runs", body).json["id"]?.string)
      let child = try await server.newRun(name: "child")
      #expect(try await server.patch("/api/v1/runs/\(child)", ["parent": .string(run)]).status == 200)
      let outer = try await server.newRun(name: "outer").rawValue
      #expect(try await server.patch("/api/v1/runs/\(run)", ["parent": .string(outer)]).status == 200)

      let moved = try await server.patch("/api/v1/runs/\(run)", ["project": "letters"])
      #expect(moved.json["project"] == "letters")
      #expect(moved.json["parent"]?.isNull == true)
      #expect(try await server.get("/api/v1/runs/\(child)").json["project"] == "letters")
      #expect(ids(try await server.get("/api/v1/runs?project=digits")) == [outer])
      // The client finds it in its new place, and a new one in the old.
      let there = try await server.post("/api/v1/runs", body.merging(["project": "letters"]))
      #expect(there.json["id"]?.string == run)
      let here = try await server.post("/api/v1/runs", body)
      #expect(here.status == 201)
      let second = try #require(here.json["id"]?.string)
      let taken = try await server.patch("/api/v1/runs/\(second)", ["project": "letters"])
      #expect(taken.status == 409)
      #expect(taken.message?.contains("'night-7'") == true)
      #expect(try await server.get("/api/v1/runs/\(second)").json["project"] == "digits")
      let bound = try await server.newToken([.write], project: "digits")
      #expect(
        try await server.patch("/api/v1/runs/\(second)", ["project": "letters"], token: bound).status == 403)
      let events = try await server.get("/api/v1/runs/\(run)/events").json["items"]?.array ?? []
      #expect(
        events.contains { $0["type"] == "moved" && $0["payload"] == ["from": "digits", "to": "letters"] })
    }
  }

  @Test func `of a run that left its project, a token of that project hears no more`() async throws {
    try await TestServer.run { server in
      let run = try await server.newRun()
      let bound = try await server.newToken([.read], project: "digits")
      let socket = try await WebSocketClient(server, token: bound)
      try await socket.send([
        "type": "subscribe", "id": 1, "topic": "points", "runs": [.string(run.rawValue)],
      ])
      _ = try await socket.message("subscribed")
      try await server.log(run, [["loss": 1]])
      #expect(try await server.patch("/api/v1/runs/\(run)", ["project": "letters"]).status == 200)
      #expect(try await socket.message("deleted")["run"]?.string == run.rawValue)
      try await server.log(run, from: 1, [["loss": 2], ["secret": 3]])
      // What comes after the points is heard; the points are not.
      let other = try await server.newRun()
      try await socket.send(["type": "subscribe", "id": 2, "topic": "run", "run": .string(other.rawValue)])
      _ = try await socket.message("subscribed")
      #expect(try await server.post("/api/v1/runs/\(other)/finish", [:]).status == 200)
      var names: [JSONValue] = []
      while true {
        let message = try await socket.message("run", "names")
        if message["type"] == "run" { break }
        names.append(message)
      }
      #expect(!names.contains { $0["keys"]?.object?.values.contains("secret") == true })
    }
  }

  @Test func `a state set by hand keeps when the run ended, and says who set it`() async throws {
    let clock = MovableClock()
    try await TestServer.run(clock: clock) { server in
      let run = try await server.newRun()
      let path = "/api/v1/runs/\(run)"
      let end = try await server.post("\(path)/finish", [:]).json["ended_at"]
      let corrected = try await server.patch(path, ["state": "failed"])
      #expect(corrected.json["ended_at"] == end)
      let who = try await server.get("/api/v1/me").json["principal"]?.string ?? "?"
      let reason = corrected.json["exit"]?["reason"]?.string ?? ""
      #expect(reason.hasPrefix("Set from 'finished' to 'failed' by \(who) at 20"), "\(reason)")
      let alerts = try await server.get("\(path)/alerts").json["items"]
      #expect(alerts == [], "whoever set it knows")
    }
  }

  @Test func `environments come without secrets, and in the run itself alone`() async throws {
    try await TestServer.run { server in
      let run = try await server.newRun()
      let path = "/api/v1/runs/\(run)"
      #expect(try await server.get(path).json["environment"]?.isNull == true)
      let environment: JSONValue = [
        "os": "Debian 12", "cpu": ["model": "Xeon", "threads": 8], "argv": ["a.py", "--password=x"],
        "variables": ["WANDB_API_KEY": "x", "LANG": "C"],
      ]
      let patched = try await server.patch(path, ["environment": environment])
      #expect(patched.json["hardware"] == "Xeon, 8 threads")
      #expect(patched.json["environment"] == nil)
      // What comes later stands beside what was there.
      #expect(try await server.patch(path, ["environment": ["python": ["version": "3.12"]]]).status == 200)
      let whole = try await server.get(path).json["environment"]
      #expect(whole?["variables"] == ["LANG": "C"])
      #expect(whole?["argv"] == ["a.py", "--password=***"])
      #expect(whole?["python"] == ["version": "3.12"])
      #expect(try await server.get("/api/v1/runs").json["items"]?.array?.first?["environment"] == nil)
      let wrong = try await server.patch(path, ["environment": ["cpus": 4]])
      #expect(wrong.status == 422)
      #expect(wrong.message?.contains("environment.cpus") == true)

      #expect(try await server.get("\(path)/model").json["layers"] == [])
      let model: JSONValue = [
        "layers": [["name": "fc", "parameters": 4, "trainable": true]], "parameters": 4,
      ]
      #expect(try await server.patch(path, ["model": model]).status == 200)
      #expect(try await server.get("\(path)/model").json["layers"]?.array?.first?["trainable"] == 4)
      let fork = try await server.post("\(path)/fork", [:]).json["id"]?.string ?? ""
      #expect(try await server.get("/api/v1/runs/\(fork)").json["environment"] == whole)
      // The one that stays still has it when the other is gone.
      #expect(try await server.request("DELETE", "\(path)?purge=true", token: server.token).status == 200)
      #expect(try await server.get("/api/v1/runs/\(fork)").json["environment"] == whole)
      #expect(try await server.get("/api/v1/runs/\(fork)/model").json["parameters"] == 4)
    }
  }

  @Test func `alerts are raised, told live, listed, and once for a key`() async throws {
    try await TestServer.run { server in
      let (run, other) = (try await server.newRun(), try await server.newRun("letters"))
      let socket = try await WebSocketClient(server, token: server.token)
      try await socket.send(["type": "subscribe", "id": 1, "topic": "runs", "project": "digits"])
      _ = try await socket.message("subscribed")
      let raised = try await server.post(
        "/api/v1/runs/\(run)/alerts",
        ["title": "Loss is NaN", "text": "at step 3", "level": "warn", "key": "nan"])
      #expect(raised.status == 201)
      #expect(raised.json["level"] == "warn")
      let told = try await socket.message("alert")
      #expect(told["alert"] == raised.json)
      let again = try await server.post(
        "/api/v1/runs/\(run)/alerts", ["title": "Loss is NaN again", "key": "nan"])
      #expect(again.status == 200)
      #expect(again.json == raised.json)
      let elsewhere = try await server.post("/api/v1/runs/\(other)/alerts", ["title": "Other"])
      #expect(elsewhere.json["level"] == "info")
      // A run that fails says so by itself, once.
      #expect(try await server.post("/api/v1/runs/\(run)/finish", ["exit_code": 3]).json["state"] == "failed")
      let own = try await socket.message("alert")
      #expect(own["alert"]?["level"] == "error")
      #expect(own["alert"]?["title"] == "Exited with code 3.")
      let list = try await server.get("/api/v1/runs/\(run)/alerts").json["items"]?.array ?? []
      #expect(list.map { $0["title"] } == ["Exited with code 3.", "Loss is NaN"])
      let all = try await server.get("/api/v1/alerts").json["items"]?.array ?? []
      #expect(all.map { $0["title"] } == ["Exited with code 3.", "Other", "Loss is NaN"])
      let first = try #require(raised.json["id"]?.int)
      let later =
        try await server.get("/api/v1/alerts?project=digits&after=\(first)").json["items"]?.array ?? []
      #expect(later.map { $0["title"] } == ["Exited with code 3."])
      let bound = try await server.newToken([.read], project: "letters")
      #expect(
        try await server.get("/api/v1/alerts", token: bound).json["items"]?.array?.map { $0["title"] } == [
          "Other"
        ])
      for wrong: JSONValue in [
        ["title": ""], ["text": "x"], ["title": "x", "level": "fatal"], ["title": "x", "keys": "y"],
      ] {
        #expect(try await server.post("/api/v1/runs/\(run)/alerts", wrong).status == 422, "\(wrong)")
      }
      #expect(try await server.get("/api/v1/alerts?after=x").status == 400)
    }
  }
}

extension TestServer {
  fileprivate func patch(_ path: String, _ body: JSONValue, token: String? = nil) async throws -> HTTPAnswer {
    try await send("PATCH", path, body, token: token)
  }
}
