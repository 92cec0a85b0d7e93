// Pieces of the files that an attempt's process writes its output to.

import Foundation
import Glibc
import MartletModel

/// A log as a file to hand out whole.
package struct LogFile: Sendable {
  /// In the data directory.
  package var path: String
  /// For whoever saves it.
  package var name: String

  /// Bytes by now; 0 where it has not begun. Waits for the disk.
  package func size() throws -> Int64 { Int64(try LogBytes(path: path).size) }
}

enum LogReading {
  /// Reads up to `limit` bytes from `offset` (negative: from the end) and cuts after the last whole line, unless one
  /// line is longer than `limit` or the log has ended.
  static func slice(
    path: String, stream: LogStream, attempt: Int, offset: Int, limit: Int, ended: Bool
  ) throws -> LogSlice {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else {
      // Not begun yet, or could not be started: an empty log.
      return LogSlice(
        stream: stream, attempt: attempt, offset: 0, nextOffset: 0, size: 0, ended: ended, text: "")
    }
    defer { close(descriptor) }
    let size = Int(lseek(descriptor, 0, SEEK_END))
    var start = offset < 0 ? max(0, size + offset) : min(offset, size)
    var isInsideLine = false
    if offset < 0, start > 0 {
      var before: UInt8 = 0
      isInsideLine = pread(descriptor, &before, 1, off_t(start - 1)) == 1 && before != 0x0A
    }
    var bytes = [UInt8](repeating: 0, count: min(limit, size - start))
    let length = bytes.withUnsafeMutableBytes {
      max(0, pread(descriptor, $0.baseAddress, $0.count, off_t(start)))
    }
    bytes.removeLast(bytes.count - length)
    // Counting from the end rarely meets a line's beginning; of a single long line, its end is what there is.
    if isInsideLine, let newline = bytes.firstIndex(of: 0x0A), newline + 1 < bytes.count {
      start += newline + 1
      bytes.removeFirst(newline + 1)
    }
    let reachesEnd = start + bytes.count == size
    if !(reachesEnd && ended), let newline = bytes.lastIndex(of: 0x0A) {
      bytes.removeLast(bytes.count - newline - 1)
    } else if !(reachesEnd && ended) {
      // The rest of the last character comes with the next piece; a limit below its length must not stand still.
      let unfinished = unfinishedScalar(at: bytes)
      if reachesEnd || unfinished < bytes.count { bytes.removeLast(unfinished) }
    }
    return LogSlice(
      stream: stream, attempt: attempt, offset: start, nextOffset: start + bytes.count, size: size,
      ended: ended,
      text: String(decoding: bytes, as: UTF8.self))
  }

  /// How many bytes at the end begin a UTF-8 scalar that goes on behind them.
  private static func unfinishedScalar(at bytes: [UInt8]) -> Int {
    for back in 1...3 where back <= bytes.count {
      let byte = bytes[bytes.count - back]
      if byte & 0xC0 == 0x80 { continue }
      let length = byte & 0xE0 == 0xC0 ? 2 : byte & 0xF0 == 0xE0 ? 3 : byte & 0xF8 == 0xF0 ? 4 : 1
      return length > back ? back : 0
    }
    return 0
  }
}
