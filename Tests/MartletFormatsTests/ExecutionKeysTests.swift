// Keys of sweep files that say how trials are executed.

import MartletModel
import MartletScheduling
import MartletSearch
import OrderedCollections
import Testing

@testable import MartletFormats

@Suite struct ExecutionKeysTests {
  private func read(_ keys: String) throws -> SweepSpecification {
    try SweepSpecification.read(
      source: """
        program: train.py
        method: grid
        parameters: {tp: {values: [1, 2]}, layers: {values: [8, 16]}}
        \(keys)
        """, filename: "sweep.yaml")
  }

  private let point = Point(values: ["tp": 2, "layers": 16])

  @Test func `needs are numbers, sizes and expressions over parameters`() throws {
    let file = try read(
      """
      resources: {gpus: 2 * tp, gpu_memory: (2 + layers / 8) * GB, gpu_slots: 3, same_host: false, memory: 1.5 GiB}
      """)
    let needs = try #require(file.needs).needs(of: point).get()
    #expect(
      needs
        == Needs(
          devices: 4, deviceMemory: 4_000_000_000, deviceSlots: 3, sameHost: false, memory: 1_610_612_736))
  }

  @Test func `what is not said of devices stays open`() throws {
    #expect(
      try read("resources: {gpu_memory: 20GB}").needs == NeedsRule(deviceMemory: .number(20_000_000_000)))
    #expect(try read("name: a").needs == nil)
  }

  @Test func `retries are one number, or one for each cause`() throws {
    let each = try read("retries: {infra: 3, oom: 0}\nretry_pause: 5s").retries
    #expect(each == RetryPolicy(limits: [.infra: 3, .oom: 0], pause: 5))
    #expect(
      try read("retries: 2").retries
        == RetryPolicy(limits: [.infra: 2, .failure: 2, .oom: 2, .timeout: 2]))
    #expect(try read("name: a").retries == RetryPolicy())
  }

  @Test func `priority and circuit breaker`() throws {
    let file = try read("priority: -2\nbreaker: 4")
    #expect(file.priority == -2)
    #expect(file.breaker == 4)
    #expect(try read("name: a").breaker == nil)
  }
}
