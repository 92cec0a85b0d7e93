// The filter language: what is read, what is refused and where, and that what is printed reads the same.

import MartletModel
import Testing

@Suite struct FilterParserTests {
  private func canonical(_ text: String) throws -> String { try ParsedFilter(text).expression.description }

  @Test(arguments: [
    ("", ""), ("  ", ""),
    ("state:running lr<1e-3", "state:running lr < 1e-3"),
    ("a=1 or b=2 c=3", "a = 1 or b = 2 c = 3"),
    ("a=1 and b=2 or c=3", "a = 1 b = 2 or c = 3"),
    ("(a=1 or b=2) c=3", "(a = 1 or b = 2) c = 3"),
    ("not a=1 b=2", "not a = 1 b = 2"),
    ("not (a=1 b=2)", "not (a = 1 b = 2)"),
    ("!a=1", "not a = 1"), ("! ! a=1", "not not a = 1"),
    ("NOT a=1 OR b=2 AND c=3", "not a = 1 or b = 2 c = 3"),
    ("opt in (adamw,lion)", "opt in (adamw, lion)"), ("lr exists", "lr exists"), ("lr EXISTS", "lr exists"),
    ("val/loss.min<0.3", "val/loss.min < 0.3"), ("a==1", "a = 1"), ("a!=1", "a != 1"), ("a!~x", "a !~ x"),
    ("name~^a.*b$", "name ~ ^a.*b$"), ("started>-2d", "started > -2d"),
    ("started>=2026-11-21T10:30:00+02:00", "started >= 2026-11-21T10:30:00+02:00"),
    (#""free text""#, #""free text""#), (#"a="b\"c""#, #"a = "b\"c""#), (#"a~"\d+\\""#, #"a ~ "\\d+\\""#),
    ("`val loss`.min<1", "`val loss`.min < 1"), ("`a``b`=1", "`a``b` = 1"), ("`in`=1", "`in` = 1"),
    ("tag:ablation started>-2d", "tag:ablation started > -2d"), (#"a=1"x"b=2"#, #"a = 1 "x" b = 2"#),
    ("((a=1))", "a = 1"), ("a=1 (b=2 c=3)", "a = 1 (b = 2 c = 3)"),
    ("a=1 or (b=2 or c=3)", "a = 1 or (b = 2 or c = 3)"),
    ("größe=1", "größe = 1"), ("a-b/c+d%e=1", "a-b/c+d%e = 1"), ("`a`x`b`=1", "`a`x`b` = 1"),
  ])
  func `one form`(_ text: String, _ expected: String) throws {
    #expect(try canonical(text) == expected)
    #expect(try canonical(expected) == expected)
  }

  @Test(arguments: [
    ("lr", 0, 2), ("lr <", 3, 4), ("lr < )", 3, 4), ("a=1 )", 4, 5), ("(a=1", 0, 1), ("()", 0, 1),
    ("a=1 or", 4, 6), ("or a=1", 0, 2), ("a=1 and", 4, 7), ("not", 0, 3), ("a=1 and or b=2", 4, 7),
    ("!", 0, 1),
    (#"a="x"#, 2, 3), ("`a", 0, 1), ("a in 1", 2, 4), ("a in ()", 6, 7), ("a in (1", 5, 6),
    ("a in (1,)", 8, 9),
    ("a in (1 2)", 8, 9), ("in=1", 0, 2), ("a=1, b=2", 3, 4), ("a=>3", 1, 3), ("a<>3", 1, 3), ("a='x'", 2, 3),
    ("'x'", 0, 1), ("a=`b`", 2, 3), ("=1", 0, 1), ("a ! b=1", 0, 1), ("é😀=1 lr", 6, 8), ("a=1\u{0}", 3, 4),
  ])
  func `the place of an error`(_ text: String, _ from: Int, _ to: Int) throws {
    let error = try #require(throws: FilterError.self) { try ParsedFilter(text) }
    #expect(error.range == FilterRange(from, to), "\(error)")
    #expect(error.message.hasSuffix("."))
    #expect(error.hint != nil)
  }

  @Test func `clauses have their places`() throws {
    let parsed = try ParsedFilter(" a=1  and (b=2 or c=3) \"x\" ")
    #expect(parsed.clauses.map(\.range) == [FilterRange(1, 4), FilterRange(10, 22), FilterRange(23, 26)])
    #expect(parsed.clauses.map(\.expression.description) == ["a = 1", "b = 2 or c = 3", "\"x\""])
    #expect(try ParsedFilter("a=1 or b=2").clauses.map(\.range) == [FilterRange(0, 10)])
    #expect(try ParsedFilter("").clauses.isEmpty)
  }

  @Test func limits() throws {
    func refused(_ text: String) throws -> String {
      try #require(throws: FilterError.self) { try ParsedFilter(text) }.message
    }
    let depth = FilterLimits.depth
    _ = try ParsedFilter(String(repeating: "(", count: depth) + "a=1" + String(repeating: ")", count: depth))
    #expect(try refused(String(repeating: "(", count: depth + 1)).contains("within each other"))
    #expect(try refused(String(repeating: "!", count: 10_000)).contains("within each other"))
    _ = try ParsedFilter(String(repeating: "a=1 ", count: FilterLimits.clauses))
    #expect(try refused(String(repeating: "a=1 ", count: FilterLimits.clauses + 1)).contains("conditions"))
    let values = Array(repeating: "1", count: FilterLimits.values).joined(separator: ",")
    _ = try ParsedFilter("a in (\(values))")
    #expect(try refused("a in (\(values),1)").contains("values"))
    #expect(try refused(String(repeating: " ", count: FilterLimits.length + 1)).contains("characters"))
  }

  @Test func `whatever is typed, an answer comes`() {
    var generator = Numbers(state: 7)
    let pieces = [
      "lr", "val/loss.min", "(", ")", "and", "or", "not", "!", "=", "!=", "<", "~", "!~", ":", "in", "exists",
      ",",
      "\"", "`", "\\", "1e-3", "-2d", " ", "😀", "'", "\u{0}", "\n",
    ]
    for _ in 0..<20_000 {
      let count = Int.random(in: 0...12, using: &generator)
      let text = (0..<count).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
      do throws(FilterError) {
        let parsed = try ParsedFilter(text)
        let printed = parsed.expression.description
        #expect((try? ParsedFilter(printed))?.expression == parsed.expression, "\(text) → \(printed)")
      } catch {
        let length = text.utf16.count
        #expect(0...length ~= error.range.from && 0...length ~= error.range.to, "\(text): \(error)")
        #expect(error.range.from <= error.range.to)
      }
      _ = FilterContext(of: text, at: Int.random(in: 0...20, using: &generator))
    }
  }

  @Test(arguments: [
    ("", 0, "field '' 0–0"), ("l", 1, "field 'l' 0–1"), ("lr<1 val/lo", 11, "field 'val/lo' 5–11"),
    ("lr ", 3, "comparison lr '' 3–3"), ("lr ex", 5, "comparison lr 'ex' 3–5"), ("lr<", 3, "value lr '' 3–3"),
    ("state:run", 9, "value state 'run' 6–9"), ("state:running", 9, "value state 'run' 6–13"),
    ("opt in (ad", 10, "value opt 'ad' 8–10"), ("opt in (adamw, l", 16, "value opt 'l' 15–16"),
    ("opt in (adamw) ", 15, "field '' 15–15"), ("(not st", 7, "field 'st' 5–7"), ("\"free", 5, "none"),
    ("opt=\"a b", 8, "value opt 'a b' 4–8"), ("lr exists ", 10, "field '' 10–10"),
    ("a=1 or ", 7, "field '' 7–7"),
    ("`my m", 5, "field '`my m' 0–5"), ("é=1 lr", 6, "field 'lr' 4–6"),
    (#""a\"b" st"#, 9, "field 'st' 7–9"), (#"opt="a\\" l"#, 11, "field 'l' 10–11"),
    (#"opt="a\" b"#, 10, #"value opt 'a\" b' 4–10"#), ("`a``b`<", 7, "value a`b '' 7–7"),
    ("`a``b", 5, "field '`a``b' 0–5"), (#"opt="a\"#, 7, #"value opt 'a\' 4–7"#),
  ])
  func context(_ text: String, _ offset: Int, _ expected: String) {
    let found =
      switch FilterContext(of: text, at: offset) {
      case .none: "none"
      case .field(let prefix, let range): "field '\(prefix)' \(range.from)–\(range.to)"
      case .comparison(let field, let prefix, let range):
        "comparison \(field.name) '\(prefix)' \(range.from)–\(range.to)"
      case .value(let field, let prefix, let range, _):
        "value \(field.name) '\(prefix)' \(range.from)–\(range.to)"
      }
    #expect(found == expected)
  }
}

/// SplitMix64.
struct Numbers: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }
}
