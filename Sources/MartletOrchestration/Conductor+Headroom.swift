// Sweeps that follow what the machine has left are told of it.

import Foundation
import Logging
import MartletExecution
import MartletModel
import MartletScheduling
import MartletStore
import MartletTracking
import OrderedCollections

extension Conductor {
  private var isFollowed: Bool {
    core.scheduler.sweeps.values.contains { $0.machine.progress.isAutomatic }
  }

  /// Looks at the machine from now on, for as long as a sweep wants to know.
  func followMachine() {
    guard headroomEvery > 0, following == nil, !isClosed, isFollowed else { return }
    following = Task {
      var watch = MachineWatch()
      while !isClosed, isFollowed {
        let before = watch
        // It does not throw.
        let looked = try? await blocking { () -> (MachineWatch, MachineWatch.Left?) in
          var watch = before
          let left = watch.look()
          return (watch, left)
        }
        watch = looked?.0 ?? before
        if let left = looked?.1 {
          await hear(
            Headroom(cpu: left.cpu, load: left.load, freeMemory: left.freeMemory, memory: left.memory))
        }
        // A cancelled sleep only ends earlier.
        try? await Task.sleep(for: .seconds(headroomEvery))
      }
      following = nil
    }
  }

  /// Lets the scheduler decide what follows from it; nothing is written where nothing does.
  func hear(_ headroom: Headroom) async {
    let system = system
    do {
      try await queue.run {
        guard await self.changes(.headroom(headroom)) else { return }
        try await self.transact { core, writer, effects, now in
          try core.decide(.headroom(headroom), writer, &effects, by: system, now)
        }
      }
    } catch {
      logger.failure("What the machine has left could not be heeded; looking again soon", error)
    }
  }

  /// Whether anything follows from an event.
  func changes(_ event: Scheduler.Event) -> Bool {
    var scheduler = core.scheduler
    return isStarted && !scheduler.handle(event, at: clock.now.seconds).isEmpty
  }
}
