// Files of runs: durable once they are answered, seen by their runs alone, gone with the last of them.

import Foundation
import MartletModel
import MartletStore
import MartletTestSupport
import OrderedCollections
import Testing

@testable import MartletTracking

@Suite struct BlobTests {
  private let bytes = Array("the bytes of a picture".utf8)

  private func hash(_ bytes: [UInt8]) throws -> ContentHash {
    try #require(ContentHash(bytes: SHA256.hash(bytes)))
  }

  private func put(
    _ bytes: [UInt8], as hash: ContentHash? = nil, _ run: PublicID, _ bench: Bench, access: Access? = nil
  ) async throws -> Int64 {
    let upload = try bench.tracking.blobs.begin()
    try bytes.withUnsafeBytes { try upload.write($0) }
    return try await bench.tracking.keepBlob(
      upload, as: try hash ?? self.hash(bytes), of: run, access: access ?? bench.access)
  }

  private func read(_ hash: ContentHash, _ run: PublicID, _ bench: Bench) async throws -> [UInt8] {
    let blob = try await bench.tracking.openBlob(hash, of: run, access: bench.access)
    return try blob.read(from: 0, count: Int(blob.size))
  }

  /// Files under the directory, those on their way included.
  private func files(_ bench: Bench) throws -> Int {
    let paths = try FileManager.default.subpathsOfDirectory(atPath: "\(bench.directory.path)/blobs")
    return paths.count { $0.utf8.count > 20 }
  }

  @Test func aRunSeesItsOwnFilesOnly() async throws {
    let bench = try await Bench()
    let (mine, other) = (try await bench.create(), try await bench.create())
    let hash = try hash(bytes)
    #expect(try await bench.tracking.blobSize(hash, of: mine, access: bench.access) == nil)
    #expect(try await put(bytes, mine, bench) == Int64(bytes.count))
    #expect(try await bench.tracking.blobSize(hash, of: mine, access: bench.access) == Int64(bytes.count))
    #expect(try await read(hash, mine, bench) == bytes)
    #expect(try await bench.tracking.blobSize(hash, of: other, access: bench.access) == nil)
    _ = try await problem(.notFound) { _ = try await read(hash, other, bench) }
    _ = try await problem(.notFound) {
      _ = try await bench.tracking.openBlob(hash, of: mine, access: bench.bound(run: other))
    }
    _ = try await problem(.notFound) {
      _ = try await put(bytes, mine, bench, access: bench.bound(run: other))
    }
    // Given again, and to another run: it lies there once.
    for run in [mine, other] { _ = try await put(bytes, run, bench) }
    #expect(try await read(hash, other, bench) == bytes)
    #expect(try files(bench) == 1)
    // A fork has the files that its rows name.
    let fork = try await bench.tracking.forkRun(mine, RunFork(step: nil, name: nil), access: bench.access)
    #expect(try await read(hash, fork.id, bench) == bytes)
  }

  @Test func bytesOfAnotherHashAreRefused() async throws {
    let bench = try await Bench()
    let run = try await bench.create()
    let wrong = try hash([1])
    let refused = try await problem(.unprocessable) { _ = try await put(bytes, as: wrong, run, bench) }
    #expect(refused.details["sha256"] == .string(try hash(bytes).description))
    _ = try await problem(.notFound) { _ = try await put(bytes, .random(), bench) }
    #expect(try files(bench) == 0)
  }

  @Test func theSameFileFromManyAtOnce() async throws {
    let bench = try await Bench()
    let runs = [try await bench.create(), try await bench.create(), try await bench.create()]
    let hash = try hash(bytes)
    try await withThrowingTaskGroup { group in
      for index in 0..<24 {
        group.addTask {
          let run = runs[index % 3]
          let size = try await put(bytes, run, bench)
          #expect(size == Int64(bytes.count))
          let back = try await read(hash, run, bench)
          #expect(back == bytes)
          if index % 5 == 0 { await bench.tracking.removeUnusedBlobs() }
        }
      }
      try await group.waitForAll()
    }
    #expect(try files(bench) == 1)
  }

  @Test func aFileGoesWithTheLastRunThatHasIt() async throws {
    let bench = try await Bench()
    let (first, second) = (try await bench.create(), try await bench.create())
    let (hash, own) = (try hash(bytes), try hash([7]))
    for run in [first, second] { _ = try await put(bytes, run, bench) }
    _ = try await put([7], first, bench)
    // The trash keeps it.
    _ = try await bench.tracking.deleteRun(first, purge: false, access: bench.access)
    await bench.tracking.removeUnusedBlobs()
    #expect(try files(bench) == 2)
    _ = try await bench.tracking.deleteRun(first, purge: true, access: bench.access)
    #expect(try files(bench) == 1)
    #expect(try bench.tracking.blobs.open(own) == nil)
    #expect(try await read(hash, second, bench) == bytes)
    _ = try await bench.tracking.deleteRun(second, purge: true, access: bench.access)
    #expect(try files(bench) == 0)
  }

