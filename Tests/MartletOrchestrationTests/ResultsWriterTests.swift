// The files that sweeps leave for people: each sweep in its turn, and nothing once its end was written.

import Foundation
import MartletFormats
import MartletModel
import MartletStore
import MartletTestSupport
import Testing

@testable import MartletOrchestration

@Suite struct ResultsWriterTests {
  /// A sweep in the store, without trials, and with a folder of its own.
  private func sweep(_ name: String, _ shop: Workshop) async throws -> OpenSweep {
    let source = "command: [/bin/true]\nmethod: grid\nparameters: {x: {values: [1]}}\n"
    let specification = try SweepSpecification.read(source: source)
    let directory = "\(shop.output)/\(name)"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let (principal, now) = (try shop.engine.localPrincipal, SystemClock().now)
    let (row, id) = try await shop.engine.store.write { writer -> (Int64, PublicID) in
      let id = try writer.freshSweepID()
      let row = try writer.createSweep(
        Sweep(
          id: id, project: "digits", name: name, description: "", state: .running, method: "grid",
          objective: nil, parameters: [], maxParallel: 1, timeout: nil, command: ["true"], workdir: "/",
          outputDirectory: directory, spaceSize: 1, budget: 1, createdAt: now, createdBy: principal.name,
          seed: 1, source: source),
        samplerState: [:], filename: nil, commandOverride: nil, by: principal, now: now)
      return (row, id)
    }
    return OpenSweep(
      row: row, id: id, name: name, project: "digits", specification: specification, seed: 1, workdir: "/",
      directory: directory, environmentFile: "", environment: [:], git: nil,
      creator: principal)
  }

  private func hasTable(_ sweep: OpenSweep) -> Bool {
    FileManager.default.fileExists(atPath: "\(sweep.directory)/sweep_summary.csv")
  }

  @Test func `a sweep whose trials end all the time keeps no other waiting`() async throws {
    try await Workshop.with { shop in
      let busy = try await sweep("busy", shop)
      var others: [OpenSweep] = []
      for number in 0..<8 { others.append(try await sweep("other-\(number)", shop)) }
      let results = ResultsWriter(
        store: try shop.engine.store, clock: SystemClock(), logger: shop.book.logger)
      await results.note(busy)
      for other in others { await results.note(other) }
      try await eventually("the table of each sweep") {
        // There is never a moment in which it does not wait to be written again.
        await results.note(busy)
        return others.allSatisfy(hasTable)
      }
      await results.close()
      #expect(shop.book.troubles == [])
    }
  }

  @Test func `once the end of a sweep was written, nothing more is`() async throws {
    try await Workshop.with { shop in
      let ending = try await sweep("ending", shop)
      let results = ResultsWriter(
        store: try shop.engine.store, clock: SystemClock(), logger: shop.book.logger)
      await results.note(ending)
      try await eventually("the first table") { hasTable(ending) }
      // It waits for the pause behind the first to end.
      await results.note(ending)
      await results.finish(ending)
      #expect(hasTable(ending))
      try FileManager.default.removeItem(atPath: "\(ending.directory)/sweep_summary.csv")
      await results.close()
      #expect(!hasTable(ending))
    }
  }
}
