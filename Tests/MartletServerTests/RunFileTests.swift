// Named files of runs over HTTP: given, replaced, listed in pages, taken away, and their bytes with them.

import Foundation
import Glibc
import MartletModel
import MartletTestSupport
import MartletTracking
import Testing

@testable import MartletServer

@Suite(.serialized) struct RunFileTests {
  /// Puts bytes and gives them a name.
  @discardableResult
  private func save(
    _ server: TestServer, _ run: PublicID, _ path: String, _ text: String, named: Bool = true,
    type: String? = nil
  ) async throws -> HTTPAnswer {
    let bytes = Array(text.utf8)
    let hash = hexadecimal(SHA256.hash(bytes))
    let put = try await server.request(
      "PUT", "/api/v1/runs/\(run)/blobs/\(hash)\(named ? "?named=true" : "")", token: server.token,
      headers: [("Content-Type", "application/octet-stream")], body: bytes)
    #expect([200, 201].contains(put.status), "\(put.text)")
    return try await server.send(
      "PUT", "/api/v1/runs/\(run)/files?path=\(escaped(path))",
      ["sha256": .string(hash), "media_type": JSONValue(type)])
  }

  private func escaped(_ text: String) -> String {
    text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
  }

  private func paths(_ answer: HTTPAnswer) -> [String] {
    answer.json["items"]?.array?.compactMap { $0["path"]?.string } ?? []
  }

  private func blob(_ server: TestServer, _ run: PublicID, _ text: String) async throws -> HTTPAnswer {
    try await server.get("/api/v1/runs/\(run)/blobs/\(hexadecimal(SHA256.hash(Array(text.utf8))))")
  }

  private func delete(_ server: TestServer, _ run: PublicID, _ path: String) async throws -> HTTPAnswer {
    try await server.request(
      "DELETE", "/api/v1/runs/\(run)/files?path=\(escaped(path))", token: server.token)
  }

  @Test func `files are listed by path, in pages and by prefix`() async throws {
    try await TestServer.run { server in
      let run = try await server.newRun()
      let names = ["a.txt", "b/1.pt", "b/2.pt", "b/é.pt", "c"]
      for name in names.reversed() { try await save(server, run, name, "content of \(name)") }
      let list = "/api/v1/runs/\(run)/files"
      let all = try await server.get(list)
      #expect(paths(all) == names)
      #expect(all.json["items"]?.array?.first?["size"] == 16)
      #expect(paths(try await server.get("\(list)?prefix=b/")) == ["b/1.pt", "b/2.pt", "b/é.pt"])
      // However the accent comes: as one character or as two.
      #expect(paths(try await server.get("\(list)?path=\(escaped("b/e\u{301}.pt"))")) == ["b/é.pt"])
      #expect(try await server.get("\(list)?path=b/3.pt").status == 404)
      let first = try await server.get("\(list)?limit=2")
      let next = try #require(first.json["next"]?.string)
      let rest = try await server.get("\(list)?limit=3&cursor=\(escaped(next))")
      #expect(paths(first) + paths(rest) == names)
      #expect(rest.json["next"]?.isNull == true)
      #expect(try await server.get("\(list)?cursor=x").status == 400)
    }
  }

  @Test func `the bytes of a file go with its last name, those of a logged value stay`() async throws {
    try await TestServer.run { server in
      let run = try await server.newRun()
      let saved = try await save(server, run, "last.pt", "first", type: "text/plain")
      #expect(saved.status == 200)
      #expect(saved.json["media_type"] == "text/plain")
      try await save(server, run, "copy.pt", "first")
      #expect(try await blob(server, run, "first").status == 200)
      // Replaced under one name, it has the other; replaced under both, it is gone.
      try await save(server, run, "last.pt", "second")
      #expect(try await blob(server, run, "first").status == 200)
      #expect(try await delete(server, run, "copy.pt").status == 200)
      #expect(try await blob(server, run, "first").status == 404)
      #expect(try await blob(server, run, "second").text.isEmpty == false)
      // Put for a logged value as well, it stays.
      try await save(server, run, "picture.png", "third")
      try await save(server, run, "picture.png", "third", named: false)
      #expect(try await delete(server, run, "picture.png").status == 200)
      #expect(try await blob(server, run, "third").status == 200)
      #expect(try await delete(server, run, "picture.png").status == 404)
      let events = try await server.get("/api/v1/runs/\(run)/events").json["items"]?.array ?? []
      #expect(events.filter { $0["type"] == "fileDeleted" }.count == 2)
      // What nobody has any more leaves the disk.
      let hash = hexadecimal(SHA256.hash(Array("first".utf8)))
      let place = "\(server.data)/blobs/\(hash.prefix(2))/\(hash.dropFirst(2))"
      try await eventually("the bytes are removed") { !FileManager.default.fileExists(atPath: place) }
    }
  }

