// From words to an expression: recursive descent, with bounds on depth and size.

extension MetricExpression {
  /// Bytes of a text, at most.
  public static let longestText = 4_096
  /// How deep parentheses, signs and functions may stand in each other.
  public static let deepest = 64
  /// Operators, functions, names and numbers, at most.
  public static let largest = 500

  /// Reads an expression.
  ///
  ///     sum     = product { (+ | -) product }
  ///     product = sign { (* | /) sign }
  ///     sign    = - sign | power
  ///     power   = atom [ ^ sign ]
  ///     atom    = number | name | name ( sum { , sum } ) | ( sum )
  ///
  /// - Throws: `ExpressionError`, also where it holds no metric, whose points say at which steps it has a value.
  public init(parsing text: String) throws(ExpressionError) {
    guard text.utf8.count <= Self.longestText else {
      throw ExpressionError(
        "This expression has \(text.utf8.count) bytes; at most \(Self.longestText) are allowed.",
        hint: "Give parts of it names of their own: derived metrics may be made of others.",
        at: 0..<text.utf16.count)
    }
    var parser = try ExpressionParser(text)
    self = try parser.whole()
    guard hasMetric else {
      throw ExpressionError(
        "This expression names no metric: nothing says at which steps it has a value.",
        hint: "Name a metric, like loss or val/loss.", at: 0..<text.utf16.count)
    }
  }

  /// Reads an expression over the parameters of a trial, like `tp * pp`: plain names are parameters; there are no points,
  /// so nothing in it may go from one to the next.
  ///
  /// - Throws: `ExpressionError`.
  public init(parsingParameters text: String) throws(ExpressionError) {
    var parser = try ExpressionParser(text)
    self = try parser.whole()
    guard !looksBack, !namesPoints else {
      throw ExpressionError(
        "This expression goes over points, and parameters have none.",
        hint: "Use + - * / ^, abs, sqrt, log, exp, min, max and clip.", at: 0..<text.utf16.count)
    }
  }
}

private struct ExpressionParser {
  private var lexer: ExpressionLexer
  private var token: ExpressionToken
  /// Where the word before ended.
  private var end = 0
  private var depth = 0
  private var size = 0

  init(_ text: String) throws(ExpressionError) {
    lexer = ExpressionLexer(text)
    token = try lexer.next()
  }

  mutating func whole() throws(ExpressionError) -> MetricExpression {
    let expression = try sum()
    switch token.kind {
    case .end: return expression
    case .symbol(")"):
      throw ExpressionError("This parenthesis closes nothing.", at: token.range)
    case .symbol(","):
      throw ExpressionError("A comma may only stand between the arguments of a function.", at: token.range)
    case .number, .word, .quoted, .quotedConfig, .symbol:
      throw ExpressionError(
        "An operator is missing here.", hint: "Between two values stands one of + - * / ^.", at: token.range)
    }
  }

  // MARK: - Levels

  private mutating func sum() throws(ExpressionError) -> MetricExpression {
    try enter()
    defer { depth -= 1 }
    var left = try product()
    while let sign = operation(.plus, .minus) {
      try advance()
      left = try counted(.binary(sign, left, try product()))
    }
    return left
  }

  private mutating func product() throws(ExpressionError) -> MetricExpression {
    var left = try sign()
    while let sign = operation(.times, .over) {
      try advance()
      left = try counted(.binary(sign, left, try self.sign()))
    }
    return left
  }

  private mutating func sign() throws(ExpressionError) -> MetricExpression {
    guard operation(.minus) != nil else { return try power() }
    try enter()
    defer { depth -= 1 }
    try advance()
    return try counted(.negative(try sign()))
  }

  private mutating func power() throws(ExpressionError) -> MetricExpression {
    let base = try atom()
    guard operation(.power) != nil else { return base }
    try enter()
    defer { depth -= 1 }
    try advance()
    return try counted(.binary(.power, base, try sign()))
  }

  private mutating func atom() throws(ExpressionError) -> MetricExpression {
    let token = token
    switch token.kind {
    case .number(let value):
      try advance()
      return try counted(.number(value))
    case .quoted(let name):
      try advance()
      return try counted(.metric(name))
    case .quotedConfig(let path):
      try advance()
      return try counted(.config(path))
    case .word(let name):
      try advance()
      if self.token.kind == .symbol("(") { return try call(name, at: token.range) }
      return try counted(Self.meaning(of: name))
    case .symbol("("):
      try advance()
      let inner = try sum()
      try close(token.range)
      return inner
    case .symbol, .end: throw missingValue
    }
  }

  private static func meaning(of word: String) -> MetricExpression {
    switch word {
    case "step": .step
    case "time": .time
    default:
      word.hasPrefix("config.") ? .config(String(word.dropFirst("config.".count))) : .metric(word)
    }
  }

