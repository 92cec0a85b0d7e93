// What a method makes of the finished trials one after another, kept so that it need not begin anew at every ask.

/// A state that finished trials lead to, taken in the order of their numbers.
///
/// It is a function of the history alone: a trial that ends after later ones takes its place before them, and all from
/// there on is computed again. States are kept at intervals, so that this costs little for a trial that is not long
/// overdue.
struct HistoryFold<State: Sendable>: Sendable {
  private let interval: Int
  private let initial: State
  /// `kept[k]` is the state after `(k + 1) * interval` trials.
  private var kept: [State] = []
  private var latest: State
  private var count = 0

  init(_ initial: State, every interval: Int) {
    self.initial = initial
    self.interval = max(interval, 1)
    latest = initial
  }

  /// The state after all of `history`.
  ///
  /// - Parameter step: what the trial at that place of `history.observations` changes.
  mutating func state(after history: History, step: (inout State, Int) -> Void) -> State {
    while count < history.observations.count {
      step(&latest, count)
      count += 1
      if count == (kept.count + 1) * interval { kept.append(latest) }
    }
    return latest
  }

  /// A trial came to stand at `place` of the history.
  mutating func forget(from place: Int) {
    guard place < count else { return }
    kept.removeLast(max(kept.count - place / interval, 0))
    latest = kept.last ?? initial
    count = kept.count * interval
  }
}

extension History {
  /// Where the finished trial of that number stands in `observations`, or would stand.
  func place(of trial: Int) -> Int {
    var low = 0
    var high = observations.count
    while low < high {
      let middle = (low + high) / 2
      if observations[middle].trial < trial { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The finished trial of that number.
  func observation(of trial: Int) -> Observation? {
    let place = place(of: trial)
    return place < observations.count && observations[place].trial == trial ? observations[place] : nil
  }

  /// How many trials were asked for or told.
  var count: Int { observations.count + pending.count }
}
