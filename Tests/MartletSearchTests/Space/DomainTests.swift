// Values and coordinates: every domain there and back, and how likely its values are.

import Foundation
import MartletModel
import MartletSearch
import OrderedCollections
import Testing

@Suite struct DomainTests {
  private func cube(_ domain: Domain) throws -> UnitCube { UnitCube(try Space([Parameter("p", domain)])) }

  private func draws(_ domain: Domain, count: Int = 4000) throws -> [JSONValue] {
    let cube = try cube(domain)
    var generator = Xoshiro256(seed: 5)
    return (0..<count).compactMap { _ in cube.point(at: cube.draw(using: &generator))["p"] }
  }

  private static let domains: [Domain] = [
    .categorical([1, 1.5, "1", true, nil]), .categorical(["a", "b"], probabilities: [0.9, 0.1]),
    .ordinal(["low", "middle", "high"]), .integers(min: -3, max: 10, step: 4),
    .integers(min: 0, max: 1_000_000),
    .integers(min: 1, max: 1024, scale: .logarithmic),
    .integers(min: 8, max: 500, step: 16, scale: .logarithmic),
    .real(.uniform(min: -1, max: 3)), .real(.logUniform(min: -9, max: -2)),
    .real(.invLogUniform(min: 1, max: 3)),
    .real(.logUniformValues(min: 1e-5, max: 0.1)), .real(.invLogUniformValues(min: 1e-5, max: 0.1)),
    .real(.normal(mu: 2, sigma: 3)), .real(.logNormal(mu: 1, sigma: 0.5)), .real(.beta(a: 2, b: 6)),
    .real(.uniform(min: 0.25, max: 0.75), quantum: Quantum(0.1)),
    .real(.uniform(min: -0.35, max: 1), quantum: Quantum(0.1, from: -0.35)),
    .real(.logUniform(min: 0, max: 5), quantum: Quantum(1, isWhole: true)),
    .real(.logUniformValues(min: 10, max: 1000), quantum: Quantum(10, isWhole: true)),
    .real(.normal(mu: 0, sigma: 10), quantum: Quantum(5)),
    .real(.logNormal(mu: 0, sigma: 1), quantum: Quantum(0.5)),
    .real(.beta(a: 0.5, b: 0.5), quantum: Quantum(0.125)),
  ]

  @Test(arguments: domains) func everyDrawComesBackFromItsValue(domain: Domain) throws {
    let cube = try cube(domain)
    var generator = Xoshiro256(seed: 3)
    for _ in 0..<200 {
      let drawn = cube.draw(using: &generator)
      #expect(cube.canonical(drawn) == drawn)
      let point = cube.point(at: drawn)
      let back = try #require(cube.coordinates(of: point))
      #expect((back[0] - drawn[0]).magnitude < 1e-9)
      // Beside the last digits of the coordinate the value is the same, and it is of its kind.
      let again = try #require(cube.point(at: back)["p"])
      if let number = point["p"]?.double, let other = again.double {
        #expect((number - other).magnitude <= 1e-9 * max(number.magnitude, 1e-9))
      } else {
        #expect(again == point["p"])
      }
      #expect(cube.cell(of: drawn[0], on: 0).contains(drawn[0]))
    }
  }

