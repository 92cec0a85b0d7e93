// Statistics of groups beside those of NumPy and SciPy.

import MartletModel
import Testing

@Suite struct GroupStatisticsTests {
  private func isNear(_ a: Double?, _ b: Double, _ tolerance: Double = 1e-12) -> Bool {
    guard let a else { return false }
    return abs(a - b) <= tolerance * max(1, abs(b))
  }

  /// `mean`, `std(ddof=1)`, `percentile(…, [0, 25, 50, 75, 100])` of NumPy 2.4.6, `scipy.stats.t.ppf(0.975, n - 1)`.
  @Test(arguments: [
    (
      [0.31, 0.29, 0.35, 0.4, 0.28], 0.326, 0.04929503017546495, 0.022045407685048604,
      [0.28, 0.29, 0.31, 0.35, 0.4], [0.264792135740757, 0.38720786425924303]
    ),
    (
      [1, 2, 3, 4], 2.5, 1.2909944487358056, 0.6454972243679028, [1.0, 1.75, 2.5, 3.25, 4.0],
      [0.4457397432394794, 4.554260256760521]
    ),
    (
      [-3.5, 7, 0, 2.25, 1e-3, 12], 2.9585, 5.617760541354535, 2.293441137243335,
      [-3.5, 0.00025, 1.1255, 5.8125, 12.0], [-2.9369781284988083, 8.85397812849881]
    ),
    (
      [1e9 + 0.1, 1e9 + 0.2, 1e9 + 0.4], 1000000000.2333335, 0.15275249455030648, 0.08819169384800629,
      [1000000000.1, 1000000000.1500001, 1000000000.2, 1000000000.3, 1000000000.4],
      [999999999.8538753, 1000000000.6127917]
    ),
  ])
  func `as NumPy has it`(
    _ values: [Double], _ mean: Double, _ deviation: Double, _ error: Double, _ parts: [Double],
    _ ends: [Double]
  ) throws {
    let found = try #require(GroupStatistics(values))
    #expect(found.count == values.count)
    #expect(isNear(found.mean, mean))
    #expect(isNear(found.deviation, deviation, 1e-6))
    #expect(isNear(found.error, error, 1e-6))
    #expect(isNear(found.confidence?.lowerBound, ends[0], 1e-9))
    #expect(isNear(found.confidence?.upperBound, ends[1], 1e-9))
    let quartiles = [found.min, found.lowerQuartile, found.median, found.upperQuartile, found.max]
    #expect(zip(quartiles, parts).allSatisfy { isNear($0, $1) }, "\(quartiles)")
  }

  /// `scipy.stats.t.ppf(0.975, n)`, read off the interval of n + 1 numbers.
  @Test(arguments: [
    (1, 12.706204736174694), (2, 4.302652729749462), (3, 3.1824463052837078), (4, 2.7764451051977934),
    (5, 2.5705818356363146), (9, 2.262157162798205), (10, 2.228138851986274), (29, 2.045229642132703),
    (100, 1.9839715185235518), (999, 1.9623414611334493), (2000, 1.9611508260994377),
    (2001, 1.9611502326224413),
    (5000, 1.9604385517065073),
  ])
  func `Student's t`(_ degrees: Int, _ expected: Double) throws {
    let values = (0...degrees).map { Double($0 % 2) }
    let found = try #require(GroupStatistics(values))
    let half = try #require(found.confidence).upperBound - found.mean
    #expect(isNear(half / (found.error ?? 0), expected, 1e-9))
  }

  @Test func `few numbers`() throws {
    #expect(GroupStatistics([]) == nil)
    let one = try #require(GroupStatistics([5]))
    #expect((one.count, one.mean, one.median, one.deviation, one.confidence == nil) == (1, 5, 5, nil, true))
    #expect(one.json["ci95"] == .null)
    let same = try #require(GroupStatistics([2, 2]))
    #expect(same.deviation == 0 && same.confidence == 2...2)
  }
}
