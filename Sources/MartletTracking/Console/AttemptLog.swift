// The log of one attempt, or of one client of a run from outside, with its lines counted as it grows.

import Foundation
import MartletModel
import Synchronization

/// Keeps count of a log's lines: what was counted once is not read again.
///
/// The order of the lines of both outputs is that of the index of times (`log.idx`): a line stands where its end was noted.
/// So the number of a closed line never changes, whoever counts.
///
/// `@unchecked`: what was counted is used under the lock.
final class AttemptLog: @unchecked Sendable {
  /// Bytes that are read anew where they were not written down.
  static let unsavedBytes = 8 << 20
  /// Records that are read at once.
  private static let recordsAtOnce = 1 << 16

  /// How far counting has come.
  enum Count: Sendable {
    case whole(LogView)
    /// The time was over; bytes.
    case part(done: Int, all: Int)
  }

  let directory: String
  private let spacing: Int
  /// Those who count, one after the other.
  private let turns = OrderedQueue()
  private let lock = NSLock()
  private var view: LogView
  private var isLoaded = false
  /// Bytes of the index of times that were read.
  private var indexRead = 0
  /// Bytes of both streams that were counted when it was written down.
  private var savedBytes = 0
  private let folds = Mutex<LogView.Folds>([nil, nil])

  /// - Parameter spacing: bytes from one place where reading may begin to the next.
  init(directory: String, spacing: Int = 1 << 20) {
    (self.directory, self.spacing) = (directory, spacing)
    view = LogView(directory: directory, spacing: spacing)
  }

  private var countedBytes: Int { view.streams.reduce(0) { $0 + $1.tracker.offset } }

  /// What is there now. Where much is to be counted, others have the lane in between; those who wait for this log too have
  /// no thread meanwhile.
  ///
  /// - Parameter hasEnded: nothing is awaited: what the index of times does not have stands behind all else.
  /// - Throws: `Problem.unavailable` when the time was over.
  func current(hasEnded: Bool, bound: LogBound, lane: Lane) async throws -> LogView {
    try await turns.run { [self] in
      while true {
        let step = bound.step(.seconds(1))
        switch try await lane.run({ try self.advance(hasEnded: hasEnded, bound: step) }) {
        case .whole(let view): return view
        case .part(let done, let all):
          if bound.isOver { throw bound.problem("The log", done: done, of: all) }
        }
      }
    }
  }

  /// Counts on; a step at least. May wait for the disk.
  func advance(hasEnded: Bool, bound: LogBound) throws -> Count {
    lock.lock()
    defer { lock.unlock() }
    if !isLoaded {
      isLoaded = true
      if let saved = LogCount.read(in: directory, spacing: spacing) {
        (view, indexRead) = (saved.view, saved.indexRead)
        savedBytes = countedBytes
      }
    }
    let isWhole = try refresh(hasEnded: hasEnded, bound)
    save()
    if isWhole { return .whole(view) }
    let done = view.streams.reduce(0) { $0 + $1.tail.offset }
    return .part(done: max(done, countedBytes), all: try sizes().reduce(0, +))
  }

  /// Lines, counted from the end where `from` is negative. May wait for the disk.
  ///
  /// - Throws: `Problem.unavailable` when the time was over.
  func lines(
    of view: LogView, from: Int, count: Int, at time: Timestamp?, _ scope: LogScope, bound: LogBound
  ) throws -> [LogLine] {
    let total = view.total(scope)
    var first = from < 0 ? max(0, total + from) : from
    if let time { first = try view.firstLine(at: time, scope, bound: bound) }
    first = min(first, total)
    var folds = folds.withLock(\.self)
    // Of two that read at once, either's end is good.
    defer { self.folds.withLock { $0 = folds } }
    return try view.lines(first..<min(total, first + count), scope, &folds, bound: bound)
  }

  // MARK: - Counting

  private func sizes() throws -> [Int] { try view.streams.map { try LogBytes(path: $0.path).size } }

