// What a submission leaves on the disk when the store does not get it.

import Foundation
import MartletModel
import MartletTestSupport
import Testing

@testable import MartletOrchestration

@Suite struct DraftTests {
  private static let grid = """
    command: ["true"]
    method: grid
    parameters: {x: {values: [1]}}

    """

  private func make(_ path: String, _ text: String? = nil) throws {
    let url = URL(fileURLWithPath: path)
    let folder = text == nil ? url : url.deletingLastPathComponent()
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    if let text { try Data(text.utf8).write(to: url) }
  }

  private func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

  private func drafts(_ shop: Workshop) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "\(shop.data)/drafts")
  }

  @Test func `what is stored is no draft any more`() async throws {
    try await Workshop.with { shop in
      let sweep = try await shop.submit(Self.grid)
      let run = try await shop.execute(["true"])
      #expect(try drafts(shop) == [])
      #expect(exists("\(shop.data)/sweeps/\(sweep.id)/environment.json"))
      #expect(exists("\(shop.data)/runs/\(run.id)/environment.json"))
      _ = try await shop.ended(sweep.id)
      _ = try await shop.runEnded(run.id)
    }
  }

  @Test func `the next server takes away what was never stored, and nothing else`() async throws {
    try await Workshop.with { shop in
      let known = try await shop.ended(try await shop.submit(Self.grid).id)
      await shop.close()
      let (data, results) = (shop.data, "\(shop.output)/empty")
      // Killed before it was stored; with results, with a stranger's file, before anything was made.
      try make(results)
      try make("\(data)/drafts/sweep-aaaaaaaa", results)
      try make("\(data)/sweeps/aaaaaaaa/environment.json", "{}")
      try make("\(data)/drafts/run-bbbbbbbb", "")
      try make("\(data)/runs/bbbbbbbb/environment.json", "{}")
      try make("\(data)/drafts/run-cccccccc", "")
      try make("\(data)/runs/cccccccc/mine.txt", "mine")
      try make("\(data)/runs/cccccccc/environment.json", "{}")
      try make("\(data)/drafts/sweep-dddddddd", known.outputDirectory)
      // Stored, but the server was killed before it noted that; and one that nobody calls a draft.
      try make("\(data)/drafts/sweep-\(known.id)", known.outputDirectory)
      try make("\(data)/sweeps/eeeeeeee/environment.json", "{}")
      try make("\(data)/drafts/what is this", "")
      try await shop.open()
      #expect(!exists("\(data)/sweeps/aaaaaaaa") && !exists(results))
      #expect(!exists("\(data)/runs/bbbbbbbb"))
      #expect(exists("\(data)/runs/cccccccc/mine.txt") && !exists("\(data)/runs/cccccccc/environment.json"))
      #expect(exists(known.outputDirectory), "a directory in which something lies stays")
      #expect(exists("\(data)/sweeps/\(known.id)/environment.json"))
      #expect(exists("\(data)/sweeps/eeeeeeee/environment.json"))
      #expect(try drafts(shop) == ["what is this"])
    }
  }

  @Test func `what the store refuses leaves nothing`() async throws {
    struct Refused: Error {}
    try await Workshop.with { shop in
      let engine = try shop.engine
      let draft = Draft(.sweep, try #require(PublicID(rawValue: "ffffffff")), in: engine.data)
      let results = "\(shop.output)/refused"
      try make(results)
      try draft.begin { try draft.keep(environment: [("A", "secret")], results: results) }
      #expect(exists(draft.environmentFile))
      #expect(try drafts(shop) == ["sweep-ffffffff"])
      await #expect(throws: Refused.self) { try await engine.conductor.store(draft) { throw Refused() } }
      #expect(!exists("\(shop.data)/sweeps/ffffffff") && !exists(results))
      #expect(try drafts(shop) == [])
      #expect(throws: Refused.self) { try draft.begin { throw Refused() } }
      #expect(try drafts(shop) == [])
    }
  }
}
