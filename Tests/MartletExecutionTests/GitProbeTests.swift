// Git asked about real repositories.

import Foundation
import MartletModel
import MartletTestSupport
import Testing

@testable import MartletExecution

@Suite struct GitProbeTests {
  @discardableResult
  private func git(_ arguments: String..., in directory: String) throws -> String {
    let words = ["git", "-C", directory, "-c", "user.name=Martlet", "-c", "user.email=martlet@localhost"]
    let process = ChildProcess(
      "/usr/bin/env", words + arguments, environment: ProcessInfo.processInfo.environment)
    let answer = try process.run(within: .seconds(60))
    guard answer.isSuccess else { throw Unexpected("git \(arguments) failed") }
    return String(decoding: answer.output, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
  }

  @Test func `commit, branch, changes and remote of a repository`() async throws {
    try await withScratch { scratch in
      try git("init", "-q", "-b", "trunk", in: scratch)
      #expect(GitProbe.state(of: scratch) == nil, "no commit yet")
      try write("print(1)\n", to: "\(scratch)/train.py")
      try git("add", "train.py", in: scratch)
      try git("commit", "-q", "-m", "begin", in: scratch)
      let commit = try git("rev-parse", "HEAD", in: scratch)
      // The probe gives git three seconds, which a loaded machine may not have: it is asked again.
      let clean = GitState(commit: commit, branch: "trunk", isDirty: false, remote: nil)
      try await eventually("the state of \(clean)") { GitProbe.state(of: scratch) == clean }

      try FileManager.default.createDirectory(atPath: "\(scratch)/deep/er", withIntermediateDirectories: true)
      try write("untracked", to: "\(scratch)/deep/er/notes")
      try await eventually("untracked files are not the code") {
        GitProbe.state(of: "\(scratch)/deep/er")?.isDirty == false
      }

      try write("print(2)\n", to: "\(scratch)/train.py")
      try git("remote", "add", "origin", "https://me:s3cr3t@host.example/ml/digits.git", in: scratch)
      let changed = GitState(
        commit: commit, branch: "trunk", isDirty: true, remote: "https://host.example/ml/digits.git")
      try await eventually("the state of \(changed)") { GitProbe.state(of: "\(scratch)/deep") == changed }
    }
  }

  @Test func `no repository, no state`() async throws {
    try await withScratch { scratch in
      #expect(GitProbe.state(of: scratch) == nil)
      #expect(GitProbe.state(of: "\(scratch)/missing") == nil)
    }
  }

  @Test(arguments: [
    ("https://host/path.git", "https://host/path.git"),
    ("https://token@host/path.git", "https://host/path.git"),
    ("https://me:secret@host:8443/path.git", "https://host:8443/path.git"),
    ("https://me:se@cret@host/path.git", "https://host/path.git"),
    ("ssh://git@host/path.git", "ssh://host/path.git"),
    ("https://host/path@v1", "https://host/path@v1"),
    ("git@host:path.git", "git@host:path.git"),
    ("/srv/git/path.git", "/srv/git/path.git"),
  ]) func `credentials are left out`(url: String, plain: String) {
    #expect(Secrets.withoutCredentials(url) == plain)
  }
}
