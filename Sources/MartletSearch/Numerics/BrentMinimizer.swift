// The minimum of a function of one variable between two bounds.

enum BrentMinimizer {
  /// Where `function` is smallest between the bounds, to within `tolerance`; a local minimum when there are several.
  ///
  /// Golden sections, and parabolas where they help (Brent: Algorithms for Minimization Without Derivatives, 1973,
  /// chapter 5).
  static func minimum(
    in bounds: ClosedRange<Double>, tolerance: Double = 1e-6, iterations: Int = 60,
    _ function: (Double) -> Double
  ) -> Double {
    let golden = 0.3819660112501051
    var (low, high) = (bounds.lowerBound, bounds.upperBound)
    var best = low + golden * (high - low)
    var (second, third) = (best, best)
    var bestValue = function(best)
    var (secondValue, thirdValue) = (bestValue, bestValue)
    var step = 0.0
    var before = 0.0
    for _ in 0..<iterations {
      let middle = 0.5 * (low + high)
      guard (best - middle).magnitude > 2 * tolerance - 0.5 * (high - low) else { break }
      var isGolden = true
      if before.magnitude > tolerance {
        let r = (best - second) * (bestValue - thirdValue)
        var q = (best - third) * (bestValue - secondValue)
        var p = (best - third) * q - (best - second) * r
        q = 2 * (q - r)
        if q > 0 { p = -p } else { q = -q }
        // Only inside the bounds, and only while steps shrink.
        if p.magnitude < (0.5 * q * before).magnitude, p > q * (low - best), p < q * (high - best) {
          before = step
          step = p / q
          isGolden = false
          let place = best + step
          if place - low < 2 * tolerance || high - place < 2 * tolerance {
            step = best < middle ? tolerance : -tolerance
          }
        }
      }
      if isGolden {
        before = best < middle ? high - best : low - best
        step = golden * before
      }
      let place = best + (step.magnitude >= tolerance ? step : (step > 0 ? tolerance : -tolerance))
      let value = function(place)
      if value <= bestValue {
        if place < best { high = best } else { low = best }
        (third, thirdValue) = (second, secondValue)
        (second, secondValue) = (best, bestValue)
        (best, bestValue) = (place, value)
      } else {
        if place < best { low = place } else { high = place }
        if value <= secondValue || second == best {
          (third, thirdValue) = (second, secondValue)
          (second, secondValue) = (place, value)
        } else if value <= thirdValue || third == best || third == second {
          (third, thirdValue) = (place, value)
        }
      }
    }
    return best
  }
}
