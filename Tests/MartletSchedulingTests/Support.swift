// Names and pools for tests.

import MartletModel
import MartletScheduling
import OrderedCollections

/// A run by a short name.
func job(_ name: String) -> JobID {
  let text = String(name.lowercased().filter { $0.isLetter || $0.isNumber }.prefix(8))
  let padded = text + String(repeating: "0", count: 8 - text.count)
  return .run(PublicID(rawValue: padded) ?? .random())
}

extension DevicePool {
  init(_ count: Int, memory: Int64? = nil, slots: Int = 1, hosts: Int = 1, policy: PoolPolicy = .init()) {
    self.init(
      devices: (0..<count).map {
        Device(index: $0, host: "host\($0 % hosts)", memory: memory, slots: slots)
      }, policy: policy)
  }

  /// Asks in the order of the calls.
  mutating func ask(
    _ name: String, _ needs: Needs, priority: Int = 0, ticket: Int, expected: Double? = nil,
    at now: Double = 0
  ) -> [Action] {
    handle(
      .request(
        PoolRequest(job: job(name), needs: needs, priority: priority, ticket: ticket, expected: expected)),
      at: now)
  }

  mutating func leave(_ name: String, at now: Double = 0) -> [Action] {
    handle(.release(job(name)), at: now)
  }

  var line: [JobID] { waiting.map(\.job) }

  func devices(of name: String) -> [Int]? { holdings[job(name)]?.devices }
}

let gib: Int64 = 1 << 30
