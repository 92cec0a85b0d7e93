// The log of one attempt, or of one client of a run from outside, with its lines counted as it grows.

import Foundation
import Glibc
import MartletModel

/// Keeps count of a log's lines: what was counted once is not read again. All calls may wait for the disk.
///
/// The order of the lines of both outputs is that of the index of times (`log.idx`): a line stands where its end was noted.
/// So the number of a closed line never changes, whoever counts.
///
/// `@unchecked`: all that changes is used under the lock.
final class AttemptLog: @unchecked Sendable {
  /// Bytes that are read anew where they were not written down.
  static let unsavedBytes = 8 << 20

  let directory: String
  private let spacing: Int
  private let lock = NSLock()
  private var view: LogView
  /// Bytes of the index of times that were read.
  private var indexRead = 0
  private var folds: LogView.Folds = [nil, nil]
  /// Bytes of both streams that were counted when it was written down.
  private var savedBytes = 0

  /// - Parameter spacing: bytes from one place where reading may begin to the next.
  init(directory: String, spacing: Int = 1 << 20) {
    (self.directory, self.spacing) = (directory, spacing)
    view = LogView(directory: directory, spacing: spacing)
    if let saved = LogCount.read(in: directory, spacing: spacing) {
      (view, indexRead) = (saved.view, saved.indexRead)
      savedBytes = countedBytes
    }
  }

  private var countedBytes: Int { view.streams.reduce(0) { $0 + $1.tracker.offset } }

  /// What is there now.
  ///
  /// - Parameter hasEnded: nothing is awaited: what the index of times does not have stands behind all else.
  func current(hasEnded: Bool) throws -> LogView { try state(hasEnded: hasEnded).view }

  private func state(hasEnded: Bool) throws -> (view: LogView, folds: LogView.Folds) {
    lock.lock()
    defer { lock.unlock() }
    try refresh(hasEnded: hasEnded)
    return (view, folds)
  }

  /// Lines, counted from the end where `from` is negative.
  func lines(
    from: Int, count: Int, at time: Timestamp?, _ scope: LogScope, hasEnded: Bool
  ) throws -> (view: LogView, lines: [LogLine]) {
    let (view, before) = try state(hasEnded: hasEnded)
    let total = view.total(scope)
    var first = from < 0 ? max(0, total + from) : from
    if let time { first = try view.firstLine(at: time, scope) }
    first = min(first, total)
    var folds = before
    let lines = try view.lines(first..<min(total, first + count), scope, &folds)
    lock.lock()
    defer { lock.unlock() }
    // Of two that read at once, either's end is good.
    self.folds = folds
    return (view, lines)
  }

  // MARK: - Counting

  private func refresh(hasEnded: Bool) throws {
    let files = try view.streams.map { try LogBytes(path: $0.path).size }
    if zip(files, view.streams).contains(where: { $0 < $1.tracker.offset }) { forget() }
    var waiting: (stream: Int, size: Int)?
    for record in try newRecords() {
      let stream = record.stream == .stdout ? 0 : 1
      let size = min(record.size, files[stream])
      guard size > view.streams[stream].sizes.last ?? 0 else { continue }
      view.streams[stream].sizes.append(size)
      view.streams[stream].times.append(record.time)
      if let before = waiting, before.stream != stream { try count(before.stream, to: before.size) }
      waiting = (stream, size)
    }
    if let waiting { try count(waiting.stream, to: waiting.size) }
    for stream in view.streams.indices {
      if hasEnded { try count(stream, to: files[stream]) }
      if view.streams[stream].tail.offset <= view.streams[stream].tracker.offset {
        view.streams[stream].tail = view.streams[stream].tracker
      }
      let (path, start) = (view.streams[stream].path, view.streams[stream].tail.offset)
      try LogBytes(path: path).read(from: start, to: files[stream]) { piece in
        view.streams[stream].tail.take(piece)
        return true
      }
    }
    save()
  }

  /// A file is shorter than it was: somebody else has put another in its place.
  private func forget() {
    view = LogView(directory: directory, spacing: spacing)
    (indexRead, savedBytes, folds) = (0, 0, [nil, nil])
  }

  private func newRecords() throws -> [LogIndexRecord] {
    let index = try LogBytes(path: "\(directory)/log.idx")
    let end = index.size / LogIndexRecord.length * LogIndexRecord.length
    var bytes: [UInt8] = []
    index.read(from: indexRead, to: end) { piece in
      bytes += piece
      return true
    }
    let whole = bytes.count / LogIndexRecord.length * LogIndexRecord.length
    indexRead += whole
    return bytes.withUnsafeBytes { raw in
      stride(from: 0, to: whole, by: LogIndexRecord.length).compactMap {
        LogIndexRecord(UnsafeRawBufferPointer(rebasing: raw[$0...]))
      }
    }
  }

  /// Counts a stream's lines up to a size that was noted, or is the last.
  private func count(_ stream: Int, to size: Int) throws {
    let before = view.streams[stream].tracker.closed
    let (path, start) = (view.streams[stream].path, view.streams[stream].tracker.offset)
    try LogBytes(path: path).read(from: start, to: size) { piece in
      view.streams[stream].tracker.take(piece)
      return true
    }
    view.add(before..<view.streams[stream].tracker.closed, of: stream)
  }

  /// Written down when enough was counted; that it cannot be is no fault: it is counted again then.
  private func save() {
    guard countedBytes - savedBytes >= Self.unsavedBytes,
      view.streams.allSatisfy(\.tracker.isAtRest)
    else { return }
    LogCount(view: view, indexRead: indexRead).write(in: directory)
    savedBytes = countedBytes
  }
}

/// The logs that were read last.
final class AttemptLogs: @unchecked Sendable {
  private static let limit = 32

  private let lock = NSLock()
  private var logs: [AttemptLog] = []

  /// - Parameter directory: of the attempt.
  func log(in directory: String) -> AttemptLog {
    lock.lock()
    defer { lock.unlock() }
    let known = logs.firstIndex { $0.directory == directory }.map { logs.remove(at: $0) }
    let log = known ?? AttemptLog(directory: directory)
    logs.append(log)
    if logs.count > Self.limit { logs.removeFirst() }
    return log
  }
}
