// The margin: every value next to the likeliest one of an ordered axis keeps a share of the probability.

extension CMAESModel {
  /// Moves the mean and widens the distribution on ordered axes so far that the values on both sides of the mean's own
  /// are drawn with at least the margin together (Hamano et al.: CMA-ES with Margin, 2022, section 4).
  ///
  /// Without it all draws would soon round to one value, and the covariance could no longer learn anything about it.
  mutating func keepMargins() {
    for axis in mean.indices where layout.isOrdered[axis] {
      let own = layout.cell(of: mean[axis], on: axis)
      widenAtEnd(axis, own)
      let deviation = deviation(axis)
      guard deviation > 0, own.upperBound > own.lowerBound else { continue }
      let margin = layout.margin
      switch (own.lowerBound > 0, own.upperBound < 1) {
      case (false, false): continue
      case (true, true): keepInner(axis, own, deviation, margin)
      case (false, true):
        // The lowest value: the next one must stay within reach.
        let reach = -Normal.quantile(margin) * deviation
        mean[axis] = max(mean[axis], own.upperBound - reach)
      case (true, false):
        let reach = -Normal.quantile(margin) * deviation
        mean[axis] = min(mean[axis], own.lowerBound + reach)
      }
    }
  }

  private mutating func keepInner(
    _ axis: Int, _ own: ClosedRange<Double>, _ deviation: Double, _ margin: Double
  ) {
    var below = Normal.cumulative((own.lowerBound - mean[axis]) / deviation)
    var above = Normal.cumulative((mean[axis] - own.upperBound) / deviation)
    guard below < margin / 2 || above < margin / 2 else { return }
    let inside = 1 - below - above
    below = max(below, margin / 2)
    above = max(above, margin / 2)
    // So that all three add up to 1 again, with neither side below its margin.
    let excess = (1 - below - above - inside) / (below + above + inside - 1.5 * margin)
    (below, above) = (
      below + excess * (below - margin / 2), above + excess * (above - margin / 2)
    )
    let low = -Normal.quantile(min(max(below, 1e-8), 0.5 - 1e-8))
    let high = -Normal.quantile(min(max(above, 1e-8), 0.5 - 1e-8))
    mean[axis] = (own.lowerBound * high + own.upperBound * low) / (low + high)
    widening[axis] *= (own.upperBound - own.lowerBound) / (low + high) / deviation
  }

  /// With a deviation far below the cell the mean would stand on the threshold; so it can keep half a cell from it.
  private mutating func widenAtEnd(_ axis: Int, _ own: ClosedRange<Double>) {
    guard own.lowerBound <= 0 || own.upperBound >= 1 else { return }
    let least = (own.upperBound - own.lowerBound) / 2 / -Normal.quantile(layout.margin)
    let deviation = deviation(axis)
    if deviation < least { widening[axis] *= least / deviation }
  }

  /// Whether an ordered axis moves by its margin alone: nearly all draws round to one value.
  func isHeldByMargin(_ axis: Int) -> Bool {
    let own = layout.cell(of: mean[axis], on: axis)
    let deviation = deviation(axis)
    guard deviation > 0 else { return true }
    let inside =
      Normal.cumulative((own.upperBound - mean[axis]) / deviation)
      - Normal.cumulative((own.lowerBound - mean[axis]) / deviation)
    return inside >= 1 - 1.5 * layout.margin
  }
}
