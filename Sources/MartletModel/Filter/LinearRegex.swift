// Regular expressions whose time grows with pattern × text at most, whatever anybody writes.

/// What cannot be a regular expression here.
public struct RegexError: Error, Sendable, Hashable {
  /// The end of a sentence.
  public var message: String
  public var hint: String?
}

/// A regular expression that says whether it is found anywhere in a text.
///
/// An automaton without backtracking (R. Cox, "Regular Expression Matching Can Be Simple And Fast", 2007): so there are no
/// back references and no looking around. It knows `. [a-z] [^…] \d \w \s \D \W \S ^ $ ( ) (?: ) | * + ? {m,n}`, and
/// `(?i)` at the start, which takes letters of either case.
public struct LinearRegex: Sendable, Hashable {
  public let pattern: String
  let program: RegexProgram

  /// UTF-8 bytes of a pattern.
  public static let patternLimit = 1_000

  /// - Throws: `RegexError`.
  public init(_ pattern: String) throws(RegexError) {
    self.pattern = pattern
    var parser = try RegexParser(pattern)
    program = try parser.program()
  }

  public static func == (a: LinearRegex, b: LinearRegex) -> Bool { a.pattern == b.pattern }
  public func hash(into hasher: inout Hasher) { hasher.combine(pattern) }

  /// Whether it is found in a text. For many texts make one `matcher()`.
  public func isFound(in text: String) -> Bool {
    var matcher = matcher()
    return matcher.isFound(in: text)
  }

  public func matcher() -> RegexMatcher { RegexMatcher(program) }
}

/// A set of Unicode scalars.
struct ScalarSet: Sendable {
  /// Both ends are in it.
  var ranges: [ClosedRange<UInt32>] = []
  var isNegated = false

  func contains(_ scalar: UInt32) -> Bool { ranges.contains { $0.contains(scalar) } != isNegated }

  /// The same with the other case of each ASCII letter and of each single scalar.
  var withBothCases: ScalarSet {
    var both = self
    for range in ranges {
      for (from, to, shift) in [(UInt32(0x41), UInt32(0x5A), Int32(32)), (0x61, 0x7A, -32)] {
        let low = max(range.lowerBound, from)
        let high = min(range.upperBound, to)
        guard low <= high else { continue }
        both.ranges.append(UInt32(Int32(low) + shift)...UInt32(Int32(high) + shift))
      }
      guard range.count == 1, let scalar = Unicode.Scalar(range.lowerBound) else { continue }
      for mapped in [scalar.properties.lowercaseMapping, scalar.properties.uppercaseMapping] {
        let scalars = Array(mapped.unicodeScalars)
        if scalars.count == 1 { both.ranges.append(scalars[0].value...scalars[0].value) }
      }
    }
    return both
  }
}

/// A nondeterministic automaton: nodes that lead to each other by their places.
struct RegexProgram: Sendable {
  enum Node: Sendable {
    case scalar(ScalarSet, next: Int)
    case split(Int, Int)
    case start(next: Int)
    case end(next: Int)
    case match
  }

  static let nodeLimit = 2_000
  /// Parts of a pattern that are built, each as often as it is repeated: some make no nodes.
  static let stepLimit = 20_000

  var nodes: [Node] = []
  var first = 0
  var steps = 0
}

/// Looks for one expression in many texts: it keeps what it has learned.
public struct RegexMatcher: Sendable {
  /// A set of nodes the automaton may be in at once.
  private struct State: Sendable {
    var nodes: [Int]
    var isMatch: Bool
    /// Where the text may end.
    var matchesAtEnd: Bool
    /// Places of states by ASCII character; -1: not known yet.
    var next: [Int]
  }

  private static let stateLimit = 512

  private let program: RegexProgram
  private var states: [State] = []
  private var places: [[Int]: Int] = [:]
  private var initial: Int?
  /// The nodes in which a match may begin after the text's start.
  private let restart: [Int]

  init(_ program: RegexProgram) {
    self.program = program
    restart = Self.closure(of: [program.first], in: program, atStart: false, atEnd: false)
  }

  public mutating func isFound(in text: String) -> Bool {
    var text = text
    return text.withUTF8 { isFound(in: $0) }
  }

  /// - Parameter text: valid UTF-8.
  private mutating func isFound(in text: UnsafeBufferPointer<UInt8>) -> Bool {
    var current = first()
    if states[current].isMatch { return true }
    if text.isEmpty {
      let all = Self.closure(of: states[current].nodes, in: program, atStart: true, atEnd: true)
      return all.contains { if case .match = program.nodes[$0] { true } else { false } }
    }
    var index = 0
    while index < text.count {
      let byte = text[index]
      if byte < 0x80 {
        index += 1
        let known = states[current].next[Int(byte)]
        current = known >= 0 ? known : step(from: current, UInt32(byte))
      } else {
        let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2
        var scalar = UInt32(byte) & (0xFF >> UInt32(length + 1))
        for offset in 1..<length where index + offset < text.count {
          scalar = scalar << 6 | UInt32(text[index + offset] & 0x3F)
        }
        index += length
        current = step(from: current, scalar)
      }
      if states[current].isMatch { return true }
    }
    return states[current].matchesAtEnd
  }

  private mutating func first() -> Int {
    if let initial { return initial }
    let nodes = Self.closure(of: [program.first], in: program, atStart: true, atEnd: false)
    // Its own even where a later state has the same nodes: an end right here may also be a start.
    let place = add(nodes)
    initial = place
    return place
  }

  private mutating func step(from place: Int, _ scalar: UInt32) -> Int {
    var seeds: [Int] = []
    for node in states[place].nodes {
      if case .scalar(let set, let next) = program.nodes[node], set.contains(scalar) { seeds.append(next) }
    }
    let reached = Self.closure(of: seeds, in: program, atStart: false, atEnd: false)
    let nodes = Array(Set(reached).union(restart)).sorted()
    if let known = places[nodes] {
      if scalar < 0x80 { states[place].next[Int(scalar)] = known }
      return known
    }
    if states.count >= Self.stateLimit {
      // Everything learned is dropped; the current state alone is needed from here on.
      (states, places, initial) = ([], [:], nil)
      let known = add(nodes)
      places[nodes] = known
      return known
    }
    let new = add(nodes)
    places[nodes] = new
    if scalar < 0x80 { states[place].next[Int(scalar)] = new }
    return new
  }

  private mutating func add(_ nodes: [Int]) -> Int {
    let atEnd = Self.closure(of: nodes, in: program, atStart: false, atEnd: true)
    func isMatch(_ node: Int) -> Bool { if case .match = program.nodes[node] { true } else { false } }
    states.append(
      State(
        nodes: nodes, isMatch: nodes.contains(where: isMatch), matchesAtEnd: atEnd.contains(where: isMatch),
        next: Array(repeating: -1, count: 128)))
    return states.count - 1
  }

  /// All nodes that are reached from these without taking a character.
  private static func closure(
    of seeds: [Int], in program: RegexProgram, atStart: Bool, atEnd: Bool
  ) -> [Int] {
    var reached = Set<Int>()
    var waiting = seeds
    while let node = waiting.popLast() {
      guard reached.insert(node).inserted else { continue }
      switch program.nodes[node] {
      case .split(let a, let b): waiting += [a, b]
      case .start(let next): if atStart { waiting.append(next) }
      case .end(let next): if atEnd { waiting.append(next) }
      case .scalar, .match: break
      }
    }
    return reached.sorted()
  }
}
