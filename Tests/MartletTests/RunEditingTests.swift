// What people change of runs and fetch from them, through the real program.

import Foundation
import MartletModel
import MartletTestSupport
import Testing

@Suite("run editing", .serialized)
struct RunEditingTests {
  @Test("tags, notes, names, groups and parents are changed in place, and the account tells it")
  func editing() async throws {
    try await Workplace.withServer { place in
      let run = try await place.makeRun("finch")
      let other = try await place.makeRun("wren")
      #expect(try await place.martlet("run", "tag", "finch", "a", "b").output == "a\nb\n")
      #expect(try await place.martlet("run", "tag", "finch", "c", "--remove", "a").output == "b\nc\n")
      #expect(try await place.martlet("run", "note", "finch", "one").status == 0)
      #expect(try await place.martlet("run", "note", "finch", "--append", "two").status == 0)
      #expect(try await place.martlet("run", "note", "finch").output == "one\ntwo\n")
      #expect(try await place.martlet("run", "rename", "finch", "merlin").status == 0)
      let edited = try await place.martlet(
        "run", "edit", "merlin", "--group", "seeds", "--parent", "wren", "--state", "failed")
      #expect(edited.status == 0, "\(edited)")
      let shown = try await place.json("run", "show", "merlin")
      #expect(shown["group"] == "seeds")
      #expect(shown["parent"]?.string == other)
      #expect(shown["state"] == "failed")
      #expect(try await place.martlet("run", "edit", "merlin", "--group", "", "--parent", "").status == 0)
      let freed = try await place.json("run", "show", run)
      #expect(freed["group"]?.isNull == true)
      #expect(freed["parent"]?.isNull == true)
      let events = try await place.martlet("run", "events", run)
      for words in ["finch → merlin", "added", "failed", "\(other) → –"] {
        #expect(events.output.contains(words), "\(words): \(events)")
      }
      #expect(try await place.martlet("run", "edit", run).status == 64)
      #expect(try await place.martlet("run", "edit", run, "--state", "faild").errors.contains("'failed'"))
    }
  }

  @Test("archived, locked and moved runs")
  func marks() async throws {
    try await Workplace.withServer { place in
      let (a, b) = (try await place.makeRun("a"), try await place.makeRun("b"))
      #expect(try await place.martlet("run", "archive", "a").output.contains("is archived"))
      func listed(_ options: String...) async throws -> [String] {
        let list = try await place.martlet(["run", "list", "--format", "json"] + options)
        return try JSONValue.parse(list.output).array?.compactMap { $0["id"]?.string } ?? []
      }
      #expect(try await listed() == [b])
      #expect(try await listed("--archived") == [a])
      // It is found by its name all the same, and exported.
      #expect(try await place.json("run", "show", "a")["archived_at"]?.int != nil)
      let exported = try await place.martlet("export", "-o", place.root.path + "/out", "--only-runs")
      #expect(exported.output.contains("2 runs"), "\(exported)")
      #expect(try await place.martlet("run", "archive", "a", "--undo").status == 0)
      #expect(try await listed() == [b, a])

      #expect(try await place.martlet("run", "lock", "a", "b").lines.count == 2)
      let refused = try await place.martlet("run", "delete", "a")
      #expect(refused.status != 0)
      #expect(refused.errors.contains("locked"))
      #expect(refused.errors.contains("martlet run lock \(a) --undo"), "\(refused)")
      #expect(try await place.martlet("run", "lock", "a", "--undo").status == 0)
      #expect(try await place.martlet("run", "move", "a", "--to", "elsewhere").status == 0)
      #expect(try await place.json("run", "show", "a")["project"] == "elsewhere")
    }
  }

  @Test("files are fetched below a directory, never through a link, and not over what is there")
  func files() async throws {
    try await Workplace.withServer { place in
      let run = try await place.makeRun("finch")
      for (path, text) in [("a.txt", "one"), ("deep/er/b.txt", "two")] {
        let hash = hexadecimal(SHA256.hash(Array(text.utf8)))
        try await place.api(
          "PUT", "/runs/\(run)/blobs/\(hash)?named=true", text: text, type: "application/octet-stream")
        try await place.api("PUT", "/runs/\(run)/files?path=\(path)", ["sha256": .string(hash)])
      }
      let list = try await place.json("run", "files", "finch")
      #expect(list.array?.map { $0["path"] } == ["a.txt", "deep/er/b.txt"])
      let out = place.root.path + "/out"
      let fetched = try await place.martlet("run", "files", "finch", "--download", out)
      #expect(fetched.status == 0, "\(fetched)")
      #expect(try place.text(of: "\(out)/deep/er/b.txt") == "two")
      // What is there stays, and is said.
      try place.write("out/a.txt", "mine")
      let again = try await place.martlet("run", "files", "finch", "--download", out)
      #expect(again.status == 1, "\(again)")
      #expect(again.errors.contains("a.txt"))
      #expect(try place.text(of: "\(out)/a.txt") == "mine")
      #expect(
        try await place.martlet(
          "run", "files", "finch", "--prefix", "a", "--download", out, "--force"
        ).status == 0)
      #expect(try place.text(of: "\(out)/a.txt") == "one")
      // A link in the way is not followed.
      let trap = place.root.path + "/trap"
      try place.write("outside/keep", "")
      try place.write("trap/keep", "")
      try FileManager.default.createSymbolicLink(
        atPath: trap + "/deep", withDestinationPath: place.root.path + "/outside")
      let refused = try await place.martlet(
        "run", "files", "finch", "--prefix", "deep", "--download", trap, "--force")
      #expect(refused.status == 73, "\(refused)")
      #expect(!place.exists(place.root.path + "/outside/er"))
    }
  }

  @Test("alerts are shown, and tail follows the newest run")
  func alertsAndTail() async throws {
    try await Workplace.withServer { place in
      let run = try await place.makeRun("finch")
      try await place.api("POST", "/runs/\(run)/alerts", ["title": "Loss is NaN", "level": "warn"])
      #expect(try await place.martlet("run", "alerts").output.contains("Loss is NaN"))
      #expect(try await place.json("run", "alerts", "finch").array?.first?["level"] == "warn")
      #expect(try await place.martlet("run", "show", "finch").output.contains("warn: Loss is NaN"))
      let started = try await place.martlet(
        "run", "--detach", "--name", "wren", "--", "sh", "-c", "echo said; sleep 0.2; echo more")
      #expect(started.status == 0, "\(started)")
      let tail = try await place.martlet("run", "tail")
      #expect(tail.output == "said\nmore\n", "\(tail)")
      #expect(tail.errors.contains("'wren'"))
    }
  }
}
