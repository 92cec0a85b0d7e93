// The bytes of media and files: each object lies under the SHA-256 of its content.

import Foundation
import Glibc
package import MartletModel

/// The name of an object: the SHA-256 of its bytes.
package struct ContentHash: Hashable, Sendable, CustomStringConvertible {
  /// 32 of them.
  package let bytes: [UInt8]

  /// Nil unless there are 32 bytes.
  package init?(bytes: [UInt8]) {
    guard bytes.count == 32 else { return nil }
    self.bytes = bytes
  }

  /// Nil unless `text` is 64 hexadecimal digits in lower case.
  package init?(_ text: String) {
    let digits = Array(text.utf8)
    guard digits.count == 64 else { return nil }
    var bytes: [UInt8] = []
    for pair in stride(from: 0, to: 64, by: 2) {
      guard let high = Self.value(of: digits[pair]), let low = Self.value(of: digits[pair + 1]) else {
        return nil
      }
      bytes.append(high << 4 | low)
    }
    self.bytes = bytes
  }

  private static func value(of digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    default: nil
    }
  }

  package var description: String { hexadecimal(bytes) }
}

/// A directory of objects: `ab/cdef…` for each, `tmp/` for those on their way in.
///
/// An object's bytes are written to a temporary name, synced and renamed, so what has its own name is whole. All calls
/// may wait for the disk: they belong on a thread that may.
package final class BlobStore: Sendable {
  /// Bytes of one object.
  package static let largest: Int64 = 5 << 30

  let path: String

  /// Makes the directory (0700) where it is missing and removes uploads that were cut off.
  ///
  /// - Throws: `Problem.unavailable`.
  package init(path: String) throws(Problem) {
    self.path = path
    do {
      try FileManager.default.createDirectory(
        atPath: "\(path)/tmp", withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      for name in try FileManager.default.contentsOfDirectory(atPath: "\(path)/tmp")
      where name.hasSuffix(Self.partial) {
        try FileManager.default.removeItem(atPath: "\(path)/tmp/\(name)")
      }
    } catch {
      throw Problem(
        .unavailable, "The directory of files \(path) cannot be used: \(error.localizedDescription).",
        hint: "Give the account that runs the server the right to write there.")
    }
  }

  private static let partial = ".part"

  /// Begins an object whose hash is not known yet.
  package func begin() throws(Problem) -> BlobUpload {
    try BlobUpload(path: "\(path)/tmp/\(PublicID.random())\(PublicID.random())\(Self.partial)")
  }

  // MARK: - Names

  private func directory(of hash: ContentHash) -> String { "\(path)/\(hash.description.prefix(2))" }
  private func place(of hash: ContentHash) -> String {
    "\(directory(of: hash))/\(hash.description.dropFirst(2))"
  }
  /// Lies there from before an object gets its name until the database knows it, and from before the database forgets
  /// it until it is removed.
  private func mark(of hash: ContentHash) -> String { "\(path)/tmp/\(hash)" }

  /// Gives an ended upload its name; an object that is there already is replaced by its equal.
  ///
  /// Until `settle`, the object counts as one that nobody may know of.
  func keep(_ upload: BlobUpload, as hash: ContentHash) throws(Problem) {
    let directory = directory(of: hash)
    if mkdir(directory, 0o700) == 0 {
      try sync(directory: path)
    } else if errno != EEXIST {
      throw blobProblem("\(directory) cannot be made")
    }
    try unsettle(hash)
    try upload.rename(to: place(of: hash))
    try sync(directory: directory)
  }

  /// From now on the object counts as one that nobody may know of.
  func unsettle(_ hash: ContentHash) throws(Problem) {
    let mark = Glibc.open(mark(of: hash), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard mark >= 0 else { throw blobProblem("\(path)/tmp cannot be written") }
    close(mark)
  }

  /// The database knows the object: it stays.
  func settle(_ hash: ContentHash) throws(Problem) { try unlinkIfThere(mark(of: hash)) }

  /// Objects that got their name and may be unknown to the database: a server was killed in between.
  func unsettled() throws -> [ContentHash] {
    try FileManager.default.contentsOfDirectory(atPath: "\(path)/tmp").sorted().compactMap(
      ContentHash.init(_:))
  }

  /// Removes an object; one that is not there is removed already.
  func remove(_ hash: ContentHash) throws(Problem) {
    try unlinkIfThere(place(of: hash))
    try unlinkIfThere(mark(of: hash))
  }

  private func unlinkIfThere(_ file: String) throws(Problem) {
    if unlink(file) != 0, errno != ENOENT { throw blobProblem("\(file) cannot be removed") }
  }

  private func sync(directory: String) throws(Problem) {
    let descriptor = Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw blobProblem("\(directory) cannot be opened") }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw blobProblem("\(directory) cannot be written") }
  }

  // MARK: - Reading

  /// Opens an object; nil: it is not there.
  package func open(_ hash: ContentHash) throws(Problem) -> OpenBlob? {
    let descriptor = Glibc.open(place(of: hash), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw blobProblem("The object \(hash) cannot be read")
    }
    return try OpenBlob(descriptor: descriptor, hash: hash)
  }
}

/// An object that is being read.
package final class OpenBlob: Sendable {
  package let hash: ContentHash
  /// Bytes.
  package let size: Int64
  private let descriptor: Int32

  fileprivate init(descriptor: Int32, hash: ContentHash) throws(Problem) {
    self.descriptor = descriptor
    self.hash = hash
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      let problem = blobProblem("The object \(hash) cannot be read")
      close(descriptor)
      throw problem
    }
    size = Int64(status.st_size)
  }

  deinit { close(descriptor) }

  /// Up to `count` bytes from `offset`; fewer only at the end.
  package func read(from offset: Int64, count: Int) throws(Problem) -> [UInt8] {
    var failure: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let more = pread(
          descriptor, buffer.baseAddress.map { $0 + filled }, count - filled, off_t(offset) + off_t(filled))
        if more < 0, errno == EINTR { continue }
        if more < 0 { failure = errno }
        guard more > 0 else { return }
        filled += more
      }
    }
    guard failure == 0 else { throw blobProblem("The object \(hash) cannot be read", code: failure) }
    return bytes
  }
}

func blobProblem(_ what: String, code: Int32 = errno) -> Problem {
  switch code {
  case ENOSPC, EDQUOT:
    Problem(
      .unavailable, "The disk of the data directory is full; the file was not kept.",
      hint: "Make room and send it again.")
  case EROFS:
    Problem(
      .unavailable, "The data directory is read-only; the file was not kept.",
      hint: "Make it writable again and retry.")
  default:
    Problem(
      .unavailable, "\(what): \(String(cString: strerror(code))).",
      hint: "The account that runs the server must own the data directory and be able to write there.")
  }
}
