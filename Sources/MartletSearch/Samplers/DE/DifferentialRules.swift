// How differential evolution replaces members and makes challengers.

import MartletModel
import OrderedCollections

/// The rules of L-SHADE; the equations are those of the paper that `DifferentialEvolutionSampler` names.
struct DifferentialRules: Sendable {
  let problem: SearchProblem
  /// How many members there are at first.
  let size: Int
  let shrink: Bool
  /// p.
  let greed: Double
  let archiveShare: Double

  // MARK: - Replacing

  func step(_ state: inout SuccessHistory, _ place: Int, _ history: History) {
    let observation = history.observations[place]
    let standing = Standing(observation)
    let own = SuccessHistory.Member(trial: observation.trial, place: place, standing: standing)
    let note = observation.note?["de"]?.array ?? []
    guard note.count == 3, let target = note[0].int, let scale = note[1].double, let rate = note[2].double,
      !state.members.isEmpty
    else {
      // Nobody's challenger: it fills the population, or takes the place of the worst.
      if standing == .failed { return }
      if state.members.count < size {
        state.members.append(own)
      } else if let worst = state.worst, standing.isBetter(than: state.members[worst].standing) {
        state.members[worst] = own
      }
      return
    }
    state.trials += 1
    // The member it challenged may have been beaten by another meanwhile: then the worst is as good a place.
    let slot = state.members.firstIndex { $0.trial == target } ?? state.worst ?? 0
    let old = state.members[slot]
    if !old.standing.isBetter(than: standing), standing != .failed {
      if standing.isBetter(than: old.standing) {
        state.archive.append(old.place)
        state.succeed(scale, rate, gain: old.standing, standing)
      }
      state.members[slot] = own
    }
    if state.trials % max(state.members.count, 1) == 0 {
      state.remember()
      let room = room(after: place + 1)
      while state.members.count > room, let worst = state.worst { state.members.remove(at: worst) }
      let kept = Int(archiveShare * Double(state.members.count))
      // The oldest leave first, so that no lots need be drawn.
      if state.archive.count > kept { state.archive.removeFirst(state.archive.count - kept) }
    }
  }

  /// How many members there are after so many trials: from all to 4, linearly (section III).
  private func room(after trials: Int) -> Int {
    guard shrink, let budget = problem.budget, budget > size else { return size }
    let share = min(Double(trials) / Double(budget), 1)
    return max(Int((Double(size) + (4 - Double(size)) * share).rounded()), 4)
  }

  // MARK: - Challenging

  /// v = x + F (x_pbest − x) + F (x_r1 − x_r2), crossed over with x (equations 1 and 2 of the paper).
  func mutant(
    _ state: SuccessHistory, _ slot: Int, _ scale: Double, _ rate: Double, _ history: History,
    _ generator: inout Xoshiro256
  ) -> [Double] {
    let members = state.members
    let leaders = max(Int((greed * Double(members.count)).rounded()), 2)
    let order = Standing.order(members.map(\.standing))
    let leader = members[order[Int(generator.below(UInt64(min(leaders, order.count))))]].place
    let first = pick(members.count, not: [slot], &generator)
    let second = pick(members.count + state.archive.count, not: [slot, first], &generator)
    func coordinates(_ place: Int) -> [Double] { history.observations[place].coordinates }
    let base = coordinates(members[slot].place)
    let best = coordinates(leader)
    let near = coordinates(members[first].place)
    let far = coordinates(
      second < members.count ? members[second].place : state.archive[second - members.count])
    let cube = problem.cube
    let forced = Int(generator.below(UInt64(max(cube.axes.count, 1))))
    var child = base
    for axis in cube.axes.indices {
      guard axis == forced || generator.unit() < rate else { continue }
      let known = [base[axis], best[axis], near[axis], far[axis]].filter { !$0.isNaN }
      guard let any = known.first else {
        child[axis] = cube.draw(axis: axis, using: &generator)
        continue
      }
      // Where a point has no value the others speak for it.
      func value(_ point: [Double]) -> Double { point[axis].isNaN ? any : point[axis] }
      if case .categorical = cube.axes[axis].kind {
        child[axis] = category(
          axis, value(base), value(best), value(near) != value(far), scale, &generator)
        continue
      }
      let moved =
        value(base) + scale * (value(best) - value(base)) + scale * (value(near) - value(far))
      // Beyond a bound: half way to it (section II of the paper).
      child[axis] = moved < 0 ? value(base) / 2 : moved > 1 ? (1 + value(base)) / 2 : moved
    }
    return cube.canonical(child)
  }

  /// The leader's category with probability F; where the population does not agree, with F another one.
  private func category(
    _ axis: Int, _ own: Double, _ best: Double, _ isOpen: Bool, _ scale: Double,
    _ generator: inout Xoshiro256
  ) -> Double {
    if isOpen, generator.unit() < scale * 0.5 { return problem.cube.draw(axis: axis, using: &generator) }
    return generator.unit() < scale ? best : own
  }

  private func pick(_ count: Int, not taken: [Int], _ generator: inout Xoshiro256) -> Int {
    var index = Int(generator.below(UInt64(count)))
    while taken.contains(index) { index = (index + 1) % count }
    return index
  }
}
