// Why somebody waits, in words, and for how long, as far as can be told.

import OrderedCollections

/// The place of one who waits.
package struct Wait: Sendable, Hashable {
  package var request: PoolRequest
  /// From 1.
  package var position: Int
  /// A sentence.
  package var reason: String
  /// Seconds until it will get what it needs if all that run end as expected; nil: nobody knows.
  package var estimate: Double?
}

extension DevicePool {
  /// All who wait, in the order of the line; in time that grows with their number.
  package func waits(at now: Double) -> [Wait] {
    let estimates = estimates(at: now)
    // How many stand ahead, by what they lack; and what is missing for needs, which are mostly alike.
    var ahead: [Int: Int] = [:]
    var lacks: [Needs: String?] = [:]
    return waiting.enumerated().map { place, request in
      let things = scarcity(of: request.needs)
      let before = ahead.reduce(0) {
        Scarcity(rawValue: $1.key).isDisjoint(with: things) ? $0 : $0 + $1.value
      }
      ahead[things.rawValue, default: 0] += 1
      let own: String?
      if let known = lacks[request.needs] {
        own = known
      } else {
        own = lack(of: request.needs)
        lacks.updateValue(own, forKey: request.needs)
      }
      let reason =
        switch (before, own) {
        case (0, let own): own ?? "It is its turn."
        case (_, let own):
          "\(before == 1 ? "Another is" : "\(before) others are") before it in the line.\(own.map { " \($0)" } ?? "")"
        }
      return Wait(
        request: request, position: place + 1, reason: reason, estimate: estimates[request.job])
    }
  }

  /// What is missing for a request; nil: nothing.
  package func lack(of needs: Needs) -> String? {
    if needs.devices == 0, let slots = policy.cpuSlots, usedCPUSlots >= slots {
      return slots == 1 ? "The one CPU slot is taken." : "All \(slots) CPU slots are taken."
    }
    if let limit = policy.memory, needs.memory > 0, usedMemory + needs.memory > limit {
      return
        "It needs \(Words.bytes(needs.memory)) of memory; \(Words.bytes(max(0, limit - usedMemory))) of \(Words.bytes(limit)) are left."
    }
    let wanted = deviceMemory(of: needs)
    if let limit = policy.deviceMemory, wanted > 0, usedDeviceMemory + wanted > limit {
      return
        "It needs \(Words.bytes(wanted)) of device memory; \(Words.bytes(max(0, limit - usedDeviceMemory))) of \(Words.bytes(limit)) are left."
    }
    guard needs.devices > 0, fit(needs) == nil else { return nil }
    return lackOfDevices(needs)
  }

  private func lackOfDevices(_ needs: Needs) -> String {
    var counts: [Obstacle: Int] = [:]
    var free: [PooledDevice] = []
    for device in devices {
      if let obstacle = obstacle(of: device, for: needs) {
        counts[obstacle, default: 0] += 1
      } else {
        free.append(device)
      }
    }
    func part(_ obstacle: Obstacle, _ one: String, _ many: String) -> String? {
      counts[obstacle].map { "\($0) \($0 == 1 ? one : many)" }
    }
    let parts = [
      "\(free.count) \(free.count == 1 ? "is" : "are") free",
      part(.held, "is held", "are held"),
      part(.foreign, "is used by processes that are not ours", "are used by processes that are not ours"),
      part(.full, "has too little memory left", "have too little memory left"),
      part(.outOfService, "is out of service", "are out of service"),
      part(.tooSmall, "is too small", "are too small"),
    ].compactMap(\.self)
    let list =
      parts.count == 1
      ? parts[0] : "\(parts.dropLast().joined(separator: ", ")) and \(parts[parts.count - 1])"
    var size = needs.deviceMemory.map { " with \(Words.bytes($0)) free each" } ?? ""
    if needs.deviceSlots > 1 { size += ", \(needs.deviceSlots) slots of each" }
    let what = "It needs \(Words.count(needs.devices, "device"))\(size): \(list)"
    guard free.count >= needs.devices else { return "\(what)." }
    let most = hosts(of: free).map { host in free.count { $0.device.host == host } }.max() ?? 0
    return needs.sameHost && most < needs.devices
      ? "\(what), but not in one machine." : "\(what), but their free memory is too unequal."
  }

  /// Ends that are looked at for estimates: fewer where each is a look along a long line.
  private var horizon: Int { min(1_000, max(50, 1_000_000 / max(1, waitingLine.count))) }

  /// Takes over how long everybody is expected to take.
  mutating func foresee(_ expected: (JobID) -> Double?) {
    renew { $0.expected = expected($0.job) }
    holdings.updateValues { $1.expected = expected($0) }
  }

  /// Seconds from now, for those of whom anything is known: everybody who holds or gets something is taken to give it
  /// back after the seconds that it was expected to take.
  package func estimates(at now: Double) -> [JobID: Double] {
    var pool = self
    var estimates: [JobID: Double] = [:]
    // What other people's processes do is not known in advance.
    var ends: [(at: Double, job: JobID)] = []
    for (job, holding) in holdings {
      if let expected = holding.expected { ends.append((max(now, holding.since + expected), job)) }
    }
    ends.sort { $0.at < $1.at }
    for _ in 0..<horizon where !ends.isEmpty && !pool.isLineEmpty {
      let end = ends.removeFirst()
      for action in pool.handle(.release(end.job), at: end.at) {
        guard case .grant(let job, _) = action else { continue }
        estimates[job] = end.at - now
        guard let expected = pool.holdings[job]?.expected else { continue }
        let free = end.at + expected
        ends.insert((free, job), at: ends.partitioningIndex { $0.at > free })
      }
    }
    return estimates
  }
}
