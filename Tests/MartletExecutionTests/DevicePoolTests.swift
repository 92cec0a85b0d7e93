// The device pool as a pure machine: first come, first served, all at once, no device twice.

import MartletExecution
import MartletTestSupport
import Testing

@Suite struct DevicePoolTests {
  @Test func `devices are granted lowest first and all at once`() {
    var pool = DevicePool(count: 4)
    #expect(pool.handle(.request("a", count: 1)) == [.grant("a", devices: [0])])
    #expect(pool.handle(.request("b", count: 2)) == [.grant("b", devices: [1, 2])])
    #expect(pool.handle(.request("c", count: 2)) == [])
    #expect(pool.free == [3])
    #expect(pool.waitingHolders == ["c"])
    #expect(pool.handle(.release("a")) == [.grant("c", devices: [0, 3])])
    #expect(pool.devices(of: "c") == [0, 3])
    #expect(pool.holderOfDevice == ["c", "b", "b", "c"])
  }

  @Test func `nobody overtakes a large request`() {
    var pool = DevicePool(count: 2)
    #expect(pool.handle(.request("a", count: 1)) == [.grant("a", devices: [0])])
    #expect(pool.handle(.request("large", count: 2)) == [])
    #expect(pool.handle(.request("small", count: 1)) == [])
    #expect(pool.handle(.release("a")) == [.grant("large", devices: [0, 1])])
    #expect(pool.handle(.release("large")) == [.grant("small", devices: [0])])
  }

  @Test func `one who gives up waiting lets the next pass`() {
    var pool = DevicePool(count: 2)
    _ = pool.handle(.request("a", count: 1))
    _ = pool.handle(.request("large", count: 2))
    _ = pool.handle(.request("small", count: 1))
    #expect(pool.handle(.release("large")) == [.grant("small", devices: [1])])
    #expect(pool.waitingHolders.isEmpty)
  }

  @Test func `a request for no device is granted at once, also past those who wait`() {
    var pool = DevicePool(count: 1)
    _ = pool.handle(.request("a", count: 1))
    _ = pool.handle(.request("b", count: 1))
    #expect(pool.handle(.request("none", count: 0)) == [.grant("none", devices: [])])
    #expect(pool.devices(of: "none") == [])
    #expect(DevicePool(count: 0).free == [])
  }

  @Test func `more than there are is refused and takes nothing`() {
    var pool = DevicePool(count: 2)
    #expect(pool.handle(.request("a", count: 3)) == [.refuse("a", count: 3, of: 2)])
    #expect(pool.free == [0, 1])
    #expect(pool.waitingHolders.isEmpty)
  }

  @Test func `asking again changes nothing`() {
    var pool = DevicePool(count: 1)
    _ = pool.handle(.request("a", count: 1))
    #expect(pool.handle(.request("a", count: 1)) == [])
    _ = pool.handle(.request("b", count: 1))
    #expect(pool.handle(.request("b", count: 1)) == [])
    #expect(pool.handle(.release("a")) == [.grant("b", devices: [0])])
    #expect(pool.handle(.release("b")) == [])
    #expect(pool.free == [0])
  }

  @Test func `devices from before a restart are not given away`() {
    var pool = DevicePool(count: 2)
    #expect(pool.handle(.adopt("old", devices: [1])) == [])
    #expect(pool.handle(.request("new", count: 1)) == [.grant("new", devices: [0])])
    #expect(pool.handle(.request("next", count: 1)) == [])
    #expect(pool.handle(.release("old")) == [.grant("next", devices: [1])])
  }

  @Test func `a device that is no longer declared comes to nobody`() {
    var pool = DevicePool(count: 1)
    _ = pool.handle(.adopt("old", devices: [3]))
    #expect(pool.holderOfDevice == [nil])
    #expect(pool.handle(.request("a", count: 1)) == [.grant("a", devices: [0])])
    _ = pool.handle(.release("old"))
    #expect(pool.free == [])
  }

  @Test func `strangers who release change nothing`() {
    var pool = DevicePool(count: 1)
    _ = pool.handle(.request("a", count: 1))
    #expect(pool.handle(.release("stranger")) == [])
    #expect(pool.holderOfDevice == ["a"])
  }

  /// Random requests and releases against the laws themselves.
  @Test(arguments: [1, 2, 3, 5, 8, 64], [UInt64(1), 2, 3]) func `the laws hold under random events`(
    devices: Int, seed: UInt64
  ) {
    var numbers = SeededNumbers(seed: seed &* 1_000 &+ UInt64(devices))
    var pool = DevicePool(count: devices)
    var asked: [String: Int] = [:]
    var waiting: [String] = []
    var holding: [String] = []
    var granted = 0
    var events = 0

    func check(_ actions: [DevicePool.Action]) {
      for action in actions {
        guard case .grant(let holder, let given) = action else {
          Issue.record("seed \(seed): only a request may be refused")
          continue
        }
        // In the order of asking, and all that was asked for.
        if waiting.first != holder {
          Issue.record("seed \(seed): \(holder) overtook \(waiting.first ?? "nobody")")
        }
        waiting.removeAll { $0 == holder }
        holding.append(holder)
        granted += 1
        if given.count != asked[holder] || pool.devices(of: holder) != given {
          Issue.record("seed \(seed): \(holder) got \(given)")
        }
      }
      let taken = holding.flatMap { pool.devices(of: $0) ?? [] }
      if Set(taken).count != taken.count { Issue.record("seed \(seed): a device has two holders: \(taken)") }
      if !taken.allSatisfy((0..<devices).contains) { Issue.record("seed \(seed): no such device: \(taken)") }
      if pool.free.count + taken.count != devices { Issue.record("seed \(seed): a device was lost") }
      if pool.waitingHolders != waiting {
        Issue.record("seed \(seed): another queue: \(pool.waitingHolders)")
      }
      // Whoever is first in line lacks devices: otherwise it would have them.
      if let first = waiting.first, let wanted = asked[first], wanted <= pool.free.count {
        Issue.record("seed \(seed): \(first) waits for \(wanted) of \(pool.free.count) free devices")
      }
    }

    for number in 0..<4_000 {
      events += 1
      switch Int.random(in: 0..<10, using: &numbers) {
      case 0..<5 where waiting.count < 50:
        let wanted = Int.random(in: 0...devices + 1, using: &numbers)
        let holder = "holder\(number)"
        asked[holder] = wanted
        let actions = pool.handle(.request(holder, count: wanted))
        if wanted > devices {
          if actions != [.refuse(holder, count: wanted, of: devices)] {
            Issue.record("seed \(seed): not refused")
          }
        } else if wanted == 0 {
          if actions != [.grant(holder, devices: [])] {
            Issue.record("seed \(seed): nothing was not granted")
          }
          holding.append(holder)
        } else {
          waiting.append(holder)
          check(actions)
        }
      case 5:
        guard let holder = waiting.randomElement(using: &numbers) else { continue }
        waiting.removeAll { $0 == holder }
        check(pool.handle(.release(holder)))
      default:
        guard let holder = holding.randomElement(using: &numbers) else { continue }
        holding.removeAll { $0 == holder }
        check(pool.handle(.release(holder)))
      }
    }
    // Everybody gets what they asked for in the end.
    while let holder = holding.randomElement(using: &numbers) {
      holding.removeAll { $0 == holder }
      check(pool.handle(.release(holder)))
    }
    #expect(waiting.isEmpty)
    #expect(pool.free == Array(0..<devices))
    #expect(granted > 500)
    #expect(events == 4_000)
  }
}