  private var missingValue: ExpressionError {
    switch token.kind {
    case .end:
      ExpressionError(
        end == 0 ? "There is no expression." : "A value is missing at the end.",
        hint: "A value is a number, a name, a function's result or a parenthesis.", at: token.range)
    case .symbol(let symbol) where "*/^+".contains(symbol):
      ExpressionError("A value is missing before this '\(symbol)'.", at: token.range)
    case .symbol, .number, .word, .quoted, .quotedConfig:
      ExpressionError("A value is missing here.", at: token.range)
    }
  }

  // MARK: - Functions

  private mutating func call(_ name: String, at range: Range<Int>) throws(ExpressionError) -> MetricExpression
  {
    guard let function = MetricExpression.Function(rawValue: name) else {
      let known = MetricExpression.Function.allCases.map(\.rawValue)
      throw ExpressionError(
        "There is no function '\(name)'.",
        hint: nearest(to: name, in: known).map { "Did you mean '\($0)'?" }
          ?? "Known are \(known.joined(separator: ", ")).", at: range)
    }
    let opening = token.range
    try advance()
    var arguments: [MetricExpression] = []
    var ranges: [Range<Int>] = []
    if token.kind != .symbol(")") {
      while true {
        let start = token.range.lowerBound
        arguments.append(try sum())
        ranges.append(start..<end)
        guard token.kind == .symbol(",") else { break }
        try advance()
      }
    }
    try close(opening)
    guard function.arity.contains(arguments.count) else {
      throw ExpressionError(
        "'\(name)' takes \(Self.words(function.arity)), not \(arguments.count).",
        hint: "It is written \(function.usage).", at: range.lowerBound..<end)
    }
    try check(function, arguments, ranges)
    return try counted(.call(function, arguments))
  }

  private static func words(_ arity: ClosedRange<Int>) -> String {
    if arity.count > 1 { return "\(arity.lowerBound) to \(arity.upperBound) arguments" }
    return arity.lowerBound == 1 ? "one argument" : "\(arity.lowerBound) arguments"
  }

  private func check(
    _ function: MetricExpression.Function, _ arguments: [MetricExpression], _ ranges: [Range<Int>]
  ) throws(ExpressionError) {
    if function.looksBack, !arguments[0].hasMetric {
      throw ExpressionError(
        "'\(function.rawValue)' goes from point to point, and there is no metric in its argument.",
        hint: "Name a metric in it.", at: ranges[0])
    }
    guard arguments.count > 1 else { return }
    switch function {
    case .ema:
      guard case .number(let weight) = arguments[1], weight < 1 else {
        throw ExpressionError(
          "The weight of 'ema' must be a number from 0 to below 1.",
          hint: "It is the weight of the past, like 0.9.", at: ranges[1])
      }
    case .lag:
      guard case .number(let count) = arguments[1], count >= 1,
        count <= Double(MetricExpression.farthestLag), count == count.rounded()
      else {
        throw ExpressionError(
          "'lag' goes back a whole number of points, 1 to \(MetricExpression.farthestLag).", at: ranges[1])
      }
    case .abs, .sqrt, .log, .log10, .exp, .min, .max, .clip, .diff, .cummin, .cummax, .cumsum, .rate, .last:
      break
    }
  }

  // MARK: - Words

  private mutating func advance() throws(ExpressionError) {
    end = token.range.upperBound
    token = try lexer.next()
  }

  private func operation(_ wanted: MetricExpression.Operator...) -> MetricExpression.Operator? {
    guard case .symbol(let symbol) = token.kind else { return nil }
    return wanted.first { $0.rawValue == String(symbol) }
  }

  private mutating func close(_ opening: Range<Int>) throws(ExpressionError) {
    guard token.kind == .symbol(")") else {
      if token.kind == .end {
        throw ExpressionError("This parenthesis is not closed.", at: opening)
      }
      throw ExpressionError(
        "An operator or ')' is missing here.", hint: "Between two values stands one of + - * / ^.",
        at: token.range)
    }
    try advance()
  }

  private mutating func enter() throws(ExpressionError) {
    depth += 1
    guard depth <= MetricExpression.deepest else {
      throw ExpressionError(
        "This stands more than \(MetricExpression.deepest) levels deep.",
        hint: "Give a part of it a name of its own.", at: token.range)
    }
  }

  private mutating func counted(_ expression: MetricExpression) throws(ExpressionError) -> MetricExpression {
    size += 1
    guard size <= MetricExpression.largest else {
      throw ExpressionError(
        "This expression has more than \(MetricExpression.largest) parts.",
        hint: "Give parts of it names of their own.", at: token.range)
    }
    return expression
  }
}
