// Needs from parameters.

import MartletModel
import MartletScheduling
import MartletSearch
import OrderedCollections
import Testing

@Suite struct NeedsRuleTests {
  private let point = Point(values: ["tp": 2, "pp": 3, "model.layers": 48, "name": "big"])

  private func devices(_ text: String) throws -> Result<Needs, NeedsRule.Unclear> {
    NeedsRule(devices: try NeedsRule.Amount(parsing: text)).needs(of: point)
  }

  @Test(arguments: [
    ("tp * pp", 6), ("tp*max(pp, 4)", 8), ("2^tp", 4), ("0", 0), ("model.layers / 12", 4),
    ("clip(tp * pp * 10, 1, 8)", 8), ("-tp + 3", 1),
  ]) func `devices are computed`(text: String, count: Int) throws {
    #expect(try devices(text).get().devices == count)
  }

  @Test(arguments: [
    ("tpp", "'gpus: tpp' has no value: there is no parameter 'tpp'."),
    ("name * 2", "'gpus: name * 2' has no value: the parameter 'name' is \"big\", which is no number."),
    ("tp / 4", "'gpus: tp / 4' is 0.5, and must be a whole number from 0 on."),
    ("tp - 3", "'gpus: tp - 3' is -1.0, and must be a whole number from 0 on."),
    ("1 / (tp - 2)", "'gpus: 1 / (tp - 2)' is inf, and must be a whole number from 0 on."),
  ]) func `what has no value says why`(text: String, reason: String) throws {
    #expect(try devices(text) == .failure(NeedsRule.Unclear(reason: reason)))
  }

  @Test func `memory is in bytes, and units have names`() throws {
    let rule = NeedsRule(
      devices: .number(1), deviceMemory: try NeedsRule.Amount(parsing: "(2 + model.layers / 8) * GB"),
      memory: try NeedsRule.Amount(parsing: "1.5 * GiB"))
    let needs = try rule.needs(of: point).get()
    #expect(needs.deviceMemory == 8_000_000_000)
    #expect(needs.memory == 1_610_612_736)
  }

  @Test(arguments: ["step * 2", "ema(tp)", "time", "2 +"]) func `what goes over points is refused`(
    text: String
  ) {
    #expect(throws: ExpressionError.self) { try NeedsRule.Amount(parsing: text) }
  }
}
