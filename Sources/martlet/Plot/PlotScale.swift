// From values to places along an axis, and the values that are written beside it.

import Foundation

/// An axis: a range of values, evenly or by their logarithms.
struct PlotScale: Hashable {
  let low: Double
  let high: Double
  let isLog: Bool

  /// A single value gets some room on both sides.
  ///
  /// - Parameters:
  ///   - low, high: finite, in order; above zero where `isLog`.
  init(low: Double, high: Double, isLog: Bool = false) {
    self.isLog = isLog
    guard low >= high else {
      (self.low, self.high) = (low, high)
      return
    }
    let most = Double.greatestFiniteMagnitude
    if isLog {
      (self.low, self.high) = (max(low / 2, .leastNonzeroMagnitude), min(low * 2, most))
    } else {
      let room = low == 0 ? 1 : abs(low) / 2
      (self.low, self.high) = (max(low - room, -most), min(low + room, most))
    }
  }

  /// 0 at `low`, 1 at `high`.
  func position(of value: Double) -> Double {
    // Halves: the difference of two doubles may be beyond the largest one.
    isLog
      ? (log(value) - log(low)) / (log(high) - log(low)) : (value / 2 - low / 2) / (high / 2 - low / 2)
  }

  /// Which of `count` places from `low` to `high` a value lies nearest to.
  func place(of value: Double, in count: Int) -> Int {
    let position = position(of: value)
    guard position.isFinite else { return 0 }
    return Int((min(1, max(0, position)) * Double(count - 1)).rounded())
  }

  /// Round values within the range, ascending, about `count` of them.
  func ticks(about count: Int) -> [Double] {
    isLog ? logTicks(about: max(2, count)) : evenTicks(about: max(2, count))
  }

  /// 1, 2 or 5 times a power of ten apart.
  private func evenTicks(about count: Int) -> [Double] {
    let rough = (high / Double(count)) - (low / Double(count))
    guard rough > 0, rough.isFinite else { return [low] }
    let power = pow(10, floor(log10(rough)))
    guard power > 0 else { return [low, high] }
    let step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= rough * 0.999 } ?? 10 * power
    let first = (low / step).rounded(.up)
    return (0...(2 * count + 2)).map { (first + Double($0)) * step }.filter { $0 <= high }
      .map { abs($0) < step / 1e6 ? 0 : $0 }
  }

  /// Powers of ten; where there are few, also 2 and 5 times these.
  private func logTicks(about count: Int) -> [Double] {
    let (first, last) = (Int(floor(log10(low))), Int(ceil(log10(high))))
    guard first < last else { return [low] }
    let powers = (first...last).filter { (low...high).contains(pow(10, Double($0))) }
    if powers.count >= 2 {
      let every = max(1, (powers.count + count - 1) / count)
      return powers.filter { $0 % every == 0 }.map { pow(10, Double($0)) }
    }
    let fine = (first...last).flatMap { power in [1, 2, 5].map { $0 * pow(10, Double(power)) } }
      .filter { (low...high).contains($0) }
    return fine.count >= 2 ? fine : evenTicks(about: count).filter { $0 > 0 }
  }

  /// Ticks as text, with as many decimals as tell them apart.
  static func labels(_ ticks: [Double]) -> [String] {
    let largest = ticks.map(abs).max() ?? 0
    let smallest = ticks.map(abs).filter { $0 > 0 }.min() ?? 0
    if largest >= 1e6 || largest > 0 && largest < 1e-3 || largest > smallest * 1e6 {
      for digits in 1...17 {
        let labels = ticks.map { $0 == 0 ? "0" : Self.short(String(format: "%.\(digits - 1)e", $0)) }
        if Set(labels).count == Set(ticks).count { return labels }
      }
    }
    for decimals in 0...12 {
      let labels = ticks.map { String(format: "%.\(decimals)f", $0) }
      let isExact = zip(labels, ticks).allSatisfy { label, tick in
        abs((Double(label) ?? .nan) - tick) <= largest * 1e-6
      }
      if isExact { return labels }
    }
    return ticks.map { String(format: "%.6g", $0) }
  }

  /// `1.5e+06` as `1.5e6`.
  private static func short(_ text: String) -> String {
    guard let place = text.firstIndex(of: "e"), let power = Int(text[text.index(after: place)...]) else {
      return text
    }
    return "\(text[..<place])e\(power)"
  }
}
