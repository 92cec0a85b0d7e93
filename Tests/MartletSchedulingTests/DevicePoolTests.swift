// The device pool: first come, first served, all at once, no device twice.

import MartletModel
import MartletScheduling
import OrderedCollections
import Testing

@Suite struct DevicePoolTests {
  private func grant(_ name: String, _ devices: [Int]) -> DevicePool.Action {
    .grant(job(name), devices: devices)
  }

  // MARK: - The line

  @Test func `devices are granted all at once, lowest first among equals`() {
    var pool = DevicePool(4)
    #expect(pool.ask("a", Needs(devices: 1), ticket: 1) == [grant("a", [0])])
    #expect(pool.ask("b", Needs(devices: 2), ticket: 2) == [grant("b", [1, 2])])
    #expect(pool.ask("c", Needs(devices: 2), ticket: 3) == [])
    #expect(pool.line == [job("c")])
    #expect(pool.leave("a") == [grant("c", [0, 3])])
    #expect(pool.devices.map(\.holders) == [[job("c")], [job("b")], [job("b")], [job("c")]])
  }

  @Test func `three experiments that need 2, 4 and 2 of 8 run together`() {
    var pool = DevicePool(8)
    #expect(pool.ask("one", Needs(devices: 2), ticket: 1) == [grant("one", [0, 1])])
    #expect(pool.ask("two", Needs(devices: 4), ticket: 2) == [grant("two", [2, 3, 4, 5])])
    #expect(pool.ask("three", Needs(devices: 2), ticket: 3) == [grant("three", [6, 7])])
  }

