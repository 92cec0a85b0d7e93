// Lines that wait on the disk to be read once more.

import Foundation

/// A file without a name: whatever becomes of this process, nothing of it stays.
final class ScratchLines {
  private let descriptor: Int32
  private let directory: String
  private var pending: [UInt8] = []

  private static let piece = 1 << 18

  init(in directory: String) throws(Failure) {
    self.directory = directory
    var template = Array("\(directory)/.martlet-XXXXXX".utf8CString)
    descriptor = mkstemp(&template)
    guard descriptor >= 0 else { throw Failure(writing: directory, code: errno) }
    unlink(template)
  }

  deinit { close(descriptor) }

  /// - Parameter line: with its line feed.
  func append(_ line: [UInt8]) throws(Failure) {
    pending += line
    if pending.count >= Self.piece { try flush() }
  }

  private func flush() throws(Failure) {
    try OutputFile.write(pending, to: descriptor, of: directory)
    pending.removeAll(keepingCapacity: true)
  }

  /// Calls `body` with each line, without its line feed.
  func each(_ body: (ArraySlice<UInt8>) throws -> Void) throws {
    try flush()
    lseek(descriptor, 0, SEEK_SET)
    var rest: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: Self.piece)
    while true {
      let count = read(descriptor, &piece, piece.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { break }
      rest += piece[..<count]
      var start = 0
      while let end = rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
        try body(rest[start..<end])
        start = end + 1
      }
      rest.removeFirst(start)
    }
  }
}
