// What a server that was killed had promised, or had learned and not yet acted upon, is seen to by the next one.

import Foundation
import MartletModel
import MartletSeries
import MartletStore
import MartletTestSupport
import MartletTracking
import OrderedCollections
import Testing

@testable import MartletOrchestration

@Suite struct CrashPointTests {
  @Test func `an attempt is killed when people were told it would be, whatever server sees to it`()
    async throws
  {
    try await Workshop.with { shop in
      let deaf = "trap '' TERM; echo ready >> notes; while [ -d \(shop.work) ]; do sleep 0.05; done"
      let run = try await shop.execute(["sh", "-c", deaf], more: ["grace_s": 600])
      try await eventually("it is deaf") { try shop.lines("notes").count == 1 }
      try await eventually("it is known to run") { try await shop.run(run.id).state == .running }
      _ = try await shop.engine.stopRun(run.id, grace: nil, access: shop.access)
      await shop.close()
      try shop.sql("UPDATE attempt SET kill_at = 1 WHERE kill_at IS NOT NULL")
      try await shop.open()
      try await shop.engine.start()
      // Its own grace would be over in ten minutes.
      #expect(try await shop.runEnded(run.id).state == .stopped)
    }
  }

  @Test func `values that nobody had judged yet are judged by the next server`() async throws {
    try await Workshop.with { shop in
      try shop.write("train.py", Programs.python("wait('go-' + args['x'])"))
      let sweep = try await shop.submit(
        """
        program: train.py
        method: grid
        max_parallel: 2
        metric: {name: loss}
        parameters: {x: {values: [1, 2]}}
        early_terminate: {type: threshold, upper: 5}

        """)
      #expect(try await shop.running(sweep.id, count: 2))
      let trials = try await shop.trials(sweep.id)
      await shop.close()
      // A server that takes points and ends before it decides anything: it was never started.
      try await shop.open()
      for (trial, value) in zip(trials, [1.0, 9.0]) {
        let row = LogRow(
          sequence: 0, step: 1, time: Timestamp(microseconds: 1), numbers: [("loss", value)], others: [])
        _ = try await shop.engine.tracking.append(
          try RowBatch([row]), to: trial.run, client: "client-\(trial.run)")
      }
      await shop.close()
      try await shop.open()
      try await shop.engine.start()
      // It logs nothing more.
      try await eventually("it is stopped for its value") {
        try await shop.trials(sweep.id)[1].state == .pruned
      }
      #expect(try await shop.trials(sweep.id)[1].reason == "Its loss at step 1, 9, is above 5.")
      try shop.write("go-1", "")
      #expect(try await shop.ended(sweep.id).counts == [.complete: 1, .pruned: 1])
    }
  }
}