  @Test func `the third of them waits where its devices are not free`() {
    var pool = DevicePool(7)
    _ = pool.ask("one", Needs(devices: 2), ticket: 1)
    _ = pool.ask("two", Needs(devices: 4), ticket: 2)
    #expect(pool.ask("three", Needs(devices: 2), ticket: 3) == [])
    #expect(
      pool.waits(at: 0).map(\.reason) == ["It needs 2 devices: 1 is free and 6 are held."])
    #expect(pool.leave("two") == [grant("three", [2, 3])])
  }

  @Test func `nobody overtakes a large request`() {
    var pool = DevicePool(2)
    _ = pool.ask("a", Needs(devices: 1), ticket: 1)
    #expect(pool.ask("large", Needs(devices: 2), ticket: 2) == [])
    #expect(pool.ask("small", Needs(devices: 1), ticket: 3) == [])
    #expect(
      pool.waits(at: 0)[1].reason == "Another is before it in the line.")
    #expect(pool.leave("a") == [grant("large", [0, 1])])
    #expect(pool.leave("large") == [grant("small", [0])])
  }

  @Test func `one who gives up waiting lets the next pass`() {
    var pool = DevicePool(2)
    _ = pool.ask("a", Needs(devices: 1), ticket: 1)
    _ = pool.ask("large", Needs(devices: 2), ticket: 2)
    _ = pool.ask("small", Needs(devices: 1), ticket: 3)
    #expect(pool.leave("large") == [grant("small", [1])])
    #expect(pool.line.isEmpty)
  }

  @Test func `who needs no device passes those who wait for some`() {
    var pool = DevicePool(1)
    _ = pool.ask("a", Needs(devices: 1), ticket: 1)
    _ = pool.ask("b", Needs(devices: 1), ticket: 2)
    #expect(pool.ask("none", Needs(), ticket: 3) == [grant("none", [])])
  }

  @Test func `CPU slots have a line of their own`() {
    var policy = PoolPolicy()
    policy.cpuSlots = 1
    var pool = DevicePool(1, policy: policy)
    #expect(pool.ask("a", Needs(), ticket: 1) == [grant("a", [])])
    #expect(pool.ask("b", Needs(), ticket: 2) == [])
    #expect(pool.ask("device", Needs(devices: 1), ticket: 3) == [grant("device", [0])])
    #expect(pool.waits(at: 0).map(\.reason) == ["The one CPU slot is taken."])
    #expect(pool.leave("a") == [grant("b", [])])
  }

  @Test func `asking again and leaving twice change nothing`() {
    var pool = DevicePool(1)
    _ = pool.ask("a", Needs(devices: 1), ticket: 1)
    #expect(pool.ask("a", Needs(devices: 1), ticket: 2) == [])
    _ = pool.ask("b", Needs(devices: 1), ticket: 3)
    #expect(pool.ask("b", Needs(devices: 1), ticket: 4) == [])
    #expect(pool.leave("stranger") == [])
    #expect(pool.leave("a") == [grant("b", [0])])
    #expect(pool.leave("b") == [])
    #expect(pool.isUnused)
  }

  @Test func `priorities go first, and in one priority the ticket decides`() {
    var pool = DevicePool(1)
    _ = pool.ask("a", Needs(devices: 1), ticket: 1)
    for (name, priority, ticket) in [("low", -1, 2), ("mid", 0, 3), ("high", 5, 4), ("mid2", 0, 5)] {
      _ = pool.ask(name, Needs(devices: 1), priority: priority, ticket: ticket)
    }
    #expect(pool.line == [job("high"), job("mid"), job("mid2"), job("low")])
    _ = pool.handle(.reorder(job("low"), priority: 5, ticket: 0), at: 0)
    #expect(pool.line.first == job("low"))
  }

  @Test func `backfilling passes as many as it may, no more`() {
    var policy = PoolPolicy()
    policy.backfill = 2
    var pool = DevicePool(3, policy: policy)
    _ = pool.ask("a", Needs(devices: 2), ticket: 1)
    #expect(pool.ask("large", Needs(devices: 3), ticket: 2) == [])
    #expect(pool.ask("first", Needs(devices: 1), ticket: 3) == [grant("first", [2])])
    #expect(pool.leave("first") == [])
    #expect(pool.ask("second", Needs(devices: 1), ticket: 4) == [grant("second", [2])])
    #expect(pool.leave("second") == [])
    #expect(pool.ask("third", Needs(devices: 1), ticket: 5) == [])
    #expect(pool.leave("a") == [grant("large", [0, 1, 2])])
  }

  @Test func `equal needs start together only where that was asked for`() {
    for together in [false, true] {
      var policy = PoolPolicy()
      policy.groupsEqualNeeds = together
      var pool = DevicePool(3, policy: policy)
      _ = pool.ask("all", Needs(devices: 3), ticket: 1)
      _ = pool.ask("a1", Needs(devices: 1), ticket: 2)
      _ = pool.ask("b", Needs(devices: 2), ticket: 3)
      _ = pool.ask("a2", Needs(devices: 1), ticket: 4)
      _ = pool.ask("a3", Needs(devices: 1), ticket: 5)
      #expect(
        pool.leave("all")
          == (together
            ? [grant("a1", [0]), grant("a2", [1]), grant("a3", [2])]
            : [grant("a1", [0]), grant("b", [1, 2])]))
    }
  }

  // MARK: - What can never be

  @Test func `what can never be granted is refused at once, with the reason`() {
    func refusal(_ pool: DevicePool, _ needs: Needs) -> String? {
      var pool = pool
      guard case .refuse(_, let reason)? = pool.ask("x", needs, ticket: 1).first else { return nil }
      #expect(pool.isUnused && pool.line.isEmpty)
      return reason
    }
    #expect(
      refusal(DevicePool(0), Needs(devices: 1))
        == "It needs 1 device, but this server was started without devices.")
    #expect(refusal(DevicePool(2), Needs(devices: 3)) == "It needs 3 devices, but this server has 2.")
    #expect(
      refusal(DevicePool(2, memory: 24 * gib), Needs(devices: 1, deviceMemory: 30 * gib))
        == "It needs 1 device with 30.0 GiB each, but only 0 of 2 are large enough.")
    #expect(
      refusal(DevicePool(2, slots: 2), Needs(devices: 1, deviceSlots: 3))
        == "It needs 3 slots of a device, but none has more than 2.")
    #expect(
      refusal(DevicePool(4, hosts: 2), Needs(devices: 3))
        == "It needs 3 devices in one machine, but none has more than 2.")
    #expect(refusal(DevicePool(4, hosts: 2), Needs(devices: 3, sameHost: false)) == nil)
    var policy = PoolPolicy()
    (policy.cpuSlots, policy.memory, policy.deviceMemory) = (0, 4 * gib, 10 * gib)
    let limited = DevicePool(2, policy: policy)
    #expect(refusal(limited, Needs()) == "It needs a CPU slot, but this server has none.")
    #expect(
      refusal(limited, Needs(devices: 1, memory: 5 * gib))
        == "It needs 5.0 GiB of memory, but all attempts together may have 4.0 GiB.")
    #expect(
      refusal(limited, Needs(devices: 2, deviceMemory: 6 * gib))
        == "It needs 12.0 GiB of device memory, but all attempts together may have 10.0 GiB.")
  }

  // MARK: - Sharing

  @Test func `a device is shared up to its slots, and up to its memory`() {
    var pool = DevicePool(1, memory: 24 * gib, slots: 3)
    let needs = Needs(devices: 1, deviceMemory: 10 * gib)
    #expect(pool.ask("a", needs, ticket: 1) == [grant("a", [0])])
    #expect(pool.ask("b", needs, ticket: 2) == [grant("b", [0])])
    #expect(pool.ask("c", needs, ticket: 3) == [])
    #expect(
      pool.waits(at: 0).first?.reason
        == "It needs 1 device with 10.0 GiB free each: 0 are free and 1 has too little memory left.")
    #expect(pool.leave("a") == [grant("c", [0])])
    #expect(pool.ask("whole", Needs(devices: 1, deviceSlots: 3), ticket: 4) == [])
    _ = pool.leave("b")
    #expect(pool.leave("c") == [grant("whole", [0])])
  }

  @Test func `memory of all attempts together stays below its limit`() {
    var policy = PoolPolicy()
    policy.memory = 8 * gib
    var pool = DevicePool(0, policy: policy)
    #expect(pool.ask("a", Needs(memory: 6 * gib), ticket: 1) == [grant("a", [])])
    #expect(pool.ask("b", Needs(memory: 4 * gib), ticket: 2) == [])
    #expect(pool.ask("c", Needs(), ticket: 3) == [grant("c", [])])
    #expect(pool.waits(at: 0).map(\.reason) == ["It needs 4.0 GiB of memory; 2.0 GiB of 8.0 GiB are left."])
    #expect(pool.leave("a") == [grant("b", [])])
  }

  // MARK: - Choosing

  @Test func `the least used devices come first`() {
    var pool = DevicePool(3, memory: 24 * gib)
    _ = pool.handle(
      .readings([
        0: DeviceReading(utilization: 0.4, used: 2 * gib), 1: DeviceReading(utilization: 0.1, used: 8 * gib),
        2: DeviceReading(utilization: 0.2, used: 2 * gib),
      ]), at: 0)
    // 0.6 × 22/24 + 0.4 × 0.6 = 0.79; 0.6 × 16/24 + 0.4 × 0.9 = 0.76; 0.6 × 22/24 + 0.4 × 0.8 = 0.87
    #expect(pool.ask("a", Needs(devices: 1), ticket: 1) == [grant("a", [2])])
    #expect(pool.ask("b", Needs(devices: 1), ticket: 2) == [grant("b", [0])])
  }

  @Test func `the weights decide what least used means`() {
    var policy = PoolPolicy()
    (policy.memoryWeight, policy.idleWeight) = (0, 1)
    var pool = DevicePool(2, memory: 24 * gib, policy: policy)
    _ = pool.handle(
      .readings([
        0: DeviceReading(utilization: 0.4, used: 0), 1: DeviceReading(utilization: 0.1, used: 8 * gib),
      ]), at: 0)
    #expect(pool.ask("a", Needs(devices: 1), ticket: 1) == [grant("a", [1])])
  }

  @Test func `a set of devices has equally free memory`() {
    var pool = DevicePool(4, memory: 24 * gib)
    // Free: 24, 18, 24, 15. The best two are 0 and 2; three of them are balanced by nobody.
    _ = pool.handle(
      .readings([1: DeviceReading(used: 6 * gib), 3: DeviceReading(used: 9 * gib)]), at: 0)
    #expect(pool.ask("three", Needs(devices: 3), ticket: 1) == [])
    #expect(
      pool.waits(at: 0).first?.reason
        == "It needs 3 devices: 4 are free, but their free memory is too unequal.")
    _ = pool.leave("three")
    #expect(pool.ask("two", Needs(devices: 2), ticket: 2) == [grant("two", [0, 2])])
    #expect(pool.ask("rest", Needs(devices: 2), ticket: 3) == [grant("rest", [1, 3])])
  }

  @Test func `cards of different sizes are not asked for balance`() {
    var pool = DevicePool(devices: [
      Device(index: 0, memory: 24 * gib), Device(index: 1, memory: 80 * gib),
    ])
    #expect(pool.ask("a", Needs(devices: 2), ticket: 1) == [grant("a", [0, 1])])
  }

  @Test func `devices of one machine are granted together`() {
    // Machines have the devices 0 2 4 and 1 3 5.
    var pool = DevicePool(6, hosts: 2)
    _ = pool.ask("a", Needs(devices: 1), ticket: 1)
    #expect(pool.ask("b", Needs(devices: 3), ticket: 2) == [grant("b", [1, 3, 5])])
    #expect(pool.ask("c", Needs(devices: 3), ticket: 3) == [])
    #expect(pool.ask("never", Needs(devices: 6, sameHost: false), ticket: 4) == [])
    #expect(pool.leave("a") == [grant("c", [0, 2, 4])])
  }

  // MARK: - Other people

  @Test func `devices that others use are left alone until they are idle`() {
    var pool = DevicePool(2, memory: 24 * gib)
    _ = pool.handle(
      .readings([0: DeviceReading(utilization: 0.93, used: 20 * gib), 1: DeviceReading(utilization: 0)]),
      at: 0
    )
    #expect(pool.ask("a", Needs(devices: 2), ticket: 1) == [])
    #expect(
      pool.waits(at: 0).first?.reason
        == "It needs 2 devices: 1 is free and 1 is used by processes that are not ours.")
    #expect(
      pool.handle(.readings([0: DeviceReading(utilization: 0.02, used: gib)]), at: 5)
        == [grant("a", [0, 1])])
    // What its own holder does to it is nobody's business.
    _ = pool.handle(.readings([0: DeviceReading(utilization: 1, used: 23 * gib)]), at: 6)
    #expect(pool.ask("b", Needs(devices: 1), ticket: 2) == [])
    #expect(pool.leave("a", at: 7) == [grant("b", [0])])
  }

  @Test func `8,000 MiB have to be free on a device, half of it on a small one`() {
    for (size, used, isGranted) in [(24, 17, false), (24, 16, true), (8, 5, false), (8, 4, true)] {
      var pool = DevicePool(1, memory: Int64(size) * gib)
      _ = pool.handle(.readings([0: DeviceReading(utilization: 0, used: Int64(used) * gib)]), at: 0)
      #expect((pool.ask("a", Needs(devices: 1), ticket: 1) == []) == !isGranted, "\(used) of \(size)")
    }
  }

  // MARK: - Service

  @Test func `a cordoned device is given to nobody, and a drained one is emptied`() {
    var pool = DevicePool(2)
    _ = pool.ask("a", Needs(devices: 1), ticket: 1)
    #expect(pool.handle(.cordon(device: 1, reason: "hot"), at: 0) == [])
    #expect(pool.ask("b", Needs(devices: 1), ticket: 2) == [])
    #expect(
      pool.waits(at: 0).first?.reason
        == "It needs 1 device: 0 are free, 1 is held and 1 is out of service.")
    #expect(
      pool.handle(.drain(device: 0, reason: "repair"), at: 0)
        == [.vacate(job("a"), device: 0, reason: "repair")])
    #expect(pool.leave("a") == [])
    #expect(pool.handle(.uncordon(device: 1), at: 0) == [grant("b", [1])])
    #expect(pool.handle(.uncordon(device: 77), at: 0) == [])
  }

  @Test func `devices come and go; who holds one that is gone keeps its name`() {
    var pool = DevicePool(2)
    _ = pool.ask("a", Needs(devices: 2), ticket: 1)
    #expect(pool.ask("b", Needs(devices: 1), ticket: 2) == [])
    let grown = pool.handle(.devices([Device(index: 1), Device(index: 5)]), at: 0)
    #expect(grown == [grant("b", [5])])
    #expect(pool.devices(of: "a") == [0, 1])
    #expect(pool.leave("a") == [])
    #expect(pool.leave("b") == [])
    #expect(pool.isUnused)
  }

  @Test func `what was held and waited for before a restart is found again`() {
    var pool = DevicePool(2)
    func request(_ name: String, _ ticket: Int) -> PoolRequest {
      PoolRequest(job: job(name), needs: Needs(devices: 1), ticket: ticket)
    }
    pool.adopt(request("old", 1), devices: [1], since: 0)
    pool.enter(request("third", 4))
    pool.enter(request("second", 3))
    #expect(pool.line == [job("second"), job("third")])
    #expect(pool.handle(.look, at: 9) == [grant("second", [0])])
    #expect(pool.leave("old") == [grant("third", [1])])
  }

  // MARK: - Estimates

  @Test func `who waits is told when, as far as anybody knows`() {
    var pool = DevicePool(2)
    _ = pool.ask("a", Needs(devices: 1), ticket: 1, expected: 100)
    _ = pool.ask("b", Needs(devices: 1), ticket: 2, expected: 300, at: 20)
    _ = pool.ask("c", Needs(devices: 2), ticket: 3, expected: 50, at: 30)
    _ = pool.ask("d", Needs(devices: 1), ticket: 4, at: 30)
    #expect(pool.waits(at: 40).map(\.estimate) == [280, 330])
    // Somebody who is late is expected at any moment.
    #expect(pool.waits(at: 400).map(\.estimate) == [0, 50])
    var unknown = DevicePool(1)
    _ = unknown.ask("a", Needs(devices: 1), ticket: 1)
    _ = unknown.ask("b", Needs(devices: 1), ticket: 2)
    #expect(unknown.waits(at: 0).map(\.estimate) == [nil])
  }
}
