// What lies beside a spool: what was seen of its program from outside, and what that printed (docs/spool.md).

import CDispatch  // where the module map puts struct stat
import Foundation
import MartletModel
import OrderedCollections

/// How far what lies beside a spool is sent, and what comes next of it.
final class SpoolBeside {
  /// What one stream got between two moments.
  struct Output {
    var stream: String
    /// Bytes of the stream before it.
    var offset: Int64
    /// Microseconds since 1970, of its last byte.
    var time: Int64
    var bytes: [UInt8]
  }

  /// Where a look at the output ended, for `delivered`.
  struct Place {
    fileprivate var segment: Int
    fileprivate var offset: Int64
    fileprivate var sent: [String: Int64]
  }

  private struct Frame {
    var stream: Int
    var time: Int64
    var bytes: ArraySlice<UInt8>
    var end: Int
  }

  private let stem: String
  /// Of the observer's lines, the server knows what stands before this byte.
  private var seen: Int64
  /// The file of the output that is being read, and how far; negative: none yet.
  private var segment: Int
  private var offset: Int64
  private var sent: [String: Int64] = [:]

  private static let streams = ["", "stdout", "stderr"]
  private static let headBytes = 16
  private static let longestFrame = 1 << 20
  private static let pieceBytes = 256 << 10
  private static let mostTurns = 16

  /// - Parameter noted: what the spool's `.ack` says.
  init(stem: String, noted: JSONValue) {
    self.stem = stem
    seen = noted["seen"]?.int ?? 0
    let console = noted["console"]
    segment = console?["segment"]?.int.flatMap { Int(exactly: $0) } ?? -1
    offset = console?["at"]?.int ?? 0
    for stream in Self.streams.dropFirst() { sent[stream] = console?[stream]?.int ?? 0 }
  }

  /// Members of the `.ack`.
  var mark: JSONObject {
    var mark: JSONObject = [:]
    if seen > 0 { mark["seen"] = .int(seen) }
    if segment >= 0 {
      var console: JSONObject = ["segment": .int(Int64(segment)), "at": .int(offset)]
      for stream in Self.streams.dropFirst() { console[stream] = .int(sent[stream] ?? 0) }
      mark["console"] = .object(console)
    }
    return mark
  }

  // MARK: - What was seen

