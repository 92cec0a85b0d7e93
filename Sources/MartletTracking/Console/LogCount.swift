// What was counted of a log, beside it: `lines.idx`. It can be removed at any time, and is made again.

import Glibc
import MartletModel
import MartletSeries

/// Little endian 64-bit words behind eight letters, and a checksum behind them.
struct LogCount {
  static let fileName = "lines.idx"
  private static let magic = Array("MLINES01".utf8)
  /// Bytes of the file. What would be larger is counted anew.
  private static let limit = 64 << 20

  var view: LogView
  /// Bytes of the index of times that are in it.
  var indexRead: Int

  func write(in directory: String) {
    var words: [Int] = [indexRead]
    for stream in view.streams {
      let tracker = stream.tracker
      words += [tracker.offset, tracker.position.row, tracker.position.deepest, tracker.isTouched ? 1 : 0]
      words += Self.words(tracker.style)
      words.append(tracker.restarts.count)
      for restart in tracker.restarts { words += [restart.row, restart.offset] + Self.words(restart.style) }
    }
    words += [view.merged, view.stretches.count]
    for stretch in view.stretches { words += [stretch.stream, stretch.row, stretch.number] }
    var bytes = Self.magic
    bytes.reserveCapacity(16 + 8 * words.count)
    for word in words { withUnsafeBytes(of: Int64(word).littleEndian) { bytes += $0 } }
    let sum = bytes.withUnsafeBytes { CRC32.checksum($0) }
    withUnsafeBytes(of: UInt64(sum).littleEndian) { bytes += $0 }
    if bytes.count <= Self.limit { Self.replace("\(directory)/\(Self.fileName)", with: bytes) }
  }

  private static func words(_ style: TerminalStyle) -> [Int] {
    [Int(style.foreground), Int(style.background), Int(style.attributes)]
  }

