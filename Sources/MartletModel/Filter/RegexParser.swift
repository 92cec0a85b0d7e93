// Regular expressions read into automata (K. Thompson, "Regular Expression Search Algorithm", 1968).

/// Reads a pattern and builds its automaton from the end backwards: each part is given the node that follows it.
struct RegexParser {
  private indirect enum Tree {
    case empty
    case scalar(ScalarSet)
    case start, end
    case sequence([Tree])
    case choice([Tree])
    case repeated(Tree, ClosedRange<Int>)
    /// At least so many.
    case unbounded(Tree, Int)
  }

  private static let depthLimit = 50
  private static let repeatLimit = 1_000

  private let scalars: [Unicode.Scalar]
  private var at = 0
  private var depth = 0
  private var ignoresCase = false

  init(_ pattern: String) throws(RegexError) {
    guard pattern.utf8.count <= LinearRegex.patternLimit else {
      throw RegexError(
        message: "it has more than \(LinearRegex.patternLimit) bytes", hint: "Look for something shorter.")
    }
    scalars = Array(pattern.unicodeScalars)
  }

  mutating func program() throws(RegexError) -> RegexProgram {
    if scalars.starts(with: "(?i)".unicodeScalars) {
      ignoresCase = true
      at = 4
    }
    let tree = try choice()
    guard at == scalars.count else {
      throw RegexError(message: "a ')' closes nothing", hint: "Write \\) for the character itself.")
    }
    var program = RegexProgram()
    program.nodes.append(.match)
    program.first = try build(tree, then: 0, &program)
    return program
  }

  // MARK: - Reading

  private var next: Unicode.Scalar? { at < scalars.count ? scalars[at] : nil }

  private mutating func choice() throws(RegexError) -> Tree {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.depthLimit else {
      throw RegexError(message: "more than \(Self.depthLimit) groups stand within each other", hint: nil)
    }
    var branches = [try sequence()]
    while next == "|" {
      at += 1
      branches.append(try sequence())
    }
    return branches.count == 1 ? branches[0] : .choice(branches)
  }

  private mutating func sequence() throws(RegexError) -> Tree {
    var parts: [Tree] = []
    while let scalar = next, scalar != "|", scalar != ")" {
      at += 1
      parts.append(try quantified(try single(scalar)))
    }
    return parts.isEmpty ? .empty : parts.count == 1 ? parts[0] : .sequence(parts)
  }

  private mutating func single(_ scalar: Unicode.Scalar) throws(RegexError) -> Tree {
    switch scalar {
    case "^": return .start
    case "$": return .end
    case ".": return .scalar(ScalarSet(ranges: [0x0A...0x0A], isNegated: true))
    case "[": return .scalar(try characterClass())
    case "\\": return .scalar(try escaped())
    case "(":
      if next == "?" {
        at += 1
        guard next == ":" else {
          throw RegexError(
            message: "'(?' needs more than one look at the text",
            hint: "Looking around and named groups are not known; (?: ) is, and (?i) at the start.")
        }
        at += 1
      }
      let inner = try choice()
      guard next == ")" else {
        throw RegexError(message: "a '(' is never closed", hint: "Write \\( for the character itself.")
      }
      at += 1
      return inner
    case "*", "+", "?":
      throw RegexError(
        message: "'\(scalar)' has nothing before it to repeat",
        hint: "Write \\\(scalar) for the character itself.")
    default: return .scalar(set(of: scalar))
    }
  }

  private func set(of scalar: Unicode.Scalar) -> ScalarSet {
    let set = ScalarSet(ranges: [scalar.value...scalar.value])
    return ignoresCase ? set.withBothCases : set
  }

  private mutating func quantified(_ tree: Tree) throws(RegexError) -> Tree {
    let repeated: Tree
    switch next {
    case "*":
      at += 1
      repeated = .unbounded(tree, 0)
    case "+":
      at += 1
      repeated = .unbounded(tree, 1)
    case "?":
      at += 1
      repeated = .repeated(tree, 0...1)
    case "{":
      let (low, high) = try bounds()
      repeated = high.map { .repeated(tree, low...$0) } ?? .unbounded(tree, low)
    default: return tree
    }
    // Lazy repetition finds the same texts.
    if next == "?" { at += 1 }
    if let scalar = next, ["*", "+", "?", "{"].contains(scalar) {
      throw RegexError(
        message: "'\(scalar)' repeats what is repeated already", hint: "Write (?: ) around what is meant.")
    }
    return repeated
  }

  /// What stands in `{m}`, `{m,}` or `{m,n}`, which is taken.
  private mutating func bounds() throws(RegexError) -> (Int, Int?) {
    var place = at + 1
    func number() -> Int? {
      let digits = scalars[place...].prefix { ("0"..."9").contains($0) }
      place += digits.count
      return digits.isEmpty ? nil : Int(String(String.UnicodeScalarView(digits))) ?? .max
    }
    guard let low = number(), place < scalars.count else { throw literalBrace }
    var high: Int? = low
    if scalars[place] == "," {
      place += 1
      high = number()
    }
    guard place < scalars.count, scalars[place] == "}" else { throw literalBrace }
    guard low <= Self.repeatLimit, high ?? 0 <= Self.repeatLimit, high.map({ $0 >= low }) ?? true else {
      throw RegexError(
        message: "'{' wants m, or m,n with m up to n, of at most \(Self.repeatLimit)", hint: nil)
    }
    at = place + 1
    return (low, high)
  }

  private var literalBrace: RegexError {
    RegexError(message: "'{' wants numbers and a '}'", hint: "Write \\{ for the character itself.")
  }

