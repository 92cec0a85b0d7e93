// The data directory: private, held by one server at a time, refused in words.

import Foundation
import MartletExecution
import MartletModel
import MartletTestSupport
import OrderedCollections
import Testing

@testable import MartletStore

@Suite struct DataDirectoryTests {
  private func open(_ path: String) throws -> DataDirectory {
    try DataDirectory(path: path, allowsNetworkFileSystem: true)
  }

  @Test func isMadeForItsOwnerOnly() throws {
    let scratch = Scratch()
    let path = "\(scratch.path)/deep/data"
    let directory = try open(path)
    func mode(_ path: String) throws -> Int? {
      (try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber)?.intValue
    }
    #expect(try mode(path) == 0o700)
    #expect(try mode("\(path)/lock") == 0o600)
    #expect(try String(contentsOfFile: "\(path)/lock", encoding: .utf8) == "\(getpid())\n")
    let run = PublicID.random()
    #expect(directory.database == "\(path)/martlet.db")
    #expect(directory.attempt(2, of: run) == "\(path)/runs/\(run)/attempt-2")
  }

  @Test func aSecondServerIsRefusedAndTheLockEndsWithItsHolder() async throws {
    let scratch = Scratch()
    let path = "\(scratch.path)/data"
    do {
      let first = try open(path)
      let error = #expect(throws: Problem.self) { try open(path) }
      #expect(error?.code == .conflict)
      #expect(error?.details["pid"] == .int(Int64(getpid())))
      #expect(error?.message.contains("process \(getpid())") == true)
      #expect(error?.hint?.contains("martlet down --data \(first.path)") == true)
    }
    // A process that another test starts holds a copy of the descriptor until its exec.
    try await eventually("the lock is free") { (try? open(path)) != nil }
  }

  @Test func aKilledHolderLeavesNoLock() async throws {
    let scratch = Scratch()
    let path = "\(scratch.path)/data"
    _ = try open(path)
    let (input, output) = (Pipe(), Pipe())
    // The shell holds the lock itself: no child is left when it is killed.
    let script = #"exec 9<>"$1/lock"; flock 9; echo $$ > "$1/lock"; echo held; read line"#
    let holder = try ChildProcess(
      "/bin/sh", ["-c", script, "sh", path], environment: ["PATH": "/usr/bin:/bin"]
    ).start(
      input: input.fileHandleForReading.fileDescriptor, output: output.fileHandleForWriting.fileDescriptor,
      standing: .group)
    #expect(output.fileHandleForReading.availableData == Data("held\n".utf8))
    let error = #expect(throws: Problem.self) { try open(path) }
    #expect(error?.details["pid"] == .int(Int64(holder)))
    kill(holder, SIGKILL)
    try await eventually("the dead holder's lock is free") { (try? open(path)) != nil }
    var status: Int32 = 0
    #expect(waitpid(holder, &status, 0) == holder)
    withExtendedLifetime(input) {}
  }

  @Test(arguments: ["/proc/martlet-data", "/dev/null/data"])
  func whatCannotBeMadeIsSaidInWords(path: String) {
    let error = #expect(throws: Problem.self) { try open(path) }
    #expect(error?.code == .unavailable)
    #expect(error?.message.contains("The data directory \(path) cannot be made: ") == true)
    for word in ["Error Domain", "Code=", "NSCocoa", "The operation could not be completed"] {
      #expect(error?.message.contains(word) == false, "\(error?.message ?? "")")
    }
    #expect(error?.hint?.contains("--data") == true)
  }

  @Test func aLinkInTheLocksPlaceIsNotFollowed() throws {
    let scratch = Scratch()
    try FileManager.default.createSymbolicLink(
      atPath: "\(scratch.path)/lock", withDestinationPath: "\(scratch.path)/elsewhere")
    let error = #expect(throws: Problem.self) { try open(scratch.path) }
    #expect(error?.code == .unavailable)
    #expect(!FileManager.default.fileExists(atPath: "\(scratch.path)/elsewhere"))
  }

  @Test func localFileSystemsAreLocal() {
    #expect(DataDirectory.networkFileSystem(of: "/proc") == nil)
    #expect(DataDirectory.networkFileSystem(of: "/dev") == nil)
  }
}