  /// A file of this name is whole; where it cannot be written, there is none.
  private static func replace(_ path: String, with bytes: [UInt8]) {
    let new = "\(path).tmp"
    let file = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard file >= 0 else { return }
    let isWhole = bytes.withUnsafeBytes { raw in
      var done = 0
      while done < raw.count {
        let count = Glibc.write(file, raw.baseAddress?.advanced(by: done), raw.count - done)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return false }
        done += count
      }
      return true
    }
    close(file)
    if !isWhole || rename(new, path) != 0 { unlink(new) }
  }

  /// Nil: there is none, it is damaged, or the files beside it are not those that were counted.
  static func read(in directory: String, spacing: Int) -> LogCount? {
    guard let file = try? LogBytes(path: "\(directory)/\(fileName)"), (16...limit).contains(file.size),
      file.size % 8 == 0
    else { return nil }
    var bytes: [UInt8] = []
    file.read(from: 0, to: file.size) { piece in
      bytes += piece
      return true
    }
    guard bytes.count == file.size, Array(bytes.prefix(8)) == magic else { return nil }
    let body = bytes.count - 8
    let isSound = bytes.withUnsafeBytes { raw in
      UInt64(CRC32.checksum(UnsafeRawBufferPointer(rebasing: raw[..<body])))
        == UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: body, as: UInt64.self))
    }
    guard isSound else { return nil }
    let words = bytes.withUnsafeBytes { raw in
      stride(from: 8, to: body, by: 8).map {
        Int(Int64(littleEndian: raw.loadUnaligned(fromByteOffset: $0, as: Int64.self)))
      }
    }
    var reader = Words(rest: words[...])
    return reader.count(in: directory, spacing: spacing)
  }

  /// Reads what `write` wrote; nil where it ends too early or makes no sense.
  private struct Words {
    var rest: ArraySlice<Int>

    mutating func next() -> Int? { rest.popFirst().flatMap { $0 >= 0 ? $0 : nil } }

    mutating func style() -> TerminalStyle? {
      guard let foreground = next().flatMap(UInt32.init(exactly:)),
        let background = next().flatMap(UInt32.init(exactly:)),
        let attributes = next().flatMap(UInt16.init(exactly:))
      else { return nil }
      return TerminalStyle(foreground: foreground, background: background, attributes: attributes)
    }

    mutating func count(in directory: String, spacing: Int) -> LogCount? {
      var view = LogView(directory: directory, spacing: spacing)
      guard let indexRead = next(), indexRead % LogIndexRecord.length == 0 else { return nil }
      for index in view.streams.indices {
        guard let tracker = tracker(spacing: spacing),
          let size = try? LogBytes(path: view.streams[index].path).size, size >= tracker.offset
        else { return nil }
        (view.streams[index].tracker, view.streams[index].tail) = (tracker, tracker)
      }
      guard let merged = next(), let count = next(), rest.count % 3 == 0, rest.count / 3 == count else {
        return nil
      }
      for place in 0..<count {
        guard let stream = next(), stream < 2, let row = next(), let number = next() else { return nil }
        view.ownStretches[stream].append(place)
        view.stretches.append(LogStretch(stream: stream, row: row, number: number))
      }
      view.merged = merged
      guard Self.areWhole(view) else { return nil }
      guard readTimes(of: &view, in: directory, upTo: indexRead) else { return nil }
      return LogCount(view: view, indexRead: indexRead)
    }

    /// Whether all closed rows of both streams are in the stretches, each once.
    private static func areWhole(_ view: LogView) -> Bool {
      var (rows, number) = ([0, 0], 0)
      for (place, stretch) in view.stretches.enumerated() {
        let end = place + 1 < view.stretches.count ? view.stretches[place + 1].number : view.merged
        guard stretch.number == number, stretch.row == rows[stretch.stream], end > number else {
          return false
        }
        rows[stretch.stream] += end - number
        number = end
      }
      return number == view.merged && rows == view.streams.map(\.tracker.closed)
    }

    private mutating func tracker(spacing: Int) -> RowTracker? {
      // Each row ends with a byte at least.
      guard let offset = next(), let row = next(), let deepest = next(), row <= deepest, deepest <= offset,
        let isTouched = next(), let style = style(), let count = next(), count > 0, count <= rest.count
      else { return nil }
      var restarts: [RowRestart] = []
      for _ in 0..<count {
        guard let row = next(), let offset = next(), let style = self.style() else { return nil }
        let isFirst = restarts.isEmpty && row == 0 && offset == 0
        guard isFirst || restarts.last.map({ row > $0.row && offset > $0.offset }) ?? false else {
          return nil
        }
        restarts.append(RowRestart(row: row, offset: offset, style: style))
      }
      guard let last = restarts.last, last.row <= deepest, last.offset <= offset else { return nil }
      return RowTracker(
        spacing: spacing, offset: offset, position: RowPosition(row: row, deepest: deepest),
        isTouched: isTouched == 1, style: style, restarts: restarts)
    }

    /// The times of what was counted are in the index of times itself.
    private func readTimes(of view: inout LogView, in directory: String, upTo end: Int) -> Bool {
      guard let index = try? LogBytes(path: "\(directory)/log.idx"), index.size >= end else { return false }
      var bytes: [UInt8] = []
      index.read(from: 0, to: end) { piece in
        bytes += piece
        return true
      }
      guard bytes.count == end else { return false }
      bytes.withUnsafeBytes { raw in
        for start in stride(from: 0, to: end - end % LogIndexRecord.length, by: LogIndexRecord.length) {
          guard let record = LogIndexRecord(UnsafeRawBufferPointer(rebasing: raw[start...])) else { continue }
          let stream = record.stream == .stdout ? 0 : 1
          guard record.size > view.streams[stream].sizes.last ?? 0 else { continue }
          view.streams[stream].sizes.append(record.size)
          view.streams[stream].times.append(record.time)
        }
      }
      return true
    }
  }
}
