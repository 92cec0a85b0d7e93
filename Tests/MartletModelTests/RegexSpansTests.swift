// Where regular expressions are found, for marking.

import MartletModel
import Testing

@Suite struct RegexSpansTests {
  private func ranges(_ pattern: String, _ text: String, limit: Int = 100) throws -> [Range<Int>]? {
    var spans = try LinearRegex(pattern).spans()
    var steps = 1 << 20
    return spans.ranges(in: text, limit: limit, steps: &steps)
  }

  @Test func theFirstAndOfThoseTheLongest() throws {
    #expect(try ranges("loss [0-9]+", "a loss 22, loss 3") == [2..<9, 11..<17])
    #expect(try ranges("a|ab|abc", "abcab") == [0..<3, 3..<5])
    #expect(try ranges("(a|ab)(c|bcd)", "abcd") == [0..<4])
    #expect(try ranges("x*", "axxb") == [1..<3])
    #expect(try ranges("", "ab") == [])
    #expect(try ranges("q", "ab") == [])
    #expect(try ranges("a", "aaa", limit: 2) == [0..<1, 1..<2])
  }

  @Test func anchorsMeanTheLinesEnds() throws {
    #expect(try ranges("^a", "aa a") == [0..<1])
    #expect(try ranges("a$", "aa a") == [3..<4])
    #expect(try ranges("^a+$", "aaa") == [0..<3])
    #expect(try ranges("^a+$", "aab") == [])
    #expect(try ranges("a(b|$)", "abaa") == [0..<2, 3..<4])
  }

  @Test func offsetsAreThoseOfUTF16() throws {
    #expect(try ranges("b+", "😀b é bb") == [2..<3, 6..<8])
    #expect(try ranges("[😀é]", "a😀é") == [1..<3, 3..<4])
    #expect(try ranges("(?i)ÜB", "x übx") == [2..<4])
  }

  @Test func itTakesNoMoreStepsThanItWasGiven() throws {
    let text = String(repeating: "a", count: 4_000)
    var spans = try LinearRegex("(a|aa)*b").spans()
    var steps = 100_000
    #expect(spans.ranges(in: text, limit: 10, steps: &steps) == nil)
    #expect(steps > -10_000)
    // What it was for one line is nothing for the next.
    steps = 100_000
    #expect(spans.ranges(in: "aab", limit: 10, steps: &steps) == [0..<3])
  }
}
