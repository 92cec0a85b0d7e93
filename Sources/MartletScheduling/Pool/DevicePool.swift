// Who holds which device and who waits: strictly first come, first served, all at once or not at all.

/// The devices of a server as a pure machine: what happens goes in, who gets what comes out.
///
/// Requests that need something in common stand in one line: while the first waits, so do all behind it. A request
/// that shares no scarce thing with those before it passes nobody and is granted at once: one that needs no device, say,
/// where CPU slots have no limit.
///
///     var pool = DevicePool(devices: (0..<4).map { Device(index: $0) })
///     pool.handle(.request(PoolRequest(job: job, needs: Needs(devices: 2), ticket: 1)), at: 0)
///     // [.grant(job, devices: [0, 1])]
package struct DevicePool: Sendable {
  package enum Event: Sendable {
    /// Asking again while waiting or holding changes nothing.
    case request(PoolRequest)
    /// Ends a request or gives back what was granted; a stranger's changes nothing.
    case release(JobID)
    /// The devices that there are now. Who holds one that is gone keeps it by name.
    case devices([Device])
    /// By index; devices that are not named keep their reading.
    case readings([Int: DeviceReading])
    /// Those that are not there now, with the reason; all others are.
    case absent([Int: String])
    case cordon(device: Int, reason: String)
    case drain(device: Int, reason: String)
    case uncordon(device: Int)
    /// A new place in the line, for who waits.
    case reorder(JobID, priority: Int, ticket: Int)
    case policy(PoolPolicy)
    /// Refuses those in the line who can never get what they need.
    case refuse
    /// Grants what can be granted to those who were put in the line.
    case look
  }

  package enum Action: Sendable, Hashable {
    /// Sorted by index.
    case grant(JobID, devices: [Int])
    /// It could wait for ever.
    case refuse(JobID, reason: String)
    /// Its device is to be emptied.
    case vacate(JobID, device: Int, reason: String)
  }

  /// What somebody has.
  package struct Holding: Sendable, Hashable {
    package var needs: Needs
    package var devices: [Int]
    /// Seconds, on the clock that comes with events.
    package var since: Double
    package var expected: Double?
  }

  /// By index.
  package internal(set) var devices: [PooledDevice]
  package private(set) var policy: PoolPolicy
  /// Those who wait.
  private(set) var waitingLine = WaitingLine()
  /// Those in the line of whom nobody has asked yet whether they could wait for ever.
  private var unchecked: [JobID] = []
  /// The devices or the policy are others than before: everybody is to be asked about.
  private var isUnchecked = false
  package internal(set) var holdings = Roster<JobID, Holding>()
  package internal(set) var usedCPUSlots = 0
  /// Bytes.
  package internal(set) var usedMemory: Int64 = 0
  package internal(set) var usedDeviceMemory: Int64 = 0
  let laws: Laws

  package init(devices: [Device] = [], policy: PoolPolicy = PoolPolicy(), laws: Laws = .all) {
    self.devices = devices.sorted { $0.index < $1.index }.map(PooledDevice.init)
    self.policy = policy
    self.laws = laws
  }

  // MARK: - Without granting

  /// What people ordered before a restart; who holds the device goes on, and is asked to leave as it was then.
  package mutating func restore(_ standing: DeviceStanding, of device: Int) { stand(device, standing) }

  /// What somebody has from before a restart.
  package mutating func adopt(_ request: PoolRequest, devices: [Int], since: Double) {
    guard laws.hold(.holdingsSurvive) else { return }
    take(request, devices, since: since)
  }

  /// What is seen of devices: nothing is granted before a `look`.
  package mutating func know(_ readings: [Int: DeviceReading], absent: [Int: String]) {
    see(readings)
    miss(absent)
  }

  /// Puts somebody in the line: nothing is granted, and nothing refused, before a `look`.
  package mutating func enter(_ request: PoolRequest) {
    guard holdings[request.job] == nil, !isWaiting(request.job) else { return }
    insert(request)
  }

  /// Takes somebody out of the line, or back what was granted; others get it with the next event.
  ///
  /// Returns false for a stranger.
  @discardableResult package mutating func withdraw(_ job: JobID) -> Bool {
    if let holding = holdings.removeValue(forKey: job) {
      giveBack(holding, of: job)
      return true
    }
    return waitingLine.remove(job) != nil
  }

  // MARK: - Events

  package mutating func handle(_ event: Event, at now: Double) -> [Action] {
    switch event {
    case .request(let request):
      guard holdings[request.job] == nil, !isWaiting(request.job) else { return [] }
      if let reason = refusal(of: request.needs) { return [.refuse(request.job, reason: reason)] }
      insert(request)
      return grants(at: now)
    case .release(let job):
      return withdraw(job) ? grants(at: now) : []
    case .devices(let found):
      replaceDevices(found)
      return grants(at: now)
    case .readings(let readings):
      see(readings)
      return grants(at: now)
    case .absent(let reasons):
      miss(reasons)
      return grants(at: now)
    case .cordon(let device, let reason):
      stand(device, .cordoned(reason: reason))
      return []
    case .drain(let device, let reason):
      guard let place = place(of: device) else { return [] }
      stand(device, .draining(reason: reason))
      return devices[place].holders.map { .vacate($0, device: device, reason: reason) }
    case .uncordon(let device):
      stand(device, .open)
      return grants(at: now)
    case .reorder(let job, let priority, let ticket):
      guard var request = waitingLine.remove(job) else { return [] }
      (request.priority, request.ticket) = (priority, ticket)
      insert(request)
      return grants(at: now)
    case .policy(let policy):
      self.policy = policy
      isUnchecked = true
      // What has an end now may have had none before.
      renew()
      return grants(at: now)
    case .refuse:
      return refusals()
    case .look:
      return grants(at: now)
    }
  }

  /// Nobody has anything.
  package var isUnused: Bool {
    holdings.isEmpty && usedCPUSlots == 0 && usedMemory == 0 && usedDeviceMemory == 0
      && devices.allSatisfy { $0.holders.isEmpty && $0.usedSlots == 0 && $0.reserved == 0 }
  }

  package func isWaiting(_ job: JobID) -> Bool { waitingLine[job] != nil }

  /// Those who wait, in the order of the line; in time that grows with their number.
  package var waiting: [PoolRequest] { waitingLine.requests }

  /// Whether nobody waits.
  package var isLineEmpty: Bool { waitingLine.isEmpty }

  // MARK: - The line

  /// The things that there may be too few of.
  struct Scarcity: OptionSet {
    let rawValue: Int
    static let devices = Scarcity(rawValue: 1)
    static let cpuSlots = Scarcity(rawValue: 2)
    static let memory = Scarcity(rawValue: 4)
    static let deviceMemory = Scarcity(rawValue: 8)
    static let all: [Scarcity] = [.devices, .cpuSlots, .memory, .deviceMemory]
  }

  /// What a request takes of what has an end.
  func scarcity(of needs: Needs) -> Scarcity {
    var things: Scarcity = []
    if needs.devices > 0 {
      things.insert(.devices)
      if policy.deviceMemory != nil, needs.deviceMemory != nil { things.insert(.deviceMemory) }
    } else if policy.cpuSlots != nil {
      things.insert(.cpuSlots)
    }
    if policy.memory != nil, needs.memory > 0 { things.insert(.memory) }
    return things
  }

  private mutating func insert(_ request: PoolRequest) {
    waitingLine.insert(request, needing: scarcity(of: request.needs))
    unchecked.append(request.job)
  }

  /// Takes over other requests of those who wait; nothing is granted before a `look`.
  mutating func renew(_ change: (inout PoolRequest) -> Void = { _ in }) {
    var line = waitingLine
    line.sort(by: scarcity, change)
    waitingLine = line
  }

  private mutating func refusals() -> [Action] {
    let requests: [PoolRequest]
    if isUnchecked {
      requests = waitingLine.requests
    } else {
      // One that was withdrawn and came back is named twice.
      var seen: Set<JobID> = []
      requests = unchecked.filter { seen.insert($0).inserted }.compactMap { waitingLine[$0] }
        .sorted { $0.precedes($1) }
    }
    (unchecked, isUnchecked) = ([], false)
    var actions: [Action] = []
    // They are mostly alike.
    var reasons: [Needs: String?] = [:]
    for request in requests {
      let reason = reasons[request.needs] ?? refusal(of: request.needs)
      reasons.updateValue(reason, forKey: request.needs)
      guard let reason else { continue }
      waitingLine.remove(request.job)
      actions.append(.refuse(request.job, reason: reason))
    }
    return actions
  }

  private mutating func grants(at now: Double) -> [Action] {
    var actions: [Action] = []
    var blocks = Blocks()
    var walk = waitingLine.walk()
    while let step = waitingLine.next(in: walk) {
      let request = step.request
      if mayPass(request, step.things, blocks), let found = fit(request.needs) {
        waitingLine.take(step, in: &walk)
        actions.append(grant(request, found, at: now))
        if policy.groupsEqualNeeds { actions += grantEquals(of: step, in: &walk, at: now) }
        continue
      }
      blocks.block(step.things, by: request)
      if isWithoutPassing, !blocks.things.isDisjoint(with: step.things) {
        waitingLine.close(step, in: &walk)
      } else {
        waitingLine.pass(step, in: &walk)
      }
    }
    return actions
  }

  /// While somebody waits, so do all behind him who need something of the same.
  private var isWithoutPassing: Bool { policy.backfill == 0 && laws.hold(.firstComeFirstServed) }

  /// Who already waits in a walk along the line, and for what.
  private struct Blocks {
    var things: Scarcity = []
    /// The earliest ticket among those who wait, by thing.
    var earliest: [Int: Int] = [:]

    mutating func block(_ things: Scarcity, by request: PoolRequest) {
      self.things.formUnion(things)
      for thing in Scarcity.all where things.contains(thing) {
        earliest[thing.rawValue] = min(earliest[thing.rawValue] ?? .max, request.ticket)
      }
    }
  }

  private func mayPass(_ request: PoolRequest, _ things: Scarcity, _ blocks: Blocks) -> Bool {
    let shared = blocks.things.intersection(things)
    if shared.isEmpty || !laws.hold(.firstComeFirstServed) { return true }
    guard policy.backfill > 0 else { return false }
    if !laws.hold(.boundedBackfill) { return true }
    return Scarcity.all.allSatisfy { thing in
      !shared.contains(thing)
        || request.ticket - (blocks.earliest[thing.rawValue] ?? .max) <= policy.backfill
    }
  }

  private mutating func grant(_ request: PoolRequest, _ found: [Int], at now: Double) -> Action {
    take(request, found, since: now)
    return .grant(request.job, devices: found)
  }

  private mutating func grantEquals(
    of first: WaitingLine.Step, in walk: inout WaitingLine.Walk, at now: Double
  ) -> [Action] {
    var actions: [Action] = []
    for request in waitingLine.equals(of: first, in: walk) {
      guard let found = fit(request.needs) else { break }
      waitingLine.remove(request.job)
      actions.append(grant(request, found, at: now))
    }
    waitingLine.resume(after: first, in: &walk)
    return actions
  }

  // MARK: - Holding

  package func place(of device: Int) -> Int? {
    let place = devices.partitioningIndex { $0.device.index >= device }
    return place < devices.count && devices[place].device.index == device ? place : nil
  }

  private mutating func take(_ request: PoolRequest, _ found: [Int], since: Double) {
    let needs = request.needs
    holdings[request.job] = Holding(
      needs: needs, devices: found, since: since, expected: request.expected)
    if needs.devices == 0 { usedCPUSlots += 1 }
    usedMemory += needs.memory
    usedDeviceMemory += deviceMemory(of: needs)
    for device in found {
      guard let place = place(of: device) else { continue }
      devices[place].holders.append(request.job)
      devices[place].usedSlots += needs.deviceSlots
      devices[place].reserved += needs.deviceMemory ?? 0
    }
  }

  private mutating func giveBack(_ holding: Holding, of job: JobID) {
    let needs = holding.needs
    if needs.devices == 0 { usedCPUSlots -= 1 }
    usedMemory -= needs.memory
    usedDeviceMemory -= deviceMemory(of: needs)
    for device in laws.hold(.giveBackAll) ? holding.devices[...] : holding.devices.dropLast() {
      guard let place = place(of: device), let holder = devices[place].holders.firstIndex(of: job) else {
        continue
      }
      devices[place].holders.remove(at: holder)
      devices[place].usedSlots -= needs.deviceSlots
      devices[place].reserved -= needs.deviceMemory ?? 0
      // What was seen was mostly the work of who just left.
      devices[place].reading = nil
    }
  }

  func deviceMemory(of needs: Needs) -> Int64 { (needs.deviceMemory ?? 0) * Int64(needs.devices) }

  private mutating func stand(_ device: Int, _ standing: DeviceStanding) {
    if let place = place(of: device) { devices[place].ordered = standing }
  }

  private mutating func see(_ readings: [Int: DeviceReading]) {
    for place in devices.indices {
      if let reading = readings[devices[place].device.index] { devices[place].reading = reading }
    }
  }

  private mutating func miss(_ reasons: [Int: String]) {
    for place in devices.indices {
      devices[place].absence = reasons[devices[place].device.index]
      // What it did before it went says nothing of what it does when it is back.
      if devices[place].absence != nil { devices[place].reading = nil }
    }
  }

  private mutating func replaceDevices(_ found: [Device]) {
    isUnchecked = true
    var fresh = found.sorted { $0.index < $1.index }.map(PooledDevice.init)
    for place in fresh.indices {
      guard let old = self.place(of: fresh[place].device.index) else { continue }
      (fresh[place].ordered, fresh[place].reading) = (devices[old].ordered, devices[old].reading)
      fresh[place].absence = devices[old].absence
    }
    devices = fresh
    for (job, holding) in holdings {
      for device in holding.devices {
        guard let place = place(of: device) else { continue }
        devices[place].holders.append(job)
        devices[place].usedSlots += holding.needs.deviceSlots
        devices[place].reserved += holding.needs.deviceMemory ?? 0
      }
    }
  }
}
