// Which code a command is about to run: asked of git, once a submission.

import Foundation
package import MartletModel

package enum GitProbe {
  /// The state of the repository around `directory`; nil where there is none or no git. Blocks; at most some seconds.
  package static func state(of directory: String) -> GitState? {
    guard let commit = ask(["rev-parse", "HEAD"], directory) else { return nil }
    let status = ask(["status", "--porcelain", "--untracked-files=no"], directory)
    return GitState(
      commit: commit, branch: ask(["rev-parse", "--abbrev-ref", "HEAD"], directory),
      isDirty: status.map { !$0.isEmpty },
      remote: ask(["config", "--get", "remote.origin.url"], directory).map(
        Secrets.withoutCredentials))
  }

  private static func ask(_ arguments: [String], _ directory: String) -> String? {
    bytes(of: arguments, in: directory).map {
      String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
  }

  /// What git writes when it is asked in `directory`. Blocks.
  ///
  /// - Parameters:
  ///   - patience: how long it may take.
  ///   - limit: bytes that it may write.
  /// - Returns: nil where there is no git, it fails, or it goes beyond time or limit.
  package static func bytes(
    of arguments: [String], in directory: String, within patience: Duration = .seconds(3),
    limit: Int = 1 << 20
  ) -> [UInt8]? {
    let environment = ProcessInfo.processInfo.environment
    guard let git = ChildProcess.locate("git", environment: environment) else { return nil }
    // Nothing of the repository is written: whoever works in it may hold its locks.
    let process = ChildProcess(
      git, ["--no-optional-locks", "-C", directory] + arguments, environment: environment)
    // A git that does not even start says nothing: the state of the code is kept where it is known, and no run waits
    // for it or fails without.
    guard let answer = try? process.run(within: patience, limit: limit), answer.isSuccess else { return nil }
    return answer.output
  }

  // MARK: - What is not committed

  /// Bytes of changes, and of names, that are kept.
  package static let longestPatch = 10_000_000
  package static let longestList = 1_000_000

  /// The changes of tracked files against the last commit, as a patch of the whole repository; nil: there are none, or
  /// no repository. Blocks; at most some seconds. A patch that is too long or takes too long is cut and says so at its end.
  package static func changes(in directory: String) -> [UInt8]? {
    list(
      [
        "diff", "--no-color", "--no-ext-diff", "--no-textconv", "--binary", "--src-prefix=a/",
        "--dst-prefix=b/",
        "HEAD",
      ], of: directory, limit: longestPatch)
  }

  /// The names of untracked files that are not ignored, from the repository's root on, a line each; nil: there are none,
  /// or no repository. Blocks; at most some seconds. A list that is too long or takes too long is cut and says so.
  package static func untracked(in directory: String) -> [UInt8]? {
    list(
      ["ls-files", "--others", "--exclude-standard", "--full-name", "--", ":/"], of: directory,
      limit: longestList)
  }

  private static func list(_ arguments: [String], of directory: String, limit: Int) -> [UInt8]? {
    let environment = ProcessInfo.processInfo.environment
    guard let git = ChildProcess.locate("git", environment: environment) else { return nil }
    let process = ChildProcess(
      git,
      // A repository may name programs that git is to start: none is.
      ["--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false", "-C", directory]
        + arguments, environment: environment)
    // As for the state: what cannot be found out is not kept.
    guard let answer = try? process.run(within: .seconds(10), limit: limit) else { return nil }
    let reason: String
    switch answer.ending {
    case .exited(0): return answer.output.isEmpty ? nil : answer.output
    case .exited, .signalled, .unknown: return nil
    case .tooLong: reason = "\(limit) bytes"
    case .outOfTime: reason = "10 seconds"
    }
    // Whole lines, so that what is there can be read.
    let end = answer.output.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    return Array(answer.output[..<end]) + Array("# Martlet left out what came after \(reason).\n".utf8)
  }
}
