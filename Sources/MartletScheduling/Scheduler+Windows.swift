// Sweeps that run as many trials as they may: what more of theirs waits stands in no line.

import MartletModel
import OrderedCollections

extension Scheduler {
  /// Trials of a sweep that hold something.
  func running(of sweep: PublicID) -> Int {
    sweeps[sweep]?.machine.open.count { jobs[.trial(sweep: sweep, number: $0)]?.state.holds == true } ?? 0
  }

  /// Takes those out of the line for whom there is no room in their sweeps' windows, and puts those in for whom there is.
  ///
  /// Only a sweep whose window was narrowed has more trials open than it may run.
  mutating func holdBack() {
    guard laws.hold(.windowKept) else { return }
    for (id, sweep) in sweeps {
      let machine = sweep.machine
      let before = held[id] ?? []
      guard machine.openTrials.count > machine.maxParallel || !before.isEmpty else { continue }
      var (room, waiting): (Int, [Job]) = (machine.maxParallel, [])
      for number in machine.open {
        guard let job = jobs[.trial(sweep: id, number: number)] else { continue }
        if job.state.holds { room -= 1 } else if job.state == .waiting { waiting.append(job) }
      }
      waiting.sort { $0.request.precedes($1.request) }
      let next = OrderedSet(waiting.dropFirst(max(room, 0)).map(\.id))
      for job in waiting where next.contains(job.id) != before.contains(job.id) {
        if next.contains(job.id) { pool.withdraw(job.id) } else { pool.enter(job.request) }
      }
      held[id] = next.isEmpty ? nil : next
    }
    for id in held.keys where sweeps[id] == nil { held[id] = nil }
  }

  /// Who waits for room in its sweep's window, in the order in which they will have it; their position is 0.
  package func heldBack(at now: Double) -> [Wait] {
    held.flatMap { id, trials -> [Wait] in
      let (window, running) = (sweeps[id]?.machine.maxParallel ?? 0, running(of: id))
      let reason =
        "Its sweep runs \(Words.count(window, "trial")) at a time now, and \(running == 1 ? "one runs" : "\(running) run")."
      return trials.compactMap { jobs[$0] }.map {
        Wait(request: $0.request, position: 0, reason: reason, estimate: nil)
      }
    }
  }

  /// Whether one more trial like the last one would get what it needs at once.
  func hasRoom(for sweep: Sweep) -> Bool {
    guard pool.isLineEmpty, let last = sweep.machine.trials.last,
      let needs = try? sweep.plan.needs.needs(of: last.point).get()
    else { return false }
    return pool.lack(of: needs) == nil
  }
}
