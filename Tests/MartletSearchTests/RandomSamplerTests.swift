// Random search: every distribution, by its mean, its bounds and its seed.

import Foundation
import MartletModel
import MartletSearch
import OrderedCollections
import Testing

@Suite struct RandomSamplerTests {
  private func draws(_ domain: Domain, count: Int = 20_000, seed: UInt64 = 5) throws -> [JSONValue] {
    var sampler = RandomSampler(space: try Space([Parameter("p", domain)]), seed: seed)
    return (0..<count).compactMap { _ in sampler.ask()?["p"] }
  }

  private func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

  /// The draws mapped to a scale on which their distribution has this mean and standard deviation.
  private func check(
    _ distribution: RealDistribution, mean expected: Double, deviation: Double,
    within bounds: ClosedRange<Double>? = nil,
    on scale: (Double) -> Double = { $0 }
  ) throws {
    let values = try draws(.real(distribution)).compactMap(\.double)
    if let bounds { #expect(values.allSatisfy(bounds.contains)) }
    let scaled = values.map(scale)
    // Five standard errors: the seed is fixed, so this passes always or never.
    let mean = mean(scaled)
    #expect(abs(mean - expected) < 5 * deviation / Double(scaled.count).squareRoot())
    let variance = self.mean(scaled.map { ($0 - mean) * ($0 - mean) })
    #expect(abs(variance.squareRoot() / deviation - 1) < 0.05)
  }

  @Test func realDistributions() throws {
    let flat = 1 / 12.0.squareRoot()
    try check(.uniform(min: -1, max: 3), mean: 1, deviation: 4 * flat, within: -1...3)
    try check(
      .logUniform(min: -9, max: -2), mean: -5.5, deviation: 7 * flat, within: exp(-9)...exp(-2), on: log)
    try check(
      .logUniformValues(min: 1e-5, max: 1e-1), mean: -3, deviation: 4 * flat, within: 1e-5...1e-1, on: log10)
    try check(
      .invLogUniform(min: 1, max: 3), mean: -2, deviation: 2 * flat, within: exp(-3)...exp(-1), on: log)
    try check(
      .invLogUniformValues(min: 1e-5, max: 1e-1), mean: -3, deviation: 4 * flat, within: 1e-5...1e-1,
      on: log10)
    try check(.normal(mu: 2, sigma: 3), mean: 2, deviation: 3)
    try check(.logNormal(mu: 1, sigma: 0.5), mean: 1, deviation: 0.5, on: log)
    // Beta(2, 6): mean a/(a+b), variance ab/((a+b)²(a+b+1)).
    try check(.beta(a: 2, b: 6), mean: 0.25, deviation: (12.0 / (64 * 9)).squareRoot(), within: 0...1)
    try check(.beta(a: 0.5, b: 0.5), mean: 0.5, deviation: 0.125.squareRoot(), within: 0...1)
  }

  @Test func uniformFillsItsRangeEvenly() throws {
    let values = try draws(.real(.uniform(min: 0, max: 10)), count: 10_000).compactMap(\.double)
    for tenth in 0..<10 {
      let share = values.count { Int($0) == tenth }
      #expect((850...1150).contains(share))
    }
  }

  @Test func integersReachBothEndsEvenly() throws {
    let values = try draws(.integers(min: -2, max: 2), count: 10_000).compactMap(\.int)
    for number in Int64(-2)...2 { #expect((1850...2150).contains(values.count { $0 == number })) }
    let stepped = Set(try draws(.integers(min: 16, max: 70, step: 16), count: 500))
    #expect(stepped == [16, 32, 48, 64])
    // The whole of Int64 must not trap.
    #expect(Set(try draws(.integers(min: .min, max: .max), count: 100)).count == 100)
  }

  @Test func probabilitiesAreKept() throws {
    let values = try draws(.categorical(["a", "b", "c"], probabilities: [0.7, 0, 0.3]), count: 10_000)
    #expect((6800...7200).contains(values.count { $0 == "a" }))
    #expect(!values.contains("b"))
    let even = try draws(.categorical([1, 2, 3, 4]), count: 8000)
    for value: JSONValue in [1, 2, 3, 4] { #expect((1850...2150).contains(even.count { $0 == value })) }
  }

  @Test func quantisedValuesAreMultiplesWithinBounds() throws {
    let tenths = try draws(.real(.uniform(min: 0.25, max: 0.75), quantum: Quantum(0.1)), count: 1000)
    #expect(Set(tenths.map(\.text)) == ["0.3", "0.4", "0.5", "0.6", "0.7"])
    let whole = try draws(
      .real(.logUniformValues(min: 10, max: 1000), quantum: Quantum(10, isWhole: true)), count: 2000)
    #expect(
      whole.allSatisfy {
        if case .int(let number) = $0 { number % 10 == 0 && (10...1000).contains(number) } else { false }
      })
    let normal = try draws(.real(.normal(mu: 0, sigma: 10), quantum: Quantum(5)), count: 1000).compactMap(
      \.double)
    #expect(normal.allSatisfy { $0.truncatingRemainder(dividingBy: 5) == 0 })
    #expect(normal.contains { $0 < 0 })
  }

  @Test func seedsDecide() throws {
    let domain = Domain.real(.uniform(min: 0, max: 1))
    #expect(try draws(domain, count: 20, seed: 1) == draws(domain, count: 20, seed: 1))
    #expect(try draws(domain, count: 20, seed: 1) != draws(domain, count: 20, seed: 2))
    // Neighbouring seeds share no points at other numbers either.
    let all = try (0..<50).flatMap { try draws(domain, count: 50, seed: UInt64($0)) }
    #expect(Set(all).count == 2500)
  }

  @Test func everySeedSurvivesSaving() throws {
    let space = try Space([Parameter("p", .real(.uniform(min: 0, max: 1)))])
    var sampler = RandomSampler(space: space, seed: .max)
    var back = try RandomSampler(space: space, state: JSONValue.parse(sampler.state.text))
    #expect(back.ask() == sampler.ask())
  }

  /// Saved searches must go on alike after an upgrade: these numbers may never change.
  @Test func drawsStayTheSameForEver() throws {
    let space = try Space([
      Parameter("u", .real(.uniform(min: 0, max: 1))), Parameter("i", .integers(min: 0, max: 999)),
      Parameter("c", .categorical(["a", "b", "c", "d"])),
    ])
    var sampler = RandomSampler(space: space, seed: 42)
    let texts = (0..<3).compactMap { _ in sampler.ask()?.flat.text }
    #expect(
      texts == [
        #"{"u":0.10114251884320236,"i":368,"c":"d"}"#, #"{"u":0.7616373341650858,"i":128,"c":"c"}"#,
        #"{"u":0.2903676601484546,"i":684,"c":"d"}"#,
      ])
  }
}

@Suite struct GeneratorTests {
  /// The first outputs of the reference implementation for seed 1234567.
  @Test func splitMixFollowsItsReference() {
    var generator = SplitMix64(seed: 1_234_567)
    #expect(
      (0..<5).map { _ in generator.next() } == [
        6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
        4_593_380_528_125_082_431,
        16_408_922_859_458_223_821,
      ])
  }
}