  @Test func theTrashIsEmptiedAfterThirtyDays() async throws {
    let bench = try await Bench()
    let (old, young) = (try await bench.create(), try await bench.create())
    _ = try await put(bytes, old, bench)
    _ = try await bench.tracking.deleteRun(old, purge: false, access: bench.access)
    bench.clock.advance(Tracking.trashLifetime - 1)
    _ = try await bench.tracking.deleteRun(young, purge: false, access: bench.access)
    try await bench.tracking.clean(by: bench.access.principal)
    #expect(try await bench.show(old).deletedAt == noon)
    bench.clock.advance(2)
    try await bench.tracking.clean(by: bench.access.principal)
    _ = try await problem(.notFound) { _ = try await bench.show(old) }
    #expect(try files(bench) == 0)
    #expect(try await bench.show(young).deletedAt != nil)
  }

  /// Whoever put bytes for a name and was killed before it gave it leaves them for a day.
  @Test func bytesThatGetNoNameGoAfterADay() async throws {
    let bench = try await Bench()
    let run = try await bench.create()
    let hash = try hash(bytes)
    func put(_ bytes: [UInt8], isNamed: Bool = true) async throws {
      let upload = try bench.tracking.blobs.begin()
      try bytes.withUnsafeBytes { try upload.write($0) }
      _ = try await bench.tracking.keepBlob(
        upload, as: try self.hash(bytes), of: run, isNamed: isNamed, access: bench.access)
    }
    func known(_ bytes: [UInt8]) async throws -> Bool {
      try await bench.tracking.blobSize(
        try self.hash(bytes), of: run, isNamed: true, access: bench.access) != nil
    }
    let (named, logged): ([UInt8], [UInt8]) = ([1], [2])
    try await put(bytes)
    try await put(named)
    try await put(logged, isNamed: false)
    _ = try await bench.tracking.setFile(
      "model.pt", try self.hash(named), mediaType: nil, of: run, access: bench.access)
    #expect(try await known(bytes))
    // Soon gone is as good as gone: it is sent again, and has another day.
    bench.clock.advance(Tracking.unnamedLifetime * 0.6)
    #expect(try await !known(bytes))
    try await put(bytes)
    #expect(try await known(bytes))
    bench.clock.advance(Tracking.unnamedLifetime * 0.6)
    try await bench.tracking.clean(by: bench.access.principal)
    #expect(try await read(hash, run, bench) == bytes)
    bench.clock.advance(Tracking.unnamedLifetime * 0.6)
    try await bench.tracking.clean(by: bench.access.principal)
    _ = try await problem(.notFound) { _ = try await read(hash, run, bench) }
    #expect(try files(bench) == 2)
    for kept in [named, logged] { #expect(try await read(try self.hash(kept), run, bench) == kept) }
  }

  @Test func filesLeftBesideASpool() async throws {
    let bench = try await Bench()
    let (run, scratch) = (try await bench.create(), Scratch())
    let directory = "\(scratch.path)/blobs"
    try await bench.tracking.takeBlobs(in: directory, of: run)
    #expect(mkdir(directory, 0o700) == 0)
    try scratch.write(bytes, to: "blobs/\(try hash(bytes))")
    try scratch.write([1, 2], to: "blobs/\(try hash([3]))")
    try scratch.write([4], to: "blobs/notes.txt")
    try scratch.write([5], to: "secret")
    #expect(symlink("\(scratch.path)/secret", "\(directory)/\(try hash([5]))") == 0)
    #expect(mkfifo("\(directory)/\(try hash([6]))", 0o600) == 0)
    #expect(mkdir("\(directory)/\(try hash([7]))", 0o700) == 0)
    for _ in 0..<2 { try await bench.tracking.takeBlobs(in: directory, of: run) }
    #expect(try await read(try hash(bytes), run, bench) == bytes)
    #expect(try files(bench) == 1)
  }

  @Test func whatAKilledServerLeftIsCleanedUp() async throws {
    let bench = try await Bench()
    let run = try await bench.create()
    // Named, but not noted.
    let lost = try bench.tracking.blobs.begin()
    try [9].withUnsafeBytes { try lost.write($0) }
    try bench.tracking.blobs.keep(lost, as: try lost.end())
    // Noted, and killed before its mark was removed.
    _ = try await put(bytes, run, bench)
    try bench.tracking.blobs.unsettle(try hash(bytes))
    await bench.tracking.removeUnusedBlobs()
    #expect(try bench.tracking.blobs.open(try hash([9])) == nil)
    #expect(try await read(try hash(bytes), run, bench) == bytes)
    #expect(try bench.tracking.blobs.unsettled().isEmpty)
    // A file whose bytes are gone says so.
    try bench.tracking.blobs.remove(try hash(bytes))
    let gone = try await problem(.internal) { _ = try await read(try hash(bytes), run, bench) }
    #expect(gone.hint?.contains("doctor") == true)
  }
}
