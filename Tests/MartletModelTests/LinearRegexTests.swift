// Regular expressions: against another engine, and in linear time.

import Foundation
import MartletModel
import Testing

@Suite struct LinearRegexTests {
  @Test(arguments: [
    ("", "", true), ("", "x", true), ("^$", "", true), ("^$", "x", false), ("$^", "", true),
    ("a", "bab", true),
    ("^a", "ba", false), ("a$", "ab", false), ("a$", "ba", true), ("^(a|b)+$", "abba", true),
    ("^(a|b)+$", "abc", false),
    ("a.c", "a\nc", false), ("a.c", "aéc", true), ("^.$", "😀", true), ("[^a]", "aaa", false),
    ("[^a]", "é", true),
    ("[a-c]x", "bx", true), ("[]a]", "]", true), ("[a-]", "-", true), (#"\d{2,3}"#, "a12", true),
    (#"^\d{2}$"#, "123", false),
    (#"^\d{2,}$"#, "1234", true), (#"\w+\s\W"#, "ab !", true), (#"[\d_]+$"#, "a_1", true),
    (#"[\D]"#, "12", false),
    (#"\."#, "a", false), (#"\."#, "a.b", true), ("(?i)größe", "GRÖSSE GRÖßE", true),
    ("(?i)[a-f]+$", "xABC", true),
    ("colou?r", "color", true), ("(?:ab){2}", "abab", true), ("a*?b", "aab", true), ("x|", "", true),
    ("()", "a", true),
    ("^(|a)b", "b", true), ("é+", "cafeéé", true), ("a^b", "ab", false), ("a{0}b$", "b", true),
  ])
  func found(_ pattern: String, _ text: String, _ expected: Bool) throws {
    #expect(try LinearRegex(pattern).isFound(in: text) == expected)
  }

  @Test(arguments: [
    "(", ")", "[", "[a", "a**", "*", "+a", "a{", "a{2", "a{x}", "a{3,2}", "a{2000}", "[z-a]", #"\"#, #"\b"#,
    #"(a)\1"#,
    "(?=a)", "(?<n>a)", "((a{1000}){1000}){1000}", "((){1000}){1000}", String(repeating: "(", count: 60),
    "[\\d-z]",
    String(repeating: "a", count: 1_001),
  ])
  func refused(_ pattern: String) {
    #expect(throws: RegexError.self) { try LinearRegex(pattern) }
  }

  /// Random patterns on random texts, beside ICU.
  @Test func `as another engine has it`() throws {
    var generator = Numbers(state: 3)
    func pattern(_ depth: Int, _ generator: inout Numbers) -> String {
      switch Int.random(in: 0..<(depth > 3 ? 5 : 10), using: &generator) {
      case 0: return "a"
      case 1: return "b"
      case 2: return "."
      case 3: return "[^ab]"
      case 4: return ["^", "$", "é", "[b-é]"].randomElement(using: &generator) ?? ""
      case 5, 6: return pattern(depth + 1, &generator) + pattern(depth + 1, &generator)
      case 7: return "(\(pattern(depth + 1, &generator))|\(pattern(depth + 1, &generator)))"
      default:
        let suffix = ["*", "+", "?", "{2}", "{1,2}"].randomElement(using: &generator) ?? ""
        return "(?:\(pattern(depth + 1, &generator)))\(suffix)"
      }
    }
    for _ in 0..<2_000 {
      let source = pattern(0, &generator)
      let other = try NSRegularExpression(pattern: source)
      var matcher = try LinearRegex(source).matcher()
      for _ in 0..<5 {
        let count = Int.random(in: 0...6, using: &generator)
        let text = (0..<count).map { _ in ["a", "b", "c", "é"].randomElement(using: &generator) ?? "" }
          .joined()
        let expected =
          other.firstMatch(in: text, range: NSRange(location: 0, length: text.utf16.count)) != nil
        #expect(matcher.isFound(in: text) == expected, "\(source) in '\(text)'")
      }
    }
  }

  /// A backtracking engine needs 2^30 steps for this, this one a few for each character.
  @Test(.timeLimit(.minutes(1))) func `no pattern takes for ever`() throws {
    let text = String(repeating: "a", count: 4_096)
    #expect(try !LinearRegex("^(a|a)*(a|a)*(a|a)*b$").isFound(in: text))
    #expect(try !LinearRegex("(a*)*b").isFound(in: text))
    #expect(try !LinearRegex("(a{1,30}){1,30}b").isFound(in: text))
    // More sets of states than are kept.
    #expect(
      try !LinearRegex("(a|b)*a(a|b){12}c").isFound(in: String((0..<4_000).map { $0 % 3 == 0 ? "a" : "b" })))
  }

  /// More states than there is room for, of a pattern of 900 nodes on letters beyond ASCII too.
  @Test func `what was learned is bounded`() throws {
    var generator = Numbers(state: 9)
    let pattern = try LinearRegex("[aé]*a[aé]{200}x")
    var (roomy, tight) = (pattern.matcher(), pattern.matcher())
    tight.learnedLimit = 32 << 10
    for _ in 0..<40 {
      var text = (0..<400).map { _ in ["a", "é"].randomElement(using: &generator) ?? "" }.joined()
      if Bool.random(using: &generator) { text += "x" }
      let (one, other) = (roomy.isFound(in: text), tight.isFound(in: text))
      #expect(one == other)
      #expect(tight.learned <= 32 << 10 && roomy.learned <= 1 << 20)
    }
    #expect(roomy.learned > 32 << 10, "there was more to learn")
    roomy.learnedLimit = 64 << 10
    #expect(roomy.learned <= 64 << 10)
    let found = [200, 201].map { roomy.isFound(in: String(repeating: "a", count: $0) + "x") }
    #expect(found == [false, true])
  }

  private struct Enough: Error {}

  /// Whoever searches may stop the search in the middle of one text.
  @Test func `a search can be ended`() throws {
    var generator = Numbers(state: 4)
    let text = (0..<4_096).map { _ in ["a", "b"].randomElement(using: &generator) ?? "" }.joined()
    var matcher = try LinearRegex("[ab]*a[ab]{900}c").matcher()
    var checks = 0
    #expect(throws: Enough.self) {
      _ = try matcher.isFound(in: text) {
        checks += 1
        if checks == 3 { throw Enough() }
      }
    }
    #expect(checks == 3)
    let found = [text, text + String(repeating: "a", count: 901) + "c"].map { matcher.isFound(in: $0) }
    #expect(found == [false, true])
  }

  /// Scalars that no class tells apart are one kind: their places are known, too.
  @Test(arguments: [
    ("[à-ü]+$", "abcdéö", true), ("[^à-ü]", "éö", false), ("(?i)É", "é", true), ("[α-ωa]{3}", "aαω", true),
    ("[\u{10000}-\u{10FFFF}]", "x😀", true), ("[\u{10FFFF}]", "\u{10FFFF}", true),
    ("[^\u{0}-é]", "é", false), ("[^\u{0}-é]", "ê", true), ("😀|🙂", "🙂", true), ("^.{2}$", "é😀", true),
  ])
  func `beyond ASCII`(_ pattern: String, _ text: String, _ expected: Bool) throws {
    var matcher = try LinearRegex(pattern).matcher()
    let found = (0..<2).map { _ in matcher.isFound(in: text) }
    #expect(found == [expected, expected])
  }
}