  /// Whether an observer is at it just now.
  var isWatched: Bool {
    let file = open(stem + ".seen", O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard file >= 0 else { return false }
    defer { close(file) }
    return flock(file, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
  }

  /// The next whole lines, each with the offset behind it.
  func lines() -> [(line: JSONValue, end: Int64)] {
    var count = Self.pieceBytes
    var chunk = Self.bytes(of: stem + ".seen", from: seen, count: count)
    // One line may be longer.
    while chunk.count == count, !chunk.contains(UInt8(ascii: "\n")) {
      count *= 2
      chunk = Self.bytes(of: stem + ".seen", from: seen, count: count)
    }
    var found: [(JSONValue, Int64)] = []
    var start = 0
    while let end = chunk[start...].firstIndex(of: UInt8(ascii: "\n")) {
      // A line that was cut off when its writer was killed is lost; those behind it are whole.
      if let line = try? JSONValue.parse(Array(chunk[start..<end])) {
        found.append((line, seen + Int64(end + 1)))
      }
      start = end + 1
    }
    return found
  }

  /// The server knows what stands before this byte.
  func told(to end: Int64) { seen = end }

  // MARK: - Output

  /// The next pieces of output; nil when there is no more.
  func output() -> (pieces: [Output], place: Place)? {
    if segment < 0 {
      guard let first = Self.segments(of: stem).first else { return nil }
      segment = first
    }
    var (number, at) = (segment, offset)
    while true {
      // Asked before the look, never after.
      let isLast = access(Self.path(stem, number + 1), F_OK) != 0
      let count = Self.pieceBytes + Self.longestFrame + Self.headBytes
      let frames = Self.frames(in: Self.bytes(of: Self.path(stem, number), from: at, count: count))
      if let last = frames.last { return pieces(of: frames, number, at + Int64(last.end)) }
      if isLast { return nil }
      // What is left of this file is a torn frame, or nothing.
      (number, at) = (number + 1, 0)
    }
  }

  /// The server has what `output` gave.
  func delivered(_ place: Place) { (segment, offset, sent) = (place.segment, place.offset, place.sent) }

  /// The server has only so many bytes of a stream (it was restored from a backup): it goes on from there.
  func expects(_ stream: String, _ size: Int64) { sent[stream] = size }

  /// Removes what is sent and noted.
  func forget() {
    for number in Self.segments(of: stem) where number < segment { unlink(Self.path(stem, number)) }
  }

  /// Removes all that lies beside a spool.
  static func remove(_ stem: String) {
    for number in segments(of: stem) { unlink(path(stem, number)) }
    for suffix in [".wanted", ".seen"] { unlink(stem + suffix) }
  }

  /// A piece a turn of the streams, so that a reader sees them as they came; where they take turns all the time, each stream
  /// is one.
  private func pieces(of frames: [Frame], _ number: Int, _ end: Int64) -> (pieces: [Output], place: Place) {
    var turns: [[Frame]] = []
    for frame in frames {
      if turns.last?.first?.stream == frame.stream {
        turns[turns.count - 1].append(frame)
      } else {
        turns.append([frame])
      }
    }
    if turns.count > Self.mostTurns {
      turns = [1, 2].map { stream in frames.filter { $0.stream == stream } }
    }
    var place = Place(segment: number, offset: end, sent: sent)
    var pieces: [Output] = []
    for turn in turns {
      guard let last = turn.last else { continue }
      let name = Self.streams[last.stream]
      let bytes = turn.flatMap(\.bytes)
      let offset = place.sent[name] ?? 0
      pieces.append(Output(stream: name, offset: offset, time: last.time, bytes: bytes))
      place.sent[name] = offset + Int64(bytes.count)
    }
    return (pieces, place)
  }

  /// The whole frames that go together: two seconds of them, or a piece.
  private static func frames(in chunk: [UInt8]) -> [Frame] {
    var (frames, at, size): ([Frame], Int, Int) = ([], 0, 0)
    while at + headBytes <= chunk.count {
      let (length, time) = chunk.withUnsafeBytes {
        (
          Int(UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: at + 4, as: UInt32.self))),
          Int64(littleEndian: $0.loadUnaligned(fromByteOffset: at + 8, as: Int64.self))
        )
      }
      let end = at + headBytes + length
      let stream = Int(chunk[at + 1])
      guard chunk[at] == 0xC5, [1, 2].contains(stream), length <= longestFrame, end <= chunk.count else {
        break
      }
      if let first = frames.first {
        let (passed, isOverflow) = time.subtractingReportingOverflow(first.time)
        if size + length > pieceBytes || isOverflow || !(0...2_000_000).contains(passed) { break }
      }
      frames.append(Frame(stream: stream, time: time, bytes: chunk[(at + headBytes)..<end], end: end))
      size += length
      at = end
    }
    return frames
  }

  // MARK: - Files

  private static func path(_ stem: String, _ number: Int) -> String {
    let digits = String(number)
    return "\(stem).console.\(String(repeating: "0", count: max(0, 6 - digits.count)))\(digits)"
  }

  private static func segments(of stem: String) -> [Int] {
    let place = URL(fileURLWithPath: stem)
    let start = place.lastPathComponent + ".console."
    // A folder that cannot be listed shows none: what is in it is sent by the next call.
    let names =
      (try? FileManager.default.contentsOfDirectory(atPath: place.deletingLastPathComponent().path)) ?? []
    return names.filter { $0.hasPrefix(start) }.compactMap { Int($0.dropFirst(start.count)) }.sorted()
  }

  private static func bytes(of path: String, from offset: Int64, count: Int) -> [UInt8] {
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard file >= 0 else { return [] }
    defer { close(file) }
    return SpoolFile.read(file, from: offset, count: count)
  }
}
