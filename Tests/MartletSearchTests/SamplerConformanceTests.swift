// What every sampler promises: seeded, serializable, exact after any save and restore.

import MartletModel
import MartletSearch
import OrderedCollections
import Testing

@Suite struct SamplerConformanceTests {
  private func space() throws -> Space {
    try Space([
      Parameter("kind", .categorical(["a", "b", "c"])),
      Parameter("width", .integers(min: 16, max: 64, step: 16)),
      Parameter(path: ["opt", "q"], domain: .real(.uniform(min: 0, max: 1), quantum: Quantum(0.25))),
    ])
  }

  private func outcome(_ trial: Int, _ point: Point) -> TrialOutcome {
    TrialOutcome(
      trial: trial, point: point, state: trial % 5 == 4 ? .failed : .complete, objective: Double(trial % 7))
  }

  @Test(arguments: samplerMethods) func restoredAnywhereItGoesOnAlike(method: String) throws {
    let space = try space()
    var straight = try makeSampler(method: method, space: space, seed: 42)
    var broken = try makeSampler(method: method, space: space, seed: 42)
    for trial in 0..<50 {
      let expected = straight.ask()
      // The text, as a database keeps it; the seed given at restoring must not matter.
      let saved = try JSONValue.parse(broken.state.text)
      broken = try makeSampler(method: method, space: space, seed: 7, state: saved)
      #expect(broken.ask() == expected)
      #expect(broken.state == straight.state)
      guard let expected else { break }
      straight.tell(outcome(trial, expected))
      broken.tell(outcome(trial, expected))
    }
  }

  @Test(arguments: samplerMethods) func pointsLieInTheSpace(method: String) throws {
    let space = try space()
    var sampler = try makeSampler(method: method, space: space, seed: 1)
    for _ in 0..<60 {
      guard let point = sampler.ask() else { break }
      #expect(Array(point.values.keys) == ["kind", "width", "opt.q"])
      for parameter in space.parameters {
        let values = (0..<(parameter.domain.count ?? 0)).map(parameter.domain.value)
        #expect(values.contains(point[parameter.name]))
      }
    }
  }

  @Test(arguments: samplerMethods) func foreignStatesAreRefused(method: String) throws {
    let space = try space()
    for state: JSONValue in [
      nil, 3, [:], ["method": "other", "next": 1], ["method": .string(method), "next": -1],
    ] {
      #expect(throws: SearchError.self) {
        try makeSampler(method: method, space: space, seed: 1, state: state)
      }
    }
  }

  @Test func unknownMethodNamesTheNearest() throws {
    let space = try space()
    #expect(throws: SearchError.unknownMethod("gird", nearest: "grid")) {
      try makeSampler(method: "gird", space: space, seed: 1)
    }
    #expect("\(SearchError.unknownMethod("gird", nearest: "grid"))".contains("did you mean 'grid'?"))
  }
}

@Suite struct GridSamplerTests {
  @Test func everyPointOnceThenNone() throws {
    let space = try Space([
      Parameter("a", .integers(min: 1, max: 3)), Parameter("b", .categorical([true, false])),
    ])
    var sampler = try GridSampler(space: space)
    var points: [Point] = []
    while let point = sampler.ask() { points.append(point) }
    #expect(points == (0..<6).compactMap(space.point))
    #expect(Set(points).count == 6)
    #expect(sampler.ask() == nil)
    // Done stays done after a restart.
    var again = try GridSampler(space: space, state: sampler.state)
    #expect(again.ask() == nil)
  }

  @Test func anEndlessParameterIsNamed() throws {
    let space = try Space([
      Parameter("a", .categorical([1])),
      Parameter(path: ["opt", "lr"], domain: .real(.uniform(min: 0, max: 1))),
    ])
    #expect(throws: SearchError.infiniteDomain(parameter: "opt.lr", method: "grid")) {
      try GridSampler(space: space)
    }
  }

  @Test func aSpaceTooLargeToCountIsRefused() throws {
    let wide = Domain.integers(min: .min, max: .max)
    let space = try Space([Parameter("a", wide)])
    #expect(throws: SearchError.tooManyPoints(method: "grid")) { try GridSampler(space: space) }
  }

  @Test func aStateBeyondTheSpaceIsRefused() throws {
    let space = try Space([Parameter("a", .categorical([1, 2]))])
    #expect(throws: SearchError.self) { try GridSampler(space: space, state: ["method": "grid", "next": 3]) }
  }
}
