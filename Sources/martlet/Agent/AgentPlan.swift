// From a lease to a command that can be started here.

import Foundation
import MartletExecution
import MartletFormats
import MartletModel
import MartletOrchestration
import MartletScheduling
import MartletSearch
import OrderedCollections

/// How one trial is run on this machine.
struct AgentPlan: Sendable {
  let launch: AttemptLaunch
  /// The run's folder.
  let runDirectory: String

  /// Makes its directories; what it needs lies there then. Blocks.
  ///
  /// - Throws: `Failure`: it cannot be run here.
  init(_ lease: Lease, at place: AgentPlace, holding held: [Device], url: String) throws {
    let specification = try Self.specification(lease)
    guard let point = specification.space.point(flat: .object(lease.parameters)) else {
      throw Failure(.wrongInput, "Its parameters are not those of the sweep's file.")
    }
    let results = place.results(lease.results)
    if specification.preparation != nil, !results.isShared {
      throw Failure(
        .failed, "The sweep was prepared in \(lease.results), which is not on this machine.",
        hint: "Agents of a sweep with 'prepare:' need the server's results folder under the same path.")
    }
    runDirectory = "\(results.path)/\(lease.runName)"
    let directory = AttemptDirectory(path: "\(place.scratch)/\(lease.run).\(lease.attempt)")
    var surroundings = AttemptSurroundings(
      run: lease.run, runName: lease.runName, number: lease.attempt, project: lease.project,
      config: point.nested, directory: directory, runDirectory: runDirectory, url: url, token: lease.token)
    (surroundings.sweep, surroundings.trial, surroundings.seed) = (lease.sweep, lease.trial, lease.seed)
    (surroundings.shards, surroundings.resume) = (lease.shards, lease.resume)
    surroundings.shared = "\(results.path)/shared"
    surroundings.firstCheckpoints = lease.from.map { "\(results.path)/\($0)/checkpoints" }
    surroundings.data = place.data

    let workdir =
      specification.workdir.map { $0.hasPrefix("/") ? $0 : "\(place.workdir)/\($0)" } ?? place.workdir
    if lease.command == nil, specification.command.contains(.macro(.program)),
      let program = specification.program,
      !FileManager.default.fileExists(atPath: program.hasPrefix("/") ? program : "\(workdir)/\(program)")
    {
      throw Failure(
        .notFound, "The program '\(program)' is not in \(workdir).",
        hint: "Start the agent where it is, or name that directory with --workdir.")
    }
    var environment = place.environment
    for (name, value) in specification.environment { environment[name] = value }
    let command = specification.arguments(
      for: point,
      run: RunPlace(
        name: lease.runName, directory: runDirectory, paramsFile: surroundings.paramsFile,
        environment: environment))
    var launch = AttemptLaunch(
      directory: directory, command: command, workdir: workdir,
      environment: try surroundings.prepare(
        submitted: environment, holding: held.map(\.index), of: held),
      timeout: lease.timeout, grace: lease.grace,
      stopSignal: AttemptLaunch.StopSignal(rawValue: lease.stopSignal) ?? .term)
    launch.endsWithUs = true
    try launch.confine(lease.run, lease.attempt, to: lease.limits, by: place.confinement)
    self.launch = launch
  }

  private static func specification(_ lease: Lease) throws -> SweepSpecification {
    do {
      return try SweepSpecification.read(
        source: lease.source, filename: lease.filename, command: lease.command)
    } catch {
      throw Failure(
        .wrongInput, "The sweep's file cannot be read by this version: \(error.description)",
        hint: "Use the same version of martlet as the server.")
    }
  }

  /// How many devices each trial needs, as a sweep's file says; 1 where it says nothing, or nothing that holds for all.
  static func devices(source: String, command: JSONValue?) -> Int {
    let words = command?.array?.compactMap(\.string)
    guard
      let specification = (try? SweepSpecification.read(source: source, filename: nil, command: nil))
        ?? (try? SweepSpecification.read(source: source, filename: nil, command: words)),
      case .number(let count)? = specification.needs?.devices
    else { return 1 }
    return Int(clamping: count)
  }
}