  /// - Returns: false when the time was over before all was counted.
  private func refresh(hasEnded: Bool, _ bound: LogBound) throws -> Bool {
    var files: [Int]
    while true {
      // First the records, then the sizes: bytes are written before the record that tells of them, so each record's are
      // there. The other way round a log that grows in between would have a record of bytes that nobody sees yet.
      let (records, end) = try newRecords()
      files = try sizes()
      if zip(files, view.streams).contains(where: { $0 < $1.tracker.offset }) {
        forget()
        continue
      }
      guard end > indexRead else { break }
      guard try count(records, files, bound) else { return false }
      indexRead = end
    }
    for stream in view.streams.indices {
      if hasEnded, try !count(stream, to: files[stream], bound) { return false }
      if view.streams[stream].tail.offset <= view.streams[stream].tracker.offset {
        view.streams[stream].tail = view.streams[stream].tracker
      }
      let (path, start) = (view.streams[stream].path, view.streams[stream].tail.offset)
      var isInTime = true
      try LogBytes(path: path).read(from: start, to: files[stream]) { piece in
        view.streams[stream].tail.take(piece)
        isInTime = !bound.isOver || view.streams[stream].tail.offset >= files[stream]
        return isInTime
      }
      guard isInTime else { return false }
    }
    return true
  }

  /// A file is shorter than it was: somebody else has put another in its place.
  private func forget() {
    view = LogView(directory: directory, spacing: spacing)
    (indexRead, savedBytes) = (0, 0)
    folds.withLock { $0 = [nil, nil] }
  }

  /// The next records, each with the place behind it in the index, and the place behind all that were read.
  private func newRecords() throws -> (records: [(record: LogIndexRecord, end: Int)], end: Int) {
    let index = try LogBytes(path: "\(directory)/log.idx")
    let length = LogIndexRecord.length
    let end = min(index.size / length * length, indexRead + Self.recordsAtOnce * length)
    var bytes: [UInt8] = []
    index.read(from: indexRead, to: end) { piece in
      bytes += piece
      return true
    }
    let whole = bytes.count / length * length
    var records: [(record: LogIndexRecord, end: Int)] = []
    bytes.withUnsafeBytes { raw in
      for start in stride(from: 0, to: whole, by: length) {
        guard let record = LogIndexRecord(UnsafeRawBufferPointer(rebasing: raw[start...])) else { continue }
        records.append((record, indexRead + start + length))
      }
    }
    return (records, indexRead + whole)
  }

  /// Counts what some records tell of, those of one stream that follow one another at once.
  private func count(
    _ records: [(record: LogIndexRecord, end: Int)], _ files: [Int], _ bound: LogBound
  ) throws -> Bool {
    var rest = records[...]
    while let first = rest.first {
      let stream = first.record.stream == .stdout ? 0 : 1
      let group = rest.prefix { $0.record.stream == first.record.stream }
      for (record, _) in group {
        let size = min(record.size, files[stream])
        guard size > view.streams[stream].sizes.last ?? 0 else { continue }
        view.streams[stream].sizes.append(size)
        view.streams[stream].times.append(record.time)
      }
      // A group that is not whole yet is read again: what was noted of it stays as it is.
      guard try count(stream, to: view.streams[stream].sizes.last ?? 0, bound) else { return false }
      indexRead = group.last?.end ?? indexRead
      rest = rest.dropFirst(group.count)
    }
    return true
  }

  /// Counts a stream's lines up to a size that was noted, or is the last.
  ///
  /// - Returns: false when the time was over before that.
  private func count(_ stream: Int, to size: Int, _ bound: LogBound) throws -> Bool {
    let before = view.streams[stream].tracker.closed
    let (path, start) = (view.streams[stream].path, view.streams[stream].tracker.offset)
    guard start < size else { return true }
    var isInTime = true
    try LogBytes(path: path).read(from: start, to: size) { piece in
      view.streams[stream].tracker.take(piece)
      isInTime = !bound.isOver || view.streams[stream].tracker.offset >= size
      return isInTime
    }
    view.add(before..<view.streams[stream].tracker.closed, of: stream)
    return isInTime
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

/// The logs that were read last, and how many are read at once.
final class AttemptLogs: Sendable {
  private static let limit = 32

  /// For lines, and for counting them.
  let reading = Lane(places: 3)
  /// A search may take long: it holds up no reader.
  let searching = Lane(places: 2)
  private let logs = Mutex<[AttemptLog]>([])

  /// - Parameter directory: of the attempt.
  func log(in directory: String) -> AttemptLog {
    logs.withLock { logs in
      let known = logs.firstIndex { $0.directory == directory }.map { logs.remove(at: $0) }
      let log = known ?? AttemptLog(directory: directory)
      logs.append(log)
      if logs.count > Self.limit { logs.removeFirst() }
      return log
    }
  }
}
