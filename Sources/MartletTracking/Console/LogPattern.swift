// What is looked for in the lines of a log.

import Foundation
import Glibc
package import MartletModel

/// A text that is in a line, or a regular expression that is found there.
package struct LogPattern: Sendable {
  /// Bytes at most.
  private static let longest = 1_000

  let text: String
  /// Nil: the text itself is looked for.
  let regex: LinearRegex?
  let isCaseSensitive: Bool
  /// UTF-8; of ASCII letters the small ones where case does not count.
  private let needle: [UInt8]
  private let isASCII: Bool
  /// The byte of `needle` by which it is looked for: one that is rare in logs.
  private let anchor: Int

  /// - Throws: `Problem.badRequest` when it is empty, too long, or more than a line.
  package init(_ text: String, isCaseSensitive: Bool) throws(Problem) {
    guard !text.isEmpty, text.utf8.count <= Self.longest, !text.utf8.contains(where: { $0 < 0x20 }) else {
      throw Problem(
        .badRequest,
        "What is looked for must be 1 to \(Self.longest) bytes of text without control characters.",
        hint: "Look for a part of one line.")
    }
    self.text = text
    regex = nil
    self.isCaseSensitive = isCaseSensitive
    isASCII = text.utf8.allSatisfy { $0 < 0x80 }
    let needle = Array((isCaseSensitive ? text : text.lowercased()).utf8)
    self.needle = needle
    anchor = needle.indices.max { Self.rarity(needle[$0]) < Self.rarity(needle[$1]) } ?? 0
  }

  /// - Parameter regex: as `LinearRegex` knows them: no line takes longer than its length.
  /// - Throws: `Problem.badRequest` when it is none.
  package init(regex text: String, isCaseSensitive: Bool) throws(Problem) {
    guard !text.isEmpty else {
      throw Problem(
        .badRequest, "What is looked for must not be empty.", hint: "Look for a part of one line.")
    }
    do {
      regex = try LinearRegex(isCaseSensitive || text.hasPrefix("(?i)") ? text : "(?i)\(text)")
    } catch {
      throw Problem(
        .badRequest, "This is no regular expression that can be looked for: \(error.message).",
        hint: error.hint)
    }
    self.text = text
    self.isCaseSensitive = isCaseSensitive
    (needle, isASCII, anchor) = ([], false, 0)
  }

  func matcher() -> LogMatcher { LogMatcher(pattern: self, regex: regex?.matcher()) }

  /// How rare a byte is in what programs print, roughly.
  private static func rarity(_ byte: UInt8) -> Int {
    switch byte {
    case 0x20, UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."): 0
    case UInt8(ascii: "a")...UInt8(ascii: "z"):
      "etaoinsrlcd".utf8.contains(byte) ? 1 : "zqxjkvw".utf8.contains(byte) ? 4 : 2
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): 3
    default: 5
    }
  }

  /// Whether bytes that are whole lines can be searched as they are: what a terminal would not change but for bytes that
  /// are not in the text.
  var suitsBytes: Bool { regex != nil || isCaseSensitive || isASCII }
  /// A tab becomes blanks.
  var hasBlank: Bool { regex != nil || text.utf8.contains(0x20) }

  /// The next match in bytes that were made ready by `prepare`; nil: there is none.
  func find(in bytes: UnsafeRawBufferPointer, from place: Int) -> Int? {
    guard let start = bytes.baseAddress else { return nil }
    return needle.withUnsafeBufferPointer { needle in
      guard let text = needle.baseAddress else { return nil }
      var place = place
      while place + needle.count <= bytes.count {
        // The anchor's places, as far as the rest of the needle has room behind them.
        let room = bytes.count - place - needle.count + 1
        guard let hit = memchr(start + place + anchor, Int32(needle[anchor]), room) else { return nil }
        let found = start.distance(to: UnsafeRawPointer(hit)) - anchor
        if memcmp(start + found, text, needle.count) == 0 { return found }
        place = found + 1
      }
      return nil
    }
  }

  /// Makes letters small where case does not count.
  func prepare(_ bytes: UnsafeMutableRawBufferPointer) {
    guard !isCaseSensitive else { return }
    for index in bytes.indices {
      let byte = bytes[index]
      // Without a branch: A to Z, and nothing else, gets the bit that makes it small.
      bytes[index] = byte | ((byte &- 0x41 < 26 ? 1 : 0) << 5)
    }
  }

  /// Whether it is in a line.
  func isFound(in line: String) -> Bool {
    var bytes = Array((isCaseSensitive || isASCII ? line : line.lowercased()).utf8)
    return bytes.withUnsafeMutableBytes { raw in
      if isASCII { prepare(raw) }
      return find(in: UnsafeRawBufferPointer(raw), from: 0) != nil
    }
  }

  /// Says where it is in lines that hold it.
  func marker() -> LogMarker { LogMarker(pattern: self, regex: regex?.spans()) }

  /// Where the text is in a line, in units of UTF-16; none overlaps another.
  fileprivate func ranges(in line: String) -> [Range<Int>] {
    let whole = line as NSString
    var found: [Range<Int>] = []
    var rest = NSRange(location: 0, length: whole.length)
    while found.count < LogMarker.limit {
      let options: NSString.CompareOptions = isCaseSensitive ? [.literal] : [.literal, .caseInsensitive]
      let range = whole.range(of: text, options: options, range: rest)
      guard range.location != NSNotFound, range.length > 0 else { break }
      found.append(range.location..<range.location + range.length)
      let next = range.location + range.length
      rest = NSRange(location: next, length: whole.length - next)
    }
    return found
  }
}

/// Marks a pattern in the lines of one answer, which must not take long: a line that would is marked whole.
struct LogMarker {
  /// Matches in one line.
  static let limit = 1_000
  private static let lineSteps = 1 << 20

  let pattern: LogPattern
  var regex: RegexSpans?
  /// Steps that are left for all lines together.
  private var steps = 1 << 24

  init(pattern: LogPattern, regex: RegexSpans?) { (self.pattern, self.regex) = (pattern, regex) }

  /// In units of UTF-16; none overlaps another. Empty matches are not told of.
  mutating func ranges(in line: String) -> [Range<Int>] {
    guard regex != nil else { return pattern.ranges(in: line) }
    let room = min(steps, Self.lineSteps)
    var left = room
    let found = regex?.ranges(in: line, limit: Self.limit, steps: &left)
    steps -= room - left
    return found ?? [0..<line.utf16.count]
  }
}

/// Looks for a pattern in line after line: an automaton keeps what it has learned.
struct LogMatcher {
  let pattern: LogPattern
  var regex: RegexMatcher?

  /// - Parameter check: called after each millisecond or so of work; what it throws ends it.
  mutating func isFound(in line: String, check: () throws -> Void) rethrows -> Bool {
    try regex?.isFound(in: line, check: check) ?? pattern.isFound(in: line)
  }
}
