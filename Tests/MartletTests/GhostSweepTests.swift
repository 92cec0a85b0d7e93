// Ghost's architecture sweep, from its own file to its results, with a stand-in for its trainer.

import Foundation
import MartletModel
import Testing

@Suite("the ghost example", .serialized)
struct GhostSweepTests {
  private static let example = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("examples/ghost")

  /// In the order of the file, the last parameter changing fastest.
  private static var names: [String] {
    var names: [String] = []
    for width in [128, 256] {
      for layers in [4, 6] {
        for experts in [4, 8] {
          for depth in [2, 3] { names.append("ed_\(width)_nl_\(layers)_ne_\(experts)_gnnl_\(depth)") }
        }
      }
    }
    return names
  }

  @Test("sixteen runs under their names, the summary, the best model")
  func architecture() async throws {
    try await Workplace.withServer { place in
      try FileManager.default.copyItem(
        at: Self.example, to: place.root.appendingPathComponent("ghost-example"))
      // The file says `python`, which not every machine has.
      let search = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
      let python = try #require(
        search.split(separator: ":").map { "\($0)/python3" as String }.first { access($0, X_OK) == 0 })
      let bin = place.root.appendingPathComponent("bin")
      try FileManager.default.createDirectory(at: bin, withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(
        atPath: bin.path + "/python", withDestinationPath: python)

      let running = try place.start(
        ["sweep", "run", "ghost-example/architecture_sweep.json", "--output", "results"],
        environment: ["PATH": "\(bin.path):\(search)"])
      let outcome = try await running.outcome()
      #expect(outcome.status == 0, "\(outcome)")

      let sweep = try await place.json("sweep", "show", "architecture_sweep")
      let trials = (sweep["trials"]?.array ?? []).sorted { $0["number"]?.int ?? 0 < $1["number"]?.int ?? 0 }
      #expect(trials.map { $0["run_name"]?.string } == Self.names)
      #expect(trials.allSatisfy { $0["state"]?.string == "complete" })

      let folder = try #require(sweep["output_dir"]?.string)
      #expect(folder.hasPrefix(place.root.path + "/results/architecture_sweep_"))
      let rows = try place.text(of: folder + "/sweep_summary.csv").split(whereSeparator: \.isNewline)
        .map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
      #expect(rows.first == ["run_name", "final_eval_loss", "min_eval_loss", "final_train_loss"])
      #expect(Set(rows.dropFirst().map { $0[0] }) == Set(Self.names))
      #expect(rows.count == 17)
      // Best first, by the numbers that the programs themselves wrote.
      let least = rows.dropFirst().compactMap { Double($0[2]) }
      #expect(least.count == 16)
      #expect(least == least.sorted())
      let best = try #require(rows.dropFirst().first?[0])
      for row in rows.dropFirst() {
        let log = try JSONValue.parse(try place.text(of: "\(folder)/\(row[0])/training_log.json"))
        #expect(Double(row[1]) == log.array?.last?["eval_loss"]?.double)
        #expect(Double(row[3]) == log.array?.last?["train_loss"]?.double)
      }

      let model = try place.text(of: folder + "/best_model/best_model.pt")
      #expect(model == (try place.text(of: "\(folder)/\(best)/best_model.pt")))
      let metadata = try JSONValue.parse(
        try place.text(of: folder + "/best_model/best_model_metadata.json"))
      #expect(metadata["run_name"]?.string == best)
      #expect(outcome.output.contains("Best model  \(folder)/best_model"), "\(outcome)")
    }
  }
}
