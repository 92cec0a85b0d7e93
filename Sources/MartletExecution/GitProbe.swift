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
      remote: ask(["config", "--get", "remote.origin.url"], directory).map(withoutCredentials))
  }

  /// `https://user:secret@host/path` without user and secret.
  static func withoutCredentials(_ url: String) -> String {
    guard let scheme = url.range(of: "://") else { return url }
    // A secret may hold an @ of its own: the last one before the path counts.
    let authority = url[scheme.upperBound...].prefix { $0 != "/" }
    guard let at = authority.lastIndex(of: "@") else { return url }
    return String(url[..<scheme.upperBound]) + url[url.index(after: at)...]
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
    guard let answer = try? process.run(within: patience, limit: limit), answer.isSuccess else { return nil }
    return answer.output
  }
}
