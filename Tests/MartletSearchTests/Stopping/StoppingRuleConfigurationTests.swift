// What early_terminate may say, and what is refused, by which key.

import MartletModel
import OrderedCollections
import Testing

@testable import MartletSearch

private let loss = [Objective(metric: "loss", goal: .minimize)]

@Suite struct StoppingRuleConfigurationTests {
  @Test(arguments: [
    // The examples of W&B's page on sweep configuration.
    (#"{"type":"hyperband","min_iter":3}"#, [3, 9, 27, 81], 1),
    (#"{"type":"hyperband","max_iter":27,"s":2}"#, [3, 9], 1),
    (#"{"type":"hyperband","max_iter":100,"s":9,"eta":4}"#, [1, 6, 25], 1),
    (#"{"type":"hyperband","min_iter":1,"max_iter":36}"#, [1, 3, 9, 27], 3),
    (#"{"type":"hyperband","min_iter":1,"max_iter":3}"#, [1], 1),
    (#"{"type":"hyperband","min_iter":1,"max_iter":28,"brackets":2}"#, [1, 3, 9, 27], 2),
    (#"{"type":"asha","min_iter":2,"max_iter":20,"eta":2.5}"#, [2, 5, 12], 1),
    (#"{"type":"asha","min_iter":1,"eta":1.5}"#, [1, 2, 3, 5, 7], 1),
    // A 25th of the way where the file does not say.
    (#"{"type":"asha","max_iter":52}"#, [2, 6, 18], 1),
    (#"{"type":"hyperband","max_iter":100}"#, [4, 12, 36], 2),
    (#"{"type":"asha","max_iter":20}"#, [1, 3, 9], 1),
  ])
  func rungs(json: String, steps: [Int64], brackets: Int) throws {
    let configuration = try StoppingRuleConfiguration(JSONValue.parse(json), objectives: loss)
    guard case .halving(let rule) = configuration else {
      Issue.record("\(configuration)")
      return
    }
    #expect(rule.steps.prefix(steps.count).elementsEqual(steps))
    #expect(rule.brackets == brackets)
    if json.contains("max_iter") { #expect(rule.steps.count == steps.count) }
  }

  @Test(arguments: [
    (
      #"{"type":"hyperband","min_iter":3}"#,
      "At steps 3, 9, 27, 81, 243, 729 and so on the best 1/3 and one more of the trials that came so far, by loss, "
        + "go on; the others end."
    ),
    (
      #"{"type":"asha","min_iter":2,"max_iter":20,"eta":2.5,"mode":"pause"}"#,
      "At steps 2, 5 and 12 the best 1/2.5 of the trials that came so far, by loss, go on; the others stand still, "
        + "and go on when they belong to the best."
    ),
    (
      #"{"type":"median","min_iter":4,"interval":2}"#,
      "From step 4 on, a trial, looked at once in 2 steps, ends when its best loss so far is worse than the median of "
        + "what completed trials had at that step, once 5 of them came so far."
    ),
    (
      #"{"type":"patience","patience":3,"min_delta":0.1}"#,
      "A trial ends when its loss became no better by more than 0.1 in 3 reports."
    ),
    (#"{"type":"threshold"}"#, "A trial ends when its loss is not a number."),
    (
      #"{"type":"threshold","upper":5,"lower":-1,"min_iter":2}"#,
      "A trial ends when its loss is not a number, and from step 2 on when it is below -1 or above 5."
    ),
  ])
  func inWords(json: String, sentence: String) throws {
    let rule = try StoppingRuleConfiguration(JSONValue.parse(json), objectives: loss)
    #expect(rule.sentences(loss) == [sentence])
  }

  @Test func severalRulesAreSaidOneByOneAndShareTheirRungs() throws {
    let rule = try StoppingRuleConfiguration(
      JSONValue.parse(
        #"[{"type":"threshold"},{"type":"asha","max_iter":9},{"type":"asha","max_iter":9,"eta":2}]"#),
      objectives: loss)
    #expect(rule.sentences(loss).count == 3)
    #expect(rule.rungs == [1, 2, 3, 4, 8])
  }

  @Test(arguments: [
    ("3", "early_terminate", "type"), ("[]", "early_terminate", "type"),
    ("{}", "early_terminate", "type"), (#"{"type":"hyperbnd"}"#, "early_terminate", "type"),
    (#"{"type":"hyperband"}"#, "hyperband", "min_iter"),
    (#"{"type":"hyperband","min_iter":0}"#, "hyperband", "min_iter"),
    (#"{"type":"hyperband","min_iter":1.5}"#, "hyperband", "min_iter"),
    (#"{"type":"hyperband","min_iter":3,"s":2}"#, "hyperband", "s"),
    (#"{"type":"hyperband","max_iter":2,"s":2}"#, "hyperband", "max_iter"),
    (#"{"type":"hyperband","min_iter":3,"eta":1}"#, "hyperband", "eta"),
    (#"{"type":"hyperband","min_iter":3,"strict":1}"#, "hyperband", "strict"),
    (#"{"type":"asha","min_iter":9,"max_iter":9}"#, "asha", "max_iter"),
    (#"{"type":"asha","mode":"halt"}"#, "asha", "mode"),
    (#"{"type":"asha","max_iter":9,"brackets":3}"#, "asha", "brackets"),
    (#"{"type":"percentile","percentile":101}"#, "percentile", "percentile"),
    (#"{"type":"median","interval":0}"#, "median", "interval"),
    (#"{"type":"patience"}"#, "patience", "patience"),
    (#"{"type":"patience","patience":3,"min_delta":-1}"#, "patience", "min_delta"),
    (#"{"type":"threshold","lower":2,"upper":1}"#, "threshold", "lower"),
    (#"[{"type":"asha"},{"type":"median","startup_trials":0}]"#, "median", "startup_trials"),
  ])
  func refusedByKey(json: String, method: String, key: String) throws {
    let value = try JSONValue.parse(json)
    do {
      _ = try StoppingRuleConfiguration(value, objectives: loss)
      Issue.record("accepted")
    } catch {
      guard case .invalidOption(method, key, _) = error else {
        Issue.record("\(error)")
        return
      }
    }
  }

  @Test func whatNobodyReadsIsRefusedWithTheNearest() {
    #expect(
      throws: SearchError.unknownOption(
        method: "hyperband", name: "miniter", nearest: "min_iter",
        known: ["eta", "strict", "max_iter", "min_iter", "s", "brackets"])
    ) {
      try StoppingRuleConfiguration(
        ["type": "hyperband", "max_iter": 27, "miniter": 3], objectives: loss)
    }
  }

  @Test func rulesThatCompareOneObjectiveSaySo() {
    let two = loss + [Objective(metric: "size", goal: .minimize)]
    #expect(throws: SearchError.self) { try StoppingRuleConfiguration(["type": "median"], objectives: two) }
    #expect(throws: Never.self) { try StoppingRuleConfiguration(["type": "asha"], objectives: two) }
  }

  @Test func methodsBringTheirRules() throws {
    for method in StoppingRuleConfiguration.methods {
      #expect(try StoppingRuleConfiguration(method: method, options: [:], steps: 52) != nil)
      #expect(try StoppingRuleConfiguration(method: method, options: [:], steps: nil) != nil)
    }
    #expect(try StoppingRuleConfiguration(method: "random", options: [:], steps: 52) == nil)
    #expect(
      try StoppingRuleConfiguration(method: "asha", options: ["mode": "pause"], steps: 52)?.isPausing == true)
  }
}
