// Who holds which device, and who waits: strictly first come, first served.

import DequeModule

/// The devices of this machine as a pure machine.
///
/// A request is granted all its devices at once or waits; nobody overtakes. A request for no device is granted at
/// once, since it takes nothing from those who wait.
package struct DevicePool: Sendable {
  /// Who asks: any id that is unique among those who wait and hold.
  package typealias Holder = String

  package enum Event: Sendable {
    /// Asking again while waiting or holding changes nothing.
    case request(Holder, count: Int)
    /// Ends a request or gives devices back; unknown holders change nothing.
    case release(Holder)
    /// Devices that a holder has from before a restart.
    case adopt(Holder, devices: [Int])
  }

  package enum Action: Sendable, Hashable {
    case grant(Holder, devices: [Int])
    /// More than there are: it could wait for ever.
    case refuse(Holder, count: Int, of: Int)
  }

  package let count: Int
  private var holders: [Holder: [Int]] = [:]
  private var waiting: Deque<(holder: Holder, count: Int)> = []

  package init(count: Int) { self.count = count }

  package var free: [Int] {
    let taken = Set(holders.values.joined())
    return (0..<count).filter { !taken.contains($0) }
  }

  package var waitingHolders: [Holder] { waiting.map(\.holder) }

  package func devices(of holder: Holder) -> [Int]? { holders[holder] }

  /// Of each device.
  package var holderOfDevice: [Holder?] {
    var result = [Holder?](repeating: nil, count: count)
    for (holder, devices) in holders {
      for device in devices where device < count { result[device] = holder }
    }
    return result
  }

  package mutating func handle(_ event: Event) -> [Action] {
    switch event {
    case .request(let holder, let wanted) where wanted > count:
      return [.refuse(holder, count: wanted, of: count)]
    case .request(let holder, _) where holders[holder] != nil || waiting.contains { $0.holder == holder }:
      return []
    case .request(let holder, 0):
      holders[holder] = []
      return [.grant(holder, devices: [])]
    case .request(let holder, let wanted):
      waiting.append((holder, wanted))
      return grants()
    case .release(let holder):
      holders[holder] = nil
      waiting.removeAll { $0.holder == holder }
      return grants()
    case .adopt(let holder, let devices):
      holders[holder] = devices
      return []
    }
  }

  private mutating func grants() -> [Action] {
    var actions: [Action] = []
    while let first = waiting.first {
      let free = free
      guard free.count >= first.count else { break }
      let devices = Array(free.prefix(first.count))
      holders[first.holder] = devices
      waiting.removeFirst()
      actions.append(.grant(first.holder, devices: devices))
    }
    return actions
  }
}
