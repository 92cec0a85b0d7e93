// Eight devices and three experiments that need 2, 4 and 2 of them: the third waits only if its devices are not free.

import Foundation
import MartletModel
import MartletOrchestration
import MartletTestSupport
import OrderedCollections
import Testing

@Suite struct ThreeExperimentsTests {
  /// Notes what it sees and goes on until its gate is there.
  private static func sweep(_ work: String) -> String {
    """
    command: [/bin/sh, -c, "echo $MARTLET_RUN_NAME $CUDA_VISIBLE_DEVICES >> \(work)/seen; \
    until [ -e \(work)/$MARTLET_RUN_NAME.gate ]; do sleep 0.02; done"]
    method: grid
    run_name: "experiment-{number}"
    max_parallel: 3
    parameters: {experiment: {values: [0, 1, 2]}}
    resources: {gpus: 4 - 2 * abs(experiment - 1)}
    """
  }

  private func seen(_ shop: Workshop) throws -> [String: String] {
    try shop.lines("seen").reduce(into: [:]) { seen, line in
      let words = line.split(separator: " ").map(String.init)
      seen[words[0]] = words[1]
    }
  }

  @Test func `with all eight free, the three run at the same time`() async throws {
    try await Workshop.with(devices: 8) { shop in
      let sweep = try await shop.submit(Self.sweep(shop.work))
      #expect(try await shop.running(sweep.id, count: 3))
      #expect(try await eventually { try seen(shop).count == 3 })
      #expect(
        try seen(shop) == ["experiment-0": "0,1", "experiment-1": "2,3,4,5", "experiment-2": "6,7"])
      for number in 0..<3 { try shop.write("experiment-\(number).gate", "") }
      #expect(try await shop.ended(sweep.id).state == .finished)
      #expect(try await shop.engine.devices().allSatisfy { $0.holder == nil })
    }
  }

  @Test(arguments: [(leaves: "experiment-0", devices: "2,3"), (leaves: "other", devices: "0,1")])
  func `with two in other hands, the third waits and gets those that are freed`(
    _ order: (leaves: String, devices: String)
  ) async throws {
    try await Workshop.with(devices: 8) { shop in
      let other = try await shop.execute(
        ["sh", "-c", "until [ -e other.gate ]; do sleep 0.02; done"], more: ["gpus": 2])
      #expect(try await shop.run(other.id).devices == [0, 1])
      let sweep = try await shop.submit(Self.sweep(shop.work))
      #expect(try await eventually { try seen(shop).count == 2 })
      #expect(try seen(shop) == ["experiment-0": "2,3", "experiment-1": "4,5,6,7"])
      #expect(try await shop.trials(sweep.id).map(\.runState).last == .queued, "there are none left")

      try shop.write("\(order.leaves).gate", "")
      #expect(try await eventually { try seen(shop).count == 3 })
      #expect(try seen(shop)["experiment-2"] == order.devices)
      let third = try #require(try await shop.trials(sweep.id).last)
      #expect(
        try await shop.run(third.run).devices == order.devices.split(separator: ",").compactMap { Int($0) })
      for name in ["other", "experiment-0", "experiment-1", "experiment-2"] {
        try shop.write("\(name).gate", "")
      }
      #expect(try await shop.ended(sweep.id).state == .finished)
      #expect(try await shop.runEnded(other.id).state == .finished)
      #expect(try await shop.engine.devices().allSatisfy { $0.holder == nil })
    }
  }
}