  // MARK: - Classes

  private mutating func escaped() throws(RegexError) -> ScalarSet {
    guard let scalar = next else {
      throw RegexError(message: "it ends with a lone backslash", hint: "Write \\\\ for the character itself.")
    }
    at += 1
    if let known = Self.classes[scalar] { return known }
    if let control = Self.controls[scalar] { return ScalarSet(ranges: [control...control]) }
    guard !scalar.properties.isAlphabetic, !("0"..."9").contains(scalar) else {
      throw RegexError(
        message: "'\\\(scalar)' is not known here",
        hint: "Known are \\d \\w \\s \\D \\W \\S \\t \\n \\r, and \\ before other signs.")
    }
    return set(of: scalar)
  }

  private static let digits: [ClosedRange<UInt32>] = [0x30...0x39]
  private static let words: [ClosedRange<UInt32>] = [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A]
  private static let spaces: [ClosedRange<UInt32>] = [0x09...0x0D, 0x20...0x20]
  private static let classes: [Unicode.Scalar: ScalarSet] = [
    "d": ScalarSet(ranges: digits), "D": ScalarSet(ranges: digits, isNegated: true),
    "w": ScalarSet(ranges: words), "W": ScalarSet(ranges: words, isNegated: true),
    "s": ScalarSet(ranges: spaces), "S": ScalarSet(ranges: spaces, isNegated: true),
  ]
  private static let controls: [Unicode.Scalar: UInt32] = [
    "t": 0x09, "n": 0x0A, "r": 0x0D, "f": 0x0C, "v": 0x0B,
  ]

  private mutating func characterClass() throws(RegexError) -> ScalarSet {
    let open = RegexError(message: "a '[' is never closed", hint: "Write \\[ for the character itself.")
    var set = ScalarSet()
    var isNegated = false
    if next == "^" {
      isNegated = true
      at += 1
    }
    var isFirst = true
    while let scalar = next, scalar != "]" || isFirst {
      isFirst = false
      at += 1
      let low = try member(scalar)
      guard next == "-", at + 1 < scalars.count, scalars[at + 1] != "]" else {
        try set.add(low)
        continue
      }
      at += 1
      guard let second = next else { throw open }
      at += 1
      let high = try member(second)
      guard let from = low.single, let to = high.single, from <= to else {
        throw RegexError(message: "a range in '[ ]' goes backwards, or is of classes", hint: "Write [a-z].")
      }
      set.ranges.append(from...to)
    }
    guard next == "]" else { throw open }
    at += 1
    if ignoresCase { set = set.withBothCases }
    set.isNegated = isNegated
    return set
  }

  private mutating func member(_ scalar: Unicode.Scalar) throws(RegexError) -> ScalarSet {
    guard scalar == "\\" else { return ScalarSet(ranges: [scalar.value...scalar.value]) }
    let wasIgnoring = ignoresCase
    ignoresCase = false
    defer { ignoresCase = wasIgnoring }
    return try escaped()
  }

  // MARK: - Building

  /// Returns the node with which the tree begins, whose end leads to `next`.
  private func build(_ tree: Tree, then next: Int, _ program: inout RegexProgram) throws(RegexError) -> Int {
    program.steps += 1
    guard program.steps <= RegexProgram.stepLimit else { throw Self.tooLarge }
    switch tree {
    case .empty: return next
    case .scalar(let set): return try add(.scalar(set: program.place(of: set), next: next), to: &program)
    case .start: return try add(.start(next: next), to: &program)
    case .end: return try add(.end(next: next), to: &program)
    case .sequence(let parts):
      var next = next
      for part in parts.reversed() { next = try build(part, then: next, &program) }
      return next
    case .choice(let branches):
      var first = try build(branches[branches.count - 1], then: next, &program)
      for branch in branches.dropLast().reversed() {
        first = try add(.split(try build(branch, then: next, &program), first), to: &program)
      }
      return first
    case .repeated(let inner, let bounds):
      var first = next
      for _ in 0..<(bounds.upperBound - bounds.lowerBound) {
        first = try add(.split(try build(inner, then: first, &program), next), to: &program)
      }
      for _ in 0..<bounds.lowerBound { first = try build(inner, then: first, &program) }
      return first
    case .unbounded(let inner, let least):
      let loop = try add(.split(next, next), to: &program)
      program.nodes[loop] = .split(try build(inner, then: loop, &program), next)
      var first = loop
      for _ in 0..<least { first = try build(inner, then: first, &program) }
      return first
    }
  }

  private static let tooLarge = RegexError(
    message: "it is too large once its repetitions are written out", hint: "Use + or *.")

  private func add(_ node: RegexProgram.Node, to program: inout RegexProgram) throws(RegexError) -> Int {
    guard program.nodes.count < RegexProgram.nodeLimit else { throw Self.tooLarge }
    program.nodes.append(node)
    return program.nodes.count - 1
  }
}

extension ScalarSet {
  /// The only scalar in it.
  fileprivate var single: UInt32? {
    guard !isNegated, ranges.count == 1, ranges[0].count == 1 else { return nil }
    return ranges[0].lowerBound
  }

  /// Adds what another one has, which may be the opposite of a class.
  fileprivate mutating func add(_ other: ScalarSet) throws(RegexError) {
    guard other.isNegated else {
      ranges += other.ranges
      return
    }
    var low: UInt32 = 0
    for range in other.ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if range.lowerBound > low { ranges.append(low...(range.lowerBound - 1)) }
      low = range.upperBound + 1
    }
    ranges.append(low...0x10FFFF)
  }
}
