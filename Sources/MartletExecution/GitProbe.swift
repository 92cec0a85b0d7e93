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
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    // KILL: what a thread of Dispatch starts inherits its blocked signals, SIGTERM among them.
    process.arguments =
      ["timeout", "-s", "KILL", "3", "git", "--no-optional-locks", "-C", directory] + arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    do {
      try process.run()
    } catch {
      return nil
    }
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { return nil }
    return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
