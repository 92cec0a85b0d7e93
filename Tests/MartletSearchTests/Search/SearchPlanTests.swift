// The methods of a search in words.

import MartletModel
import OrderedCollections
import Testing

@testable import MartletSearch

@Suite struct SearchPlanTests {
  private func problem(_ parameters: [Parameter], objectives: Int = 1, budget: Int? = nil) throws
    -> SearchProblem
  {
    SearchProblem(space: try Space(parameters), objectiveCount: objectives, budget: budget, seed: 0)
  }

  private let numbers = (0..<3).map { Parameter("x\($0)", .real(.uniform(min: 0, max: 1))) }

  @Test func aNamedMethodServesAllTrials() throws {
    let plan = try SearchPlan(method: "tpe", problem(numbers))
    #expect(plan.stages == [SearchPlan.Stage(method: "tpe", from: 0)])
    #expect(plan.reason == nil)
    #expect(plan.stage(of: 100_000) == 0)
    #expect(throws: SearchError.self) { try SearchPlan(method: "tp", problem(numbers)) }
  }

  @Test func theStagesOfAutoFollowEachOtherWithoutAGap() throws {
    let kind = Parameter("kind", .categorical(["a", "b"]))
    for (objectives, budget) in [(1, nil), (1, 100), (1, 5_000), (2, nil)] as [(Int, Int?)] {
      for parameters in [numbers, numbers + [kind], [kind]] {
        let plan = try SearchPlan(
          method: "bayes", problem(parameters, objectives: objectives, budget: budget))
        #expect(plan.method == "auto")
        #expect(plan.stages.first?.from == 0)
        #expect(plan.stages.last?.until == nil)
        for (stage, next) in zip(plan.stages, plan.stages.dropFirst()) {
          #expect(stage.until == next.from)
          #expect(stage.from < next.from)
          #expect(plan.stages[plan.stage(of: next.from - 1)] == stage)
          #expect(plan.stages[plan.stage(of: next.from)] == next)
        }
        #expect(plan.stages.allSatisfy { $0.words != nil })
      }
    }
    let reason = try SearchPlan(method: "auto", problem(numbers + [kind], objectives: 2, budget: 100)).reason
    #expect(
      reason == "Chosen for 4 parameters, 1 of them categorical, none under a condition; 2 objectives.")
  }

  @Test(arguments: samplerMethods.filter { $0 != "auto" })
  func everyMethodIsSaidInWords(method: String) {
    #expect(SearchPlan.Stage(method: method, from: 0).words != nil)
  }
}
