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
  private let alphabet: RegexAlphabet

  /// UTF-8 bytes of a pattern.
  public static let patternLimit = 1_000

  /// - Throws: `RegexError`.
  public init(_ pattern: String) throws(RegexError) {
    self.pattern = pattern
    var parser = try RegexParser(pattern)
    program = try parser.program()
    alphabet = RegexAlphabet(program.sets)
  }

  public static func == (a: LinearRegex, b: LinearRegex) -> Bool { a.pattern == b.pattern }
  public func hash(into hasher: inout Hasher) { hasher.combine(pattern) }

  /// Whether it is found in a text. For many texts make one `matcher()`.
  public func isFound(in text: String) -> Bool {
    var matcher = matcher()
    return matcher.isFound(in: text)
  }

  public func matcher() -> RegexMatcher { RegexMatcher(program, alphabet) }
}

/// A set of Unicode scalars.
struct ScalarSet: Sendable, Hashable {
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
    /// Takes a character of the set at this place of `sets`.
    case scalar(set: Int, next: Int)
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
  private(set) var sets: [ScalarSet] = []
  private var places: [ScalarSet: Int] = [:]

  /// Repetitions of a part share its set.
  mutating func place(of set: ScalarSet) -> Int {
    if let known = places[set] { return known }
    sets.append(set)
    places[set] = sets.count - 1
    return sets.count - 1
  }
}

/// All scalars, in kinds that an expression does not tell apart: it takes all of a kind at a place, or none.
struct RegexAlphabet: Sendable {
  /// The first scalar of each kind's stretches, ascending from 0. A stretch is a kind of its own.
  private let starts: [UInt32]
  private let ofASCII: [Int]
  /// By set, then by kind.
  private let members: [Bool]

  var count: Int { starts.count }

  init(_ sets: [ScalarSet]) {
    var starts: Set<UInt32> = [0]
    for range in sets.lazy.flatMap(\.ranges) {
      starts.insert(range.lowerBound)
      if range.upperBound < 0x10FFFF { starts.insert(range.upperBound + 1) }
    }
    let sorted = starts.sorted()
    self.starts = sorted
    members = sets.flatMap { set in sorted.map(set.contains) }
    ofASCII = (0..<128).map { Self.kind(of: $0, sorted) }
  }

  func kind(of scalar: UInt32) -> Int {
    scalar < 128 ? ofASCII[Int(scalar)] : Self.kind(of: scalar, starts)
  }

  /// The last stretch that begins at or before a scalar.
  private static func kind(of scalar: UInt32, _ starts: [UInt32]) -> Int {
    var (low, high) = (0, starts.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if starts[middle] <= scalar { low = middle } else { high = middle }
    }
    return low
  }

  func has(_ kind: Int, _ set: Int) -> Bool { members[set * starts.count + kind] }
}
