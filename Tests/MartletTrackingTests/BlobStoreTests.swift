// Files by their hash: whole or not there, once however often they come.

import Foundation
import MartletModel
import MartletTestSupport
import Testing

@testable import MartletTracking

@Suite struct BlobStoreTests {
  private func hash(_ bytes: [UInt8]) throws -> ContentHash {
    try #require(ContentHash(bytes: SHA256.hash(bytes)))
  }

  private func upload(_ bytes: [UInt8], to store: BlobStore, piece: Int = 7) throws -> BlobUpload {
    let upload = try store.begin()
    for start in stride(from: 0, to: bytes.count, by: piece) {
      try bytes[start..<min(start + piece, bytes.count)].withUnsafeBytes { try upload.write($0) }
    }
    return upload
  }

  private func names(in path: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path).sorted()
  }

  @Test func hashesAreReadStrictly() throws {
    let hash = try hash([])
    #expect(hash.description == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    #expect(ContentHash(hash.description) == hash)
    for wrong in [
      "", hash.description.uppercased(), String(hash.description.dropLast()), hash.description + "0",
      "../" + hash.description.dropFirst(3), String(hash.description.dropLast()) + "g",
      String(repeating: "é", count: 32),
    ] { #expect(ContentHash(wrong) == nil, "\(wrong)") }
    #expect(ContentHash(bytes: [1, 2, 3]) == nil)
  }

  @Test func whatGoesInComesOut() throws {
    let scratch = Scratch()
    let store = try BlobStore(path: "\(scratch.path)/blobs")
    var numbers = SeededNumbers(seed: 3)
    for size in [0, 1, 63, 64, 65, 1_000, 300_000] {
      let bytes = (0..<size).map { _ in UInt8.random(in: 0...255, using: &numbers) }
      let hash = try hash(bytes)
      #expect(try store.open(hash) == nil)
      let upload = try upload(bytes, to: store, piece: 4_099)
      #expect(upload.size == Int64(size))
      #expect(try upload.end() == hash)
      try store.keep(upload, as: hash)
      try store.settle(hash)
      let blob = try #require(try store.open(hash))
      #expect(blob.size == Int64(size))
      #expect(try blob.read(from: 0, count: size + 10) == bytes)
      #expect(try blob.read(from: Int64(size / 2), count: 5) == Array(bytes[(size / 2)...].prefix(5)))
      #expect(try blob.read(from: Int64(size) + 1, count: 5).isEmpty)
      var status = stat()
      let path = "\(scratch.path)/blobs/\(hash.description.prefix(2))/\(hash.description.dropFirst(2))"
      #expect(stat(path, &status) == 0)
      #expect(status.st_mode & 0o777 == 0o600)
    }
    #expect(try names(in: "\(scratch.path)/blobs/tmp").isEmpty)
  }

  @Test func whatIsCutOffLeavesNothing() throws {
    let scratch = Scratch()
    let path = "\(scratch.path)/blobs"
    let store = try BlobStore(path: path)
    do {
      let dropped = try upload([1, 2, 3], to: store)
      #expect(try names(in: "\(path)/tmp").count == 1)
      withExtendedLifetime(dropped) {}
    }
    let given = try upload([1, 2, 3], to: store)
    given.discard()
    given.discard()
    #expect(try names(in: "\(path)/tmp").isEmpty)
    // A killed server's upload lies there until the next one starts.
    try scratch.write([1, 2], to: "blobs/tmp/abc.part")
    _ = try BlobStore(path: path)
    #expect(try names(in: "\(path)/tmp").isEmpty)
    #expect(try names(in: path) == ["tmp"])
  }

  @Test func anObjectWithoutItsNoteIsFoundAgain() throws {
    let scratch = Scratch()
    let path = "\(scratch.path)/blobs"
    let store = try BlobStore(path: path)
    let hash = try hash([1, 2, 3])
    let upload = try upload([1, 2, 3], to: store)
    _ = try upload.end()
    try store.keep(upload, as: hash)
    // Killed here: the next server finds its mark.
    let next = try BlobStore(path: path)
    #expect(try next.unsettled() == [hash])
    try next.remove(hash)
    try next.remove(hash)
    #expect(try next.unsettled().isEmpty)
    #expect(try next.open(hash) == nil)
  }

  @Test func anEqualReplacesADamagedOne() throws {
    let scratch = Scratch()
    let store = try BlobStore(path: "\(scratch.path)/blobs")
    let hash = try hash([1, 2, 3])
    for bytes in [[UInt8](), [9, 9, 9]] {
      try FileManager.default.createDirectory(
        atPath: "\(scratch.path)/blobs/\(hash.description.prefix(2))", withIntermediateDirectories: true)
      try scratch.write(bytes, to: "blobs/\(hash.description.prefix(2))/\(hash.description.dropFirst(2))")
      let upload = try upload([1, 2, 3], to: store)
      _ = try upload.end()
      try store.keep(upload, as: hash)
      #expect(try store.open(hash)?.read(from: 0, count: 9) == [1, 2, 3])
    }
  }

  @Test func aLinkIsNotFollowed() throws {
    let scratch = Scratch()
    let store = try BlobStore(path: "\(scratch.path)/blobs")
    let hash = try hash([1, 2, 3])
    try scratch.write([1, 2, 3], to: "elsewhere")
    let directory = "\(scratch.path)/blobs/\(hash.description.prefix(2))"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    #expect(symlink("\(scratch.path)/elsewhere", "\(directory)/\(hash.description.dropFirst(2))") == 0)
    #expect(throws: Problem.self) { try store.open(hash) }
  }

  @Test(
    arguments: [
      ([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0], "image/png"),
      ([0xFF, 0xD8, 0xFF, 0xE0], "image/jpeg"), (Array("GIF89a".utf8), "image/gif"),
      (Array("RIFF....WEBPVP8 ".utf8), "image/webp"), (Array("RIFF....WAVEfmt ".utf8), "audio/wav"),
      (Array("....ftypisom".utf8), "video/mp4"), (Array("....ftypM4A ".utf8), "audio/mp4"),
      (Array("....ftypavif".utf8), "image/avif"), (Array("OggS".utf8), "audio/ogg"),
      ([0x1A, 0x45, 0xDF, 0xA3] + Array("....B...webm".utf8), "video/webm"),
      (Array("fLaC".utf8), "audio/flac"),
      (Array("ID3".utf8), "audio/mpeg"), ([0xFF, 0xFB, 0x90], "audio/mpeg"),
      ([], nil), ([0x89, 0x50, 0x4E], nil), (Array("RIFF....AVI ".utf8), nil),
      (Array("<!DOCTYPE html><script>".utf8), nil), (Array("<svg onload=alert(1)>".utf8), nil),
      (Array("%PDF-1.7".utf8), nil), ([0x1A, 0x45, 0xDF, 0xA3] + Array("matroska".utf8), nil),
      ([0xFF], nil), ([0xFF, 0xD8], nil), (Array("GIF88a".utf8), nil),
    ] as [([UInt8], String?)])
  func kindsAreKnownByTheirFirstBytes(head: [UInt8], type: String?) {
    #expect(MediaType.sniff(head) == type)
  }
}
