// `martlet sync` with what a client, or another sender, left in pieces, and with what the server does not take.

import Foundation
import MartletModel
import MartletTestSupport
import OrderedCollections
import Testing

extension SyncTests {
  @Test("a sender that was killed between making the run and noting it leaves that run to the next")
  func unnoted() async throws {
    try await Workplace.withServer { place in
      var spool = offline(place, client: Self.clients[0])
      spool.info(["names": ["loss": 0, "acc": 1]])
      fill(&spool, rows: 0..<5)
      // What the first one asked for arrived, and nothing of it is on this disk.
      try spool.save()
      #expect(try await sync(place, "spools").status == 0)
      #expect(!place.exists(spool.directory))
      fill(&spool, rows: 5..<8)
      spool.end([:])
      try spool.save()
      #expect(try await sync(place, "spools").status == 0)
      let runs = try #require(try await place.json("run", "list").array)
      #expect(runs.map { $0["name"] } == ["kept"])
      #expect(runs.first?["state"] == "finished")
      #expect(try await place.history(runs[0]["id"]?.string ?? "").map { $0["step"]?.int } == Array(0..<8))
      // Another run of that name is another run.
      var other = offline(place, client: Self.clients[1], folder: "offline-efgh")
      other.end([:])
      try other.save()
      #expect(try await sync(place, "spools").status == 0)
      #expect(try await place.json("run", "list").array?.count == 2)
    }
  }

  @Test("a torn end is left out, and the spool stays; all before it arrives")
  func torn() async throws {
    try await Workplace.withServer { place in
      var spool = offline(place, client: Self.clients[0])
      spool.info(["names": ["loss": 0, "acc": 1]])
      fill(&spool, rows: 0..<10)
      let whole = spool.bytes.count
      fill(&spool, rows: 10..<11)
      for cut in [1, 7, 20, spool.bytes.count - whole - 1] {
        try spool.save()
        try Data(spool.bytes[..<(whole + cut)]).write(to: URL(fileURLWithPath: spool.path))
        let (status, reports) = try await sync(place, "spools")
        #expect(status == 0)
        #expect(reports.first?["message"]?.string?.contains("torn") == true, "\(reports)")
        #expect(place.exists(spool.path))
      }
      #expect(try await place.json("run", "show", "kept")["points"] == 20)
      // A bit that fell over in the midst: nothing behind it is used.
      var damaged = spool.bytes
      damaged[whole - 60] ^= 1
      try Data(damaged).write(to: URL(fileURLWithPath: spool.path))
      #expect(try await sync(place, "spools").status == 0)
      #expect(try await place.json("run", "show", "kept")["points"] == 20)
    }
  }

  @Test("a spool of a client that was killed as it began is removed; one that has just begun stays")
  func empty() async throws {
    try await Workplace.with { place in
      let directory = place.root.path + "/spools/offline-abcd"
      let whole = offline(place, client: Self.clients[0])
      // No server is needed for it.
      for length in [0, 3, 8, 33, whole.bytes.count - 1] {
        try whole.save()
        try place.write("spools/offline-abcd/\(whole.client).room", "room")
        try place.write("spools/offline-abcd/offline-abcd.run", "{}")
        try Data(whole.bytes[..<length]).write(to: URL(fileURLWithPath: whole.path))
        let live = open(whole.path, O_RDONLY | O_CLOEXEC)
        #expect(flock(live, LOCK_EX | LOCK_NB) == 0)
        let begun = try await sync(place, "spools")
        #expect(begun.status == 0 && begun.reports.first?["state"] == "running", "\(begun)")
        #expect(FileManager.default.contents(atPath: whole.path)?.count == length)
        close(live)
        let (status, reports) = try await sync(place, "spools")
        #expect(status == 0)
        #expect(reports.first?["state"] == "empty")
        #expect(reports.first?["message"]?.string?.contains("nothing in it") == true, "\(reports)")
        #expect(!place.exists(directory))
      }
      // Others' files, and damage, are no empty spools.
      try place.write("spools/offline-abcd/notes.spool", "")
      try place.write("spools/offline-abcd/\(whole.client).spool", "0123456789")
      #expect(try await sync(place, "spools").status == 1)
      #expect(place.exists(whole.path) && place.exists(directory + "/notes.spool"))
    }
  }

