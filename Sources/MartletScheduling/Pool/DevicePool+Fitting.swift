// Which devices a request gets: free ones, the least used first, with equally free memory in a set.

import OrderedCollections

extension DevicePool {
  /// Why a device is not given to somebody.
  enum Obstacle: Hashable {
    case tooSmall, outOfService, held, foreign, full
  }

  /// The devices that a request would get now, by index; nil: it has to wait.
  func fit(_ needs: Needs) -> [Int]? {
    guard fitsTotals(needs) else { return nil }
    guard needs.devices > 0 else { return [] }
    let candidates = devices.filter { obstacle(of: $0, for: needs) == nil }
    guard needs.sameHost else { return choose(needs.devices, from: candidates)?.map(\.device.index).sorted() }
    var best: (score: Double, set: [PooledDevice])?
    for host in hosts(of: candidates) {
      guard let set = choose(needs.devices, from: candidates.filter { $0.device.host == host }) else {
        continue
      }
      let score = set.reduce(0) { $0 + self.score($1) }
      if best.map({ score > $0.score }) ?? true { best = (score, set) }
    }
    if best == nil, !laws.hold(.allAtOnce), !candidates.isEmpty { return candidates.map(\.device.index) }
    return best?.set.map(\.device.index).sorted()
  }

  /// Whether the limits over all attempts together leave room for it.
  func fitsTotals(_ needs: Needs) -> Bool {
    if needs.devices == 0, let slots = policy.cpuSlots, usedCPUSlots >= slots { return false }
    if let memory = policy.memory, needs.memory > 0, usedMemory + needs.memory > memory { return false }
    let wanted = deviceMemory(of: needs)
    if let memory = policy.deviceMemory, wanted > 0, usedDeviceMemory + wanted > memory { return false }
    return true
  }

  /// Nil: the device can be granted now.
  func obstacle(of device: PooledDevice, for needs: Needs) -> Obstacle? {
    if !suits(device.device, needs) { return .tooSmall }
    if device.standing != .open, laws.hold(.cordonsHold) { return .outOfService }
    if device.usedSlots + needs.deviceSlots > device.device.slots, laws.hold(.noSlotTwice) { return .held }
    if device.holders.isEmpty, device.isForeign(under: policy, wanted: needs.deviceMemory) { return .foreign }
    if let wanted = needs.deviceMemory, let free = device.free, free < wanted { return .full }
    return nil
  }

  /// Whether it is large enough when nobody uses it. One whose memory is not known may be.
  func suits(_ device: Device, _ needs: Needs) -> Bool {
    guard device.slots >= needs.deviceSlots else { return false }
    guard let wanted = needs.deviceMemory, let memory = device.memory else { return true }
    return memory >= wanted
  }

  func score(_ device: PooledDevice) -> Double {
    policy.memoryWeight * device.freeShare + policy.idleWeight * device.idleShare
  }

  /// In the order of their first devices.
  func hosts(of devices: [PooledDevice]) -> [String] {
    var hosts: [String] = []
    for device in devices where !hosts.contains(device.device.host) { hosts.append(device.device.host) }
    return hosts
  }

  /// The best `count` of them whose free memory is balanced; nil: there are none.
  private func choose(_ count: Int, from candidates: [PooledDevice]) -> [PooledDevice]? {
    guard candidates.count >= count else { return nil }
    let ranked = candidates.sorted { a, b in
      let (x, y) = (score(a), score(b))
      return x != y ? x > y : a.device.index < b.device.index
    }
    guard count > 1, policy.balance > 0, isBalanceable(count, candidates) else {
      return Array(ranked.prefix(count))
    }
    var best: (score: Double, set: [PooledDevice])?
    for lowest in candidates.compactMap(\.free) {
      // All pairs in such a window are balanced: its ends are.
      let window = ranked.filter { device in
        device.free.map { $0 >= lowest && Double(lowest) >= policy.balance * Double($0) } ?? false
      }
      guard window.count >= count else { continue }
      let set = Array(window.prefix(count))
      let score = set.reduce(0) { $0 + self.score($1) }
      if best.map({ score > $0.score }) ?? true { best = (score, set) }
    }
    return best?.set
  }

  /// Whether the rule of balance can be kept at all: cards of too different sizes never have equally free memory, and
  /// of those that do not tell their memory nothing is known.
  private func isBalanceable(_ count: Int, _ candidates: [PooledDevice]) -> Bool {
    let hosts = Set(candidates.map(\.device.host))
    let sizes = devices.filter { hosts.contains($0.device.host) }.map(\.device.memory)
    guard !sizes.contains(nil) else { return false }
    let known = sizes.compactMap(\.self).sorted()
    guard known.count >= count else { return false }
    return (0...(known.count - count)).contains { first in
      Double(known[first]) >= policy.balance * Double(known[first + count - 1])
    }
  }

  // MARK: - What can never be

  /// Why a request could wait for ever; nil: its time will come.
  package func refusal(of needs: Needs) -> String? {
    if let limit = policy.memory, needs.memory > limit {
      return
        "It needs \(Words.bytes(needs.memory)) of memory, but all attempts together may have \(Words.bytes(limit))."
    }
    guard needs.devices > 0 else {
      return policy.cpuSlots == 0 ? "It needs a CPU slot, but this server has none." : nil
    }
    if let limit = policy.deviceMemory, deviceMemory(of: needs) > limit {
      return
        "It needs \(Words.bytes(deviceMemory(of: needs))) of device memory, but all attempts together may have \(Words.bytes(limit))."
    }
    let wanted = Words.count(needs.devices, "device")
    guard needs.devices <= devices.count else {
      let words =
        devices.isEmpty ? "this server was started without devices" : "this server has \(devices.count)"
      return "It needs \(wanted), but \(words)."
    }
    if let largest = devices.map(\.device.slots).max(), needs.deviceSlots > largest {
      return "It needs \(needs.deviceSlots) slots of a device, but none has more than \(largest)."
    }
    let suitable = devices.filter { suits($0.device, needs) }
    guard needs.devices <= suitable.count else {
      let size = needs.deviceMemory.map { " with \(Words.bytes($0)) each" } ?? ""
      return "It needs \(wanted)\(size), but only \(suitable.count) of \(devices.count) are large enough."
    }
    guard needs.sameHost else { return nil }
    let most = hosts(of: suitable).map { host in suitable.count { $0.device.host == host } }.max() ?? 0
    return needs.devices <= most ? nil : "It needs \(wanted) in one machine, but none has more than \(most)."
  }
}