  /// By the mean and the standard deviation of draws on the scale on which they are known.
  private func check(
    _ distribution: RealDistribution, mean expected: Double, deviation: Double,
    on scale: (Double) -> Double = { $0 }
  ) throws {
    let values = try draws(.real(distribution)).compactMap(\.double)
    if let bounds = distribution.bounds { #expect(values.allSatisfy(bounds.contains)) }
    let scaled = values.map(scale)
    let mean = scaled.reduce(0, +) / Double(scaled.count)
    // Five standard errors: the seed is fixed, so this passes always or never.
    #expect((mean - expected).magnitude < 5 * deviation / Double(scaled.count).squareRoot())
    let variance = scaled.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(scaled.count)
    #expect((variance.squareRoot() / deviation - 1).magnitude < 0.06)
  }

  @Test func distributionsAreThoseOfTheirNames() throws {
    let flat = 1 / 12.0.squareRoot()
    try check(.uniform(min: -1, max: 3), mean: 1, deviation: 4 * flat)
    try check(.logUniform(min: -9, max: -2), mean: -5.5, deviation: 7 * flat, on: { Foundation.log($0) })
    let decades: (Double) -> Double = { Foundation.log10($0) }
    try check(.logUniformValues(min: 1e-5, max: 1e-1), mean: -3, deviation: 4 * flat, on: decades)
    try check(.invLogUniform(min: 1, max: 3), mean: -2, deviation: 2 * flat, on: { Foundation.log($0) })
    try check(.invLogUniformValues(min: 1e-5, max: 1e-1), mean: -3, deviation: 4 * flat, on: decades)
    try check(.normal(mu: 2, sigma: 3), mean: 2, deviation: 3)
    try check(.logNormal(mu: 1, sigma: 0.5), mean: 1, deviation: 0.5, on: { Foundation.log($0) })
    // Beta(2, 6): mean a/(a+b), variance ab/((a+b)²(a+b+1)).
    try check(.beta(a: 2, b: 6), mean: 0.25, deviation: (12.0 / (64 * 9)).squareRoot())
    try check(.beta(a: 0.5, b: 0.5), mean: 0.5, deviation: 0.125.squareRoot())
  }

  @Test func wholeNumbersOnALogarithmicScale() throws {
    let values = try draws(.integers(min: 1, max: 1024, scale: .logarithmic)).compactMap(\.int)
    #expect(values.allSatisfy { (1...1024).contains($0) })
    // The share of 1 is log(1.5 / 0.5) of log(1024.5 / 0.5).
    let share = Foundation.log(3.0) / Foundation.log(2049.0)
    let ones = Double(values.count { $0 == 1 }) / Double(values.count)
    #expect((ones - share).magnitude < 5 * (share * (1 - share) / 4000).squareRoot())
    let stepped = Set(try draws(.integers(min: 8, max: 30, step: 5, scale: .logarithmic)))
    #expect(stepped == [8, 13, 18, 23, 28])
  }

  @Test func stepsFromAnOriginAreDecimal() throws {
    let domain = Domain.real(.uniform(min: -0.35, max: 1), quantum: Quantum(0.1, from: -0.35))
    #expect(domain.count == 14)
    #expect((0..<14).compactMap(domain.value).map(\.text).suffix(4) == ["0.65", "0.75", "0.85", "0.95"])
    #expect(domain.value(at: 0)?.text == "-0.35")
  }

  @Test func neighboursFollowTheList() throws {
    let cube = try cube(.ordinal(["low", "middle", "high"]))
    let low = try #require(cube.coordinates(of: Point(values: ["p": "low"])))
    let middle = try #require(cube.neighbour(of: low[0], on: 0, up: true))
    #expect(cube.point(at: [middle])["p"] == "middle")
    #expect(cube.neighbour(of: low[0], on: 0, up: false) == nil)
    #expect(cube.values(on: 0, atMost: 3)?.count == 3)
  }

  @Test func aSingleValueIsNoAxis() throws {
    let space = try Space([
      Parameter("a", .categorical(["z"])), Parameter("b", .constant(1)),
      Parameter("c", .real(.uniform(min: 0.9, max: 1.4), quantum: Quantum(1, isWhole: true))),
    ])
    let cube = UnitCube(space)
    #expect(cube.axes.isEmpty)
    #expect(cube.point(at: []).flat.text == #"{"a":"z","b":1,"c":1}"#)
    #expect(cube.coordinates(of: Point(values: ["a": "z", "c": 1])) == [])
    #expect(cube.coordinates(of: Point(values: ["a": "y", "c": 1])) == nil)
    #expect(cube.coordinates(of: Point(values: ["a": "z", "c": 1, "odd": 1])) == nil)
  }
}