  @Test("files are sent before the rows that name them, once")
  func files() async throws {
    try await Workplace.withServer { place in
      let content = String(repeating: "picture ", count: 50_000)
      let hash = hexadecimal(SHA256.hash(Array(content.utf8)))
      for client in Self.clients.prefix(2) {
        var spool = offline(place, client: client)
        spool.info(["blobs": [hash: .int(Int64(content.utf8.count))]])
        spool.row(
          ["image": ["_type": "image", "blob": .string(hash), "size": .int(Int64(content.utf8.count))]],
          step: 0)
        spool.end([:])
        try spool.save()
      }
      try place.write("spools/offline-abcd/blobs/\(hash)", content)
      try place.write("spools/offline-abcd/blobs/\(String(repeating: "0", count: 64))", "of no row")
      let (status, reports) = try await sync(place, "spools")
      #expect(status == 0)
      #expect(reports.map { $0["files"]?.int ?? -1 }.sorted() == [0, 1])
      let run = reports[0]["run"]?.string ?? ""
      let answer = try await place.request("GET", "/api/v1/runs/\(run)/blobs/\(hash)", token: place.token)
      #expect(answer.hasSuffix("\r\n\r\n" + content))
      #expect(!place.exists(place.root.path + "/spools/offline-abcd"))
    }
  }

  @Test("a file that the server refuses stays beside the spool, which says where; its row arrives")
  func refusedFile() async throws {
    try await Workplace.withServer { place in
      let content = String(repeating: "picture ", count: 500)
      let hash = hexadecimal(SHA256.hash(Array(content.utf8)))
      let wrong = String(repeating: "0", count: 64)
      var spool = offline(place, client: Self.clients[0])
      for (step, name) in [wrong, hash].enumerated() {
        spool.info(["blobs": [name: .int(Int64(content.utf8.count))]])
        spool.row(["image": ["_type": "image", "blob": .string(name), "size": 4000]], step: Int64(step))
        // Under the wrong name the bytes have another hash.
        try place.write("spools/offline-abcd/blobs/\(name)", content)
      }
      spool.end([:])
      try spool.save()
      let (status, reports) = try await sync(place, "spools")
      #expect(status == 0)
      #expect(reports.first?["files"] == 1)
      #expect(try await place.history(reports.first?["run"]?.string ?? "").count == 2)
      #expect(!place.exists(spool.path))
      let kept = "\(spool.directory)/blobs/\(wrong)"
      #expect(place.exists(kept) && !place.exists("\(spool.directory)/blobs/\(hash)"))
      #expect(try place.text(of: spool.file(".error")).contains("was refused and is kept in \(kept): "))
    }
  }

  @Test("what the server refuses is status 2 and noted beside the spool; the others are sent")
  func refused() async throws {
    try await Workplace.withServer { place in
      var gone = SpoolWriter(
        in: place.root.path + "/spools/a", client: Self.clients[0], first: ["run": "zzzzzzzz"])
      gone.info(["names": ["loss": 0, "acc": 1]])
      fill(&gone, rows: 0..<3)
      try gone.save()
      var good = offline(place, client: Self.clients[1])
      good.info(["names": ["loss": 0, "acc": 1], "patch": ["tags": 7, "notes": "kept"]])
      fill(&good, rows: 0..<3)
      good.end([:])
      try good.save()
      try place.write(
        "spools/b/\(Self.clients[2]).spool", "no spool at all, but long enough for a record's head")
      let (status, reports) = try await sync(place, "spools")
      #expect(status == 2)
      #expect(reports.map { $0["state"]?.string } == ["refused", "unsent", "sent"])
      #expect(place.exists(gone.path))
      #expect(try place.text(of: gone.file(".error")).contains("zzzzzzzz"))
      // One wrong field keeps neither the others back nor the rows.
      let run = try await place.json("run", "show", "kept")
      #expect(run["notes"] == "kept")
      #expect(run["points"] == 6)
      #expect(try place.text(of: good.file(".error")).contains("tags"))
    }
  }
}
