// The collections of the machines' memories: as plain ones in all that they do, and copies stay what they were.

import MartletModel
import MartletSearch
import OrderedCollections
import Testing

@testable import MartletScheduling

@Suite struct CollectionTests {
  @Test func `pages are an array, and a copy stays what it was`() {
    var (pages, array) = (Pages<Int>(), [Int]())
    var copies: [(pages: Pages<Int>, array: [Int])] = []
    for number in 0..<1_000 {
      pages.append(number)
      array.append(number)
      pages[number / 3] += 7
      array[number / 3] += 7
      if number % 97 == 0 { copies.append((pages, array)) }
    }
    #expect(Array(pages) == array && pages.count == 1_000 && pages.last == array.last)
    for copy in copies { #expect(Array(copy.pages) == copy.array) }
    #expect(Array(Pages(array)) == array && Pages<Int>().isEmpty)
  }

  @Test func `a roster is an ordered dictionary, and a copy stays what it was`() {
    var numbers = SplitMix64(seed: 3)
    var (roster, plain) = (Roster<Int, Int>(), OrderedDictionary<Int, Int>())
    var copies: [(roster: Roster<Int, Int>, plain: OrderedDictionary<Int, Int>)] = []
    for step in 0..<5_000 {
      let key = Int.random(in: 0..<700, using: &numbers)
      switch Int.random(in: 0..<5, using: &numbers) {
      case 0, 1, 2:
        roster[key] = step
        plain[key] = step
      case 3:
        #expect(roster.removeValue(forKey: key) == plain.removeValue(forKey: key))
      default: #expect(roster[key] == plain[key])
      }
      if step % 500 == 0 { copies.append((roster, plain)) }
    }
    copies.append((roster, plain))
    for (roster, plain) in copies {
      #expect(roster.count == plain.count && roster.isEmpty == plain.isEmpty)
      #expect(roster.keys == Array(plain.keys) && roster.values == Array(plain.values))
      #expect(roster.map(\.key) == Array(plain.keys))
    }
    roster.updateValues { $1 = $0 }
    #expect(roster.values == roster.keys && copies.last?.roster.values == Array(plain.values))
  }

  @Test func `a line of many who come, leave and are moved is in order, whatever they need`() {
    var numbers = SplitMix64(seed: 5)
    var policy = PoolPolicy()
    (policy.cpuSlots, policy.memory) = (0, 1)
    var pool = DevicePool(2, policy: policy)
    var plain: [PoolRequest] = []
    for ticket in 0..<2_000 {
      var id = ticket
      let name = String(
        (0..<8).map { _ in
          defer { id /= 10 }
          return Character(String(id % 10))
        })
      guard let run = PublicID(rawValue: name) else { continue }
      let needs = Needs(devices: ticket % 3, memory: Int64(ticket % 2) * 5)
      let request = PoolRequest(
        job: .run(run), needs: needs, priority: Int.random(in: -2...2, using: &numbers), ticket: ticket)
      pool.enter(request)
      plain.append(request)
      if ticket % 4 == 3, let gone = plain.randomElement(using: &numbers) {
        pool.withdraw(gone.job)
        plain.removeAll { $0.job == gone.job }
        #expect(!pool.isWaiting(gone.job))
      }
    }
    plain.sort { $0.precedes($1) }
    #expect(pool.waiting == plain)
    // What each needs of what has an end is another now; the order is not.
    policy.cpuSlots = nil
    _ = pool.handle(.policy(policy), at: 0)
    let left = Set(pool.waiting.map(\.job))
    #expect(pool.waiting == plain.filter { left.contains($0.job) })
    #expect(!pool.isLineEmpty && left.count < plain.count)
  }

  @Test func `who could wait for ever is refused once, be it by what came or by what changed`() {
    var pool = DevicePool(2)
    pool.enter(PoolRequest(job: job("large"), needs: Needs(devices: 3), ticket: 1))
    pool.enter(PoolRequest(job: job("pair"), needs: Needs(devices: 2), ticket: 2))
    let words = "It needs 3 devices, but this server has 2."
    #expect(pool.handle(.refuse, at: 0) == [.refuse(job("large"), reason: words)])
    #expect(pool.handle(.refuse, at: 0).isEmpty && pool.isWaiting(job("pair")))
    _ = pool.handle(.devices([Device(index: 0)]), at: 0)
    let fewer = "It needs 2 devices, but this server has 1."
    #expect(pool.handle(.refuse, at: 0) == [.refuse(job("pair"), reason: fewer)])
    #expect(pool.handle(.refuse, at: 0).isEmpty && pool.isLineEmpty)
  }
}
