// Where a regular expression is found in a text: for marking what `RegexMatcher` found.

extension LinearRegex {
  public func spans() -> RegexSpans { RegexSpans(program) }
}

/// Finds the matches of one expression: of those that begin first the longest (POSIX.1-2017 Base Definitions §9.1).
///
/// The sets of nodes are walked themselves (K. Thompson, 1968), since a deterministic automaton of all of them would have to
/// be learned for each of the two directions. That takes text × text × pattern at worst, so steps are counted.
public struct RegexSpans: Sendable {
  private let program: RegexProgram
  /// The nodes that take a character, and whether the end was reached, when a match begins at the text's start, or later.
  private var starts: [NodeSet] = []
  /// In which round a node was last reached.
  private var rounds: [Int]
  private var round = 0

  private struct NodeSet {
    var nodes: [Int] = []
    var isMatch = false
  }

  init(_ program: RegexProgram) {
    self.program = program
    rounds = Array(repeating: 0, count: program.nodes.count)
  }

  /// Matches that are not empty, none of which overlaps another; in units of UTF-16.
  ///
  /// - Parameters:
  ///   - limit: how many are told of.
  ///   - steps: nodes that may be looked at; what is left of them is there afterwards.
  /// - Returns: nil when these were not enough.
  public mutating func ranges(in text: String, limit: Int, steps: inout Int) -> [Range<Int>]? {
    let scalars = text.unicodeScalars.map(\.value)
    var found: [Range<Int>] = []
    var (start, units, counted) = (0, 0, 0)
    // UTF-16 units before a place, which never goes back.
    func offset(of place: Int) -> Int {
      while counted < place {
        units += scalars[counted] > 0xFFFF ? 2 : 1
        counted += 1
      }
      return units
    }
    while start < scalars.count, found.count < limit {
      guard let end = longest(from: start, in: scalars, &steps) else { return nil }
      guard end > start else {
        start += 1
        continue
      }
      let from = offset(of: start)
      found.append(from..<offset(of: end))
      start = end
    }
    return found
  }

  /// The end of the longest match that begins here, or `start` where none does; nil: the steps are used up.
  private mutating func longest(from start: Int, in scalars: [UInt32], _ steps: inout Int) -> Int? {
    var set = begin(atStart: start == 0, &steps)
    var (place, end) = (start, start)
    while !set.nodes.isEmpty {
      guard steps > 0 else { return nil }
      guard place < scalars.count else { break }
      var next = NodeSet()
      place += 1
      round += 1
      for node in set.nodes {
        steps -= 1
        guard case .scalar(let taken, let following) = program.nodes[node],
          program.sets[taken].contains(scalars[place - 1])
        else { continue }
        reach(following, atStart: false, atEnd: place == scalars.count, &next, &steps)
      }
      if next.isMatch { end = place }
      set = next
    }
    return steps > 0 ? end : nil
  }

  private mutating func begin(atStart: Bool, _ steps: inout Int) -> NodeSet {
    if starts.isEmpty {
      for atStart in [false, true] {
        var set = NodeSet()
        round += 1
        reach(program.first, atStart: atStart, atEnd: false, &set, &steps)
        starts.append(set)
      }
    }
    return starts[atStart ? 1 : 0]
  }

  /// Adds what is reached from a node without taking a character.
  private mutating func reach(
    _ node: Int, atStart: Bool, atEnd: Bool, _ set: inout NodeSet, _ steps: inout Int
  ) {
    var waiting = [node]
    while let node = waiting.popLast() {
      guard rounds[node] != round else { continue }
      rounds[node] = round
      steps -= 1
      switch program.nodes[node] {
      case .split(let a, let b): waiting += [a, b]
      case .start(let next): if atStart { waiting.append(next) }
      case .end(let next): if atEnd { waiting.append(next) }
      case .scalar: set.nodes.append(node)
      case .match: set.isMatch = true
      }
    }
  }
}
