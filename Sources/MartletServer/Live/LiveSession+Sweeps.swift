// A sweep's subscription: its row and its trials, of which there may be many, a part at a time.

import MartletModel
import OrderedCollections

extension LiveSession {
  /// What of a sweep is still to be read for a subscription: of a client that reads slowly, little waits meanwhile.
  struct SweepDebt: Sendable {
    /// A part of it, as it is read at a time.
    enum Part: Sendable {
      /// So many trials from this number on.
      case from(Int)
      /// These; none: the sweep's row alone.
      case these([Int])
    }

    var isRowDue = false
    /// Trials that changed.
    var numbers: Set<Int> = []
    /// In a snapshot the number from which on trials are to be read; nil: all were.
    var next: Int?

    var isEmpty: Bool { !isRowDue && numbers.isEmpty && next == nil }
  }

  /// Takes a part of a sweep that was read for a debt: newer than all that the client has heard of it.
  ///
  /// - Parameters:
  ///   - next: in a snapshot, the number from which on there are more trials.
  ///   - sequence: of a change that is in it.
  mutating func pay(_ debt: Debt, _ sweep: Sweep, _ trials: [Trial], next: Int?, sequence: UInt64) {
    guard case .trials(_, let part) = debt.what, var subscription = subscriptions[debt.subscription],
      subscription.generation == debt.generation
    else { return }
    let before = subscription.sweeps[sweep.id]?.sequence ?? 0
    subscription.sweep = sweep
    subscription.sweeps[sweep.id] = (max(before, sequence), sweep)
    for trial in trials {
      subscription.trials[trial.number] = trial
      subscription.sweepDebt.numbers.remove(trial.number)
    }
    subscription.trialSequence = max(subscription.trialSequence, sequence)
    subscription.sweepDebt.isRowDue = false
    switch part {
    case .from:
      subscription.sweepDebt.next = next
      subscription.snapshot?.hasMore = next != nil
    // Those that are gone are not asked for again.
    case .these(let numbers): subscription.sweepDebt.numbers.subtract(numbers)
    }
    subscriptions[debt.subscription] = subscription
  }

  /// Begins the subscription anew to which most is owed, where all together are owed too much.
  ///
  /// - Parameter sequence: of the newest change.
  mutating func boundDebts(_ sequence: UInt64) {
    let owed = subscriptions.values.reduce(0) { $0 + $1.owedCount }
    guard owed > Self.maximumOwedTogether,
      let index = subscriptions.values.indices.max(by: {
        subscriptions.values[$0].owedCount < subscriptions.values[$1].owedCount
      })
    else { return }
    subscriptions.values[index].beginAnew(sequence)
  }
}

extension LiveSession.Subscription {
  /// Notes a change of a trial: with the trial as long as there is room.
  mutating func note(_ trial: Trial, _ sequence: UInt64) {
    trialSequence = sequence
    if trials[trial.number] != nil || trials.count < LiveSession.maximumTrials {
      trials[trial.number] = trial
    } else if sweepDebt.next.map({ trial.number < $0 }) ?? true {
      sweepDebt.numbers.insert(trial.number)
    }
  }

  /// What is to be read next of its sweep; nil: nothing, or there is no room yet.
  var nextTrials: LiveSession.SweepDebt.Part? {
    guard trials.count < LiveSession.maximumTrials else { return nil }
    if !sweepDebt.numbers.isEmpty {
      return .these(Array(sweepDebt.numbers.prefix(LiveSession.rowsAtOnce)))
    }
    if let next = sweepDebt.next { return .from(next) }
    return sweepDebt.isRowDue ? .these([]) : nil
  }
}
