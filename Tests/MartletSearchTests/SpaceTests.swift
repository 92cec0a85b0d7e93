// Spaces: how many points, which, in which order, and what is refused.

import MartletModel
import MartletSearch
import OrderedCollections
import Testing

@Suite struct SpaceTests {
  @Test func lastParameterChangesFastest() throws {
    let space = try Space([
      Parameter("a", .categorical([1, 2])), Parameter("b", .constant("x")),
      Parameter("c", .categorical([true, false])),
    ])
    #expect(space.cardinality == 4)
    let texts = (0..<4).compactMap { space.point(at: $0)?.flat.text }
    #expect(
      texts == [
        #"{"a":1,"b":"x","c":true}"#, #"{"a":1,"b":"x","c":false}"#, #"{"a":2,"b":"x","c":true}"#,
        #"{"a":2,"b":"x","c":false}"#,
      ])
    #expect(space.point(at: 4) == nil)
    #expect(space.point(at: -1) == nil)
  }

  @Test func cardinalityNeverOverflows() throws {
    let wide = Domain.integers(min: 1, max: 1 << 40)
    let space = try Space([Parameter("a", wide), Parameter("b", wide)])
    #expect(space.cardinality == Int.max)
    #expect(space.point(at: 0) == nil)
    #expect(Domain.integers(min: .min, max: .max).count == Int.max)
    let real = try Space([Parameter("a", wide), Parameter("r", .real(.uniform(min: 0, max: 1)))])
    #expect(real.cardinality == nil)
  }

  @Test func integerRangesHoldBothEnds() {
    let domain = Domain.integers(min: -3, max: 10, step: 4)
    #expect((0..<4).map(domain.value) == [.int(-3), .int(1), .int(5), .int(9)])
    #expect(domain.count == 4)
    #expect(domain.value(at: 4) == nil)
  }

  @Test func multiplesOfADecimalStepAreDecimal() {
    let domain = Domain.real(.uniform(min: 0.1, max: 0.7), quantum: Quantum(0.1))
    #expect(domain.count == 7)
    #expect(
      (0..<7).compactMap(domain.value).map(\.text) == ["0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7"])
    let whole = Domain.real(.uniform(min: 1, max: 100), quantum: Quantum(25, isWhole: true))
    #expect((0..<4).map(whole.value) == [.int(25), .int(50), .int(75), .int(100)])
  }

  @Test func nestedPathsAndDottedNamesStayApart() throws {
    let space = try Space([
      Parameter(path: ["optimizer", "lr"], domain: .categorical([0.1])),
      Parameter(path: ["model.width"], domain: .categorical([64])),
      Parameter(path: ["optimizer", "name"], domain: .constant("adam")),
    ])
    let point = try #require(space.point(at: 0))
    #expect(Array(point.values.keys) == ["optimizer.lr", "model.width", "optimizer.name"])
    #expect(point.nested.text == #"{"optimizer":{"lr":0.1,"name":"adam"},"model.width":64}"#)
    #expect(point["optimizer.lr"] == .double(0.1))
  }

  @Test func aPointComesBackFromItsFlatForm() throws {
    let space = try Space([
      Parameter(path: ["a", "b"], domain: .categorical([1, 2])), Parameter("c.d", .categorical([3])),
    ])
    let point = try #require(space.point(at: 1))
    let back = try #require(space.point(flat: JSONValue.parse(point.flat.text)))
    #expect(back == point)
    #expect(back.nested == point.nested)
    #expect(space.point(flat: ["a.b": 1]) == nil)
    #expect(space.point(flat: ["a.b": 1, "x": 2]) == nil)
  }

  @Test func parametersAreShownAsTheAPISaysThem() throws {
    let space = try Space([
      Parameter("a", .categorical([1, 2])), Parameter("b", .integers(min: 1, max: 9, step: 2)),
      Parameter("c", .real(.logUniformValues(min: 0.1, max: 1))),
      Parameter("d", .real(.normal(mu: 0, sigma: 1), quantum: Quantum(2, isWhole: true))),
    ])
    #expect(
      space.json.array?.map(\.text) == [
        #"{"name":"a","kind":"categorical","values":[1,2]}"#,
        #"{"name":"b","kind":"integer","min":1,"max":9,"distribution":"int_uniform","step":2}"#,
        #"{"name":"c","kind":"real","min":0.1,"max":1.0,"distribution":"log_uniform_values"}"#,
        #"{"name":"d","kind":"integer","mu":0.0,"sigma":1.0,"distribution":"q_normal","q":2}"#,
      ])
  }

  @Test func emptyAndRepeatedAreRefused() {
    #expect(throws: SearchError.emptySpace) { try Space([]) }
    // One is nested, the other merely holds a dot: on a command line they would be one flag.
    #expect(throws: SearchError.repeatedParameter("a.b")) {
      try Space([Parameter(path: ["a", "b"], domain: .constant(1)), Parameter("a.b", .constant(2))])
    }
  }

  @Test(arguments: [
    (Domain.categorical([]), "values"), (.categorical([1, 2], probabilities: [1]), "probabilities"),
    (.categorical([1, 2], probabilities: [0.5, 0.6]), "probabilities"),
    (.categorical([1, 2], probabilities: [1.5, -0.5]), "probabilities"),
    (.integers(min: 3, max: 3), "min"), (.integers(min: 3, max: 2), "min"),
    (.integers(min: 1, max: 2, step: 0), "step"),
    (.real(.uniform(min: 1, max: 1)), "min"), (.real(.uniform(min: .nan, max: 1)), "min"),
    (.real(.uniform(min: 0, max: .infinity)), "max"), (.real(.logUniform(min: 0, max: 1000)), "max"),
    (.real(.logUniformValues(min: 0, max: 1)), "min"), (.real(.invLogUniformValues(min: -1, max: 1)), "min"),
    (.real(.normal(mu: 0, sigma: 0)), "sigma"), (.real(.logNormal(mu: 0, sigma: -1)), "sigma"),
    (.real(.beta(a: 0, b: 1)), "a"), (.real(.beta(a: 1, b: -1)), "b"),
    (.real(.uniform(min: 0.1, max: 0.9), quantum: Quantum(1)), "q"),
    (.real(.uniform(min: 0, max: 1), quantum: Quantum(0)), "q"),
    (.real(.uniform(min: 0, max: 1), quantum: Quantum(1e-300)), "q"),
  ])
  func flawedDomainsAreRefused(domain: Domain, key: String) {
    #expect(domain.flaw?.key == key)
    #expect(throws: SearchError.self) { try Space([Parameter("p", domain)]) }
  }
}
