// What is told of those who wait: reasons and estimates of a long line, and sweeps that are changed meanwhile.

import MartletModel
import MartletSearch
import OrderedCollections
import Testing

@testable import MartletScheduling

@Suite struct PoolReadingTests {
  private func id(_ number: Int) -> PublicID {
    let digits = String(number)
    return PublicID(rawValue: "r" + String(repeating: "0", count: 7 - digits.count) + digits)!
  }

  @Test func `each who waits is told how many stand before him for what he needs`() {
    var pool = DevicePool(devices: (0..<2).map { Device(index: $0) })
    _ = pool.handle(
      .request(PoolRequest(job: .run(id(0)), needs: Needs(devices: 2), ticket: 0, expected: 10)), at: 0)
    for number in 1...3 {
      let request = PoolRequest(
        job: .run(id(number)), needs: Needs(devices: 1), ticket: number, expected: 5)
      _ = pool.handle(.request(request), at: 0)
    }
    let waits = pool.waits(at: 4)
    let lack = "It needs 1 device: 0 are free and 2 are held."
    #expect(
      waits.map(\.reason) == [
        lack, "Another is before it in the line. \(lack)", "2 others are before it in the line. \(lack)",
      ])
    #expect(waits.map(\.position) == [1, 2, 3])
    // Two at 10 s, the third when one of them has ended.
    #expect(waits.map(\.estimate) == [6, 6, 11])
  }

  @Test func `a long line of many needs is counted right`() {
    var pool = DevicePool(devices: (0..<8).map { Device(index: $0) })
    for number in 0..<2_000 {
      let needs = Needs(devices: 1 + number % 4)
      pool.enter(PoolRequest(job: .run(id(number)), needs: needs, ticket: number, expected: 60))
    }
    _ = pool.handle(.look, at: 0)
    let waits = pool.waits(at: 1)
    #expect(waits.count == pool.waiting.count && waits.count > 1_900)
    #expect(waits.last?.reason.hasPrefix("\(waits.count - 1) others are before it in the line.") == true)
    #expect(waits.first?.estimate != nil)
  }

  @Test func `a sweep's trials are expected to take what those before them took`() throws {
    var scheduler = try scheduler(maxParallel: 2)
    let first = JobID.trial(sweep: sweep, number: 0)
    #expect(scheduler.expected(of: first) == 100)
    _ = scheduler.handle(.attempt(first, number: 1, .running), at: 0)
    let end = JobEnd(.success(objective: nil), .finished, reason: "", seconds: 7)
    _ = scheduler.handle(.attempt(first, number: 1, .over(end)), at: 7)
    #expect(scheduler.expected(of: .trial(sweep: sweep, number: 1)) == 7)
    // The second runs since 7 s on the one device; the third waits for its end.
    #expect(scheduler.foreseen.waits(at: 8).first?.estimate == 6)
  }

  @Test func `another priority holds for what waits, another time limit for what has not begun`() throws {
    var scheduler = try scheduler(maxParallel: 3)
    let change = PlanChange(priority: 5, timeout: .some(nil))
    let actions = scheduler.handle(.changePlan(sweep, change), at: 1)
    let (running, waiting) = (JobID.trial(sweep: sweep, number: 0), JobID.trial(sweep: sweep, number: 1))
    #expect(actions.contains(.savePlan(sweep, priority: 5, timeout: nil)))
    #expect(actions.contains(.setTimeout(waiting, nil)))
    #expect(!actions.contains(.setTimeout(running, nil)))
    #expect(scheduler.jobs.values.map(\.priority) == [5, 5, 5])
    #expect(scheduler.jobs[running]?.expected == 100)
    #expect(scheduler.pool.waiting.map(\.expected) == [nil, nil])
    #expect(scheduler.sweeps[sweep]?.plan.timeout == nil)
    // Once more the same is nothing new.
    #expect(scheduler.handle(.changePlan(sweep, change), at: 2).isEmpty)
  }

  private var sweep: PublicID { PublicID(rawValue: "sweep001")! }

  /// A sweep of four trials, of which each needs the one device.
  private func scheduler(maxParallel: Int) throws -> Scheduler {
    let space = try Space([Parameter("x", .categorical([1, 2, 3, 4]))])
    let search = try Search(method: "grid", problem: SearchProblem(space: space, seed: 1))
    let machine = SweepMachine(
      search: search, objective: nil, target: nil, budget: 4, maxParallel: maxParallel)
    var rule = NeedsRule()
    rule.devices = .number(1)
    var scheduler = Scheduler(pool: DevicePool(devices: [Device(index: 0)]), at: 0)
    let plan = TrialPlan(needs: rule, timeout: 100)
    _ = scheduler.handle(.addSweep(sweep, Scheduler.Sweep(machine: machine, plan: plan)), at: 0)
    return scheduler
  }
}
