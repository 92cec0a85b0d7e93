// Which devices people declare, how they set a pool, and devices that are gone for a moment.

import MartletModel
import MartletScheduling
import OrderedCollections
import Testing

@Suite("device choices") struct DeviceChoiceTests {
  @Test func `what people say of devices is read`() throws {
    let gb = Int64(1_000_000_000)
    let plain = DeviceChoice.Declared()
    #expect(try DeviceChoice(parsing: "auto") == .auto)
    #expect(try DeviceChoice(parsing: "none") == .none)
    #expect(try DeviceChoice(parsing: "0") == .none)
    #expect(try DeviceChoice(parsing: "3") == .declared([plain, plain, plain]))
    #expect(try DeviceChoice(parsing: "1/4") == .declared([.init(slots: 4)]))
    #expect(
      try DeviceChoice(parsing: "2x24GB/3")
        == .declared([.init(memory: 24 * gb, slots: 3), .init(memory: 24 * gb, slots: 3)]))
    #expect(
      try DeviceChoice(parsing: "24GB, 2x1.5GiB,80GB/2")
        == .declared([
          .init(memory: 24 * gb), .init(memory: 1_610_612_736), .init(memory: 1_610_612_736),
          .init(memory: 80 * gb, slots: 2),
        ]))
  }

  @Test(arguments: [
    "", "x", "two", "-1", "8x", "x24GB", "8x24", "8x24GB/0", "8x24GB/3/2", "24GB,,24GB", "8x24QB", "1e3",
    "99999999999999999999", "4097", "8x99999TB", "nan",
  ])
  func `what is no choice is refused in words`(text: String) {
    do {
      _ = try DeviceChoice(parsing: text)
      Issue.record("'\(text)' was taken")
    } catch {
      #expect(error.code == .badRequest)
      #expect(error.message.hasSuffix("."))
    }
  }

  @Test func `settings are read by name, and go through text as they are`() throws {
    var policy = PoolPolicy()
    try policy.set(.memory, to: "48GB")
    try policy.set(.foreignUtilization, to: .double(1))
    try policy.set(.cpuSlots, to: .int(0))
    try policy.set(.groupsEqualNeeds, to: .bool(true))
    #expect(policy.memory == 48_000_000_000)
    for setting in PoolSetting.allCases {
      var copy = PoolPolicy()
      let text = policy[setting].text
      try copy.set(setting, to: try JSONValue.parse(text))
      #expect(copy[setting] == policy[setting])
      #expect(try JSONValue.parse(text) == policy[setting])
    }
    #expect(policy.json.count == 10)
    try policy.set(.memory, to: .null)
    #expect(policy.memory == nil)
    for (setting, value) in [
      (PoolSetting.balance, JSONValue.double(1.5)), (.balance, "much"), (.backfill, .int(-1)),
      (.backfill, .null), (.memory, "48 elephants"), (.cpuSlots, .double(0.5)),
      (.foreignUtilization, .double(.nan)),
      (.groupsEqualNeeds, .int(1)),
    ] {
      #expect(throws: JSONMemberError.self) { try policy.set(setting, to: value) }
    }
  }

  @Test func `a device that is gone is given to nobody, and nobody is refused for it`() {
    var pool = DevicePool(2)
    let job = JobID.run(.random())
    #expect(pool.handle(.absent([1: "It is gone."]), at: 0) == [])
    #expect(pool.devices[1].standing == .cordoned(reason: "It is gone."))
    #expect(pool.devices[1].ordered == .open)
    #expect(pool.handle(.request(PoolRequest(job: job, needs: Needs(devices: 2), ticket: 1)), at: 0) == [])
    #expect(pool.handle(.look, at: 0) == [])
    #expect(pool.waits(at: 0).first?.reason.contains("out of service") == true)
    #expect(pool.handle(.absent([:]), at: 1) == [.grant(job, devices: [0, 1])])
    // What people ordered is not forgotten for it.
    _ = pool.handle(.cordon(device: 0, reason: "hot"), at: 2)
    _ = pool.handle(.absent([0: "It is gone."]), at: 3)
    #expect(pool.devices[0].standing == .cordoned(reason: "hot"))
    _ = pool.handle(.absent([:]), at: 4)
    #expect(pool.devices[0].standing == .cordoned(reason: "hot"))
  }

  @Test func `orders are written down once, and whoever does not change anything writes nothing`() {
    var scheduler = Scheduler(pool: DevicePool(2), at: 0)
    #expect(
      scheduler.handle(.pool(.cordon(device: 1, reason: "hot")), at: 0)
        == [.setStanding(device: 1, .cordoned(reason: "hot"))])
    #expect(scheduler.handle(.pool(.cordon(device: 1, reason: "hot")), at: 0) == [])
    #expect(scheduler.handle(.pool(.uncordon(device: 0)), at: 0) == [])
    #expect(scheduler.handle(.pool(.cordon(device: 9, reason: "hot")), at: 0) == [])
    #expect(scheduler.handle(.pool(.uncordon(device: 1)), at: 0) == [.setStanding(device: 1, .open)])
    var policy = PoolPolicy()
    #expect(scheduler.handle(.pool(.policy(policy)), at: 0) == [])
    policy.backfill = 3
    #expect(scheduler.handle(.pool(.policy(policy)), at: 0) == [.setPolicy(policy)])
  }
}
