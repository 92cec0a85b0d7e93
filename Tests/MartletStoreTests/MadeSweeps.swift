// Sweeps and trials as tests of the store need them.

import MartletModel
import OrderedCollections

@testable import MartletStore

extension StoreWriter {
  func madeSweep(
    source: String = "", state: SweepState = .running, by me: Principal
  ) throws -> (row: Int64, id: PublicID) {
    let id = try freshSweepID()
    let sweep = Sweep(
      id: id, project: "digits", name: "s", description: "", state: state, method: "grid", objective: nil,
      parameters: [], maxParallel: 1, timeout: nil, command: ["true"], workdir: "/", outputDirectory: "/tmp",
      spaceSize: nil, budget: nil, createdAt: noon, createdBy: "tester", seed: 1, source: source)
    let row = try createSweep(
      sweep, samplerState: [:], filename: nil, commandOverride: nil, by: me, now: noon)
    return (row, id)
  }

  func makeTrial(_ number: Int, of sweep: Int64, by me: Principal, now: Timestamp = noon) throws {
    let id = try freshRunID()
    try createExecutedRun(
      ExecutedRun(
        project: "digits", name: "t\(number)", sweepRow: sweep, trial: number, config: [:], command: ["true"],
        workdir: "/", directory: "/tmp/\(id)", execution: [:]), id: id, by: me, now: now)
    try createTrial(ofSweep: sweep, number: number, parameters: [:], run: id, by: me, now: now)
  }
}
