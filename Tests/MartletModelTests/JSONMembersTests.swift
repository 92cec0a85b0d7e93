// Members that are written straight into text are those of the value.

import MartletModel
import Testing

@Suite struct JSONMembersTests {
  private static let noon = Timestamp(microseconds: 1_790_000_000_000_000)

  private static func text(_ run: Run) -> [UInt8] {
    var text = JSONText()
    text.object { run.put(into: &$0) }
    return text.bytes
  }

  private static func run() throws -> Run {
    var run = Run(
      id: try #require(PublicID(rawValue: "abcd2345")), project: "é \"digits\"\n", name: "a\\b\u{1}\u{7F}",
      state: .running, createdAt: noon, createdBy: "me")
    run.config = ["lr": 0.1, "nested": ["list": [1, 2.5, nil, "x"]], "empty": [:]]
    run.metrics = [
      MetricSummary(name: "loss", value: -0.0, step: 3, time: noon),
      MetricSummary(name: "tab\t/name", value: .nan, step: -1, time: noon),
    ]
    run.metrics[1].isDerived = true
    run.tags = ["a", "b"]
    return run
  }

  @Test func `a run as text is the run as a value`() throws {
    var run = try Self.run()
    #expect(Self.text(run) == run.json.bytes())
    #expect(try JSONValue.parse(Self.text(run)) == JSONValue.parse(run.json.bytes()))
    // A name that was logged as a number and as something else, and was set besides, stands there once.
    run.values = [LoggedValue(name: "loss", value: ["kind": "histogram"], lastStep: 4)]
    run.summaryValues = [SummaryValue(name: "loss", value: 7, setAt: Self.noon)]
    run.environment = ["os": "Debian"]
    (run.group, run.pid, run.endedAt) = ("g", 12, Self.noon)
    #expect(Self.text(run) == run.json.bytes())
    let loss = try JSONValue.parse(Self.text(run))["summary"]?["loss"]
    #expect(loss?["value"] == 7 && loss?["count"] == 1 && loss?["set_at"] != nil)
  }

  @Test func `lists of objects and members behind them`() {
    var text = JSONText()
    text.object { answer in
      answer.put("items", objects: [1, 2]) { number, members in members.put("n", Int64(number)) }
      answer.put("none", objects: [Int]()) { _, _ in }
      answer.put("inner", object: { $0.put("x", 0.5) })
      answer.put("next", String?.none)
    }
    #expect(
      String(decoding: text.bytes, as: UTF8.self)
        == #"{"items":[{"n":1},{"n":2}],"none":[],"inner":{"x":0.5},"next":null}"#)
  }

  @Test(arguments: ["", "plain", "\"", "a\"b\\c", "\n\r\t", "é\u{0}ü\u{1F}", "\u{7F}end"])
  func `texts are escaped where they must be`(text: String) throws {
    #expect(try JSONValue.parse(JSONValue.string(text).bytes()) == .string(text))
  }
}
