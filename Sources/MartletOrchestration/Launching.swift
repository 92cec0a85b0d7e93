// From a granted attempt to a started supervisor.

import Foundation
import Logging
import MartletExecution
import MartletModel
import MartletScheduling
import MartletStore
import MartletTracking
import OrderedCollections

extension Conductor {
  func start(_ launch: Effects.Launch) async {
    let attempt = launch.attempt
    let (url, data, devices) = (url(), data.path, startingPool.pool.devices.map(\.device))
    let confinement = confinement
    // A sweep's is known; of a run by itself it lies on the disk.
    let environment = attempt.sweep.flatMap { core.sweeps[$0]?.environment }
    do {
      let prepared = try await blocking {
        let surroundings = AttemptSurroundings(launch, url: url, data: data)
        var prepared = AttemptLaunch(
          directory: attempt.directory, command: attempt.command, workdir: attempt.workdir,
          environment: try surroundings.prepare(
            submitted: try environment ?? Self.submitted(attempt.settings.environmentFile),
            holding: launch.devices, of: devices),
          timeout: attempt.settings.timeout, grace: attempt.settings.grace,
          stopSignal: attempt.settings.stopSignal)
        try prepared.confine(attempt.run, attempt.number, to: attempt.settings.limits, by: confinement)
        return prepared
      }
      supervision.launch(prepared) { [weak self] news in
        guard let self else { return }
        Task { await self.take(news, of: attempt) }
      }
    } catch {
      let problem =
        error as? Problem
        ?? Problem(
          .unavailable,
          "The directories of run '\(attempt.run)' could not be made: \(error.localizedDescription).")
      Task { await take(.failed(problem), of: attempt) }
    }
  }

  private static func submitted(_ path: String) throws -> [String: String] {
    let json = try JSONValue.parse(try Data(contentsOf: URL(fileURLWithPath: path)))
    return (json.object ?? [:]).reduce(into: [:]) { $0[$1.key] = $1.value.string }
  }
}

extension AttemptSurroundings {
  /// Of an attempt on this machine.
  init(_ launch: Effects.Launch, url: String, data: String) {
    let (attempt, settings) = (launch.attempt, launch.attempt.settings)
    self.init(
      run: attempt.run, runName: attempt.runName, number: attempt.number, project: attempt.project,
      config: attempt.config, directory: attempt.directory, runDirectory: attempt.runDirectory, url: url,
      token: launch.token)
    (sweep, trial, seed) = (attempt.sweep, attempt.trial, settings.seed)
    (shared, shards, resume) = (settings.shared, settings.shards, settings.resume)
    firstCheckpoints = settings.firstCheckpoints
    self.data = data
  }
}
