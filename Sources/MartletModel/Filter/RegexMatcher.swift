// A regular expression at work: sets of nodes become states as texts lead to them.

/// Looks for one expression in many texts: it keeps what it has learned, up to a bound.
///
/// A known step costs the same whatever the pattern; a new one some steps for each of its nodes. Patterns whose states are
/// more than the bound has room for go by new steps alone, so whoever has a deadline gives a `check`.
public struct RegexMatcher: Sendable {
  /// Nodes, as the bits of words.
  private struct NodeSet: Sendable, Hashable {
    var words: [UInt64]

    init(_ count: Int) { words = Array(repeating: 0, count: (count + 63) / 64) }

    /// False: it was there.
    mutating func insert(_ node: Int) -> Bool {
      let bit: UInt64 = 1 << UInt64(node & 63)
      guard words[node >> 6] & bit == 0 else { return false }
      words[node >> 6] |= bit
      return true
    }

    mutating func formUnion(_ other: NodeSet) {
      for place in words.indices { words[place] |= other.words[place] }
    }

    func visit(_ body: (Int) -> Void) {
      for place in words.indices {
        var rest = words[place]
        while rest != 0 {
          body(place << 6 + rest.trailingZeroBitCount)
          rest &= rest - 1
        }
      }
    }
  }

  /// Nodes the automaton may be in at once.
  private struct State: Sendable {
    /// Those that wait for a character or for the end, and the match.
    var nodes: NodeSet
    var isMatch: Bool
    /// Where the text may end.
    var matchesAtEnd: Bool
  }

  /// Nodes looked at between two checks: about a millisecond's work.
  private static let stretch = 100_000

  private let program: RegexProgram
  private let alphabet: RegexAlphabet
  private var states: [State] = []
  private var places: [NodeSet: Int] = [:]
  /// Places of states by state and kind of character; -1: not known yet.
  private var next: [Int32] = []
  private var initial: Int?
  /// The nodes in which a match may begin after the text's start.
  private let restart: NodeSet
  private let isFoundInNothing: Bool
  private var work = 0

  /// Bytes that are kept of what was learned, about.
  public var learnedLimit = 1 << 20 {
    didSet { if learned > learnedLimit { forget() } }
  }

  /// Bytes of what was learned, about.
  public var learned: Int { states.count * stateSize }
  private let stateSize: Int

  init(_ program: RegexProgram, _ alphabet: RegexAlphabet) {
    (self.program, self.alphabet) = (program, alphabet)
    var work = 0
    restart = Self.reached([program.first], program, atStart: false, atEnd: false, &work)
    let nothing = Self.reached([program.first], program, atStart: true, atEnd: true, &work)
    isFoundInNothing = Self.hasMatch(nothing)
    stateSize = restart.words.count * 8 + alphabet.count * 4 + 150
  }

  /// Drops what was learned.
  public mutating func forget() { (states, places, next, initial) = ([], [:], [], nil) }

  public mutating func isFound(in text: String) -> Bool { isFound(in: text, check: {}) }

  /// - Parameter check: called after each millisecond or so of work; what it throws ends the search.
  public mutating func isFound(in text: String, check: () throws -> Void) rethrows -> Bool {
    var text = text
    return try text.withUTF8 { try isFound(in: $0, check) }
  }

  /// - Parameter text: valid UTF-8.
  private mutating func isFound(
    in text: UnsafeBufferPointer<UInt8>, _ check: () throws -> Void
  ) rethrows -> Bool {
    guard !text.isEmpty else { return isFoundInNothing }
    var current = first()
    if states[current].isMatch { return true }
    var index = 0
    while index < text.count {
      let kind = alphabet.kind(of: Self.scalar(in: text, &index))
      let known = next[current * alphabet.count + kind]
      current = known >= 0 ? Int(known) : step(from: current, kind)
      if states[current].isMatch { return true }
      work += 1
      if work >= Self.stretch {
        work = 0
        try check()
      }
    }
    return states[current].matchesAtEnd
  }

  /// Takes the scalar at a place.
  private static func scalar(in text: UnsafeBufferPointer<UInt8>, _ index: inout Int) -> UInt32 {
    let byte = text[index]
    guard byte >= 0x80 else {
      index += 1
      return UInt32(byte)
    }
    let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2
    var scalar = UInt32(byte) & (0xFF >> UInt32(length + 1))
    for offset in 1..<length where index + offset < text.count {
      scalar = scalar << 6 | UInt32(text[index + offset] & 0x3F)
    }
    index += length
    return scalar
  }

  // MARK: - States

  private mutating func first() -> Int {
    if let initial { return initial }
    let nodes = Self.reached([program.first], program, atStart: true, atEnd: false, &work)
    let place = add(nodes)
    initial = place
    return place
  }

  private mutating func step(from place: Int, _ kind: Int) -> Int {
    var seeds: [Int] = []
    states[place].nodes.visit { node in
      if case .scalar(let set, let next) = program.nodes[node], alphabet.has(kind, set) { seeds.append(next) }
    }
    var nodes = Self.reached(seeds, program, atStart: false, atEnd: false, &work)
    nodes.formUnion(restart)
    // The words of the set that was read.
    work += nodes.words.count
    if let known = places[nodes] {
      next[place * alphabet.count + kind] = Int32(known)
      return known
    }
    guard learned + stateSize <= learnedLimit else {
      // Everything learned is dropped; the current state alone is needed from here on.
      forget()
      return add(nodes)
    }
    let new = add(nodes)
    next[place * alphabet.count + kind] = Int32(new)
    return new
  }

  private mutating func add(_ nodes: NodeSet) -> Int {
    var waiting: [Int] = []
    nodes.visit { waiting.append($0) }
    let atEnd = Self.reached(waiting, program, atStart: false, atEnd: true, &work)
    states.append(
      State(
        nodes: nodes, isMatch: Self.hasMatch(nodes), matchesAtEnd: Self.hasMatch(atEnd)))
    next += repeatElement(-1, count: alphabet.count)
    places[nodes] = states.count - 1
    return states.count - 1
  }

  /// The builder gives the match the first place.
  private static func hasMatch(_ nodes: NodeSet) -> Bool { nodes.words[0] & 1 != 0 }

  /// All nodes at which the automaton rests that are reached from these without taking a character.
  private static func reached(
    _ seeds: [Int], _ program: RegexProgram, atStart: Bool, atEnd: Bool, _ work: inout Int
  ) -> NodeSet {
    var seen = NodeSet(program.nodes.count)
    var resting = NodeSet(program.nodes.count)
    var waiting = seeds
    while let node = waiting.popLast() {
      guard seen.insert(node) else { continue }
      work += 1
      switch program.nodes[node] {
      case .split(let a, let b): waiting += [a, b]
      case .start(let next): if atStart { waiting.append(next) }
      case .end(let next):
        _ = resting.insert(node)
        if atEnd { waiting.append(next) }
      case .scalar, .match: _ = resting.insert(node)
      }
    }
    return resting
  }
}
