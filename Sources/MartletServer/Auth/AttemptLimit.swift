// How often one address may fail to sign in.

import MartletModel

/// Counts failures by address over a sliding minute; a value, so that time comes from outside.
struct AttemptLimit: Sendable {
  static let window = 60.0
  static let failuresPerAddress = 10
  private static let capacity = 1_000

  private var failures: [String: [Timestamp]] = [:]

  /// Seconds until `address` may try again; nil when it may now.
  mutating func wait(for address: String, now: Timestamp) -> Double? {
    let recent = (failures[address] ?? []).filter { now - $0 < Self.window && $0 <= now }
    failures[address] = recent.isEmpty ? nil : recent
    guard recent.count >= Self.failuresPerAddress, let oldest = recent.first else { return nil }
    return max(1, Self.window - (now - oldest))
  }

  mutating func noteFailure(of address: String, now: Timestamp) {
    if failures.count >= Self.capacity {
      failures = failures.filter { _, times in times.last.map { now - $0 < Self.window } ?? false }
      // A thousand addresses failing in one minute is an attack from everywhere: forget the one that is quiet longest.
      if failures.count >= Self.capacity,
        let quietest = failures.min(by: { ($0.value.last ?? now) < ($1.value.last ?? now) })?.key
      {
        failures[quietest] = nil
      }
    }
    failures[address, default: []].append(now)
  }
}
