// Logs as supervisors write them, and reading them in a test's own time.

import Foundation
import MartletModel
import MartletTestSupport
import Synchronization

@testable import MartletTracking

/// A log as a supervisor writes it: pieces of two outputs, each noted when it came. One thread at a time writes it.
final class WrittenLog: @unchecked Sendable {
  let directory = Scratch()
  private var sizes: [LogStream: Int] = [:]
  private(set) var time: Int64 = 1_000

  func write(_ text: String, _ stream: LogStream = .stdout, isNoted: Bool = true) throws {
    let path = "\(directory.path)/\(stream.rawValue).log"
    try append(Array(text.utf8), to: path)
    sizes[stream, default: 0] += text.utf8.count
    time += 10
    guard isNoted else { return }
    let record = LogIndexRecord(time: time, stream: stream, size: sizes[stream] ?? 0)
    try append(record.bytes, to: "\(directory.path)/log.idx")
  }

  private func append(_ bytes: [UInt8], to path: String) throws {
    if !FileManager.default.fileExists(atPath: path) {
      try Data().write(to: URL(fileURLWithPath: path))
    }
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try file.seekToEnd()
    try file.write(contentsOf: Data(bytes))
    try file.close()
  }

  /// Pieces of two outputs with bars, colours and cut lines.
  func fill(_ dice: inout SeededNumbers, pieces: Int) throws {
    for _ in 0..<pieces {
      let stream: LogStream = Int.random(in: 0..<4, using: &dice) == 0 ? .stderr : .stdout
      let text = (0..<Int.random(in: 1...6, using: &dice)).map { _ in
        switch Int.random(in: 0..<12, using: &dice) {
        case 0: "\r\(Int.random(in: 0..<100, using: &dice))%"
        case 1: "\u{1B}[3\(Int.random(in: 0..<8, using: &dice))mstep\u{1B}[0m"
        case 2: "cut "
        case 3: "\n\u{1B}[A\rback"
        case 4: "Needle \(Int.random(in: 0..<9, using: &dice))\n"
        default: "loss \(Int.random(in: 0..<1_000, using: &dice))\n"
        }
      }.joined()
      try write(text, stream, isNoted: Int.random(in: 0..<10, using: &dice) > 0)
    }
  }

  func log(spacing: Int = 1 << 20) -> AttemptLog { AttemptLog(directory: directory.path, spacing: spacing) }
}

/// Nobody is in a hurry.
let unhurried = LogBound(deadline: .now + .seconds(3_600))

/// A bound that is over after it was asked some times.
func bound(looks: Int) -> LogBound {
  let left = Atomic(looks)
  return LogBound(deadline: .now + .seconds(3_600)) { left.subtract(1, ordering: .relaxed).newValue < 0 }
}

extension AttemptLog {
  func current(hasEnded: Bool) throws -> LogView {
    guard case .whole(let view) = try advance(hasEnded: hasEnded, bound: unhurried) else {
      throw Unexpected("not all was counted")
    }
    return view
  }

  func lines(
    from: Int, count: Int, at time: Timestamp?, _ scope: LogScope, hasEnded: Bool
  ) throws -> (view: LogView, lines: [LogLine]) {
    let view = try current(hasEnded: hasEnded)
    return (view, try lines(of: view, from: from, count: count, at: time, scope, bound: unhurried))
  }

  func texts(
    _ scope: LogScope = .all, from: Int = 0, count: Int = 5_000, hasEnded: Bool = false
  ) throws -> [String] {
    try lines(from: from, count: count, at: nil, scope, hasEnded: hasEnded).lines.map(\.text)
  }

  func matches(
    _ text: String, _ scope: LogScope = .all, isCaseSensitive: Bool = true, after: Int? = nil,
    limit: Int = 100
  ) throws -> LogMatches {
    try current(hasEnded: false).search(
      try LogPattern(text, isCaseSensitive: isCaseSensitive), scope, after: after, limit: limit,
      bound: unhurried)
  }
}