  @Test func `paths and hashes that are wrong are refused, and nothing is said of other runs`() async throws {
    try await TestServer.run { server in
      let (run, other) = (try await server.newRun(), try await server.newRun())
      try await save(server, other, "theirs", "theirs")
      let hash = hexadecimal(SHA256.hash(Array("theirs".utf8)))
      for path in ["../up", "/etc/passwd", "a//b", "a/..", "a%0Ab", "..%2F%CC%81x", ""] {
        let answer = try await server.send(
          "PUT", "/api/v1/runs/\(run)/files?path=\(path)", ["sha256": .string(hash)])
        #expect(answer.status == 400, "\(path)")
      }
      let foreign = try await server.send(
        "PUT", "/api/v1/runs/\(run)/files?path=mine", ["sha256": .string(hash)])
      #expect(foreign.status == 404, "the bytes are another run's")
      for body: JSONValue in [["sha256": "abc"], [:], ["sha256": .string(hash), "media_type": "text"]] {
        #expect(
          try await server.send("PUT", "/api/v1/runs/\(other)/files?path=a", body).status == 422, "\(body)")
      }
    }
  }

  @Test func `files are in a run's account, and a locked run that has ended is given none`() async throws {
    try await TestServer.run { server in
      let run = try await server.newRun()
      for text in ["first", "first", "second"] { try await save(server, run, "a.pt", text) }
      func saved() async throws -> [JSONValue] {
        let events = try await server.get("/api/v1/runs/\(run)/events").json["items"]?.array ?? []
        return events.filter { $0["type"] == "fileSaved" }.compactMap { $0["payload"] }
      }
      let hashes = ["first", "second"].map { JSONValue.string(hexadecimal(SHA256.hash(Array($0.utf8)))) }
      #expect(try await saved() == hashes.map { ["path": "a.pt", "sha256": $0] })
      let path = "/api/v1/runs/\(run)"
      #expect(try await server.send("PATCH", path, ["locked": true]).status == 200)
      try await save(server, run, "b.pt", "third")
      #expect(try await server.post("\(path)/finish", [:]).status == 200)
      for named in ["?named=true", ""] {
        let bytes = Array("fourth".utf8)
        let refused = try await server.request(
          "PUT", "\(path)/blobs/\(hexadecimal(SHA256.hash(bytes)))\(named)", token: server.token,
          headers: [("Content-Type", "application/octet-stream")], body: bytes)
        #expect(refused.status == 409, "\(refused.text)")
      }
      let refused = try await server.send("PUT", "\(path)/files?path=c", ["sha256": hashes[0]])
      #expect(refused.status == 409)
      #expect(paths(try await server.get("\(path)/files")) == ["a.pt", "b.pt"])
    }
  }

  @Test func `a fork has the files of its run, and keeps them`() async throws {
    try await TestServer.run { server in
      let run = try await server.newRun()
      try await save(server, run, "a", "content")
      let answer = try await server.post("/api/v1/runs/\(run)/fork", [:])
      let fork = try #require(answer.json["id"]?.string.flatMap(PublicID.init(rawValue:)))
      #expect(
        try await server.request("DELETE", "/api/v1/runs/\(run)?purge=true", token: server.token).status
          == 200)
      #expect(paths(try await server.get("/api/v1/runs/\(fork)/files")) == ["a"])
      #expect(try await blob(server, fork, "content").text == "content")
    }
  }

  @Test func `what is executed shows its machine, its interpreter and the code it ran`() async throws {
    let work = try repository()
    try await TestServer.run { server in
      let body: JSONValue = [
        "command": ["python3", "train.py", "--token", "abcdefg"], "workdir": .string(work.path),
        "environment": ["PATH": "/usr/local/bin:/usr/bin:/bin", "HF_TOKEN": "x", "LANG": "C"],
      ]
      let created = try await server.post("/api/v1/executions", body)
      #expect(created.status == 201, "\(created.text)")
      let run = try #require(created.json["id"]?.string.flatMap(PublicID.init(rawValue:)))
      let whole = try await server.get("/api/v1/runs/\(run)").json
      let environment = whole["environment"]
      #expect(environment?["cpu"]?["threads"]?.int ?? 0 > 0)
      #expect(environment?["memory_bytes"]?.int ?? 0 > 0)
      #expect(environment?["kernel"]?.string?.hasPrefix("Linux ") == true)
      #expect(environment?["argv"] == ["python3", "train.py", "--token", "***"])
      #expect(environment?["variables"]?["LANG"] == "C")
      #expect(environment?["variables"]?["HF_TOKEN"] == nil)
      #expect(environment?["python"]?["executable"]?.string?.hasSuffix("/python3") == true)
      #expect(whole["hardware"]?.string?.isEmpty == false)
      #expect(whole["git"]?["dirty"] == true)
      #expect(paths(try await server.get("/api/v1/runs/\(run)/files")) == ["diff.patch", "untracked.txt"])
      func text(_ path: String) async throws -> String {
        let file = try await server.get("/api/v1/runs/\(run)/files?path=\(path)").json["items"]?.array?.first
        return try await server.get("/api/v1/runs/\(run)/blobs/\(file?["sha256"]?.string ?? "")").text
      }
      let patch = try await text("diff.patch")
      #expect(patch.contains("-print(1)\n+print(2)\n"), "\(patch)")
      #expect(try await text("untracked.txt") == "notes.txt\n")
    }
  }

  @Test func `all trials have what their sweep was submitted with, and so has a fork of one`() async throws {
    let (work, output) = (try repository(), TemporaryDirectory())
    try await TestServer.run { server in
      let source =
        "command: [/bin/sh, -c, exit 3]\nmethod: grid\nname: s\nparameters: {x: {values: [1, 2, 3]}}\n"
      let sweep = try await server.post(
        "/api/v1/sweeps",
        [
          "source": .string(source), "workdir": .string(work.path), "environment": ["LANG": "C"],
          "output": .string(output.path),
        ])
      #expect(sweep.status == 201, "\(sweep.text)")
      let id = try #require(sweep.json["id"]?.string)
      var trials: [JSONValue] = []
      try await eventually("all trials ended") {
        trials = try await server.get("/api/v1/sweeps/\(id)/trials").json["items"]?.array ?? []
        return trials.count == 3 && trials.allSatisfy { $0["state"] == "failed" }
      }
      let runs = trials.compactMap { $0["run"]?.string }
      for run in runs {
        #expect(
          paths(try await server.get("/api/v1/runs/\(run)/files")) == ["diff.patch", "untracked.txt"])
        let shown = try await server.get("/api/v1/runs/\(run)").json
        #expect(shown["environment"]?["variables"] == ["LANG": "C"])
        #expect(shown["environment"]?["argv"] == nil)
      }
      let run = try #require(PublicID(rawValue: runs[0]))
      #expect(try await delete(server, run, "diff.patch").status == 409)
      // One speaks for all that ended alike.
      let alerts = try await server.get("/api/v1/alerts").json["items"]?.array ?? []
      #expect(alerts.map { $0["title"] } == ["Exited with code 3."])
      #expect(try await server.send("PATCH", "/api/v1/runs/\(run)", ["project": "other"]).status == 409)
      let fork = try await server.post("/api/v1/runs/\(run)/fork", [:]).json["id"]?.string ?? ""
      for one in runs {
        let gone = try await server.request(
          "DELETE", "/api/v1/runs/\(one)?purge=true", token: server.token)
        #expect(gone.status == 200)
      }
      let files = try await server.get("/api/v1/runs/\(fork)/files")
      #expect(paths(files) == ["diff.patch", "untracked.txt"])
      let hash = files.json["items"]?.array?.first?["sha256"]?.string ?? ""
      #expect(try await server.get("/api/v1/runs/\(fork)/blobs/\(hash)").text.contains("+print(2)"))
      #expect(try await server.send("PATCH", "/api/v1/runs/\(fork)", ["project": "other"]).status == 200)
    }
  }

  /// One commit, one change and one file that is not tracked.
  private func repository() throws -> TemporaryDirectory {
    let work = TemporaryDirectory()
    try FileManager.default.createDirectory(atPath: work.path, withIntermediateDirectories: true)
    func write(_ name: String, _ text: String) throws {
      try Data(text.utf8).write(to: URL(fileURLWithPath: "\(work.path)/\(name)"))
    }
    try write("train.py", "print(1)\n")
    for command in [
      "git init -q -b main", "git add train.py",
      "git -c user.name=M -c user.email=m@localhost commit -q -m begin",
    ] { #expect(try shell(command, in: work.path) == 0) }
    try write("train.py", "print(2)\n")
    try write("notes.txt", "not tracked")
    return work
  }

  private func shell(_ command: String, in directory: String) throws -> Int32 {
    var pid: pid_t = 0
    let words: [String] = ["/bin/sh", "-c", "cd '\(directory)' && \(command)"]
    let settings: [String] = ["PATH=/usr/local/bin:/usr/bin:/bin", "HOME=\(directory)"]
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    var variables: [UnsafeMutablePointer<CChar>?] = settings.map { strdup($0) } + [nil]
    defer { for pointer in arguments + variables { free(pointer) } }
    guard posix_spawn(&pid, "/bin/sh", nil, nil, &arguments, &variables) == 0 else { return -1 }
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    return status
  }
}
