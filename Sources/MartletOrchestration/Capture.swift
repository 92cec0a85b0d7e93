// What is kept of the surroundings in which something was submitted: the machine, the code, the variables.

import Foundation
import Logging
import MartletExecution
import MartletModel
import MartletStore
import MartletTracking
import OrderedCollections

/// The surroundings of a submission.
struct Capture: Sendable {
  var git: GitState?
  var environment: RunEnvironment
  /// Files that show the code as it was: `diff.patch`, `untracked.txt`, where there is something to show.
  var files: [(path: String, bytes: [UInt8])]

  /// Blocks; git and the interpreter are asked, some seconds each at most.
  ///
  /// - Parameters:
  ///   - command: by which the interpreter is found.
  ///   - argv: the whole command line; nil: it differs from run to run.
  static func take(
    command: [String], argv: [String]?, workdir: String, environment: OrderedDictionary<String, String>,
    on machine: Machine
  ) -> Capture {
    let git = GitProbe.state(of: workdir)
    var files: [(path: String, bytes: [UInt8])] = []
    if git != nil {
      // A repository that is known to be clean need not be asked for its changes.
      if git?.isDirty != false, let patch = GitProbe.changes(in: workdir) {
        files.append(("diff.patch", patch))
      }
      if let names = GitProbe.untracked(in: workdir) { files.append(("untracked.txt", names)) }
    }
    let variables = Dictionary(uniqueKeysWithValues: environment.map { ($0.key, $0.value) })
    let python = InterpreterProbe.python(of: command, in: workdir, environment: variables)
    return Capture(
      git: git,
      environment: RunEnvironment(
        os: machine.os, kernel: machine.kernel, cpu: machine.cpu, memory: machine.memory,
        cgroupMemory: machine.cgroupMemory, gpus: machine.gpus, python: python, argv: argv, cwd: workdir,
        variables: environment.mapValues(JSONValue.string)),
      files: files)
  }
}

extension [String] {
  /// A command's template up to its first word that differs from trial to trial, with the macros that name an interpreter
  /// in their places.
  var interpreted: [String] {
    map { $0 == "${env}" ? "/usr/bin/env" : $0 == "${interpreter}" ? "python3" : $0 }
  }
}

extension Conductor {
  /// What this machine is; asked once.
  func machine() async throws -> Machine {
    if let known = knownMachine { return known }
    let found = try await blocking { Machine.probe() }
    knownMachine = found
    return found
  }

  /// Keeps what a sweep was submitted with, once for all its trials. What cannot be kept is told in the log: the sweep
  /// runs all the same.
  nonisolated func keepFiles(of capture: Capture, ofSweep id: PublicID) async {
    let now = clock.now
    await keep(capture, of: "sweep \(id)") { writer, path, hash, size in
      try writer.setFile(
        path, hash, size: size, mediaType: "text/plain", ofSweep: try writer.row(ofSweep: id), now: now)
    }
  }

  nonisolated func keepFiles(of capture: Capture, ofRun id: PublicID) async {
    let (now, system) = (clock.now, system)
    await keep(capture, of: "run \(id)") { writer, path, hash, size in
      try writer.noteBlob(hash, size: size, run: id, isNamed: true, now: now)
      try writer.setFile(
        path, hash, mediaType: "text/plain", of: id, limit: Tracking.fileLimit, by: system, now: now)
    }
  }

  private nonisolated func keep(
    _ capture: Capture, of what: String,
    note: @escaping @Sendable (StoreWriter, String, [UInt8], Int64) throws -> Void
  ) async {
    guard !capture.files.isEmpty else { return }
    do {
      try await tracking.keepTexts(capture.files, note: note)
    } catch {
      logger.warning("What \(what) was submitted with could not be kept: \(error)")
    }
  }
}
